"""What WhatsApp can do to a message on its way: each arrives, once, and the record tells the truth."""

import json
import time
from datetime import timedelta
from typing import Any

import pytest

from channels.simulator.world import SimMessage
from channels.whatsapp.errors import from_code
from crm import accounts, conversations, halts, letters
from crm.letters import NotDead, PerhapsDelivered
from crm.sealing import Seal, new_key
from jobs.accounts import Accounts
from jobs.halts import ask_once, halted
from jobs.watch import watch_once
from sara.commands import webhook as webhook_command
from sara.demo import login
from tests.chaos.town import NUMBER, SECRETS
from tests.jobs.shop import Shop

Json = dict[str, Any]


def told(shop: Shop, wa_id: str) -> list[str]:
    return [message.text for message in shop.simulator.sent_to(wa_id, NUMBER)]


async def settled(shop: Shop, conversation_id: int) -> bool:
    return not {"queued", "sending", "unknown"} & set(await shop.states_of(conversation_id))


def changes(**items: Any) -> bytes:
    value = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": NUMBER}, **items}
    entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def status_of(message: SimMessage, status: str, *, code: int | None = None, seconds: int = 0) -> Json:
    item: Json = {
        "id": message.wamid,
        "status": status,
        "timestamp": str(1763500000 + seconds),
        "recipient_id": message.customer,
        "biz_opaque_callback_data": message.callback_data,
    }
    return item | ({"errors": [{"code": code, "title": f"error {code}"}]} if code else {})


async def status_comes(shop: Shop, message: SimMessage, status: str, *, code: int | None = None) -> None:
    answer = await shop.post(changes(statuses=[status_of(message, status, code=code)]))
    assert answer.json()["statuses"] == 1


async def time_passes(shop: Shop, conversation_id: int | None = None) -> None:
    """Everything that waits for later is due now."""
    await shop.rows(
        "UPDATE outbox SET next_attempt_at = now() - interval '1 s' WHERE state = 'queued'"
        " AND (%s::bigint IS NULL OR conversation_id = %s)",
        conversation_id,
        conversation_id,
    )
    await shop.rows("UPDATE procrastinate_jobs SET scheduled_at = NULL WHERE status = 'todo'")
    await shop.rows("DELETE FROM sending_rate")


async def message_of(shop: Shop, conversation_id: int) -> Json:
    query = "SELECT * FROM message WHERE conversation_id = %s AND author = 'bot' ORDER BY message_id DESC"
    return (await shop.rows(query, conversation_id))[0]


@pytest.mark.parametrize("meanwhile", ["unknown", "queued", "held"])
async def test_accepted_without_an_answer_and_a_late_status_are_one_message(
    shop: Shop, meanwhile: str
) -> None:
    """Whatever was decided of the row meanwhile, a status with its reference proves that Meta has it."""
    wa_id = f"39381000000{len(meanwhile)}"
    conversation = await shop.open_conversation(wa_id)
    shop.simulator.faults.meets(wa_id, "p_lost_answer")
    await shop.bot_says(conversation, "uno")

    async def unknown() -> bool:
        return "unknown" in await shop.states_of(conversation)

    await shop.work_until(unknown)
    await shop.rows("UPDATE outbox SET state = %s WHERE conversation_id = %s", meanwhile, conversation)
    (heard,) = shop.simulator.sent_to(wa_id, NUMBER)
    await status_comes(shop, heard, "delivered")
    await time_passes(shop, conversation)
    await shop.work_for(0.5)
    assert await shop.states_of(conversation) == ["accepted"]
    assert told(shop, wa_id) == ["uno"]
    assert (await message_of(shop, conversation))["status"] == "delivered"


