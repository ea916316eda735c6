"""Tells how the customer's own reports are coming along, by the record."""

import re
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from crm import tickets
from crm.tickets import TicketRow
from tools.matching import plain
from tools.tool import (
    Call,
    Declined,
    Done,
    Outcome,
    Slots,
    Tool,
    nothing_to_ask,
    nothing_to_confirm,
)
from tools.wording import clock, day

_MOST_SHOWN = 5
_SHORTENED = 60
# A number names a report where it says so or is all that is said: "three days ago" names none.
_NUMBER = re.compile(
    r"(?<!camera )(?<!stanza )(?<!room )(?<!habitacion )(?<!quarto )(?<!ordine )(?<!order )(?<!pedido )"
    r"(?:#|\b(?:n\.*|no\.|nr\.?|num\.?|numero|number|ticket|segnalazione|reclamo|pratica|richiesta|report"
    r"|complaint|issue|aviso|queja|reclamacion|incidencia|reclamacao|queixa|ocorrencia)"
    r"(?: (?:is|e|es))?[ :#]*)"
    r"(\d{1,9})(?![\d/.,:-]*\d)"
    r"(?! ?(?:h\b|giorn|settiman|mes[ie]|or[ae]\b|minut|ann[io]\b|day|week|month|hour|year|dias?\b|semana"
    r"|hora|anos?\b))"
)
_ALONE = re.compile(r"\W*(?:(?:il|la|el|the|o|a) )?(\d{1,9})\W*")


class Arguments(BaseModel):
    """Nothing is taken from a model: whose reports are meant is known from the conversation."""


async def fill(call: Call, slots: Slots, hints: Mapping[str, Any]) -> Slots:
    """Slots: ticket, a number named by the customer or pressed."""
    pressed = (call.option_id or "").removeprefix("ticket:")
    if (call.option_id or "").startswith("ticket:") and pressed.isdigit():
        return {**slots, "ticket": int(pressed)}
    said = plain(call.text.replace("º", ".").replace("°", "."))
    alone = _ALONE.fullmatch(said)
    named = {alone.group(1)} if alone else set(_NUMBER.findall(said))
    return {**slots, "ticket": int(named.pop())} if len(named) == 1 else dict(slots)


async def act(call: Call, slots: Slots) -> Outcome:
    """The customer's open reports and those closed within a month; a number of somebody else's is unknown."""
    async with call.context.crm.transaction(call.business_id) as tx:
        rows = await tickets.of_contact(tx, call.contact_id, closed_too=True)
    if slots.get("ticket") is not None:
        found = [row for row in rows if row.ticket_id == slots["ticket"]]
        if not found:
            text = call.say("I can't find report {number} under your number.", number=slots["ticket"])
            return Declined(text)
        rows = found
    if not rows:
        return Declined(call.say("You have no open report with us."))
    text = "\n".join(_shown(call, row) for row in rows[-_MOST_SHOWN:])
    return Done(text, {f"ticket {row.ticket_id}": row.status for row in rows})


def _shown(call: Call, row: TicketRow) -> str:
    say, head = call.say, row.description.replace("\n", " ")[:_SHORTENED]
    zone = ZoneInfo(call.profile.business.time_zone)
    if row.status == "closed" and row.closed_at is not None:
        on = day(row.closed_at.astimezone(zone).date(), call.language)
        return say(
            "Report {number} (“{head}”) was closed on {date}.", number=row.ticket_id, head=head, date=on
        )
    if row.overdue(call.now):
        return say(
            "Report {number} (“{head}”) is late, I am sorry. Write if you would rather have a colleague.",
            number=row.ticket_id,
            head=head,
        )
    answered = row.answered_at is not None
    due = (row.solve_due if answered else row.answer_due) or call.now
    due = due.astimezone(zone)
    when = {"date": day(due.date(), call.language), "time": clock(due, call.language)}
    if answered:
        return say(
            "Report {number} (“{head}”) is being looked into, to be settled by {date}, {time}.",
            number=row.ticket_id,
            head=head,
            **when,
        )
    return say(
        "Report {number} (“{head}”) is open: the team will answer by {date}, {time}.",
        number=row.ticket_id,
        head=head,
        **when,
    )


TOOL = Tool("ticket_status", Arguments, fill, nothing_to_ask, nothing_to_confirm, act)
