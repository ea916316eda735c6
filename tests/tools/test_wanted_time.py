"""What says nothing but when, and what says more; the hours and days a wish is read in."""

from datetime import UTC, date, datetime, time
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from crm.businesses import HoursRow
from tools.opening import day_bounds
from tools.wanted_time import Clockwork, Wanted, only_time, read

NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("it", "no, alle 15"),
        ("it", "meglio sabato mattina"),
        ("en", "no, make it 1 pm please"),
        ("en", "Friday at 10 then"),
        ("es", "mejor el viernes a las 10"),
        ("pt", "não, quarta às 11"),
    ],
)
def test_a_time_alone(language: str, text: str) -> None:
    assert only_time(text, language, NOW)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("it", "alle 15 mi fa male il petto"),
        ("it", "stasera mi ammazzo"),
        ("en", "I took 20 pills at 3"),
        ("en", "is Friday ok for the dog?"),
        ("es", "sí"),
        ("pt", ""),
    ],
)
def test_more_than_a_time_or_none(language: str, text: str) -> None:
    assert not only_time(text, language, NOW)


def hours(*rows: tuple[int, time, time], place: int = 1) -> list[HoursRow]:
    return [HoursRow(place, weekday, opens, closes) for weekday, opens, closes in rows]


NOON, EVENING, LAST = time(12), time(18), time(23, 59)


@pytest.mark.parametrize(
    ("rows", "bounds"),
    [
        (hours((0, time(9), NOON), (0, time(14), time(19)), (5, time(10), EVENING)), (time(9), time(19))),
        (hours((4, EVENING, LAST), (5, time(0), time(2))), (EVENING, time(2))),
        (hours((6, EVENING, LAST), (0, time(0), time(1)), (0, NOON, time(15))), (NOON, time(1))),
        (hours((4, EVENING, LAST)), (EVENING, LAST)),
        (hours((4, EVENING, LAST), (6, time(0), time(2))), (time(0), LAST)),  # nobody opens on Saturday
        (hours(*((day, time(0), LAST) for day in range(7))), (time(0), LAST)),
        ([*hours((4, EVENING, LAST)), *hours((5, time(0), time(2)), place=2)], (time(0), LAST)),
        ([], (time(8), time(20))),
    ],
)
def test_the_day_of_a_business_may_end_after_midnight(
    rows: list[HoursRow], bounds: tuple[time, time]
) -> None:
    profile = SimpleNamespace(hours=rows, locations=[], closures=[])
    assert day_bounds(cast(Any, profile), None) == bounds


def test_an_hour_is_read_inside_an_evening_that_passes_midnight() -> None:
    rome = ZoneInfo("Europe/Rome")
    evening = Clockwork(NOW.astimezone(rome), "IT", EVENING, time(2))
    wanted = read("sabato alle 8", "it", evening, None)
    assert wanted is not None
    assert wanted.start == datetime(2026, 11, 28, 20, tzinfo=rome)


def test_a_span_of_days_ends_with_its_last_one() -> None:
    rome = ZoneInfo("Europe/Rome")
    day = Clockwork(NOW.astimezone(rome), "IT", time(8), time(20))
    wanted = read("dal 7 al 9 dicembre", "it", day, read("venerdì alle 15", "it", day, None))
    assert wanted is not None
    assert (wanted.day, wanted.last_day, wanted.is_exact) == (date(2026, 12, 7), date(2026, 12, 9), False)
    assert Wanted.from_slot(wanted.to_slot(), rome) == wanted
    assert wanted.window(rome) == (datetime(2026, 12, 7, tzinfo=rome), datetime(2026, 12, 10, tzinfo=rome))
    friday = read("venerdì", "it", day, None)
    assert friday is not None
    assert friday.last_day is None