async def test_a_storm_of_pair_limits_delivers_all_none_twice_none_early(shop: Shop) -> None:
    people = [f"3938200000{n:02d}" for n in range(6)]
    opened = [await shop.open_conversation(wa_id) for wa_id in people]
    for number, wa_id in enumerate(people):
        shop.simulator.faults.refuses(wa_id, *[131056] * (2 + number % 2))
    for conversation in opened:
        await shop.bot_says(conversation, "uno", "due")
    ended = False
    for _ in range(30):
        await shop.work_for(0.2)
        waits = await shop.rows(
            "SELECT attempts, extract(epoch FROM next_attempt_at - attempted_at) AS wait FROM outbox"
            " WHERE state = 'queued' AND error_code = 131056 AND next_attempt_at > now()"
            " AND conversation_id = ANY(%s)",
            opened,
        )
        assert all(row["wait"] >= 4 ** row["attempts"] for row in waits), "earlier than 4^n seconds"
        before = {wa_id: told(shop, wa_id) for wa_id in people}
        await shop.work_for(0.2)
        assert before == {wa_id: told(shop, wa_id) for wa_id in people}, "sent before its time"
        ended = all([await settled(shop, conversation) for conversation in opened])
        if ended:
            break
        await time_passes(shop)
        await shop.work_for(0.5)
    assert ended
    assert [told(shop, wa_id) for wa_id in people] == [["uno", "due"]] * 6
    assert not any(shop.simulator.faults.left_for(wa_id) for wa_id in people)
    await shop.rows("DELETE FROM sending_rate")


async def test_an_expired_token_holds_alerts_and_resumes(shop: Shop) -> None:
    first, second = await shop.open_conversation("393830000001"), await shop.open_conversation("393830000002")
    await shop.rows(
        "INSERT INTO alert_target (business_id, name, service, sealed) VALUES (%s, 'token', 'Slack', '')"
        " ON CONFLICT DO NOTHING",
        shop.business_id,
    )
    shop.simulator.faults.now = shop.simulator.faults.now.model_copy(update={"token_expired": True})
    await shop.bot_says(first, "uno")
    await shop.work_for(0.5)
    await shop.bot_says(second, "due")
    await shop.work_for(0.5)
    async with shop.crm.transaction(shop.business_id) as tx:
        halt = await halts.of_number(tx, NUMBER)
    assert halt is not None
    assert halt.error_code == 190
    rows = [*await shop.outbox_of(first), *await shop.outbox_of(second)]
    assert [(row["state"], row["attempts"]) for row in rows] == [("queued", 1), ("queued", 0)], (
        "the second did not even ask"
    )
    alerted = await shop.rows("SELECT kind, urgent FROM alert WHERE kind = 'channel_halted'")
    assert alerted == [{"kind": "channel_halted", "urgent": True}], "told once"
    await shop.rows("UPDATE number_halt SET ask_at = now() - interval '1 s'")
    await ask_once(shop.services)
    assert await shop.rows("SELECT 1 FROM number_halt"), "asked, and still expired"
    shop.simulator.faults.now = shop.simulator.faults.now.model_copy(update={"token_expired": False})
    await shop.rows("UPDATE number_halt SET ask_at = now() - interval '1 s'")
    await ask_once(shop.services)
    await shop.work_until(lambda: settled(shop, first))
    await shop.work_until(lambda: settled(shop, second))
    assert (told(shop, "393830000001"), told(shop, "393830000002")) == (["uno"], ["due"])
    await shop.rows("DELETE FROM alert_target WHERE name = 'token'")


