"""When a business is open: wall-clock hours of each location, across summer time and closures."""

from dataclasses import replace
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from crm import businesses, hours
from crm.businesses import BusinessRow, ClosureRow, HoursRow, LocationRow, Profile
from tests.crm.conftest import Book

ROME, LISBON = ZoneInfo("Europe/Rome"), ZoneInfo("Europe/Lisbon")


def location(number: int, zone: str) -> LocationRow:
    return LocationRow(number, f"place{number}", "Place", "Street 1", "Town", "IT", zone)


def week(number: int, days: range = range(7), opens: int = 9, closes: int = 18) -> list[HoursRow]:
    return [HoursRow(number, day, time(opens), time(closes)) for day in days]


def profile(
    locations: list[LocationRow], rows: list[HoursRow], closures: list[ClosureRow] | None = None
) -> Profile:
    business = BusinessRow(
        1, "test", "Test", "wellness", "IT", "Europe/Rome", "EUR", ["it"], None, None, None, 60, 24
    )
    return Profile(business, locations, rows, closures or [], [], {}, {}, {})


SIMPLE = profile([location(1, "Europe/Rome")], week(1))


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        # Summer time ends on 25 October 2026: 9:00 in Rome is 7:00 UTC the day before, then 8:00.
        (datetime(2026, 10, 24, 7, 0, tzinfo=UTC), True),
        (datetime(2026, 10, 25, 7, 30, tzinfo=UTC), False),
        (datetime(2026, 10, 25, 8, 0, tzinfo=UTC), True),
        # … and starts on 28 March 2027.
        (datetime(2027, 3, 27, 7, 30, tzinfo=UTC), False),
        (datetime(2027, 3, 28, 7, 0, tzinfo=UTC), True),
        (datetime(2027, 3, 28, 16, 0, tzinfo=UTC), False),
        (datetime(2026, 11, 18, 8, 59, 59, tzinfo=ROME), False),
        (datetime(2026, 11, 18, 9, 0, tzinfo=ROME), True),
        (datetime(2026, 11, 18, 18, 0, tzinfo=ROME), False),
    ],
)
def test_hours_are_those_on_the_wall(at: datetime, is_open: bool) -> None:
    assert hours.is_open(SIMPLE, at) is is_open


def test_the_next_opening_after_the_clocks_change() -> None:
    before = datetime(2026, 10, 24, 20, 0, tzinfo=UTC)
    opening = hours.next_opening(SIMPLE, before)
    assert opening == datetime(2026, 10, 25, 8, 0, tzinfo=UTC)
    assert opening is not None
    assert (opening.hour, opening.tzinfo) == (9, ROME)


def test_while_open_the_next_opening_is_the_next_days() -> None:
    assert hours.next_opening(SIMPLE, datetime(2026, 11, 18, 9, 0, tzinfo=ROME)) == datetime(
        2026, 11, 19, 9, 0, tzinfo=ROME
    )


def test_closures_of_one_location_and_of_all() -> None:
    both = [location(1, "Europe/Lisbon"), location(2, "Europe/Madrid")]
    shut = [
        ClosureRow(1, date(2026, 12, 24), date(2026, 12, 24)),
        ClosureRow(None, date(2026, 12, 25), date(2026, 12, 26)),
    ]
    here = profile(both, [*week(1), *week(2, opens=10)], shut)
    assert hours.is_open(here, datetime(2026, 12, 24, 12, 0, tzinfo=UTC))  # the other one is open
    assert not hours.is_open(here, datetime(2026, 12, 24, 17, 30, tzinfo=UTC))  # which closes an hour earlier
    assert not hours.is_open(here, datetime(2026, 12, 25, 12, 0, tzinfo=UTC))
    assert not hours.is_open(here, datetime(2026, 12, 26, 12, 0, tzinfo=UTC))
    opening = hours.next_opening(here, datetime(2026, 12, 24, 18, 0, tzinfo=LISBON))
    assert opening == datetime(2026, 12, 27, 9, 0, tzinfo=UTC)


def test_a_lunch_break_is_two_spans() -> None:
    rows = [HoursRow(1, 2, time(9), time(13)), HoursRow(1, 2, time(15), time(19))]
    here = profile([location(1, "Europe/Rome")], rows)
    noon = datetime(2026, 11, 18, 13, 30, tzinfo=ROME)
    assert not hours.is_open(here, noon)
    assert hours.next_opening(here, noon) == datetime(2026, 11, 18, 15, 0, tzinfo=ROME)


def test_a_business_without_hours_never_opens_and_one_on_leave_not_within_a_month() -> None:
    assert hours.next_opening(replace(SIMPLE, hours=[]), datetime(2026, 11, 18, tzinfo=UTC)) is None
    away = [ClosureRow(None, date(2026, 11, 1), date(2027, 1, 31))]
    assert hours.next_opening(replace(SIMPLE, closures=away), datetime(2026, 11, 18, tzinfo=UTC)) is None
    assert not hours.is_open(replace(SIMPLE, closures=away), datetime(2026, 11, 18, 12, tzinfo=UTC))


async def test_west_of_greenwich_the_closure_of_a_day_that_still_lasts_is_read(book: Book) -> None:
    """At 1:00 UTC it is still the day before in the Americas: its closure must not be forgotten."""
    book.clock.now = datetime(2026, 12, 27, 1, 0, tzinfo=UTC)
    async with book.crm.outside() as tx:
        aurora = await businesses.of_slug(tx, "aurora")  # shut on 25 and 26 December
    async with book.crm.transaction(aurora) as tx:
        read = await businesses.profile(tx)
    there = location(read.locations[0].location_id, "America/Sao_Paulo")
    open_all_day = [HoursRow(there.location_id, day, time(0), time(23, 59)) for day in range(7)]
    assert not hours.is_open(replace(read, locations=[there], hours=open_all_day), book.clock.now)
