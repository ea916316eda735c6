"""What lists say differently from the record: found, kept once, contradicted, accepted, out of date."""

import itertools
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio

from crm import businesses, proposals, registry
from crm.businesses import Profile
from crm.differences import Listed, Span
from crm.proposals import (
    NoQuestion,
    ProposalClosed,
    ProposalConflict,
    Proposed,
    StaleProposal,
    UnknownProposal,
)
from crm.registry import BusinessEntry, ServiceEntry, Shift
from tests.crm.conftest import Book

_numbers = itertools.count(secrets.randbelow(10**8) * 1000)
LONG = "massaggio rilassante 80 minuti"
MORNING = (time(9), time(13))


@dataclass(frozen=True)
class Row:
    """A priced row as a reader would give it."""

    name: str
    price: Decimal | None
    duration_minutes: int | None = None
    price_max: Decimal | None = None
    price_unit: str | None = None
    language: str | None = "it"
    by_length: bool = True

    @property
    def base(self) -> str:
        return self.name

    @property
    def also(self) -> tuple[str, ...]:
        return (f"{self.name} {self.duration_minutes} minuti",) if self.duration_minutes else ()

    @property
    def row(self) -> str:
        return f"Servizio: {self.name} | Prezzo: {self.price}"


@dataclass(frozen=True)
class Day:
    weekday: int
    spans: tuple[Span, ...]
    context: tuple[str, ...] = ("Orari di Roma",)
    language: str | None = "it"
    row: str = "Giorno: …"


@dataclass(frozen=True)
class Shop:
    """A business of the test's own."""

    book: Book
    business_id: int

    async def propose(self, *lists: Listed) -> Proposed:
        async with self.book.crm.transaction(self.business_id) as tx:
            return await proposals.propose(tx, lists)

    async def accept(self, *ids: int) -> list[proposals.ProposalRow]:
        async with self.book.crm.transaction(self.business_id) as tx:
            return await proposals.accept(tx, ids)

    async def reject(self, *ids: int) -> None:
        async with self.book.crm.transaction(self.business_id) as tx:
            await proposals.reject(tx, ids)

    async def profile(self) -> Profile:
        async with self.book.crm.transaction(self.business_id) as tx:
            return await businesses.profile(tx)

    async def service(self, key: str) -> dict[str, Any]:
        query = "SELECT * FROM service WHERE business_id = %s AND key = %s"
        [row] = await self.book.rows(query, self.business_id, key)
        return row

    async def statuses(self) -> list[str]:
        query = "SELECT status FROM fact_proposal WHERE business_id = %s ORDER BY proposal_id"
        return [row["status"] for row in await self.book.rows(query, self.business_id)]


def service(
    key: str, names: Sequence[str], price: str | None, minutes: int | None, **more: Any
) -> ServiceEntry:
    fields = {
        "key": key, "duration_minutes": minutes, "buffer_minutes": 10, "price_max": None, "capacity": 1,
        "price": Decimal(price) if price else None, "price_unit": "session", "bookable": True,
        "quotable": price is None,
    }  # fmt: skip
    return ServiceEntry({**fields, **more}, {"it": names, "en": [f"{key} in English"]}, {}, ["roma"])


SERVICES = (
    service("rilassante", ["Massaggio rilassante", "massaggio antistress"], "65.00", 50),
    service("rilassante_lungo", ["Massaggio rilassante lungo", LONG], "92.00", 80),
    service("spa", ["Percorso spa"], "38.00", 120, price_unit="person"),
    service("vendita", ["Mediazione vendita"], "4.50", None, price_unit="percent"),
    service("esclusiva", ["Spa in esclusiva"], None, None),
)


@pytest_asyncio.fixture(loop_scope="session")
async def shop(book: Book) -> Shop:
    number = next(_numbers)
    place = {"address": "Via Nuova 1", "country": "IT", "time_zone": "Europe/Rome"}
    entry = BusinessEntry(
        fields={
            "slug": f"shop-{number}", "name": "Bottega", "vertical": "wellness", "country": "IT",
            "time_zone": "Europe/Rome", "currency": "EUR", "languages": ["it", "en"], "email": None,
            "website": None, "display_phone": None, "lead_time_minutes": 60, "cancel_notice_hours": 24,
        },
        phone_number_id=f"77{number}",
        persona={},
        house_rules={},
        thresholds={},
        locations=[
            {"key": "roma", "name": "Bottega Prati", "city": "Roma", **place},
            {"key": "milano", "name": "Bottega Brera", "city": "Milano", **place},
        ],
        hours=[("roma", Shift(["mon", "tue"], time(9), time(13)))],
        closures=[],
        services=SERVICES,
        resources=[],
        agents=[],
    )  # fmt: skip
    async with book.crm.as_owner() as tx:
        return Shop(book, await registry.put(tx, entry))


