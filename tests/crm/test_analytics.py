"""Figures: what a history is known to hold is what they say, day by day and whatever becomes of it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio

from crm import analytics, analytics_refresh, conversations, leads, messages, outbox
from crm.analytics import NAMES, Behind, Period
from crm.messages import NewMessage
from crm.privacy import erasure
from crm.record import Crm
from db.pool import Pool
from sara.history import write_history
from sara.history_truth import Truth
from tests.crm.conftest import Book, Clock, sender

ROME = ZoneInfo("Europe/Rome")
TODAY = date(2026, 11, 26)
CLOCKS_CHANGE = date(2026, 10, 25)
AUTUMN = Period.last_days(TODAY, 90)

OFFICE = """
WITH b AS (INSERT INTO business (slug, name, vertical, country, time_zone, currency, languages)
           VALUES (%s, 'Office', 'clinic', 'IT', %s, 'EUR', '{it,en,es,pt}') RETURNING business_id),
     l AS (INSERT INTO location (business_id, key, name, address, city, country, time_zone)
           SELECT business_id, 'here', 'Here', '', '', 'IT', 'Europe/Rome' FROM b RETURNING *),
     r AS (INSERT INTO resource (business_id, location_id, key, name, kind)
           SELECT l.business_id, location_id, 'room-' || n, 'Room', 'room' FROM l, generate_series(1, 3) n
           RETURNING *),
     s AS (INSERT INTO service (business_id, key) SELECT business_id, 'visit' FROM b RETURNING *),
     k AS (INSERT INTO resource_skill (business_id, resource_id, service_id)
           SELECT r.business_id, resource_id, service_id FROM r, s)
SELECT business_id FROM b"""
RELATIONS = (
    *(
        "metric_fact",
        "metric_message",
        "metric_response",
        "metric_talk",
        "metric_conversation",
        "metric_handoff",
    ),
    *("metric_lead", "metric_ticket", "metric_visit", "metric_day", "metric_refresh", "turn"),
)
# Somebody with whom nothing is open, and how often they asked what nothing answers.
ASKED_IN_VAIN = """
SELECT c.contact_id, min(t.conversation_id) AS conversation_id, count(*) AS asked
FROM turn t JOIN conversation c USING (conversation_id)
WHERE t.business_id = %s AND t.unanswered
  AND NOT EXISTS (SELECT FROM ticket k WHERE k.contact_id = c.contact_id AND k.status <> 'closed')
  AND NOT EXISTS (SELECT FROM appointment a WHERE a.contact_id = c.contact_id AND a.status = 'booked')
GROUP BY c.contact_id ORDER BY count(*) DESC, c.contact_id LIMIT 1"""
TICKET = """
INSERT INTO ticket (business_id, contact_id, status, description, idempotency_key, created_at, answer_due,
    solve_due, answered_at, closed_at)
