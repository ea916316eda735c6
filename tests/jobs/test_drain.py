"""Turns: bursts, what arrives meanwhile, turns that fail, conversations somebody else holds."""

import asyncio

import psycopg
import pytest

from crm import businesses, contacts, conversations, desk, handoffs, inbox, messages, takeover
from crm.errors import RecordUnavailable
from crm.messages import NewMessage
from jobs import quarantine
from jobs.attend import IDLE_NOTE
from jobs.drain import _database_away
from tests.chaos.town import until
from tests.jobs.shop import Shop

POISON = """
CREATE OR REPLACE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'poison'; END $$;
CREATE TRIGGER poison BEFORE INSERT ON outbox FOR EACH ROW
    WHEN (NEW.conversation_id = {} AND NEW.turn_id NOT LIKE '%:failed') EXECUTE FUNCTION poison();
"""


async def all_taken_in(shop: Shop, conversation_id: int) -> bool:
    query = "SELECT count(*) AS n FROM inbox_event WHERE conversation_id = %s AND done_at IS NULL"
    return (await shop.rows(query, conversation_id))[0]["n"] == 0


async def test_a_burst_is_one_turn(shop: Shop) -> None:
    conversation = await shop.open_conversation("393600000001")
    wamids = await shop.customer_writes(conversation, "Buongiorno", "scusi", "dove siete?")
    await shop.work_until(lambda: all_taken_in(shop, conversation))
    rows = await shop.outbox_of(conversation)
    assert len({row["turn_id"] for row in rows}) == 1
    assert rows[0]["answers"] == ",".join(wamids)


async def test_what_arrives_during_a_turn_is_the_next_one(shop: Shop) -> None:
    conversation = await shop.open_conversation("393600000002")
    first = await shop.customer_writes(conversation, "Dove siete?")
    working = asyncio.create_task(shop.work())

    async def begun() -> bool:
        return bool(await shop.rows("SELECT 1 FROM checkpoints WHERE thread_id LIKE %s", f"%:{conversation}"))

    await until(begun, 10, "no turn began", every_s=0.002)
    second = await shop.customer_writes(conversation, "A che ora aprite domani?")
    await working
    await shop.work_until(lambda: all_taken_in(shop, conversation))
    answers = list(dict.fromkeys(row["answers"] for row in await shop.outbox_of(conversation)))
    assert answers == [first[0], second[0]]


async def test_a_replayed_job_says_nothing_twice(shop: Shop) -> None:
    conversation = await shop.open_conversation("393600000003")
    await shop.customer_writes(conversation, "Dove siete?")
    await shop.work_until(lambda: all_taken_in(shop, conversation))
    before = await shop.outbox_of(conversation)
    await shop.rows("UPDATE inbox_event SET done_at = NULL WHERE conversation_id = %s", conversation)
    await shop.customer_writes(conversation)
    await shop.work_until(lambda: all_taken_in(shop, conversation))
    assert [r["outbox_id"] for r in await shop.outbox_of(conversation)] == [r["outbox_id"] for r in before]


async def test_a_turn_that_always_fails_goes_to_a_human(shop: Shop) -> None:
    conversation = await shop.open_conversation("393600000004")
    await shop.rows(POISON.format(conversation))
    try:
        wamids = await shop.customer_writes(conversation, "Dove siete?")
        await shop.work()
        # A customer who goes on writing queues a sibling; the failures must still be counted.
        wamids += await shop.customer_writes(conversation, "pronto?")
        await shop.work_until(lambda: all_taken_in(shop, conversation), 20)
    finally:
        await shop.rows("DROP TRIGGER poison ON outbox")
    async with shop.crm.transaction(shop.business_id) as tx:
        assert (await conversations.get(tx, conversation)).owner == "human"
        handoff_id = await handoffs.open_of(tx, conversation)
        assert handoff_id is not None
        handoff = await handoffs.get(tx, handoff_id)
    assert handoff.reason == "turn_failed"
    assert "Dove siete?" in handoff.wants
    (row,) = await shop.outbox_of(conversation)
    assert row["answers"] == ",".join(wamids), "the customer is told"

    await shop.customer_writes(conversation, "c'è qualcuno?")
    await shop.work_until(lambda: all_taken_in(shop, conversation))
    assert len(await shop.outbox_of(conversation)) == 1, "a human has it: the bot is silent, and not stuck"