def listed(*rows: Row | Day, document: str = "listino.csv") -> Listed:
    services = [row for row in rows if isinstance(row, Row)]
    return Listed(document, services, [row for row in rows if isinstance(row, Day)])


def of(done: Proposed) -> list[tuple[str, str, str | None, str]]:
    return [(row.subject, row.field, row.old_value, row.new_value) for row in done.proposals]


async def test_what_agrees_with_the_record_is_not_proposed(shop: Shop) -> None:
    done = await shop.propose(
        listed(
            Row("Massaggio rilassante", Decimal(65), 50),
            Row("MASSAGGIO ANTI-STRESS".replace("-", ""), Decimal("65.00")),
            Row("spa in English", Decimal(38), 120),
            Row("Mediazione vendita", Decimal("4.50"), price_unit="percent"),
            Row("Spa in esclusiva", None),
            Day(0, (MORNING,)),
            Day(2, ()),
        )
    )
    assert done.proposals == []
    assert [service.row.key for service in done.missing] == ["rilassante_lungo"]


async def test_differences_are_proposed_with_their_source(shop: Shop) -> None:
    done = await shop.propose(
        listed(
            Row("Massaggio rilassante", Decimal(70), 55),
            Row("Percorso spa", Decimal(38), price_max=Decimal(45), price_unit="session"),
            Row("Mediazione vendita", Decimal(900)),
            Row("Spa in esclusiva", Decimal(400), price_unit="hour"),
            Day(0, (MORNING, (time(14), time(18)))),
            Day(1, ()),
        )
    )
    assert of(done) == [
        ("rilassante", "price", "65.00", "70.00"),
        ("rilassante", "duration", "50 min", "55 min"),
        ("spa", "price", "38.00/person", "38.00–45.00"),
        ("vendita", "price", "4.50 %", "900.00"),
        ("esclusiva", "price", "on request", "400.00/hour"),
        ("roma", "mon", "09:00–13:00", "09:00–13:00, 14:00–18:00"),
        ("roma", "tue", "09:00–13:00", "closed"),
    ]
    first = done.proposals[0]
    assert (first.document, first.row_text) == ("listino.csv", "Servizio: Massaggio rilassante | Prezzo: 70")
    await shop.accept(*(row.proposal_id for row in done.proposals))
    relaxing, spa = await shop.service("rilassante"), await shop.service("spa")
    assert (relaxing["price"], relaxing["duration_minutes"], relaxing["bookable"]) == (Decimal(70), 55, True)
    assert (spa["price"], spa["price_max"], spa["price_unit"]) == (Decimal(38), Decimal(45), "session")
    week = {(row.weekday, row.opens) for row in (await shop.profile()).hours}
    assert week == {(0, time(9)), (0, time(14))}
    assert (await shop.propose()).proposals == []


async def test_a_longer_name_is_another_service(shop: Shop) -> None:
    done = await shop.propose(listed(Row("Massaggio rilassante", Decimal(95), 80)))
    assert of(done) == [("rilassante_lungo", "price", "92.00", "95.00")]
    done = await shop.propose(listed(Row("Massaggio rilassante", Decimal(64), 50)))
    assert of(done) == [("rilassante", "price", "65.00", "64.00")]


async def test_a_new_service_is_entered_as_the_list_says(shop: Shop) -> None:
    done = await shop.propose(
        listed(Row("Manicure «Più»", Decimal(25), 40), Row("Trucco sposa", None), Row("3D-Scan", Decimal(9)))
    )
    assert [(row.kind, row.subject, row.new_value) for row in done.proposals] == [
        ("new_service", "manicure_piu", "25.00, 40 min"),
        ("new_service", "trucco_sposa", "on request"),
        ("new_service", "service_3d_scan", "9.00"),
    ]
    await shop.accept(*(row.proposal_id for row in done.proposals))
    nails, bride = await shop.service("manicure_piu"), await shop.service("trucco_sposa")
    assert (nails["price"], nails["duration_minutes"], nails["price_unit"]) == (Decimal(25), 40, "session")
    assert (nails["bookable"], nails["quotable"]) == (False, False)
    assert (bride["price"], bride["quotable"]) == (None, True)
    entered = (await shop.profile()).service("manicure_piu")
    assert entered is not None
    assert entered.names == {"it": ["Manicure «Più»"]}
    assert entered.name("en", "it") == "Manicure «Più»"
    query = "SELECT count(*) AS n FROM service_location JOIN service USING (service_id) WHERE key = %s"
    assert (
        await shop.book.rows(f"{query} AND service.business_id = %s", "manicure_piu", shop.business_id)
    ) == [{"n": 2}]
    events = await shop.book.rows(
        "SELECT kind, contact_id, detail FROM crm_event WHERE business_id = %s ORDER BY 1, 3",
        shop.business_id,
    )
    assert [event["kind"] for event in events] == ["fact_accepted"] * 3
    assert events[1]["detail"] == "Manicure «Più»: service — → 25.00, 40 min (listino.csv)"


