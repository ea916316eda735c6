"""Tokens of language models: what each business may use in a day and in a month, and what it has used.

Days are those of the business's own time zone. Tokens are counted when an answer has come, so that answers
under way at the moment when a budget is used up go a little over it.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, cast

from crm.errors import UnknownBusiness
from crm.record import Ask, Crm, Tx

Span = Literal["day", "month"]


@dataclass(frozen=True)
class BudgetRow:
    """Budgets (None: none) and what was used; `day` is today where the business is."""

    tokens_per_day: int | None
    tokens_per_month: int | None
    day: date
    used_today: int
    used_this_month: int
    answers_this_month: int

    @property
    def over(self) -> Span | None:
        """For what time the tokens are used up; the month's outlasts the day's."""
        if self.tokens_per_month is not None and self.used_this_month >= self.tokens_per_month:
            return "month"
        if self.tokens_per_day is not None and self.used_today >= self.tokens_per_day:
            return "day"
        return None

    @property
    def until(self) -> date:
        """The day with new tokens."""
        if self.over == "month":
            return (self.day.replace(day=1) + timedelta(days=32)).replace(day=1)
        return self.day + timedelta(days=1)

    @property
    def key(self) -> str:
        """Names the day or the month that is used up."""
        return f"{self.day:%Y-%m}" if self.over == "month" else f"{self.day:%Y-%m-%d}"


async def state(tx: Tx) -> BudgetRow:
    """Of the transaction's business. Raises UnknownBusiness."""
    found = await tx.first(BudgetRow, "budget")
    if found is None:
        raise UnknownBusiness(UnknownBusiness.__doc__)
    return found


async def look(crm: Crm, business_id: int) -> BudgetRow:
    """As `state`, of one business, in a transaction of its own. Raises UnknownBusiness."""
    [found] = await crm.at_once(business_id, [Ask(BudgetRow, "budget")])
    if not found:
        raise UnknownBusiness(UnknownBusiness.__doc__)
    return cast(BudgetRow, found[0])


async def put(tx: Tx, *, per_day: int | None, per_month: int | None) -> None:
    """Sets both budgets; None: as many tokens as it likes."""
    await tx.run("budget_put", tokens_per_day=per_day, tokens_per_month=per_month)


async def spend(tx: Tx, *, tokens_in: int, tokens_out: int) -> None:
    """An answer took so many tokens."""
    await tx.run("budget_spend", tokens_in=tokens_in, tokens_out=tokens_out)