@pytest.mark.parametrize("way", ["answer", "status"])
async def test_an_account_that_may_not_send_halts_and_is_told_once(shop: Shop, way: str) -> None:
    """Its number's record can be read all the same, so that only sending again shows whether it may."""
    wa_id = {"answer": "393831000001", "status": "393831000002"}[way]
    conversation = await shop.open_conversation(wa_id)
    await shop.rows(
        "INSERT INTO alert_target (business_id, name, service, sealed) VALUES (%s, 'account', 'Slack', '')"
        " ON CONFLICT DO NOTHING",
        shop.business_id,
    )
    await shop.rows("DELETE FROM alert WHERE kind = 'channel_halted'")
    if way == "answer":
        shop.simulator.faults.refuses(wa_id, 131042, 131042)
        await shop.bot_says(conversation, "uno")
        await shop.work_for(0.5)
    else:
        await shop.bot_says(conversation, "uno")
        await shop.work_until(lambda: settled(shop, conversation))
        await shop.rows("UPDATE outbox SET attempts = 8 WHERE conversation_id = %s", conversation)
        (heard,) = shop.simulator.sent_to(wa_id, NUMBER)
        now = status_of(heard, "failed", code=131042, seconds=int(time.time()) - 1763500000)
        await shop.post(changes(statuses=[now]))
        await watch_once(shop.services)
    assert await shop.states_of(conversation) == ["queued"], "it waits, however often it was tried"
    [halt] = await shop.rows("SELECT error_code, ask_at - since AS patience FROM number_halt")
    assert (halt["error_code"], halt["patience"]) == (131042, timedelta(minutes=5))
    for _ in range(2):  # the record can be read, the next send is refused or not
        await shop.rows("UPDATE number_halt SET ask_at = now() - interval '1 s'")
        await ask_once(shop.services)
        await shop.work_for(0.5)
        await watch_once(shop.services)
    alerted = await shop.rows("SELECT key FROM alert WHERE kind = 'channel_halted'")
    assert len(alerted) <= 1 + (alerted[0]["key"] != alerted[-1]["key"]), "once in six hours"
    await shop.work_until(lambda: settled(shop, conversation))
    assert told(shop, wa_id)[-1] == "uno"
    assert await shop.rows("SELECT 1 FROM number_halt") == []
    await shop.rows("DELETE FROM alert_target WHERE name = 'account'")


async def test_a_refusal_told_late_stops_no_number(shop: Shop) -> None:
    """It says what the account might not do then; the message goes out again all the same."""
    conversation = await shop.open_conversation("393831000003")
    await shop.bot_says(conversation, "uno")
    await shop.work_until(lambda: settled(shop, conversation))
    (heard,) = shop.simulator.sent_to("393831000003", NUMBER)
    await status_comes(shop, heard, "failed", code=131042)
    assert await shop.states_of(conversation) == ["queued"]
    assert await shop.rows("SELECT 1 FROM number_halt") == []


async def test_a_banned_number_is_not_tried_again(shop: Shop) -> None:
    """Nothing would come of it but one more refusal."""
    async with shop.crm.transaction(shop.business_id) as tx:
        assert await halted(tx, NUMBER, from_code(368, "restricted", http_status=403))
    shop.simulator.account.status[NUMBER] = "BANNED"
    await shop.rows("UPDATE number_halt SET ask_at = now() - interval '1 s'")
    await ask_once(shop.services)
    assert await shop.rows("SELECT 1 FROM number_halt")
    del shop.simulator.account.status[NUMBER]
    await shop.rows("UPDATE number_halt SET ask_at = now() - interval '1 s'")
    await ask_once(shop.services)
    assert await shop.rows("SELECT 1 FROM number_halt") == []


async def test_a_new_token_of_a_number_is_used_without_a_restart(shop: Shop) -> None:
    conversation = await shop.open_conversation("393830000003")
    seal = Seal([new_key()])
    services = shop.services
    shop.services = services.__class__(
        **{**services.__dict__, "accounts": Accounts(services.client, shop.crm, seal)}
    )
    try:
        shop.simulator.access_token = "another-token"
        await shop.bot_says(conversation, "uno")
        await shop.work_for(0.5)
        assert told(shop, "393830000003") == []
        async with shop.crm.as_owner() as tx:
            sealed = seal.close(b"another-token")
            assert await accounts.set_token(tx, shop.business_id, NUMBER, sealed)
        await shop.rows("UPDATE number_halt SET ask_at = now() - interval '1 s'")
        await ask_once(shop.services)
        await shop.work_until(lambda: settled(shop, conversation))
        assert told(shop, "393830000003") == ["uno"]
    finally:
        shop.simulator.access_token = SECRETS["SARA_WHATSAPP_ACCESS_TOKEN"]
        shop.services = services
        await shop.rows("UPDATE business_number SET sealed_token = NULL")
        await shop.rows("DELETE FROM number_halt")