async def test_a_worker_that_dies_while_it_gives_up_leaves_it_to_the_next(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its messages count as taken in only once the thread knows that the turn is left behind."""
    conversation = await shop.open_conversation("393600000044")
    await shop.customer_writes(conversation, "Dove siete?", job=False)

    async def gives_up() -> None:
        await quarantine.give_up(shop.services, shop.business_id, conversation, tries=3, deaths=0)

    async def dies(*_: object) -> None:
        raise RecordUnavailable("gone")

    with monkeypatch.context() as broken:
        broken.setattr(quarantine, "abandon", dies)
        with pytest.raises(RecordUnavailable):
            await gives_up()
    assert not await all_taken_in(shop, conversation)
    await gives_up()
    assert await all_taken_in(shop, conversation)
    assert len(await shop.outbox_of(conversation)) == 1
    handed = await shop.rows("SELECT reason FROM handoff WHERE conversation_id = %s", conversation)
    assert [row["reason"] for row in handed] == ["turn_failed"]


async def test_a_call_for_help_whose_turn_always_fails_gets_the_number(shop: Shop) -> None:
    conversation = await shop.open_conversation("393600000045")
    await shop.customer_writes(conversation, "Aiuto, mio padre non respira", job=False)
    await quarantine.give_up(shop.services, shop.business_id, conversation, tries=3, deaths=0)
    [handoff] = await shop.rows("SELECT label, reason FROM handoff WHERE conversation_id = %s", conversation)
    assert handoff == {"label": "emergency", "reason": "turn_failed"}
    [said] = await shop.rows(
        "SELECT body FROM message WHERE conversation_id = %s AND author = 'bot'", conversation
    )
    assert "112" in said["body"]


async def test_a_turn_given_up_is_told_in_the_language_the_customer_has_chosen(shop: Shop) -> None:
    conversation = await shop.open_conversation("393600000047")
    async with shop.crm.transaction(shop.business_id) as tx:
        contact_id = (await conversations.get(tx, conversation)).contact_id
        await contacts.update(tx, contact_id, language="es")
        await contacts.speaks(tx, contact_id, "it")
    await shop.customer_writes(conversation, "Dove siete?", job=False)
    await quarantine.give_up(shop.services, shop.business_id, conversation, tries=3, deaths=0)
    [said] = await shop.rows(
        "SELECT body FROM message WHERE conversation_id = %s AND author = 'bot'", conversation
    )
    assert "leerá todo" in said["body"]


async def test_a_call_for_help_given_up_while_a_person_has_the_conversation(shop: Shop) -> None:
    """Once, also where the worker that gives it up dies and another does it again."""
    conversation = await shop.open_conversation("393600000046")
    async with shop.crm.transaction(shop.business_id) as tx:
        agent = (await businesses.agents(tx))[0].agent_id
        await takeover.take(tx, conversation, agent)
    await shop.customer_writes(conversation, "Aiuto, mio padre non respira", job=False)
    for _ in range(2):
        await quarantine.give_up(shop.services, shop.business_id, conversation, tries=3, deaths=0)
        await shop.rows("UPDATE inbox_event SET done_at = NULL WHERE conversation_id = %s", conversation)
    [handoff] = await shop.rows(
        "SELECT label, reason, wants FROM handoff WHERE conversation_id = %s", conversation
    )
    assert (handoff["label"], handoff["reason"]) == ("emergency", "agent_takeover")
    assert handoff["wants"].count("Aiuto, mio padre non respira") == 1
    [said] = await shop.rows(
        "SELECT body FROM message WHERE conversation_id = %s AND author = 'bot'", conversation
    )
    assert "112" in said["body"]


async def test_a_held_conversation_is_tried_again(shop: Shop) -> None:
    conversation = await shop.open_conversation("393600000005")
    async with shop.crm.hold(conversation) as held:
        assert held
        await shop.customer_writes(conversation, "Dove siete?")
        await shop.work()
        assert not await all_taken_in(shop, conversation)
        query = "SELECT status::text, args ->> 'attempt' AS attempt FROM procrastinate_jobs WHERE lock = %s"
        jobs = await shop.rows(query, f"conv:{conversation}")
        assert jobs == [{"status": "todo", "attempt": "0"}]
    await shop.work_until(lambda: all_taken_in(shop, conversation))
    assert len({row["turn_id"] for row in await shop.outbox_of(conversation)}) == 1


async def test_two_workers_share_the_work(shop: Shop) -> None:
    numbers = [await shop.open_conversation(f"39361000000{n}") for n in range(6)]
    written = [(await shop.customer_writes(number, "Dove siete?", "grazie"))[0] for number in numbers]

    async def done() -> bool:
        return all([await all_taken_in(shop, number) for number in numbers])

    await asyncio.gather(shop.work_until(done), shop.work_until(done))
    for number, wamid in zip(numbers, written, strict=True):
        answers = {row["answers"] for row in await shop.outbox_of(number)}
        assert len(answers) == 1
        assert wamid in answers.pop()


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (psycopg.OperationalError("connection refused"), True),
        (psycopg.errors.AdminShutdown(), True),
        (psycopg.errors.CannotConnectNow(), True),
        (psycopg.errors.DiskFull(), True),
        (psycopg.errors.TooManyConnections(), True),
        (psycopg.errors.ReadOnlySqlTransaction(), True),
        (psycopg.errors.ProgramLimitExceeded(), False),
        (psycopg.errors.QueryCanceled(), False),
        (psycopg.errors.CheckViolation(), False),
        (ValueError(), False),
    ],
)
def test_only_an_outage_is_forgiven(error: Exception, away: bool) -> None:
    assert _database_away(error) is away


@pytest.mark.parametrize(
    ("note", "reasons"),
    [(IDLE_NOTE, ["customer_request", "attachment"]), ("Fatto", ["customer_request"])],
)
async def test_a_picture_goes_to_people_again_unless_one_has_given_it_back(
    shop: Shop, note: str, reasons: list[str]
) -> None:
    conversation = await shop.open_conversation(f"3936000001{len(reasons):02}")
    await shop.customer_writes(conversation, "Vorrei parlare con una persona")
    await shop.work_until(lambda: all_taken_in(shop, conversation))
    async with shop.crm.transaction(shop.business_id) as tx:
        contact_id = (await conversations.lock(tx, conversation)).contact_id
        picture = NewMessage(conversation, contact_id, "customer", "image", tx.now, media_id="1")
        message_id = await messages.add(tx, picture)
        await inbox.add(tx, conversation, inbox.CUSTOMER_MESSAGE, message_id=message_id)
        handoff_id = await handoffs.open_of(tx, conversation)
        assert handoff_id is not None
        await desk.hand_back(tx, handoff_id, None, note=note)
    await shop.work_until(lambda: all_taken_in(shop, conversation))
    rows = await shop.rows(
        "SELECT reason FROM handoff WHERE conversation_id = %s ORDER BY 1 DESC", conversation
    )
    assert [row["reason"] for row in rows] == reasons
