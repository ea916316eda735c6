"""Whether a waiting message may leave: the customer's wish, the 24 hours, the template."""

from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from crm import businesses, outbox, reminders, template_book
from crm.contacts import ContactRow
from crm.outbox import OutboxRow
from crm.quiet import by_day, quiet_until
from crm.record import Tx

NEED_A_TEMPLATE = "more than 24 hours since the customer's last message: only a template may be sent"


@dataclass(frozen=True)
class Refusal:
    """It will not be sent as it is: the outbox's state, and why."""

    state: str
    why: str


async def asked(tx: Tx, contact: ContactRow, row: OutboxRow, *, window_open: bool) -> OutboxRow | Refusal:
    """The row, with the template that says it where one is needed."""
    if contact.opted_out_at is not None and unasked(row):
        return Refusal("superseded", "the customer wants no messages that were not asked for")
    if only_as_template(row, window_open=window_open):
        return await _template(tx, contact, row)
    return row


def only_as_template(row: OutboxRow, *, window_open: bool) -> bool:
    """Whether it goes out as a template or not at all. What an agent chose is one also within the 24 hours:
    its text is not always known here."""
    chosen = row.author == "agent" and row.template_name is not None
    return chosen or row.lane == "campaign" or not window_open


async def rests(tx: Tx, contact: ContactRow, row: OutboxRow) -> float | None:
    """Seconds until the morning that advertising and reminders wait for; None for what may go out now.

    They were written by day: an outage or a tier that was used up kept them until it was night.
    """
    if row.lane != "campaign" and not row.turn_id.startswith("reminder:"):
        return None
    if row.lane == "campaign":
        until = quiet_until(contact.wa_id, tx.now, home=(await businesses.row(tx)).time_zone)
    else:
        zone = await reminders.zone_of(tx, int(row.turn_id.split(":")[1]))
        until = by_day(tx.now, ZoneInfo(zone)) if zone else None
    return (until - tx.now).total_seconds() if until and until > tx.now else None


def unasked(row: OutboxRow) -> bool:
    """Whether SARA speaks first with it: campaigns, reminders, places that became free, follow-ups."""
    return row.lane == "campaign" or (
        row.author == "bot" and (row.purpose is not None or row.template_name is not None)
    )


async def _template(tx: Tx, contact: ContactRow, row: OutboxRow) -> OutboxRow | Refusal:
    """The row with an approved template: its own, or another of the same purpose."""
    problem = NEED_A_TEMPLATE
    if row.template_name is not None and row.template_code is not None:
        known = await template_book.one(tx, row.template_name, row.template_code)
        # One that was never synced is tried: the operator named it, and Meta says what it thinks of it.
        if known is None or known.usable:
            return row
        why = f": {known.reason}" if known.reason else ""
        problem = f"the template {known.name} ({known.code}) is {known.status}{why}"
    if row.purpose is not None and row.lane != "campaign":
        profile = await businesses.profile(tx)
        language = contact.reads or profile.language
        other = await template_book.for_purpose(tx, row.purpose, language)
        if other is not None and other.name != row.template_name:
            known, given = await template_book.one(tx, other.name, other.code), len(row.template_values or ())
            if known is None or known.variables == given:
                await outbox.says(tx, row.message_id, other.name, other.code)
                return replace(row, template_name=other.name, template_code=other.code)
            # Written before any template was named: Meta would refuse it.
            problem += (
                f"; the template {known.name} takes {known.variables} values, it was written with {given}"
            )
        elif row.template_name is None and row.purpose in template_book.PURPOSES:
            problem += f", and none is named for {row.purpose} in {language}: `sara template use`"
    return Refusal("held", problem)