async def test_statuses_in_any_order_come_to_the_right_end(shop: Shop) -> None:
    conversation = await shop.open_conversation("393840000001")
    await shop.bot_says(conversation, "uno")
    await shop.work_until(lambda: settled(shop, conversation))
    (heard,) = shop.simulator.sent_to("393840000001", NUMBER)
    jumbled = [
        status_of(heard, name, seconds=at) for name, at in (("read", 9), ("sent", 1), ("delivered", 5))
    ]
    for _ in range(2):  # and each of them twice
        await shop.post(changes(statuses=jumbled))
    await shop.post(changes(statuses=[status_of(heard, "failed", code=131026, seconds=10)]))
    message = await message_of(shop, conversation)
    assert message["status"] == "read"
    kept = await shop.rows(
        "SELECT status, extract(epoch FROM at)::bigint - 1763500000 AS at FROM message_status"
        " WHERE message_id = %s AND status <> 'failed' ORDER BY at",
        message["message_id"],
    )
    assert [(row["status"], row["at"]) for row in kept] == [("sent", 1), ("delivered", 5), ("read", 9)]


async def test_a_message_that_fails_after_acceptance_goes_out_again_once(shop: Shop) -> None:
    conversation = await shop.open_conversation("393850000001")
    await shop.bot_says(conversation, "uno")
    await shop.work_until(lambda: settled(shop, conversation))
    (lost,) = shop.simulator.sent_to("393850000001", NUMBER)
    await status_comes(shop, lost, "failed", code=131056)
    (row,) = await shop.outbox_of(conversation)
    assert (row["state"], row["error_code"]) == ("queued", 131056)
    await shop.work_for(0.3)
    assert told(shop, "393850000001") == ["uno"], "not before its time"
    await time_passes(shop, conversation)
    await shop.work_until(lambda: settled(shop, conversation))
    await status_comes(shop, lost, "failed", code=131056)  # Meta repeats itself
    await time_passes(shop, conversation)
    await shop.work_for(0.3)
    assert told(shop, "393850000001") == ["uno", "uno"], "one that failed, one that arrives"
    again = shop.simulator.sent_to("393850000001", NUMBER)[-1]
    await status_comes(shop, again, "delivered")
    message = await message_of(shop, conversation)
    assert (message["wamid"], message["status"]) == (again.wamid, "delivered")


async def test_what_cannot_be_delivered_is_a_dead_letter_with_its_cause_and_another_try(shop: Shop) -> None:
    conversation = await shop.open_conversation("393860000001")
    await shop.bot_says(conversation, "uno")
    await shop.work_until(lambda: settled(shop, conversation))
    (lost,) = shop.simulator.sent_to("393860000001", NUMBER)
    async with shop.crm.transaction(shop.business_id) as tx:
        (row,) = await shop.outbox_of(conversation)
        with pytest.raises(NotDead):
            await letters.retry(tx, row["outbox_id"])
    await status_comes(shop, lost, "failed", code=131026)
    async with shop.crm.transaction(shop.business_id) as tx:
        letter = next(x for x in await letters.listed(tx) if x.conversation_id == conversation)
        assert (letter.status, letter.cause, letter.error) == ("failed", 131026, "error 131026")
        await letters.retry(tx, letter.outbox_id)
    await shop.work_until(lambda: settled(shop, conversation))
    assert told(shop, "393860000001") == ["uno", "uno"]
    async with shop.crm.transaction(shop.business_id) as tx:
        steps = [step.what for step in await letters.history(tx, letter.outbox_id)]
        assert conversation not in [x.conversation_id for x in await letters.listed(tx)]
    assert steps == ["failed", "attempted"]


async def test_a_dead_letter_is_shown_and_sent_again_over_http(shop: Shop) -> None:
    conversation = await shop.open_conversation("393860000003")
    shop.simulator.faults.refuses("393860000003", 131026)
    await shop.bot_says(conversation, "uno")
    await shop.work_until(lambda: settled(shop, conversation))
    _, token = await login(shop.crm, "aurora")
    here, headers = "/api/businesses/aurora/outbox", {"Authorization": f"Bearer {token}"}
    assert (await shop.api.get(here)).status_code == 401
    listed = (await shop.api.get(here, headers=headers)).json()
    (letter,) = [one for one in listed if one["conversation_id"] == conversation]
    assert (letter["state"], letter["cause"], letter["body"]) == ("refused", 131026, "uno")
    at = f"{here}/{letter['outbox_id']}"
    steps = (await shop.api.get(at, headers=headers)).json()
    assert [(step["what"], step["error_code"]) for step in steps] == [("attempted", 131026)]
    assert (await shop.api.post(f"{at}/retry", json={}, headers=headers)).status_code == 202
    await shop.work_until(lambda: settled(shop, conversation))
    assert told(shop, "393860000003") == ["uno"]
    again = await shop.api.post(f"{at}/retry", json={}, headers=headers)
    assert (again.status_code, again.json()["error"]) == (409, "NotDead")
    for number in ("0", "999999999", str(2**70)):
        assert (await shop.api.post(f"{here}/{number}/retry", json={}, headers=headers)).status_code == 404


