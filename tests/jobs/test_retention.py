"""The sound of voice notes is deleted when its time is over, by a job that runs by itself."""

from dataclasses import replace
from datetime import timedelta

from crm import businesses, conversations, messages, outbox, recordings, takeover
from crm.messages import NewMessage
from crm.sealing import Seal, new_key
from jobs.retention import close_idle, forget_audio, forget_raw
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


async def _remembered(shop: Shop, wa_id: str, *, idle: str) -> int:
    """A conversation that SARA is done with and nobody went on with for so long; its thread remembers."""
    conversation_id = await shop.open_conversation(wa_id)
    for text in ("Quanto costa un massaggio?", "E di sera?"):
        await shop.customer_writes(conversation_id, text, job=False)
    await shop.rows("UPDATE inbox_event SET done_at = now() WHERE conversation_id = %s", conversation_id)
    await shop.rows(
        "INSERT INTO checkpoints (thread_id, checkpoint_id, checkpoint)"
        " SELECT thread_id, 'last', '{}' FROM conversation WHERE conversation_id = %s",
        conversation_id,
    )
    await _ages(shop, conversation_id, idle)
    return conversation_id


async def _ages(shop: Shop, conversation_id: int, idle: str) -> None:
    await shop.rows(
        "UPDATE conversation SET last_activity_at = now() - %s::interval WHERE conversation_id = %s",
        idle,
        conversation_id,
    )


async def _threads(shop: Shop, *ids: int) -> list[int]:
    """Those of the conversations whose threads still remember something."""
    rows = await shop.rows(
        "SELECT conversation_id FROM conversation JOIN checkpoints USING (thread_id)"
        " WHERE conversation_id = ANY (%s) ORDER BY 1",
        list(ids),
    )
    return [row["conversation_id"] for row in rows]


async def _state(shop: Shop, conversation_id: int) -> dict[str, object]:
    [row] = await shop.rows(
        "SELECT status, owner, epoch, summary, closed_at - last_activity_at AS after FROM conversation"
        " WHERE conversation_id = %s",
        conversation_id,
    )
    return row


async def test_the_last_conversation_of_a_customer_is_forgotten_too(shop: Shop) -> None:
    over = timedelta(days=1) + shop.services.keeping.threads
    old = await _remembered(shop, "393680000010", idle=f"{over.days} days 1 minute")
    young = await _remembered(shop, "393680000011", idle=f"{over.days} days -1 minute")
    await shop.app.tasks["sara:retention"].defer_async(timestamp=0)
    await shop.work()
    assert await _threads(shop, old, young) == [young]
    for conversation_id in (old, young):
        said = await _state(shop, conversation_id)
        assert (said["status"], said["owner"], said["epoch"]) == ("closed", "bot", 0)
        assert said["after"] == timedelta(hours=24), "from then on, whenever the job came to it"


async def test_what_ends_by_itself_ends_as_by_the_next_message(shop: Shop) -> None:
    by_itself = await _remembered(shop, "393680000012", idle="25 hours")
    by_message = await _remembered(shop, "393680000013", idle="25 hours")
    await shop.open_conversation("393680000013")
    assert await close_idle(shop.services) >= 1
    first, second = await _state(shop, by_itself), await _state(shop, by_message)
    assert first["summary"] == second["summary"] == "Quanto costa un massaggio? / E di sera?"
    assert (first["status"], first["epoch"]) == (second["status"], second["epoch"])
    before = await _state(shop, by_itself)
    next_one = await shop.open_conversation("393680000012")
    assert next_one != by_itself
    assert await _state(shop, by_itself) == before, "nothing was left to be done"