VALUES (%s, %s, 'open', '', %s, %s, %s, %s, %s, %s)"""
UNSUMMED = """
WITH days AS (DELETE FROM metric_day WHERE business_id = %s)
DELETE FROM metric_refresh WHERE business_id = %s"""
DAY_ROWS = (
    "SELECT day, name, key, things, total, samples FROM metric_day WHERE business_id = %s ORDER BY 1, 2, 3"
)


@dataclass(frozen=True)
class Past:
    """A business of its own with a history, and what is true of it; `now` is the evening of TODAY."""

    book: Book
    truth: Truth

    async def figures(self, period: Period) -> dict[str, float | None]:
        async with self.book.crm.transaction(self.book.business_id) as tx:
            found = await analytics.figures(tx, period)
        assert tuple(found) == NAMES
        return {name: figure.value for name, figure in found.items()}

    async def behind(self, name: str, most: int) -> list[Behind]:
        """All of it, page by page."""
        found: list[Behind] = []
        after: int | None = None
        while True:
            async with self.book.crm.transaction(self.book.business_id) as tx:
                page = await analytics.behind(tx, AUTUMN, name, limit=most, after=after)
            assert len(page) <= most
            found += page
            if not page:
                return found
            after = page[-1].conversation_id


async def office(dsn: str, pool: Pool, time_zone: str = "Europe/Rome") -> Book:
    """A business that nobody has ever written to."""
    clock = Clock()
    clock.now = datetime(2026, 11, 26, 20, 0, tzinfo=UTC)
    book = Book(dsn, Crm(pool, clock), clock, 0, "history")
    [row] = await book.rows(OFFICE, f"office-{sender()}", time_zone)
    return Book(dsn, book.crm, clock, row["business_id"], "history")


async def summed_up(book: Book, lately: int = analytics_refresh.LATELY) -> int:
    """What the job does; how many portions."""
    async with book.crm.transaction(book.business_id) as tx:
        due = await analytics_refresh.due(tx, lately=lately)
    for period in due:
        async with book.crm.transaction(book.business_id) as tx:
            await analytics_refresh.refresh(tx, period)
    return len(due)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def past(dsn: str, record_pool: Pool) -> AsyncIterator[Past]:
    book = await office(dsn, record_pool)
    yield Past(book, await write_history(book.crm, book.business_id, days=90, today=TODAY))


@pytest_asyncio.fixture(loop_scope="session")
async def new(dsn: str, record_pool: Pool) -> Book:
    """A business that nobody has ever written to."""
    return await office(dsn, record_pool)


def test_periods() -> None:
    week = Period.last_days(TODAY, 7)
    assert (week.first, week.last, week.days) == (date(2026, 11, 20), TODAY, 7)
    assert week.before() == Period(date(2026, 11, 13), date(2026, 11, 19))
    since, until = Period(CLOCKS_CHANGE, CLOCKS_CHANGE).bounds(ROME)
    assert (until.astimezone(UTC) - since.astimezone(UTC)) == timedelta(hours=25)
    with pytest.raises(ValueError, match="before it begins"):
        Period.last_days(TODAY, 0)


def test_the_history_has_something_of_everything(past: Past) -> None:
    """Else the other tests would prove nothing."""
    assert set(past.truth.figures) == set(NAMES)
    assert [name for name, value in past.truth.figures.items() if not value] == []
    shares = ("containment", "escalation", "lead_qualified_48h", "tickets_in_sla", "no_shows", "voice_share")
    for name in shares:
        assert 0 < (past.truth.figures[name] or 0) < 1, name
    assert all(past.truth.by_day["conversations"].values())


async def test_figures_are_what_is_true_before_any_day_is_summed_up(past: Past) -> None:
    await past.book.rows(UNSUMMED, past.book.business_id, past.book.business_id)
    assert await past.figures(AUTUMN) == pytest.approx(past.truth.figures)
    for day in (CLOCKS_CHANGE, CLOCKS_CHANGE - timedelta(days=1), TODAY):
        assert await past.figures(Period(day, day)) == pytest.approx(past.truth.of(Period(day, day))), day


async def test_and_afterwards(past: Past) -> None:
    await past.book.rows(UNSUMMED, past.book.business_id, past.book.business_id)
    assert await summed_up(past.book) == 3
    assert await past.figures(AUTUMN) == pytest.approx(past.truth.figures)
    weeks = Period(date(2026, 10, 12), date(2026, 11, 1))
    assert await past.figures(weeks) == pytest.approx(past.truth.of(weeks))
    assert await past.figures(weeks.before()) == pytest.approx(past.truth.of(weeks.before()))


async def test_every_figure_of_every_day_is_what_is_true(past: Past) -> None:
    for name in NAMES:
        async with past.book.crm.transaction(past.book.business_id) as tx:
            series = await analytics.by_day(tx, AUTUMN, name)
        assert [day for day, _ in series] == AUTUMN.each()
        assert dict(series) == pytest.approx(past.truth.by_day[name]), name


async def test_summing_up_again_changes_nothing(past: Past) -> None:
    await summed_up(past.book)
    before = await past.book.rows(DAY_ROWS, past.book.business_id)
    assert await asyncio.gather(summed_up(past.book), summed_up(past.book)) == [1, 1]
    assert await past.book.rows(DAY_ROWS, past.book.business_id) == before
    await summed_up(past.book, analytics_refresh.FOR_LONG)
    assert await past.book.rows(DAY_ROWS, past.book.business_id) == before


async def test_shares_are_what_is_true(past: Past) -> None:
    for what in ("languages", "reasons", "intents"):
        async with past.book.crm.transaction(past.book.business_id) as tx:
            found = await analytics.shares(tx, AUTUMN, what)  # type: ignore[arg-type]
        assert dict(found) == past.truth.shares[what]
        assert [number for _, number in found] == sorted((number for _, number in found), reverse=True)


@pytest.mark.parametrize(
    "name", ["escalation", "bookings", "messages_in", "response_median", "first_response_median"]
)
async def test_behind_a_figure_are_its_conversations(past: Past, name: str) -> None:
    """Each once, the newest first, over all pages; with what it adds to the figure."""
    made_of = {"response_median": "response", "first_response_median": "first_response"}.get(name, name)
    values: dict[int, list[float]] = {}
    for fact in past.truth.facts:
        if fact.name == made_of and fact.conversation is not None:
            values.setdefault(past.truth.conversation_ids[fact.conversation], []).append(fact.value)
    together = max if name.endswith("_median") else sum
    found = await past.behind(name, most=100 if len(values) < 500 else 700)
    assert [row.conversation_id for row in found] == sorted(values, reverse=True)
    assert {row.conversation_id: row.value for row in found} == pytest.approx(
        {conversation_id: together(added) for conversation_id, added in values.items()}
    )
    assert all(row.thread_id == f"{past.book.business_id}:{row.conversation_id}" for row in found)
    assert all(row.contact_name and row.wa_id for row in found)


async def test_behind_messages_sent_are_conversations_in_which_only_we_wrote_that_day(new: Book) -> None:
    """A person who goes on the next morning, a reminder in a conversation that is over since; not one that
    was resolved the day before."""
    talks = [await new.customer() for _ in range(3)]
    for contact_id, talk in talks:
        await said(new, contact_id, talk, "Buongiorno")
    ended = "UPDATE conversation SET status = 'closed', closed_at = %s WHERE conversation_id = %s"
    await new.rows(ended, new.clock.now + timedelta(minutes=5), talks[2][1])
    new.clock.now += timedelta(hours=14)
    for (contact_id, talk), author, purpose in zip(talks, ("agent", "bot"), (None, "reminder"), strict=False):
        at = new.clock.now - timedelta(hours=1)
        await new.rows(SAID, new.business_id, talk, contact_id, author, at, f"{author}:{talk}", purpose)
    await new.rows(ended, new.clock.now + timedelta(hours=10), talks[1][1])
    new.clock.now += timedelta(hours=11)
    morrow = Period(TODAY + timedelta(days=1), TODAY + timedelta(days=1))
    async with new.crm.transaction(new.business_id) as tx:
        figure = (await analytics.figures(tx, morrow))["messages_out"]
        rows = await analytics.behind(tx, morrow, "messages_out")
        assert await analytics.behind(tx, morrow, "messages_in") == []
    assert figure.value == sum(row.value or 0 for row in rows) == 2
    assert [row.conversation_id for row in rows] == [talks[1][1], talks[0][1]]


async def test_gaps_are_the_questions_nothing_answers(past: Past) -> None:
    """Of the latest four hundred; the wordings of one question together."""
    async with past.book.crm.transaction(past.book.business_id) as tx:
        gaps = await analytics.gaps(tx, AUTUMN)
    assert sum(past.truth.unanswered.values()) <= 400
    wordings = {"bonus": 0, "charging": 0, "perro": 0, "cheque": 0, "sordi": 0}
    asked = Counter(
        {word: n for word in wordings for q, n in past.truth.unanswered.items() if word in q.casefold()}
    )
    assert {next(w for w in wordings if w in gap.question.casefold()): gap.count for gap in gaps} == asked
    assert all(len(gap.conversation_ids) == len(set(gap.conversation_ids)) > 0 for gap in gaps)


async def test_another_business_sees_none_of_it(past: Past, new: Book) -> None:
    async with new.crm.transaction(new.business_id) as tx:
        for relation in RELATIONS:
            cursor = await tx.connection.execute(f"SELECT count(*) AS n FROM {relation}")  # type: ignore[arg-type]
            assert await cursor.fetchone() == {"n": 0}, relation
        found = await analytics.figures(tx, AUTUMN)
        assert not any(figure.value for figure in found.values())


async def test_without_anything_there_is_nothing_to_measure(new: Book) -> None:
    assert await summed_up(new) == 0
    async with new.crm.transaction(new.business_id) as tx:
        found = await analytics.figures(tx, AUTUMN)
        assert {figure.value for figure in found.values()} == {None, 0.0}
        assert {name for name, figure in found.items() if figure.value is None} == {
            name for name, figure in found.items() if figure.unit in ("share", "seconds")
        } - {"compute_seconds"}
        assert {figure.of for figure in found.values()} == {0}
        assert await analytics.by_day(tx, Period(TODAY, TODAY), "containment") == [(TODAY, None)]
        assert await analytics.by_day(tx, Period(TODAY, TODAY), "leads") == [(TODAY, 0.0)]
        assert await analytics.shares(tx, AUTUMN, "reasons") == []
        assert await analytics.behind(tx, AUTUMN, "response_median") == []
        assert await analytics.behind(tx, AUTUMN, "bookings") == []
        assert await analytics.gaps(tx, AUTUMN) == []


async def said(book: Book, contact_id: int, conversation_id: int, text: str) -> None:
    """The customer writes."""
    async with book.crm.transaction(book.business_id) as tx:
        await conversations.customer_wrote(tx, conversation_id, tx.now)
        new = NewMessage(conversation_id, contact_id, "customer", "text", tx.now, text, wamid=f"w.{sender()}")
        await messages.add(tx, new)


async def answered(book: Book, contact_id: int, conversation_id: int, turn_id: str) -> None:
    """SARA's answer is on its way."""
    async with book.crm.transaction(book.business_id) as tx:
        new = NewMessage(conversation_id, contact_id, "bot", "text", tx.now, "Sì.")
        await outbox.add(tx, [new], turn_id=turn_id, epoch=0, answers=None)


