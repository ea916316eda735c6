"""The sound of voice notes is deleted when its time is over, by a job that runs by itself."""

from dataclasses import replace
from datetime import timedelta

from crm import messages, recordings
from crm.messages import NewMessage
from crm.sealing import Seal, new_key
from jobs.retention import forget_audio
from tests.jobs.shop import Shop


async def _kept(shop: Shop, wa_id: str, age: str) -> int:
    conversation_id = await shop.open_conversation(wa_id)
    async with shop.crm.transaction(shop.business_id) as tx:
        [row] = await shop.rows(
            "SELECT contact_id FROM conversation WHERE conversation_id = %s", conversation_id
        )
        note = NewMessage(conversation_id, row["contact_id"], "customer", "audio", tx.now)
        message_id = await messages.add(tx, note)
        assert message_id is not None
        await recordings.keep(tx, message_id, b"OggS", Seal([new_key()]))
    await shop.rows(
        "UPDATE recording SET kept_at = now() - %s::interval WHERE message_id = %s", age, message_id
    )
    return message_id


async def _there(shop: Shop, *ids: int) -> list[int]:
    rows = await shop.rows("SELECT message_id FROM recording WHERE message_id = ANY(%s)", list(ids))
    return [row["message_id"] for row in rows]


async def test_what_is_older_than_the_setting_is_deleted(shop: Shop) -> None:
    old = await _kept(shop, "393680000001", "31 days")
    young = await _kept(shop, "393680000002", "29 days")
    assert await forget_audio(shop.services) >= 1
    assert await _there(shop, old, young) == [young]
    assert await forget_audio(replace(shop.services, keep_audio=timedelta(days=7))) >= 1
    assert await _there(shop, old, young) == []


async def test_the_job_is_run_every_hour_by_the_worker(shop: Shop) -> None:
    periodic = shop.app.periodic_registry.periodic_tasks
    assert ("sara:retention", "retention") in periodic
    old = await _kept(shop, "393680000003", "31 days")
    await shop.app.tasks["sara:retention"].defer_async(timestamp=0)
    await shop.work()
    assert await _there(shop, old) == []


async def test_the_job_forgets_who_looked_a_year_ago(shop: Shop) -> None:
    made = await shop.rows(
        "INSERT INTO access_log (business_id, what, via, at, span)"
        " SELECT %s, 'trail', 'terminal', now() - days * interval '1 day', days"
        " FROM unnest(ARRAY[366, 364]) AS days RETURNING access_log_id, span",
        shop.business_id,
    )
    await shop.app.tasks["sara:retention"].defer_async(timestamp=0)
    await shop.work()
    left = await shop.rows(
        "SELECT span FROM access_log WHERE access_log_id = ANY (%s)", [row["access_log_id"] for row in made]
    )
    assert [row["span"] for row in left] == [364]
