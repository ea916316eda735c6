"""Calendar arithmetic of the date grammar: next such weekday, next such date, months, daylight saving."""

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta


@dataclass(frozen=True, slots=True)
class Anchor:
    """From where a message is read: the aware local time, the language and the ISO country if known."""

    now: datetime
    language: str
    country: str | None

    @property
    def today(self) -> date:
        """The local date."""
        return self.now.date()


class ImpossibleDate(ValueError):
    """The words name a date that no calendar has, such as 31 February."""


def coming(today: date, weekday: int, *, today_counts: bool = False) -> date:
    """The next date that falls on `weekday` (Monday 0)."""
    days = (weekday - today.weekday()) % 7
    return today + timedelta(days=days or (0 if today_counts else 7))


def in_week(today: date, weekday: int, weeks: int) -> date:
    """`weekday` of the Monday-to-Sunday week that is `weeks` after this one."""
    return today + timedelta(days=weekday - today.weekday() + 7 * weeks)


def add_months(day: date, months: int) -> date:
    """The same day `months` later, or the last day of a shorter month."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def day_of_month(today: date, day: int) -> date:
    """The next date, today included, with this day of the month.

    Raises ImpossibleDate for a day no month has.
    """
    if not 1 <= day <= 31:
        raise ImpossibleDate
    for months in range(13):
        first = add_months(today.replace(day=1), months)
        if day <= calendar.monthrange(first.year, first.month)[1] and first.replace(day=day) >= today:
            return first.replace(day=day)
    raise ImpossibleDate


def next_date(today: date, day: int, month: int, year: int = 0) -> date:
    """`day`/`month` of `year`, or of the next year that has it when no year is given.

    Raises ImpossibleDate when there is no such date. A date in a given year may be past.
    """
    if not 1 <= month <= 12 or not 1 <= day <= calendar.monthrange(year or 2024, month)[1]:
        raise ImpossibleDate
    if year:
        return date(year, month, day)
    for candidate in range(today.year, today.year + 9):
        if day <= calendar.monthrange(candidate, month)[1] and date(candidate, month, day) >= today:
            return date(candidate, month, day)
    raise ImpossibleDate


def nth_weekday(year: int, month: int, weekday: int, nth: int) -> date:
    """The nth (or, for -1, the last) `weekday` of a month. Raises ImpossibleDate if the month has none."""
    days = [
        date(year, month, day)
        for day in range(1, calendar.monthrange(year, month)[1] + 1)
        if date(year, month, day).weekday() == weekday
    ]
    if nth == 0 or nth > len(days):
        raise ImpossibleDate
    return days[nth - 1 if nth > 0 else -1]


def last_day(year: int, month: int) -> date:
    """The last date of a month."""
    return date(year, month, calendar.monthrange(year, month)[1])


def local(day: date, moment: time, like: datetime) -> datetime:
    """`day` at `moment` in the zone of `like`; an hour that the clock skips moves forward."""
    naive = datetime.combine(day, moment, tzinfo=like.tzinfo)
    return naive.astimezone(UTC).astimezone(like.tzinfo)


def later(now: datetime, delta: timedelta) -> datetime:
    """`delta` of real time after `now`, in the zone of `now`, to the minute."""
    return (now.astimezone(UTC) + delta).astimezone(now.tzinfo).replace(second=0, microsecond=0)
