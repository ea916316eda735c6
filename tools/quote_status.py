"""Tells how the customer's own quotes stand, by the record: what they come to and until when, or not yet."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from crm import quotes
from crm.quotes import QuoteRow
from crm.record import Tx
from tools.decisions import decisions
from tools.quote_state import being_priced, is_open, none_open, numbers_in, stands, unknown, why_not
from tools.tool import (
    Call,
    Done,
    Outcome,
    Slots,
    Tool,
    nothing_to_ask,
    nothing_to_confirm,
)

_MOST_SHOWN = 5


class Arguments(BaseModel):
    """Nothing is taken from a model: whose quotes are meant is known from the conversation."""


async def fill(call: Call, slots: Slots, hints: Mapping[str, Any]) -> Slots:
    """Slots: number, of a quote that the customer names."""
    numbers = numbers_in(call.text)
    return {**slots, "number": numbers[0]} if len(numbers) == 1 else dict(slots)


async def act(call: Call, slots: Slots) -> Outcome:
    """The customer's open quotes, or the one named; one that can be accepted comes with its two buttons."""
    async with call.context.crm.transaction(call.business_id) as tx:
        if slots.get("number") is not None:
            named = await quotes.numbered(tx, call.contact_id, slots["number"])
            rows = [named] if named else []
        else:
            rows = await quotes.of_contact(tx, call.contact_id)
        if not rows:
            return unknown(call) if slots.get("number") else none_open(call)
        return await _told(tx, call, rows)


async def _told(tx: Tx, call: Call, rows: list[QuoteRow]) -> Outcome:
    running = [row for row in rows if await is_open(tx, call, row)]
    priced = [await stands(tx, call, row) for row in running[:_MOST_SHOWN]]
    waits = [being_priced(call)] if any(row.status == "requested" for row in rows) else []
    if not priced and not waits:
        return await why_not(tx, call, rows[0].quote_id)
    options = decisions(call, running[0].quote_id) if len(running) == 1 else ()
    evidence = {f"quote {row.number or row.quote_id}": row.status for row in rows}
    return Done("\n".join([*priced, *waits]), evidence, options)


TOOL = Tool("quote_status", Arguments, fill, nothing_to_ask, nothing_to_confirm, act)