async def taken(book: Book, conversation_id: int) -> None:
    """The channel takes what is on its way."""
    async with book.crm.transaction(book.business_id) as tx:
        for row in await outbox.open_rows(tx, conversation_id):
            await outbox.take(tx, row.outbox_id, "history", 1, campaign=False, initiated=False, patience_s=0)
            told = messages.status(wamid=f"w.{sender()}", outbox_id=row.outbox_id, status="sent", at=tx.now)
            await tx.together([told])


async def test_one_conversation(new: Book) -> None:
    """Two messages in a row are one wait, from the first on; an answer nobody took is none."""
    contact_id, conversation_id = await new.customer()
    for text in ("Buongiorno", "siete aperti?"):
        await said(new, contact_id, conversation_id, text)
        new.clock.now += timedelta(seconds=2)
    await answered(new, contact_id, conversation_id, "one")
    async with new.crm.transaction(new.business_id) as tx:
        found = await analytics.figures(tx, Period(TODAY, TODAY))
    assert (found["response_median"].value, found["messages_in"].value) == (None, 2)
    assert (found["conversations"].value, found["containment"].value) == (1, 0)
    new.clock.now += timedelta(seconds=1)
    await taken(new, conversation_id)
    async with new.crm.transaction(new.business_id) as tx:
        found = await analytics.figures(tx, Period(TODAY, TODAY))
        [row] = await analytics.behind(tx, Period(TODAY, TODAY), "response_p90")
    assert (found["response_median"].value, found["response_p90"].value, found["response_median"].of) == (
        5,
        5,
        1,
    )
    assert (found["containment"].value, found["escalation"].value, found["messages_out"].value) == (1, 0, 1)
    assert (row.conversation_id, row.value, row.contact_name) == (conversation_id, 5, "Anna Rossi")


