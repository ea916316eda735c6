"""Other systems hear of what happened: signed, once per event, until they take it."""

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from channels.outward.post import new_secret, opened
from crm import contacts, desk, events, handoffs, outward
from jobs.outward import MOST_ATTEMPTS, send_due
from tests.jobs.shop import Shop
from tests.jobs.told import Told, telling
from tests.outside import Receiver, receiver


@pytest_asyncio.fixture(loop_scope="session")
async def told(shop: Shop) -> AsyncIterator[Told]:
    async with telling(shop) as opened_:
        yield opened_


@pytest_asyncio.fixture(loop_scope="session")
async def other() -> AsyncIterator[Receiver]:
    async with receiver() as opened_:
        yield opened_


def heard(other: Receiver, secret: str, conversation: int | None = None) -> list[dict[str, Any]]:
    """What arrived, every one verified by the receivers' library; of one conversation, if it is given."""
    events_ = [Webhook(secret).verify(request.body, request.headers) for request in other.taken]
    return [e for e in events_ if conversation in (None, e["data"]["conversation_id"])]


async def lead_event(told: Told, wa_id: str, kind: str = "lead_interest") -> int:
    """An event of a lead; the contact's id."""
    async with told.services.crm.transaction(told.business_id) as tx:
        contact = await contacts.seen(tx, wa_id=wa_id, bsuid=None, name="Anna Rossi")
        await events.happened(tx, kind, contact, key=f"{kind}:{wa_id}")
    return contact


async def test_a_conversation_is_heard_without_its_words(told: Told, other: Receiver) -> None:
    _, secret = await told.system(other.url(), "message.*", "handoff.*")
    conversation = await told.shop.open_conversation("393920000001")
    await told.shop.customer_writes(conversation, "Vorrei parlare con una persona, per favore")
    await told.shop.work()
    await told.work()
    said = heard(other, secret, conversation)
    assert [event["type"] for event in said] == ["message.received", "handoff.opened", "message.sent"]
    received, opened_, sent = (event["data"] for event in said)
    assert received.items() >= {
        "business": "aurora", "conversation_id": conversation, "author": "customer", "kind": "text",
    }.items()  # fmt: skip
    assert opened_["reason"] == "customer_request"
    assert sent["author"] == "bot"
    whole = "".join(request.body for request in other.taken)
    for private in ("393920000001", "Vorrei", "persona"):
        assert private not in whole
    states = [(row["state"], row["attempts"], row["status_code"]) for row in await told.deliveries()]
    assert set(states) == {("delivered", 1, 200)}
    ids = [request.headers["webhook-id"] for request in other.taken]
    assert len(set(ids)) == len(states)


async def test_who_asks_for_content_gets_it(told: Told, other: Receiver) -> None:
    _, secret = await told.system(other.url(), "message.received", content=True)
    conversation = await told.shop.open_conversation("393920000002")
    await told.shop.customer_writes(conversation, "Quanto costa, «tutto» 😀?", job=False)
    await told.work()
    [event] = heard(other, secret)
    assert event["data"]["text"] == "Quanto costa, «tutto» 😀?"
    assert event["data"]["contact"]["phone"] == "+393920000002"
    assert event["timestamp"].startswith("20")


async def test_a_hand_over_from_its_opening_to_its_end(told: Told, other: Receiver) -> None:
    _, secret = await told.system(other.url(), "handoff.*", content=True)
    conversation = await told.shop.open_conversation("393920000003")
    async with told.services.crm.transaction(told.business_id) as tx:
        handoff_id = await handoffs.open_one(
            tx, conversation, turn_id=f"{conversation}:x", reason="lead", label=None, score=None, summary="s",
            wants="w", draft="",
        )  # fmt: skip
    async with told.services.crm.transaction(told.business_id) as tx:
        await desk.claim(tx, handoff_id, None)
        await desk.claim(tx, handoff_id, None)
    async with told.services.crm.transaction(told.business_id) as tx:
        await desk.resolve(tx, handoff_id, None, note="Settled")
    await told.work()
    said = heard(other, secret, conversation)
    assert [event["type"] for event in said] == ["handoff.opened", "handoff.claimed", "handoff.resolved"]
    assert [event["data"]["status"] for event in said] == ["open", "claimed", "resolved"]
    assert said[-1]["data"]["note"] == "Settled"


