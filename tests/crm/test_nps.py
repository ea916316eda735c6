"""The net promoter score, its trend, and a business's health with its parts."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from crm import businesses, conversations, health, merging, messages, nps, outbox
from crm.messages import NewMessage
from crm.periods import Period
from crm.privacy import erasure
from crm.privacy.collect import walk
from tests.crm.conftest import Book

_ENTERED = (
    "INSERT INTO nps_response"
    " (business_id, contact_id, language, status, score, comment, asked_at, answered_at)"
    " VALUES (%s, %s, 'it', 'answered', %s, 'Bravi', %s, %s)"
)


async def entered(book: Book, *given: tuple[int, datetime]) -> int:
    """Answers of one new customer; returns whose."""
    contact_id, _ = await book.customer()
    for score, at in given:
        await book.rows(_ENTERED, book.business_id, contact_id, score, at, at)
    return contact_id


async def alone(book: Book) -> None:
    await book.rows("DELETE FROM nps_response")


def at(day: date, hour: int = 12) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


async def score(book: Book, first: date, last: date) -> tuple[float | None, int]:
    async with book.crm.transaction(book.business_id) as tx:
        figure = await nps.score(tx, Period(first, last))
    assert (figure.name, figure.unit) == ("nps", "points")
    return figure.value, figure.of


@pytest.mark.parametrize(
    ("scores", "points"),
    [
        ([], None),
        ([9], 100.0),
        ([10, 9], 100.0),
        ([0, 6], -100.0),
        ([7, 8], 0.0),
        ([10, 9, 8, 7, 6, 0], 0.0),
        ([10, 9, 9, 8, 3], 40.0),
        ([9, 8, 5], 0.0),
        ([10, 8, 8], 33.3),
    ],
)
async def test_promoters_less_detractors(book: Book, scores: list[int], points: float | None) -> None:
    await alone(book)
    day = date(2026, 11, 10)
    await entered(book, *((one, at(day)) for one in scores))
    assert await score(book, day, day) == (points, len(scores))


async def test_a_day_is_the_businesss_own_also_when_clocks_change(book: Book) -> None:
    """The 25th of October 2026 has 25 hours in Milan: from 22:00 to 23:00 of UTC the day after."""
    await alone(book)
    await entered(
        book,
        (0, datetime(2026, 10, 24, 21, 59, tzinfo=UTC)),
        (10, datetime(2026, 10, 24, 22, 0, tzinfo=UTC)),
        (10, datetime(2026, 10, 25, 22, 59, tzinfo=UTC)),
        (0, datetime(2026, 10, 25, 23, 0, tzinfo=UTC)),
    )
    assert await score(book, date(2026, 10, 25), date(2026, 10, 25)) == (100.0, 2)


async def test_the_trend_names_every_week_by_its_monday(book: Book) -> None:
    await alone(book)
    await entered(
        book,
        (10, at(date(2026, 11, 4))),
        (3, at(date(2026, 11, 8), 22)),  # 23:00 on Sunday in Milan
        (9, datetime(2026, 11, 8, 23, 30, tzinfo=UTC)),  # Monday there
        (8, at(date(2026, 11, 25))),
    )
    async with book.crm.transaction(book.business_id) as tx:
        found = await nps.trend(tx, Period(date(2026, 11, 4), date(2026, 11, 25)))
    assert found == [
        (date(2026, 11, 2), 0.0, 2),
        (date(2026, 11, 9), 100.0, 1),
        (date(2026, 11, 16), None, 0),
        (date(2026, 11, 23), 0.0, 1),
    ]


async def test_another_business_sees_nothing_of_it(book: Book) -> None:
    await alone(book)
    day = date(2026, 11, 10)
    await entered(book, (10, at(day)))
    async with book.crm.outside() as tx:
        other = await businesses.of_slug(tx, "aurora")
    async with book.crm.transaction(other) as tx:
        assert (await nps.score(tx, Period(day, day))).of == 0
        assert [row for row in await nps.trend(tx, Period(day, day)) if row[2]] == []


async def asked(book: Book) -> tuple[int, int, int]:
    """A customer who was asked just now: contact, conversation and question."""
    contact_id, conversation_id = await book.customer()
    async with book.crm.transaction(book.business_id) as tx:
        row = nps.DueRow(conversation_id, contact_id, book.number, None, "it")
        question = await nps.asked(tx, row, "it")
        message = NewMessage(conversation_id, contact_id, "bot", "buttons", tx.now, body="Da 0 a 10?")
        (message_id,) = await outbox.add(
            tx, [message], turn_id=f"nps:{question}", epoch=0, answers=None, purpose="nps"
        )
        await nps.asked_with(tx, question, message_id)
    return contact_id, conversation_id, question


async def waits(book: Book, contact_id: int, turn_id: str = "new") -> bool:
    async with book.crm.transaction(book.business_id) as tx:
        return await nps.pending(tx, contact_id, turn_id) is not None


async def test_a_question_waits_until_something_else_is_said(book: Book) -> None:
    contact_id, conversation_id, _ = await asked(book)
    assert await waits(book, contact_id)
    async with book.crm.transaction(book.business_id) as tx:
        heard = NewMessage(conversation_id, contact_id, "customer", "text", tx.now, body="boh")
        await messages.add(tx, heard)
    assert await waits(book, contact_id)
    async with book.crm.transaction(book.business_id) as tx:
        await messages.add(
            tx, NewMessage(conversation_id, contact_id, "agent", "text", tx.now, body="Per che ora?")
        )
    assert not await waits(book, contact_id)


@pytest.mark.parametrize("state", ["refused", "held", "superseded"])
async def test_a_question_that_never_left_waits_for_nothing(book: Book, state: str) -> None:
    contact_id, _, question = await asked(book)
    await book.rows("UPDATE outbox SET state = %s WHERE turn_id = %s", state, f"nps:{question}")
    assert not await waits(book, contact_id)


async def test_a_question_waits_two_days(book: Book) -> None:
    contact_id, _, _ = await asked(book)
    now = book.clock.now
    book.clock.now = now + timedelta(hours=47)
    assert await waits(book, contact_id)
    book.clock.now = now + timedelta(hours=49)
    assert not await waits(book, contact_id)


async def answer(
    book: Book, asked_of: tuple[int, int, int], score: int, turn_id: str, comment: str = ""
) -> None:
    contact_id, conversation_id, question = asked_of
    async with book.crm.transaction(book.business_id) as tx:
        await nps.answer(
            tx,
            question,
            score,
            comment,
            contact_id=contact_id,
            conversation_id=conversation_id,
            turn_id=turn_id,
        )


async def test_a_turn_that_runs_again_finds_its_question_and_no_other_does(book: Book) -> None:
    of = await asked(book)
    for _ in range(2):
        await answer(book, of, 9, "t1", "Bravi")
        assert await waits(book, of[0], "t1")
    assert not await waits(book, of[0], "t2")
    rows = await book.rows("SELECT status, score, comment FROM nps_response WHERE contact_id = %s", of[0])
    assert rows == [{"status": "answered", "score": 9, "comment": "Bravi"}]
    told = await book.rows(
        "SELECT detail FROM crm_event WHERE contact_id = %s AND kind = 'nps_answered'", of[0]
    )
    assert told == [{"detail": "9/10"}]


async def test_who_declined_has_no_score(book: Book) -> None:
    contact_id, _, question = await asked(book)
    async with book.crm.transaction(book.business_id) as tx:
        await nps.decline(tx, question, turn_id="t1")
    assert not await waits(book, contact_id)
    rows = await book.rows("SELECT status, score FROM nps_response WHERE contact_id = %s", contact_id)
    assert rows == [{"status": "declined", "score": None}]


async def test_answers_are_the_customers_in_exports_merges_and_erasures(book: Book) -> None:
    """Words go and scores stay: a figure of the past does not change because somebody was forgotten."""
    await alone(book)
    day = date(2026, 11, 11)
    kept, gone = await entered(book), await entered(book, (2, at(day)))
    await merging.merge(book.crm, book.business_id, kept, gone, None)
    async with book.crm.transaction(book.business_id) as tx:
        held = {holding.table: rows async for holding, rows, _ in walk(tx.connection, kept)}
        assert [(row["score"], row["comment"]) for row in held["nps_response"]] == [(2, "Bravi")]
    await erasure.erase(book.crm, book.business_id, kept, close=True, prove=False)
    rows = await book.rows("SELECT score, comment FROM nps_response WHERE contact_id = %s", kept)
    assert rows == [{"score": 2, "comment": ""}]
    assert await score(book, day, day) == (-100.0, 1)


ALL_WELL: dict[str, tuple[float | None, int]] = {
    "response": (4.0, 200),
    "containment": (0.9, 200),
    "answered": (0.97, 200),
    "first_response": (600.0, 20),
    "tickets_in_sla": (1.0, 10),
    "tickets_late": (0.0, 2),
    "no_shows": (0.02, 50),
    "undelivered": (0.0, 400),
    "nps": (60.0, 30),
}


def test_the_parts_add_up_to_a_hundred() -> None:
    assert sum(part.points for part in health.PARTS.values()) == 100
    assert health.of_measures(ALL_WELL).score == 100


@pytest.mark.parametrize(
    ("changed", "score"),
    [
        ({name: (part.nothing, 100) for name, part in health.PARTS.items()}, 0),
        ({"nps": (15.0, 30)}, 95),  # halfway between −20 and 50
        ({"nps": (-100.0, 30)}, 90),
        ({"nps": (-100.0, 4)}, 100),  # too few answers to judge by
        ({"containment": (0.70, 200)}, 94),  # 9.4 of 15
        ({"tickets_late": (1.0, 1)}, 95),
        ({"first_response": (None, 0), "tickets_in_sla": (None, 0), "no_shows": (0.15, 20)}, 94),  # 75 of 80
        (dict.fromkeys(list(health.PARTS)[:5], (None, 0)), None),  # 35 points left
    ],
)
def test_a_score_is_the_share_of_the_points_there_were(
    changed: dict[str, tuple[float | None, int]], score: int | None
) -> None:
    assert health.of_measures({**ALL_WELL, **changed}).score == score


def test_every_part_says_why() -> None:
    measures: dict[str, tuple[float | None, int]] = {
        **ALL_WELL,
        "no_shows": (0.15, 20),
        "nps": (-30.0, 10),
        "tickets_in_sla": (1.0, 2),
    }
    parts = {one.name: one for one in health.of_measures(measures).components}
    assert list(parts) == list(health.PARTS)
    assert (parts["response"].why, parts["response"].points, parts["response"].of) == ("all", 15.0, 15)
    assert (parts["no_shows"].why, parts["no_shows"].points) == ("some", 5.0)
    assert (parts["nps"].why, parts["nps"].points, parts["nps"].of) == ("none", 0.0, 10)
    few = parts["tickets_in_sla"]
    assert (few.why, few.value, few.of, few.measured_on) == ("too_few", 1.0, 0, 2)


async def test_a_business_of_which_nothing_is_known_has_no_health(book: Book) -> None:
    await book.rows("DELETE FROM ticket WHERE business_id = %s", book.business_id)
    async with book.crm.transaction(book.business_id) as tx:
        found = await health.health(tx, Period(date(2001, 1, 1), date(2001, 1, 7)))
    assert found.score is None
    assert {one.why for one in found.components} == {"too_few"}


async def test_undelivered_messages_and_late_tickets_are_counted(book: Book) -> None:
    day = date(2026, 11, 12)
    book.clock.now = at(day)
    contact_id, conversation_id = await book.customer()
    async with book.crm.transaction(book.business_id) as tx:
        said = [
            NewMessage(conversation_id, contact_id, "bot", "text", tx.now, body=str(number))
            for number in range(10)
        ]
        await outbox.add(tx, said, turn_id=f"health:{conversation_id}", epoch=0, answers=None)
    states: list[Any] = await book.rows(
        "UPDATE outbox SET settled_at = %s, state = CASE ordinal WHEN 0 THEN 'refused' WHEN 1 THEN 'held'"
        " ELSE 'accepted' END WHERE turn_id = %s RETURNING message_id, ordinal",
        at(day),
        f"health:{conversation_id}",
    )
    failed = next(row["message_id"] for row in states if row["ordinal"] == 2)
    await book.rows(
        "INSERT INTO message_status (business_id, message_id, status, at, received_at)"
        " VALUES (%s, %s, 'failed', %s, %s)",
        book.business_id,
        failed,
        at(day),
        at(day),
    )
    await book.rows("DELETE FROM ticket WHERE business_id = %s", book.business_id)
    for number, due in enumerate((at(day, 11), at(day, 13))):
        await book.rows(
            "INSERT INTO ticket"
            " (business_id, contact_id, description, idempotency_key, answer_due, solve_due)"
            " VALUES (%s, %s, 'x', %s, %s, %s)",
            book.business_id,
            contact_id,
            f"health:{contact_id}:{number}",
            due,
            due,
        )
    async with book.crm.transaction(book.business_id) as tx:
        found = {one.name: one for one in (await health.health(tx, Period(day, day))).components}
        assert (await conversations.get(tx, conversation_id)).owner == "bot"
    assert (found["undelivered"].value, found["undelivered"].measured_on) == (pytest.approx(0.3), 10)
    assert (found["tickets_late"].value, found["tickets_late"].measured_on) == (0.5, 2)