async def test_what_is_under_way_does_not_end_by_itself(shop: Shop) -> None:
    long = "400 days"
    handed = await _remembered(shop, "393680000014", idle=long)
    waiting = await _remembered(shop, "393680000015", idle=long)
    sending = await _remembered(shop, "393680000016", idle=long)
    fresh = await _remembered(shop, "393680000017", idle="23 hours 59 minutes")
    async with shop.crm.transaction(shop.business_id) as tx:
        await takeover.take(tx, handed, (await businesses.agents(tx))[0].agent_id)
    await shop.customer_writes(waiting, "Ci siete?", job=False)
    async with shop.crm.transaction(shop.business_id) as tx:
        conversation = await conversations.get(tx, sending)
        said = NewMessage(sending, conversation.contact_id, "bot", "text", tx.now, body="Eccomi")
        await outbox.add(tx, [said], turn_id="late", epoch=conversation.epoch, answers=None)
    for conversation_id in (handed, waiting, sending):
        await _ages(shop, conversation_id, long)
    await close_idle(shop.services)
    await forget_raw(shop.services)
    everyone = (handed, waiting, sending, fresh)
    assert [(await _state(shop, one))["status"] for one in everyone] == ["open"] * 4
    assert await _threads(shop, *everyone) == sorted(everyone)


async def test_one_that_ended_while_an_agent_looked_at_it_goes_on_with_them(shop: Shop) -> None:
    conversation_id = await _remembered(shop, "393680000018", idle="25 hours")
    assert await close_idle(shop.services) >= 1
    async with shop.crm.transaction(shop.business_id) as tx:
        await takeover.take(tx, conversation_id, (await businesses.agents(tx))[0].agent_id)
    said = await _state(shop, conversation_id)
    assert (said["status"], said["owner"]) == ("open", "human")


TOLD = """
WITH place AS (INSERT INTO alert_target (business_id, name, kinds, service, sealed)
    VALUES (%(shop)s, 'retention', '{none}', 'E-Mail', '') RETURNING alert_target_id),
receiver AS (INSERT INTO webhook_subscription (business_id, host, events, with_content, sealed_url,
        sealed_secret)
    VALUES (%(shop)s, 'there.example', '{quote.none}', false, '', '') RETURNING webhook_subscription_id),
alerts AS (INSERT INTO alert (business_id, alert_target_id, kind, key, title, body, urgent, state,
        next_attempt_at, settled_at, created_at)
    SELECT %(shop)s, alert_target_id, 'retention', days::text, '', '', false,
        CASE WHEN days < 40 THEN 'sent' ELSE 'queued' END, now() + interval '1 day',
        CASE WHEN days < 40 THEN now() - days * interval '1 day' END, now()
    FROM place, unnest(ARRAY[29, 31, 40]) AS days)
INSERT INTO webhook_delivery (business_id, webhook_subscription_id, type, webhook_id, body, state,
    next_attempt_at, settled_at, created_at)
SELECT %(shop)s, webhook_subscription_id, 'retention', days::text, '',
    CASE WHEN days < 40 THEN 'delivered' ELSE 'queued' END, now() + interval '1 day',
        CASE WHEN days < 40 THEN now() - days * interval '1 day' END, now()
FROM receiver, unnest(ARRAY[29, 31, 40]) AS days"""


async def test_the_job_forgets_what_the_team_and_other_systems_were_told(shop: Shop) -> None:
    """What still waits to be told stays, however old it is."""
    await shop.rows(TOLD.replace("%(shop)s", str(shop.business_id)))
    try:
        await shop.app.tasks["sara:retention"].defer_async(timestamp=0)
        await shop.work()
        for table, key in (("alert", "key"), ("webhook_delivery", "webhook_id")):
            kind = "kind" if table == "alert" else "type"
            left = await shop.rows(f"SELECT {key} AS days FROM {table} WHERE {kind} = 'retention' ORDER BY 1")
            assert [row["days"] for row in left] == ["29", "40"]
    finally:
        await shop.rows("DELETE FROM alert_target WHERE name = 'retention'")
        await shop.rows("DELETE FROM webhook_subscription WHERE host = 'there.example'")
