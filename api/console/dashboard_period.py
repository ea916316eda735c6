"""Which days the page of figures is about, as its address names them."""

from datetime import date, timedelta
from typing import Annotated

from fastapi import Depends, Query

from crm.periods import Period

SPANS = (7, 28, 90)
USUAL = 28
_MOST_DAYS = 731
_LONGEST_AGO = timedelta(days=366 * 20)
_DAY = r"^(\d{4}-\d{2}-\d{2})?$"


class NoSuchPeriod(Exception):
    """The first day must come before the last one, and at most two years may lie between them."""


class Asked:
    """The period asked for: the last so many days, or from one day to another."""

    def __init__(
        self,
        days: Annotated[int, Query(ge=1, le=_MOST_DAYS)] = USUAL,
        since: Annotated[str, Query(alias="from", pattern=_DAY)] = "",
        until: Annotated[str, Query(alias="to", pattern=_DAY)] = "",
    ) -> None:
        self.days, self.since, self.until = days, since, until

    @property
    def free(self) -> bool:
        """Whether days were named."""
        return bool(self.since or self.until)

    @property
    def query(self) -> str:
        """The same again, for links."""
        return f"from={self.since}&to={self.until}" if self.free else f"days={self.days}"

    def period(self, today: date) -> Period:
        """The days meant; an open end is today, an open beginning the usual span. Raises NoSuchPeriod."""
        if not self.free:
            return Period.last_days(today, self.days)
        try:
            last = min(date.fromisoformat(self.until) if self.until else today, today)
            first = date.fromisoformat(self.since) if self.since else last - timedelta(days=self.days - 1)
        except (ValueError, OverflowError) as error:
            raise NoSuchPeriod(NoSuchPeriod.__doc__) from error
        if not today - _LONGEST_AGO <= first <= last or (last - first).days >= _MOST_DAYS:
            raise NoSuchPeriod(NoSuchPeriod.__doc__)
        return Period(first, last)


Chosen = Annotated[Asked, Depends(Asked)]
