"""What a thread remembers, encrypted: no words in LangGraph's tables, and a pause outlives a new key."""

from dataclasses import replace

from crm.sealing import new_key
from db import sealed_threads
from db.checkpoints import TenantSaver
from db.cipher import StateCipher
from db.pool import open_pool
from graph.build import build
from tests.nodes.stage import Stage

WANTS = "Vorrei parlare con una persona della pergamena ottocentesca"
SECRET = "pergamena"
STORED = (
    "SELECT (SELECT string_agg(checkpoint::text || metadata::text, ' ') FROM checkpoints"
    " WHERE thread_id = %(t)s) AS said,"
    " (SELECT string_agg(blob, '') FROM checkpoint_blobs WHERE thread_id = %(t)s) AS kept,"
    " (SELECT string_agg(blob, '') FROM checkpoint_writes WHERE thread_id = %(t)s) AS written"
)


async def test_a_pause_is_unreadable_at_rest_and_goes_on_under_a_new_key(stage: Stage) -> None:
    old, new = new_key(), new_key()
    pool = await open_pool(stage.dsn, max_size=4, name="sealed")
    try:

        def on(*keys: str) -> Stage:
            return replace(stage, machine=build(TenantSaver(pool, StateCipher(keys))))

        thread = await on(old).customer()
        await thread.say(WANTS)
        assert SECRET in str(thread.state["window"])
        [row] = await thread.stage.rows(STORED.replace("%(t)s", "%s"), *[thread.thread_id] * 3)
        assert SECRET not in row["said"]
        for column in ("kept", "written"):
            assert len(row[column]) > 500
            assert SECRET.encode() not in bytes(row[column])

        async with stage.crm.as_owner() as tx:
            for table in sealed_threads.TABLES:
                done = await sealed_threads.renew_thread(
                    tx.connection, table, StateCipher([new, old]), thread.thread_id
                )
                assert (done.renewed > 0, done.lost) == (True, 0)
        thread.stage = on(new)
        assert (await thread.snapshot()).next == ("await_human",)
        await thread.handed_back("Richiamata", facts={"sala": "due"})
        assert SECRET in str(thread.state["window"])
        assert (await thread.snapshot()).next == ()
    finally:
        await pool.close()
