"""Dates of holidays called by name.

Feasts that fall on the same rule everywhere are computed here, because customers name many that are
no public holiday (Christmas Eve, Carnival). National ones come from the `holidays` package.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

import holidays

from inference.when_lexer import fold


@dataclass(frozen=True, slots=True)
class NamedDay:
    """A holiday found in a text: where it stands and when it falls in the year asked for."""

    start: int
    end: int
    date: date


@cache
def _fixed() -> Mapping[str, tuple[int, int]]:
    return {
        "christmas": (12, 25), "christmas_eve": (12, 24), "boxing_day": (12, 26), "new_year": (1, 1),
        "new_year_eve": (12, 31), "epiphany": (1, 6), "workers_day": (5, 1), "assumption": (8, 15),
        "all_saints": (11, 1), "all_souls": (11, 2), "immaculate": (12, 8), "valentine": (2, 14),
        "womens_day": (3, 8), "fathers_day_joseph": (3, 19), "halloween": (10, 31), "st_john": (6, 24),
        "liberation_day_it": (4, 25), "republic_day_it": (6, 2), "national_es": (10, 12),
        "constitution_es": (12, 6), "liberty_pt": (4, 25), "portugal_day": (6, 10), "st_anthony": (6, 13),
        "republic_pt": (10, 5), "independence_pt": (12, 1), "independence_us": (7, 4), "st_patrick": (3, 17),
    }  # fmt: skip


@cache
def _from_easter() -> Mapping[str, int]:
    return {
        "easter": 0, "easter_monday": 1, "good_friday": -2, "holy_thursday": -3, "palm_sunday": -7,
        "carnival": -47, "ash_wednesday": -46, "corpus_christi": 60,
    }  # fmt: skip


def holiday_date(key: str, year: int, country: str | None) -> date | None:
    """The date of the feast `key` in `year`, or None for a key this table does not have."""
    if key == "valentine" and country == "BR":
        return date(year, 6, 12)  # Dia dos Namorados
    if key in _fixed():
        return date(year, *_fixed()[key])
    if key in _from_easter():
        return easter(year) + timedelta(days=_from_easter()[key])
    if key in ("thanksgiving_us", "black_friday"):
        first = date(year, 11, 1)
        thursday = first + timedelta(days=(3 - first.weekday()) % 7 + 21)
        return thursday if key == "thanksgiving_us" else thursday + timedelta(days=1)
    return None


def easter(year: int) -> date:
    """Western Easter Sunday (the anonymous Gregorian computus of Meeus, Jones and Butcher)."""
    golden, century, rest = year % 19, year // 100, year % 100
    shift = (century - (century + 8) // 25 + 1) // 3
    moon = (19 * golden + century - century // 4 - shift + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (rest // 4) - moon - rest % 4) % 7
    late = (golden + 11 * moon + 22 * weekday) // 451
    month, day = divmod(moon + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)


@cache
def national_days(country: str, year: int) -> tuple[tuple[str, date], ...]:
    """(folded name, date) of a country's public holidays, in its own language and in English, longest first.

    A country the `holidays` package does not know has none.
    """
    try:
        own = holidays.country_holidays(country, years=year)
    except NotImplementedError:
        return ()
    found = dict(_named(own))
    if "en_US" in (own.supported_languages or ()):
        found |= dict(_named(holidays.country_holidays(country, years=year, language="en_US")))
    return tuple(sorted(found.items(), key=lambda item: -len(item[0])))


def _named(calendar: holidays.HolidayBase) -> list[tuple[str, date]]:
    return [
        (fold(name).replace(" jr.", "").strip(), day)
        for day, names in calendar.items()
        for name in names.split("; ")
        if len(name) >= 8
    ]


def find_national(folded: str, country: str, year: int) -> NamedDay | None:
    """The longest public-holiday name that stands in the folded text, if any."""
    for name, day in national_days(country, year):
        at = folded.find(name)
        if at >= 0:
            return NamedDay(at, at + len(name), day)
    return None