async def test_what_was_perhaps_delivered_is_not_said_again_by_mistake(shop: Shop) -> None:
    conversation = await shop.open_conversation("393860000002")
    await shop.bot_says(conversation, "uno")
    await shop.rows(
        "UPDATE outbox SET state = 'held', attempts = 1, attempted_at = now() WHERE conversation_id = %s",
        conversation,
    )
    (row,) = await shop.outbox_of(conversation)
    async with shop.crm.transaction(shop.business_id) as tx:
        with pytest.raises(PerhapsDelivered):
            await letters.retry(tx, row["outbox_id"])
        await letters.retry(tx, row["outbox_id"], even_if_twice=True)
    await shop.work_until(lambda: settled(shop, conversation))
    assert told(shop, "393860000002") == ["uno"]


async def test_fifty_messages_of_ten_customers_in_one_post_are_fifty_events_in_order(shop: Shop) -> None:
    people = [f"3938700000{n:02d}" for n in range(10)]
    items = [
        {
            "from": people[n % 10],
            "id": f"wamid.batch.{time.monotonic_ns()}.{n}",
            "timestamp": str(int(time.time())),
            "type": "text",
            "text": {"body": str(n)},
        }
        for n in range(50)
    ]
    answer = await shop.post(changes(messages=items))
    assert answer.json() == {"messages": 50, "duplicates": 0, "statuses": 0, "unparsed": 0}
    rows = await shop.rows(
        "SELECT k.wa_id, m.body FROM inbox_event e JOIN message m USING (message_id)"
        " JOIN contact k ON k.contact_id = m.contact_id WHERE k.wa_id = ANY(%s) ORDER BY e.event_id",
        people,
    )
    assert [row["body"] for row in rows] == [str(n) for n in range(50)]
    assert [row["wa_id"] for row in rows] == [people[n % 10] for n in range(50)]
    await shop.rows("UPDATE inbox_event SET done_at = now() WHERE done_at IS NULL")
    await shop.rows("DELETE FROM procrastinate_jobs WHERE status = 'todo'")


async def test_a_webhook_of_an_unknown_number_is_taken_in_when_it_is_replayed(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = {
        "from": "393880000001",
        "id": f"wamid.replay.{time.monotonic_ns()}",
        "timestamp": str(int(time.time())),
        "type": "text",
        "text": {"body": "presto"},
    }
    raw = changes(messages=[item]).replace(NUMBER.encode(), b"777001")
    assert (await shop.post(raw)).json()["unparsed"] == 1
    await shop.rows("INSERT INTO business_number VALUES ('777001', %s)", shop.business_id)
    monkeypatch.setenv("SARA_DATABASE_URL", shop.dsn)
    counts = await webhook_command._replay(None, None, None, left_out=True, dry_run=False)
    assert counts["messages"] == 1
    again = await webhook_command._replay(None, None, None, left_out=True, dry_run=True)
    assert again["bodies"] < counts["bodies"], "what could be taken in is no longer left out"
    rows = await shop.rows(
        "SELECT m.body FROM message m JOIN contact USING (contact_id) WHERE wa_id = '393880000001'"
    )
    assert [row["body"] for row in rows] == ["presto"]
    async with shop.crm.transaction(shop.business_id) as tx:
        (found,) = await shop.rows(
            "SELECT conversation_id FROM conversation WHERE phone_number_id = '777001'"
        )
        assert (await conversations.get(tx, found["conversation_id"])).owner == "bot"
    await shop.rows("UPDATE inbox_event SET done_at = now() WHERE done_at IS NULL")
    await shop.rows("DELETE FROM procrastinate_jobs WHERE status = 'todo'")
