"""Events and what follows from them: once, all or nothing, in the right order."""

import asyncio
import secrets
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from crm import appointments, attendance, businesses, events, hours, leads, lifecycle
from crm.businesses import Profile
from crm.errors import UnknownAppointment
from crm.packs import Asked
from tests.crm.conftest import Book
from tests.crm.test_appointments import pick, take


async def booked(book: Book, key: str | None = None) -> tuple[int, int]:
    """A customer with an appointment, and the event that says so."""
    chosen, (contact_id, _) = await pick(book), await book.customer()
    made = await take(book, contact_id, chosen, key or f"ev:{secrets.token_hex(6)}")
    await happened(book, "appointment_booked", contact_id, made.appointment_id)
    return contact_id, made.appointment_id


async def happened(
    book: Book, kind: str, contact_id: int, subject_id: int | None, key: str | None = None
) -> bool:
    async with book.crm.transaction(book.business_id) as tx:
        return await events.happened(
            tx, kind, contact_id, key=key or f"{kind}:{subject_id}", subject_id=subject_id
        )


async def one(book: Book, query: str, *values: Any) -> Any:
    [row] = await book.rows(query, *values)
    return row


async def test_a_booking_sets_everything_in_motion(book: Book) -> None:
    contact_id, appointment_id = await booked(book)
    draft = await one(book, "SELECT * FROM invoice_draft WHERE appointment_id = %s", appointment_id)
    assert (draft["status"], draft["number"]) == ("pending", None)
    line = await one(
        book, "SELECT * FROM invoice_draft_line WHERE invoice_draft_id = %s", draft["invoice_draft_id"]
    )
    assert (line["unit_price"], line["vat_rate"]) == (Decimal("90.00"), Decimal("22.00"))
    lead = await one(book, "SELECT * FROM lead WHERE contact_id = %s", contact_id)
    assert lead["stage"] == "booked"
    contact = await one(book, "SELECT lifecycle FROM contact WHERE contact_id = %s", contact_id)
    assert contact["lifecycle"] == "qualified"
    follow_up = await one(book, "SELECT * FROM follow_up WHERE contact_id = %s", contact_id)
    booking = await one(
        book, "SELECT upper(during) AS ends FROM appointment WHERE appointment_id = %s", appointment_id
    )
    assert (follow_up["kind"], follow_up["due_at"]) == ("after_visit", booking["ends"] + timedelta(days=1))
    hooks = await book.rows(
        "SELECT target, state FROM event_hook JOIN crm_event USING (crm_event_id) WHERE contact_id = %s"
        " ORDER BY target", contact_id,
    )  # fmt: skip
    assert hooks == [{"target": "alert", "state": "waiting"}, {"target": "calendar", "state": "waiting"}]


async def test_an_event_told_twice_happens_once(book: Book) -> None:
    contact_id, appointment_id = await booked(book)
    told = await asyncio.gather(
        *(happened(book, "appointment_booked", contact_id, appointment_id) for _ in range(6))
    )
    assert told == [False] * 6
    for table in ("invoice_draft", "follow_up", "lead", "crm_event"):
        assert len(await book.rows(f"SELECT 1 FROM {table} WHERE contact_id = %s", contact_id)) == 1, table


async def test_of_many_at_once_one_tells_it(book: Book) -> None:
    contact_id, _ = await book.customer()
    key = f"many:{contact_id}"
    told = await asyncio.gather(*(happened(book, "lead_interest", contact_id, None, key) for _ in range(8)))
    assert sorted(told) == [False] * 7 + [True]
    assert (
        len(
            await book.rows(
                "SELECT 1 FROM stage_change JOIN lead USING (lead_id) WHERE contact_id = %s", contact_id
            )
        )
        == 1
    )


async def test_a_handler_that_fails_leaves_nothing(book: Book) -> None:
    contact_id, _ = await book.customer()
    with pytest.raises(ValueError, match="needs its subject"):
        await happened(book, "appointment_booked", contact_id, None, f"broken:{contact_id}")
    assert await book.rows("SELECT 1 FROM crm_event WHERE contact_id = %s", contact_id) == []
    assert await book.rows("SELECT 1 FROM lead WHERE contact_id = %s", contact_id) == []


async def test_who_came_is_a_client_and_pays(book: Book) -> None:
    contact_id, appointment_id = await booked(book)
    async with book.crm.transaction(book.business_id) as tx:
        await attendance.attended(tx, appointment_id)
    draft = await one(book, "SELECT * FROM invoice_draft WHERE appointment_id = %s", appointment_id)
    assert draft["status"] == "ready"
    assert draft["number"].startswith("2026/")
    assert draft["invoice_date"].isoformat() == "2026-11-18"
    contact = await one(book, "SELECT lifecycle FROM contact WHERE contact_id = %s", contact_id)
    assert contact["lifecycle"] == "client"
    assert (await one(book, "SELECT stage FROM lead WHERE contact_id = %s", contact_id))["stage"] == "won"
    async with book.crm.transaction(book.business_id) as tx:
        with pytest.raises(UnknownAppointment):
            await attendance.attended(tx, appointment_id)


async def test_who_did_not_come_or_cancelled_pays_nothing(book: Book) -> None:
    for way in ("missed", "cancelled"):
        contact_id, appointment_id = await booked(book)
        if way == "missed":
            async with book.crm.transaction(book.business_id) as tx:
                await attendance.missed(tx, appointment_id)
        else:
            await happened(book, "appointment_cancelled", contact_id, appointment_id)
        draft = await one(book, "SELECT status FROM invoice_draft WHERE appointment_id = %s", appointment_id)
        assert draft["status"] == "void", way
        follow_up = await one(book, "SELECT status FROM follow_up WHERE contact_id = %s", contact_id)
        assert follow_up["status"] == "cancelled", way
        stage = (await one(book, "SELECT stage FROM lead WHERE contact_id = %s", contact_id))["stage"]
        assert stage == {"missed": "lost", "cancelled": "qualified"}[way]