SAID = """
WITH m AS (INSERT INTO message (business_id, conversation_id, contact_id, author, kind, sent_at, created_at)
           SELECT %s, %s, %s, %s, 'text', t, t FROM (VALUES (%s::timestamptz)) v (t) RETURNING *)
INSERT INTO outbox (business_id, conversation_id, message_id, turn_id, ordinal, epoch, state, settled_at,
    purpose)
SELECT business_id, conversation_id, message_id, %s, 0, 0, 'accepted', sent_at, %s FROM m
WHERE author <> 'customer'"""
HANDED = """
INSERT INTO handoff (business_id, conversation_id, turn_id, reason, status, opened_at, closed_at)
SELECT %s, %s, %s, 'customer_request', CASE WHEN e IS NULL THEN 'open' ELSE 'returned' END, s, e
FROM (VALUES (%s::timestamptz, %s::timestamptz)) v (s, e)"""
WAITS = "SELECT author, seconds FROM metric_response WHERE conversation_id = %s ORDER BY message_id"
# Who says something after how many seconds, under which id and for which purpose; hand-overs from when to
# when; how long SARA took.
PEOPLES = {
    "an apology answers nobody, whether it has a purpose": (
        ["customer 0", "bot 2 1:1", "customer 60", "bot 1900 apology:1 -", "bot 3700 1:9 apology"],
        [(1, None)],
        [2],
    ),
    "thanks for a person's answer are no beginning": (
        ["customer 0", "bot 2 1:1", "agent 500 desk:1", "customer 600", "customer 9000", "bot 9003 1:2"],
        [(1, 1000)],
        [2, 3],
    ),
    "what is handed back unanswered has waited for people": (
        ["customer 0", "bot 2 1:1", "customer 60", "bot 1005 1:2"],
        [(1, 1000)],
        [2],
    ),
    "what a person took over and left is over": (
        ["customer 0", "customer 9000", "bot 9004 1:2"],
        [(50, 1000)],
        [4],
    ),
    "one hand-over after the other": (
        ["customer 0", "bot 2 1:1", "customer 30", "customer 150", "bot 155 1:2", "customer 300",
         "customer 500", "bot 507 1:3"],
        [(1, 100), (152, 400)],
        [2, 5, 7],
    ),
    "reminders and offers of before they had a purpose": (
        ["customer 0", "bot 5 reminder:7:24:2026-11-27T10:00:00+00:00 -", "bot 6 waiting:3 -", "bot 10 1:1"],
        [],
        [10],
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", PEOPLES)
async def test_time_that_is_peoples_is_no_answer_time_of_saras(new: Book, what: str) -> None:
    said_then, handed, took = PEOPLES[what]
    contact_id, talk = await new.customer()

    def at(seconds: float | None) -> datetime | None:
        return None if seconds is None else new.clock.now + timedelta(seconds=seconds)

    for line in said_then:
        author, after, turn_id, purpose = [*line.split(), "-", "-"][:4]
        named = None if purpose == "-" else purpose
        await new.rows(SAID, new.business_id, talk, contact_id, author, at(int(after)), turn_id, named)
    for since, until in handed:
        await new.rows(HANDED, new.business_id, talk, f"1:{since}", at(since), at(until))
    waits = await new.rows(WAITS, talk)
    assert [row["seconds"] for row in waits if row["author"] == "bot"] == took


async def test_a_hand_over_that_nobody_took_up_was_not_handled(new: Book) -> None:
    """Idle for three days, or resolved from the list: people waited, and nobody had it in hand."""
    _, talk = await new.customer()
    began = new.clock.now
    for since, until in ((0, 900), (1000, 260_000), (260_100, 260_200), (260_300, None)):
        closed = until and began + timedelta(seconds=until)
        await new.rows(HANDED, new.business_id, talk, f"1:{since}", began + timedelta(seconds=since), closed)
    claimed = "UPDATE handoff SET claimed_at = opened_at + interval '10 min' WHERE conversation_id = %s"
    await new.rows(f"{claimed} AND turn_id IN ('1:0', '1:260300')", talk)
    new.clock.now += timedelta(days=4)
    week = Period(TODAY, TODAY + timedelta(days=6))
    async with new.crm.transaction(new.business_id) as tx:
        figure = (await analytics.figures(tx, week))["handling_median"]
        [row] = await analytics.behind(tx, week, "handling_median")
        assert sum(number for _, number in await analytics.shares(tx, week, "reasons")) == 4
    assert (figure.value, figure.of) == (pytest.approx(300), 1)
    assert row.value == pytest.approx(300)


async def test_what_comes_late_counts_for_its_day(new: Book) -> None:
    """A reply known to have been taken the day after, and a lead whose 48 hours end two days later."""
    contact_id, conversation_id = await new.customer()
    await said(new, contact_id, conversation_id, "Buongiorno")
    await answered(new, contact_id, conversation_id, "late")
    async with new.crm.transaction(new.business_id) as tx:
        await leads.note(tx, contact_id, conversation_id=conversation_id, wish="a visit")
    new.clock.now += timedelta(hours=10)
    await summed_up(new)
    async with new.crm.transaction(new.business_id) as tx:
        before = await analytics.figures(tx, Period(TODAY, TODAY))
    assert (before["response_median"].value, before["lead_qualified_48h"].value) == (None, None)
    assert before["leads"].value == 1
    await taken(new, conversation_id)
    new.clock.now += timedelta(hours=48)
    await summed_up(new)
    async with new.crm.transaction(new.business_id) as tx:
        after = await analytics.figures(tx, Period(TODAY, TODAY))
    assert (after["response_median"].value, after["lead_qualified_48h"].value) == (10 * 3600, 0)


async def test_a_report_counts_once_one_can_say(new: Book) -> None:
    """Answered in time, solved in time: each from the moment that this is decided."""
    contact_id, _ = await new.customer()
    began = new.clock.now
    for key, answered_h, closed_h in (("good", 1, 5), ("late", 1, 30), ("unseen", None, None)):
        times = [began + timedelta(hours=hour) for hour in (0, 2, 8)]
        times += [hour and began + timedelta(hours=hour) for hour in (answered_h, closed_h)]
        await new.rows(TICKET, new.business_id, contact_id, key, *times)
    shown = []
    for hours in (1.5, 2.5, 5.5, 8.5):
        new.clock.now = began + timedelta(hours=hours)
        async with new.crm.transaction(new.business_id) as tx:
            figure = (await analytics.figures(tx, Period(TODAY, TODAY)))["tickets_in_sla"]
        shown.append((figure.value, figure.of))
    assert shown == [(None, 0), (0, 1), (0.5, 2), (pytest.approx(1 / 3), 3)]


async def test_a_report_that_an_erasure_ends_was_not_solved(new: Book) -> None:
    """One that was late already stays late; one that nobody has looked at in time is in no figure."""
    contact_id, _ = await new.customer()
    began = new.clock.now
    for key, opened_h in (("late", -9), ("going on", 0)):
        times = [began + timedelta(hours=opened_h + hour) for hour in (0, 2, 8)]
        await new.rows(TICKET, new.business_id, contact_id, key, *times, None, None)
    new.clock.now += timedelta(minutes=30)
    await erasure.erase(new.crm, new.business_id, contact_id, close=True, prove=False)
    new.clock.now += timedelta(hours=2)
    async with new.crm.transaction(new.business_id) as tx:
        found = await analytics.figures(tx, Period(TODAY, TODAY))
    assert (found["tickets_in_sla"].value, found["tickets_in_sla"].of, found["tickets"].value) == (0, 1, 2)


async def test_days_are_the_business_s_own(dsn: str, record_pool: Pool) -> None:
    """Half past ten in the evening in Italy is the afternoon in São Paulo, and the next day in Tokyo."""
    for time_zone, day in (("America/Sao_Paulo", TODAY), ("Asia/Tokyo", TODAY + timedelta(days=1))):
        abroad = await office(dsn, record_pool, time_zone)
        contact_id, conversation_id = await abroad.customer()
        await said(abroad, contact_id, conversation_id, "Olá")
        await summed_up(abroad)
        async with abroad.crm.transaction(abroad.business_id) as tx:
            assert await analytics.today(tx) == day
            found = await analytics.by_day(tx, Period(TODAY, TODAY + timedelta(days=1)), "messages_in")
        assert dict(found)[day] == 1
        assert sum(value or 0 for _, value in found) == 1


async def test_figures_stay_when_a_customer_is_erased(new: Book) -> None:
    truth = await write_history(new.crm, new.business_id, days=21, today=TODAY, seed=8)
    await summed_up(new)
    past = Past(new, truth)
    [row] = await new.rows(ASKED_IN_VAIN, new.business_id)
    async with new.crm.transaction(new.business_id) as tx:
        before = sum(gap.count for gap in await analytics.gaps(tx, AUTUMN))
    await erasure.erase(new.crm, new.business_id, row["contact_id"], prove=False)
    assert await past.figures(truth.period) == pytest.approx(truth.figures)
    await new.rows(UNSUMMED, new.business_id, new.business_id)
    assert await past.figures(truth.period) == pytest.approx(truth.figures)
    async with new.crm.transaction(new.business_id) as tx:
        assert sum(gap.count for gap in await analytics.gaps(tx, AUTUMN)) == before - row["asked"]
        seen = await analytics.behind(tx, AUTUMN, "unanswered", limit=1000)
    [mine] = [one for one in seen if one.conversation_id == row["conversation_id"]]
    assert (mine.contact_name, mine.wa_id) == (None, None)
    assert len([one for one in seen if one.contact_name]) > 0