async def test_appointments_quotes_tickets_and_leads_are_told_with_what_they_are(
    told: Told, other: Receiver
) -> None:
    _, secret = await told.system(other.url(), "appointment.booked", "quote.*", "ticket.*", "lead.*")
    conversation = await told.shop.open_conversation("393920000004")
    async with told.services.crm.transaction(told.business_id) as tx:
        contact = await contacts.seen(tx, wa_id="393920000004", bsuid=None, name=None)

        async def made(statement: str) -> int:
            cursor = await tx.connection.execute(statement, {"c": contact, "b": told.business_id})  # type: ignore[arg-type]
            row = await cursor.fetchone()
            assert row is not None
            return int(next(iter(row.values())))

        appointment = await made(
            "INSERT INTO appointment (business_id, contact_id, service_id, resource_id, during, price,"
            "   idempotency_key)"
            " SELECT %(b)s, %(c)s, service_id, resource_id,"
            "   tstzrange('2031-01-02 10:00Z', '2031-01-02 11:00Z'), 65, 'outward'"
            " FROM resource_skill LIMIT 1 RETURNING appointment_id"
        )
        quote = await made(
            "INSERT INTO quote (business_id, contact_id, currency, request, idempotency_key)"
            " VALUES (%(b)s, %(c)s, 'EUR', 'dieci massaggi', 'outward') RETURNING quote_id"
        )
        await tx.connection.execute(
            "INSERT INTO quote_line (business_id, quote_id, ordinal, description, quantity, unit_price)"
            " VALUES (%s, %s, 0, 'massaggio', 10, 65)",
            (told.business_id, quote),
        )
        ticket = await made(
            "INSERT INTO ticket (business_id, contact_id, description, idempotency_key, priority)"
            " VALUES (%(b)s, %(c)s, 'Phon guasto', 'outward', 'high') RETURNING ticket_id"
        )
        for kind, subject in (
            ("appointment_booked", appointment),
            ("appointment_missed", appointment),
            ("quote_declined", quote),
            ("ticket_opened", ticket),
            ("opted_out", None),
        ):
            await events.happened(
                tx, kind, contact, key=f"outward:{kind}", conversation_id=conversation, subject_id=subject
            )
        # The event is told as the transaction leaves the record.
        await tx.connection.execute("UPDATE ticket SET priority = 'urgent' WHERE ticket_id = %s", (ticket,))
    await told.work()
    by_type = {event["type"]: event["data"] for event in heard(other, secret)}
    assert set(by_type) == {"appointment.booked", "quote.declined", "ticket.opened"}
    booked = by_type["appointment.booked"]
    assert booked["appointment_id"] == appointment
    assert booked["starts_at"].startswith("2031-01-02T")
    assert (booked["price"], booked["currency"]) == (65.0, "EUR")
    assert by_type["quote.declined"]["total"] == 650.0
    assert by_type["ticket.opened"]["priority"] == "urgent"
    assert "Phon guasto" not in "".join(request.body for request in other.taken)


async def test_what_is_rolled_back_never_happened(told: Told, other: Receiver) -> None:
    await told.system(other.url())
    with suppress(RuntimeError):
        async with told.services.crm.transaction(told.business_id) as tx:
            contact = await contacts.seen(tx, wa_id="393920000005", bsuid=None, name=None)
            await events.happened(tx, "lead_interest", contact, key="rolled:back")
            raise RuntimeError("undone")
    assert await told.deliveries() == []


async def test_other_businesses_hear_nothing(told: Told, other: Receiver) -> None:
    await told.system(other.url())
    [conti] = await told.shop.rows("SELECT business_id FROM business WHERE slug = 'conti'")
    async with told.services.crm.transaction(conti["business_id"]) as tx:
        contact = await contacts.seen(tx, wa_id="393920000006", bsuid=None, name=None)
        await events.happened(tx, "lead_interest", contact, key="conti:lead")
    assert await told.deliveries() == []


async def test_a_refusal_is_tried_again_under_the_same_id(told: Told, other: Receiver) -> None:
    number, secret = await told.system(other.url())
    other.answers = [500, 404, 204]
    await lead_event(told, "393920000007")
    for _ in range(2):
        assert await send_due(told.services, told.business_id, number) == 0
        [row] = await told.shop.rows(
            "UPDATE webhook_delivery SET next_attempt_at = next_attempt_at + interval '1 h' RETURNING *"
        )
        assert await send_due(told.services, told.business_id, number) == 0  # not due yet
        await told.now_is_later()
    assert (row["state"], row["attempts"], row["status_code"]) == ("queued", 2, 404)
    assert row["error"] == "answered with 404"
    await told.work()
    [row] = await told.deliveries()
    assert (row["state"], row["attempts"], row["status_code"], row["error"]) == ("delivered", 3, 204, None)
    assert len({request.headers["webhook-id"] for request in other.taken}) == 1
    assert len({request.body for request in other.taken}) == 1
    assert len(heard(other, secret)) == 3


async def test_retry_after_is_kept(told: Told, other: Receiver) -> None:
    number, _ = await told.system(other.url())
    other.answers, other.headers = [429], {"Retry-After": "3000"}
    await lead_event(told, "393920000008")
    await send_due(told.services, told.business_id, number)
    [row] = await told.deliveries()
    assert row["next_attempt_at"] - row["created_at"] > timedelta(seconds=2990)