async def test_a_near_name_is_a_question(shop: Shop) -> None:
    done = await shop.propose(
        listed(Row("Massaggio rilasante lungo", Decimal(92), 80), Row("Yoga", Decimal(18)))
    )
    assert [row.similar_to for row in done.proposals] == ["rilassante_lungo", None]
    async with shop.book.crm.transaction(shop.business_id) as tx:
        accepted, left = await proposals.accept_all(tx)
    assert [row.subject for row in accepted] == ["yoga"]
    assert "rilassante_lungo by another name" in left[0].reason
    assert (await shop.accept(left[0].proposal.proposal_id))[0].kind == "new_service"


async def test_a_service_by_another_name_takes_that_name_on(shop: Shop) -> None:
    lists = listed(Row("Massaggio rilasante lungo", Decimal(95), 80))
    [row] = (await shop.propose(lists)).proposals
    async with shop.book.crm.transaction(shop.business_id) as tx:
        [answered] = await proposals.same(tx, [row.proposal_id])
    assert answered.similar_to == "rilassante_lungo"
    known = (await shop.profile()).service("rilassante_lungo")
    assert known is not None
    assert known.names["it"] == ["Massaggio rilassante lungo", LONG, "Massaggio rilasante lungo"]
    done = await shop.propose(lists)
    assert of(done) == [("rilassante_lungo", "price", "92.00", "95.00")]
    async with shop.book.crm.transaction(shop.business_id) as tx:
        with pytest.raises(NoQuestion):
            await proposals.same(tx, [done.proposals[0].proposal_id])


async def test_reading_again_changes_nothing(shop: Shop) -> None:
    lists = listed(Row("Massaggio rilassante", Decimal(70), 50), Row("Yoga", Decimal(18)), Day(0, ()))
    first = await shop.propose(lists)
    second = await shop.propose(lists)
    assert (first.added, second.added, second.closed) == (3, 0, 0)
    assert [row.proposal_id for row in first.proposals] == [row.proposal_id for row in second.proposals]
    again = await shop.propose(listed(Row("Yoga", Decimal(18)), document="copia.csv"))
    assert again.added == 0
    assert len(again.proposals) == 3


async def test_a_list_that_changed_replaces_what_it_said(shop: Shop) -> None:
    await shop.propose(listed(Row("Massaggio rilassante", Decimal(70)), Row("Yoga", Decimal(18))))
    done = await shop.propose(listed(Row("Massaggio rilassante", Decimal(72))))
    assert of(done) == [("rilassante", "price", "65.00", "72.00")]
    assert await shop.statuses() == ["superseded", "superseded", "open"]
    assert (await shop.propose(Listed("listino.csv"))).proposals == []


async def test_a_proposal_that_came_true_by_itself_closes(shop: Shop) -> None:
    await shop.propose(listed(Row("Massaggio rilassante", Decimal(70)), Row("Yoga", Decimal(18))))
    await shop.book.rows(
        "UPDATE service SET price = 70 WHERE business_id = %s AND key = 'rilassante'", shop.business_id
    )
    done = await shop.propose(listed(document="altro.csv"))
    assert [row.subject for row in done.proposals] == ["yoga"]
    assert done.closed == 1


async def test_a_proposal_the_record_has_left_behind_is_stale(shop: Shop) -> None:
    [row] = (await shop.propose(listed(Row("Massaggio rilassante", Decimal(70))))).proposals
    await shop.book.rows(
        "UPDATE service SET price = 66 WHERE business_id = %s AND key = 'rilassante'", shop.business_id
    )
    with pytest.raises(StaleProposal, match=r"says 66.00 .* no longer 65.00: propose again"):
        await shop.accept(row.proposal_id)
    assert (await shop.service("rilassante"))["price"] == Decimal(66)
    done = await shop.propose(listed(Row("Massaggio rilassante", Decimal(70))))
    assert of(done) == [("rilassante", "price", "66.00", "70.00")]
    await shop.accept(done.proposals[0].proposal_id)
    with pytest.raises(ProposalClosed, match="is superseded"):
        await shop.accept(row.proposal_id)


async def test_nothing_is_written_when_one_of_several_is_stale(shop: Shop) -> None:
    done = await shop.propose(
        listed(Row("Massaggio rilassante", Decimal(70)), Row("Percorso spa", Decimal(40)))
    )
    await shop.book.rows(
        "UPDATE service SET price = 39 WHERE business_id = %s AND key = 'spa'", shop.business_id
    )
    with pytest.raises(StaleProposal):
        await shop.accept(*(row.proposal_id for row in done.proposals))
    assert (await shop.service("rilassante"))["price"] == Decimal(65)


