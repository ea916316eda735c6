"""Whole days of a business, in its own time zone."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Period:
    """Whole days, `first` and `last` included; one with a clock change has 23 or 25 hours."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError(f"the period ends ({self.last}) before it begins ({self.first})")

    @staticmethod
    def last_days(today: date, days: int) -> "Period":
        """So many days that end with `today`. Raises ValueError for fewer than one."""
        return Period(today - timedelta(days=days - 1), today)

    @property
    def days(self) -> int:
        """How many."""
        return (self.last - self.first).days + 1

    def before(self) -> "Period":
        """As many days, just before."""
        return Period(self.first - timedelta(days=self.days), self.first - timedelta(days=1))

    def each(self) -> list[date]:
        """Its days, in order."""
        return [self.first + timedelta(days=number) for number in range(self.days)]

    def within(self, first: date, last: date) -> "Period | None":
        """The part of it between two days, both included; None where there is none."""
        begins, ends = max(self.first, first), min(self.last, last)
        return Period(begins, ends) if begins <= ends else None

    def bounds(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """The moments of its beginning and of its end, which is no part of it."""
        return midnight(self.first, zone), midnight(self.last + timedelta(days=1), zone)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The moment at which a day begins somewhere."""
    return datetime(day.year, day.month, day.day, tzinfo=zone)