async def test_a_receiver_that_is_gone_is_stopped_and_the_team_told(told: Told, other: Receiver) -> None:
    await told.place("mail", "json://127.0.0.1:9/")
    number, secret = await told.system(other.url())
    other.answers = [410]
    await lead_event(told, "393920000009")
    await send_due(told.services, told.business_id, number)
    [row] = await told.deliveries()
    assert row["state"] == "dead"
    [alert] = await told.alerts("webhook_failed")
    assert f"sara webhooks replay --business aurora --to {number} --dead" in alert["body"]
    await lead_event(told, "393920000010")
    assert len(await told.deliveries()) == 1
    async with told.services.crm.transaction(told.business_id) as tx:
        assert await outward.replay(tx, subscription_id=number, state="dead") == 1
    await told.work()
    assert len(heard(other, secret)) == 2
    assert len({request.headers["webhook-id"] for request in other.taken}) == 1
    await lead_event(told, "393920000011")
    assert len(await told.deliveries()) == 2


async def test_after_many_tries_it_is_given_up(told: Told, other: Receiver) -> None:
    number, _ = await told.system(other.url())
    other.answers = [500]
    await lead_event(told, "393920000012")
    await told.shop.rows("UPDATE webhook_delivery SET attempts = %s", MOST_ATTEMPTS - 1)
    await send_due(told.services, told.business_id, number)
    [row] = await told.deliveries()
    assert (row["state"], row["attempts"]) == ("dead", MOST_ATTEMPTS)


async def test_one_that_is_down_holds_up_no_other(told: Told, other: Receiver) -> None:
    down, _ = await told.system("http://127.0.0.1:9/")
    up, secret = await told.system(other.url())
    for each in range(3):
        await lead_event(told, f"39392000002{each}")
    await told.work()
    assert len(heard(other, secret)) == 3
    rows = await told.deliveries()
    waiting = [row for row in rows if row["webhook_subscription_id"] == down]
    assert [row["state"] for row in waiting] == ["queued"] * 3
    assert waiting[0]["attempts"] >= 1
    [paused] = await told.shop.rows(
        "SELECT failures, paused_until > created_at AS later FROM webhook_subscription"
        " WHERE webhook_subscription_id = %s",
        down,
    )
    assert paused["failures"] == sum(row["attempts"] for row in waiting)
    assert paused["later"]
    assert {row["state"] for row in rows if row["webhook_subscription_id"] == up} == {"delivered"}


async def test_two_secrets_sign_until_the_old_one_is_over(told: Told, other: Receiver) -> None:
    number, old = await told.system(other.url())
    new = new_secret()
    async with told.services.crm.transaction(told.business_id) as tx:
        sealed = told.seal.close(new.encode())
        assert await outward.rotate(tx, number, sealed, tx.now + timedelta(hours=24))
    await lead_event(told, "393920000030")
    await told.work()
    assert len(heard(other, old)) == len(heard(other, new)) == 1
    await told.shop.rows("UPDATE webhook_subscription SET previous_until = now()")
    other.taken.clear()
    await lead_event(told, "393920000031")
    await told.work()
    assert len(heard(other, new)) == 1
    with pytest.raises(WebhookVerificationError):
        heard(other, old)


async def test_a_private_address_is_never_connected_to(told: Told, other: Receiver) -> None:
    number, _ = await told.system(f"https://localhost:{other.port}/")
    await lead_event(told, "393920000040")
    async with opened(allow_private=False) as post:
        guarded = replace(told.services, outward=replace(told.services.outward, post=post))
        assert await send_due(guarded, told.business_id, number) == 0
    [row] = await told.deliveries()
    assert row["state"] == "queued"
    assert "localhost is not public" in row["error"]
    assert other.taken == []


async def test_neither_address_nor_secret_is_plain_text_in_the_database(told: Told) -> None:
    _, secret = await told.system("https://hooks.example.com/catch/s3cr3t-path")
    [row] = await told.shop.rows(
        "SELECT webhook_subscription::text AS shown, sealed_url, sealed_secret FROM webhook_subscription"
    )
    for private in ("s3cr3t-path", secret, secret.removeprefix("whsec_")):
        assert private not in row["shown"]
        assert private.encode() not in row["sealed_url"] + row["sealed_secret"]


async def test_an_erased_customer_is_erased_here_too(told: Told, other: Receiver) -> None:
    await told.system(other.url(), content=True)
    contact = await lead_event(told, "393920000050")
    assert len(await told.deliveries()) == 1
    await told.shop.rows("DELETE FROM contact WHERE contact_id = %s", contact)
    assert await told.deliveries() == []


@pytest.mark.parametrize("name", ["*", "quote.*", "quote.issued", "message.received"])
def test_events_that_can_be_asked_for(name: str) -> None:
    assert outward.is_event(name)


@pytest.mark.parametrize("name", ["", "quote", "quote.", "weather.*", "*.issued", "quote.is sued", ".", "**"])
def test_events_that_cannot(name: str) -> None:
    assert not outward.is_event(name)