async def test_who_comes_again_has_won_the_business_nothing_new(book: Book) -> None:
    contact_id, first = await booked(book)
    second = await take(book, contact_id, await pick(book), f"ev:{secrets.token_hex(6)}")
    await happened(book, "appointment_booked", contact_id, second.appointment_id)
    for appointment_id in (first, second.appointment_id):
        async with book.crm.transaction(book.business_id) as tx:
            await attendance.attended(tx, appointment_id)
    async with book.crm.transaction(book.business_id) as tx:
        found = await leads.of_contact(tx, contact_id)
        await leads.move(tx, contact_id, "booked", None)
        newest, *_ = await leads.of_contact(tx, contact_id)
    assert [lead.stage for lead in found] == ["won"]
    assert newest.stage == "booked"


async def test_a_lead_goes_forward_and_keeps_its_history(book: Book) -> None:
    contact_id, _ = await book.customer()
    async with book.crm.transaction(book.business_id) as tx:
        await leads.note(tx, contact_id, conversation_id=None, wish="a contract", points=40)
        for stage in ("quoted", "qualified", "won"):
            await leads.move(tx, contact_id, stage, None)  # type: ignore[arg-type]
        await leads.move(tx, contact_id, "lost", None)  # nothing open is left to lose
        await leads.move(tx, contact_id, "booked", None)
        newest, first = await leads.of_contact(tx, contact_id)
        steps = [(step.from_stage, step.to_stage) for step in await leads.changes(tx, first.lead_id)]
    assert steps == [(None, "new"), ("new", "quoted"), ("quoted", "won")]
    assert (first.stage, newest.stage) == ("won", "booked")


URGENCIES = {"today": {"it": "Oggi"}, "later": {"it": "Senza fretta"}}


def test_scores_follow_weights_and_shares() -> None:
    questions = [
        Asked("urgency", "choice", True, {}, URGENCIES, 2, {"later": 0.25}),
        Asked("budget", "money", True, {}, weight=3),
        Asked("notes", "text", False, {}, weight=0),
    ]  # fmt: skip
    assert leads.score(questions, {}) == 0
    assert leads.score(questions, {"budget": "900"}) == 60
    assert leads.score(questions, {"urgency": "Senza fretta"}) == 10
    assert leads.score(questions, {"urgency": "Oggi", "budget": "1", "notes": ""}) == 100
    assert leads.score([], {}) == 100


async def test_nobody_falls_back_and_sleepers_wake_as_what_they_were(book: Book) -> None:
    contact_id, _ = await book.customer()
    async with book.crm.transaction(book.business_id) as tx:
        assert await lifecycle.rise(tx, contact_id, "client", None)
        assert not await lifecycle.rise(tx, contact_id, "qualified", None)
    book.clock.now += timedelta(days=200)
    async with book.crm.transaction(book.business_id) as tx:
        assert await lifecycle.put_to_sleep(tx) > 0
    asleep = await one(book, "SELECT lifecycle FROM contact WHERE contact_id = %s", contact_id)
    assert asleep["lifecycle"] == "dormant"
    async with book.crm.transaction(book.business_id) as tx:
        await lifecycle.wake(tx, contact_id)
    steps = await book.rows(
        "SELECT from_lifecycle AS a, to_lifecycle AS b FROM lifecycle_change WHERE contact_id = %s",
        contact_id,
    )
    assert sorted((step["a"], step["b"]) for step in steps) == [
        ("client", "dormant"), ("dormant", "client"), ("lead", "client"),
    ]  # fmt: skip


async def test_who_has_an_appointment_to_come_is_not_asleep(book: Book) -> None:
    contact_id, _ = await booked(book)
    book.clock.now += timedelta(days=200)
    async with book.crm.transaction(book.business_id) as tx:
        await lifecycle.put_to_sleep(tx)
        assert await appointments.of_contact(tx, contact_id)
    row = await one(book, "SELECT lifecycle FROM contact WHERE contact_id = %s", contact_id)
    assert row["lifecycle"] == "qualified"


async def profile_of(book: Book) -> Profile:
    async with book.crm.transaction(book.business_id) as tx:
        return await businesses.profile(tx)


@pytest.mark.parametrize(
    ("since", "minutes", "due"),
    [
        ("2026-11-18T10:00", 60, "2026-11-18T11:00"),  # 11:00 to 12:00 in Rome
        ("2026-11-18T11:30", 60, "2026-11-18T14:00"),  # half an hour before lunch, half an hour after
        ("2026-11-18T22:00", 30, "2026-11-19T08:30"),
        ("2026-11-20T15:30", 60, "2026-11-23T08:30"),  # Friday ends at 17:00, Monday begins at 9:00
        ("2026-10-23T14:30", 60, "2026-10-26T08:30"),  # the clocks went back on Sunday
        ("2026-11-18T03:00", 0, "2026-11-18T08:00"),
    ],
)
async def test_minutes_of_opening_hours(book: Book, since: str, minutes: int, due: str) -> None:
    start = datetime.fromisoformat(since).replace(tzinfo=UTC)
    reached = hours.after_open_minutes(await profile_of(book), start, minutes)
    assert reached == datetime.fromisoformat(due).replace(tzinfo=UTC)