async def test_lists_that_contradict_each_other_wait_for_a_rejection(shop: Shop) -> None:
    done = await shop.propose(
        listed(Row("Massaggio rilassante", Decimal(70))),
        listed(Row("Massaggio rilassante", Decimal(72)), document="nuovo.md"),
    )
    first, second = done.proposals
    assert proposals.rivals(first, done.proposals) == [second]
    for row in (first, second):
        with pytest.raises(ProposalConflict, match="reject what is wrong first"):
            await shop.accept(row.proposal_id)
    async with shop.book.crm.transaction(shop.business_id) as tx:
        accepted, left = await proposals.accept_all(tx)
    assert (accepted, len(left)) == ([], 2)
    await shop.reject(first.proposal_id)
    await shop.accept(second.proposal_id)
    assert (await shop.service("rilassante"))["price"] == Decimal(72)


async def test_a_list_that_agrees_with_the_record_contradicts_one_that_does_not(shop: Shop) -> None:
    lists = (
        listed(Row("Massaggio rilassante", Decimal(70))),
        listed(Row("Massaggio rilassante", Decimal(65)), document="vecchio.md"),
    )
    done = await shop.propose(*lists)
    change, keep = done.proposals
    assert (keep.old_value, keep.new_value, keep.keeps) == ("65.00", "65.00", True)
    with pytest.raises(ProposalConflict):
        await shop.accept(change.proposal_id)
    await shop.reject(keep.proposal_id)
    assert [row.proposal_id for row in (await shop.propose(*lists)).proposals] == [change.proposal_id]
    await shop.accept(change.proposal_id)
    assert (await shop.service("rilassante"))["price"] == Decimal(70)


async def test_rejecting_the_change_ends_the_conflict(shop: Shop) -> None:
    lists = (
        listed(Row("Massaggio rilassante", Decimal(70))),
        listed(Row("Massaggio rilassante", Decimal(65)), document="vecchio.md"),
    )
    change, _ = (await shop.propose(*lists)).proposals
    await shop.reject(change.proposal_id)
    assert await shop.statuses() == ["rejected", "superseded"]
    assert (await shop.propose(*lists)).proposals == []


async def test_what_was_rejected_stays_away_until_something_changes(shop: Shop) -> None:
    lists = listed(Row("Massaggio rilassante", Decimal(70)))
    [row] = (await shop.propose(lists)).proposals
    await shop.reject(row.proposal_id)
    again = await shop.propose(lists)
    assert (again.proposals, again.rejected_before) == ([], 1)
    with pytest.raises(ProposalClosed, match="only open proposals can be rejected"):
        await shop.reject(row.proposal_id)
    assert len((await shop.propose(listed(Row("Massaggio rilassante", Decimal(71))))).proposals) == 1
    with pytest.raises(ProposalConflict):
        await shop.accept(row.proposal_id)
    await shop.propose(listed())
    await shop.accept(row.proposal_id)
    assert (await shop.service("rilassante"))["price"] == Decimal(70)


async def test_two_names_of_one_row_and_an_unknown_place_are_not_guessed(shop: Shop) -> None:
    await shop.book.rows(
        "UPDATE service_name SET name = 'Massaggio' WHERE business_id = %s AND language = 'en'",
        shop.business_id,
    )
    done = await shop.propose(
        listed(Row("Massaggio", Decimal(50)), Day(0, (), context=("Orari di apertura",)))
    )
    assert done.proposals == []
    assert ["is a name of" in row.reason or "which place" in row.reason for row in done.unplaced] == [
        True,
        True,
    ]
    done = await shop.propose(listed(Day(0, ((time(10), time(12)),), context=("Orari", "Sede di Milano"))))
    assert of(done) == [("milano", "mon", "closed", "10:00–12:00")]


async def test_proposals_of_another_business_are_out_of_reach(shop: Shop) -> None:
    [row] = (
        await shop.propose(listed(Row("Massaggio rilassante", Decimal(70)), Day(0, (MORNING,))))
    ).proposals
    async with shop.book.crm.transaction(shop.book.business_id) as tx:
        assert row.proposal_id not in {other.proposal_id for other in await proposals.proposals(tx)}
        with pytest.raises(UnknownProposal, match="sara facts list"):
            await proposals.accept(tx, [row.proposal_id])
        with pytest.raises(UnknownProposal):
            await proposals.reject(tx, [row.proposal_id])
        await tx.run("proposal_decide", proposal_id=row.proposal_id, status="accepted", agent_id=None)
    assert await shop.statuses() == ["open"]
