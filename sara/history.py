"""A seeded history of one business with known figures: for tests, benchmarks and pictures in the documents.

It writes to the record what months of work would have left there (customers, conversations, messages and what
became of them, hand-overs, leads, quotes, tickets, appointments) and says what is true of it.
"""

from datetime import UTC, date, timedelta
from pathlib import Path
from typing import Any

import yaml

from crm import analytics, businesses, months
from crm.periods import Period, midnight
from crm.record import Crm
from db import bulk
from sara.history_deals import deals
from sara.history_plan import COLUMNS, DAY, HOUR, Plan, Ref
from sara.history_talk import Talk
from sara.history_truth import Truth, truth_of

WORDS = Path(__file__).parent / "history.yaml"
_SUNDAY = 6
_LONGEST = 4 * HOUR  # of a conversation: none begins later before the history's end


async def write_history(crm: Crm, business_id: int, *, days: int = 90, today: date, seed: int = 7) -> Truth:
    """Writes a history of the `days` that end with `today` in one transaction, as the database's owner.

    Nothing in it lies after the record's clock. Once for each business: a second history would have the same
    customers.
    """
    async with crm.transaction(business_id) as tx:
        zone = await analytics.zone(tx)
        places = await months.places(tx)
        numbers = await businesses.numbers(tx)
    period = Period.last_days(today, days)
    plan = Plan(yaml.safe_load(WORDS.read_text(encoding="utf-8")), zone, crm.clock(), seed)
    plan.number = numbers[0].phone_number_id if numbers else "history"
    plan.places = [(place.service_id, place.resource_id) for place in places]
    for day in period.each():
        _live(plan, day)
    plan.known()
    async with crm.as_owner() as tx:
        ids = {
            table: await bulk.reserve(tx.connection, table, COLUMNS[table][0], count)
            for table, count in plan.counts.items()
        }
        for table, columns in COLUMNS.items():
            rows = ([_real(value, ids) for value in row] for row in plan.rows[table])
            whole = ([row[0], business_id, *row[1:]] for row in rows)
            await bulk.put(tx.connection, table, (columns[0], "business_id", *columns[1:]), whole)
        await months.counted(tx)
    return truth_of(period, plan.facts, dict(plan.unanswered), ids["conversation"])


def _live(plan: Plan, day: date) -> None:
    """A day: conversations at any time of it, and some around its beginning, its end and a clock change."""
    begins = midnight(day, plan.zone).astimezone(UTC)
    ends = midnight(day + DAY, plan.zone).astimezone(UTC)
    busy = plan.chance.randint(6, 11) if day.weekday() == _SUNDAY else plan.chance.randint(14, 22)
    starts = [begins + timedelta(seconds=plan.chance.randint(8 * 3600, 21 * 3600)) for _ in range(busy)]
    if day.weekday() == _SUNDAY or ends - begins != DAY:
        starts += [begins + timedelta(seconds=10), ends - timedelta(seconds=10), ends - HOUR / 2]
        starts += [begins + 2.5 * HOUR, begins + 3.5 * HOUR]  # half past two, and again where it comes twice
    free = [person for person in plan.people if person.last_seen < begins - DAY]
    plan.chance.shuffle(free)
    for start in sorted(starts):
        if start > plan.now - _LONGEST:
            break
        known = bool(free) and plan.likely(0.45)
        talk = Talk(plan, free.pop() if known else plan.meet(start), start)
        talk.go()
        deals(plan, talk)


def _real(value: Any, ids: dict[str, list[int]]) -> Any:
    return ids[value.table][value.number] if isinstance(value, Ref) else value
