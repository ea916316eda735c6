"""The answer to a place that became free: taken while it is held, or given on to the next in line."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from crm import appointments, queue, waiting
from crm.record import Tx
from crm.waiting import WaitingRow
from inference.extract import cancel_words, yes_no
from tools.happened import remember_once
from tools.mine import buttons, shown
from tools.questions import left
from tools.tool import Call, Declined, Done, Outcome, Question, Slots, Tool, nothing_to_confirm

TAKE, LEAVE = "waiting:yes:", "waiting:no:"


class Arguments(BaseModel):
    """Nothing is taken from a model: which place, and whether, is what the customer wrote or pressed."""


async def fill(call: Call, slots: Slots, hints: Mapping[str, Any]) -> Slots:
    """Slots: answer ("yes" or "no"), entry (id; the one offered last where words answer)."""
    head, _, number = (call.option_id or "").rpartition(":")
    answers = {TAKE.rstrip(":"): "yes", LEAVE.rstrip(":"): "no"}
    if head in answers and number.isascii() and number.isdigit() and len(number) < 19:
        return {"answer": answers[head], "entry": int(number)}
    said = yes_no(call.text, call.language)
    return {"answer": said or ("no" if cancel_words(call.text, call.language) else None), "entry": None}


async def check(call: Call, slots: Slots) -> Question | Declined | None:
    """Finds the entry: the customer's own."""
    async with call.context.crm.transaction(call.business_id) as tx:
        if slots.get("entry") is None:
            offered = [
                row for row in await waiting.of_contact(tx, call.contact_id) if row.status == "offered"
            ]
            slots["entry"] = offered[0].waiting_id if offered else None
        entry = await waiting.get(tx, slots["entry"]) if slots["entry"] is not None else None
    if entry is None or entry.contact_id != call.contact_id or slots.get("answer") is None:
        return Declined(call.say("I no longer have that in front of me. What would you like to do?"))
    return None


async def act(call: Call, slots: Slots) -> Outcome:
    """Books what was held, or lets it go."""
    async with call.context.crm.transaction(call.business_id) as tx:
        entry = await waiting.get(tx, slots["entry"])
        if entry is None:
            return Declined(call.say("I no longer have that in front of me. What would you like to do?"))
        if slots["answer"] == "no":
            return await _left(tx, call, entry)
        return await _taken(tx, call, entry)


async def _left(tx: Tx, call: Call, entry: WaitingRow) -> Outcome:
    if entry.status == "taken":  # taken earlier, and no longer wanted: an appointment like any other
        row = await appointments.get(tx, entry.appointment_id) if entry.appointment_id is not None else None
        if row is None or row.status != "booked":
            return left(call)
        text = call.say("That place is booked for you: {line}. Shall I cancel it?", line=shown(call, row))
        return Done(text, {"appointment": str(row.appointment_id)}, buttons(call, row)[1:])
    if entry.status in ("lapsed", "left"):
        return left(call)
    if entry.appointment_id is not None and entry.status == "offered":
        await appointments.release(tx, entry.appointment_id)
    await waiting.settle(tx, entry.waiting_id, "left")
    await remember_once(tx, call, "waiting_left", entry.waiting_id, "")
    await queue.agenda(tx)  # the next in line hears of it at once
    return Done(call.say("All right, I'll give the place to the next in line."))


async def _taken(tx: Tx, call: Call, entry: WaitingRow) -> Outcome:
    held = entry.appointment_id
    in_time = entry.status == "offered" and entry.answer_by is not None and tx.now < entry.answer_by
    again = entry.status == "taken"  # this turn, run again
    if held is None or not (again or in_time):
        text = call.say("I'm sorry: that place was kept for you until your time to answer was over.")
        return Declined(text + " " + call.say("Tell me when you would like to come and I'll look again."))
    if in_time:
        if not await appointments.take_up(tx, held, call.contact_id, call.conversation_id):
            return Declined(call.say("I'm sorry: that place is no longer free."))
        await waiting.settle(tx, entry.waiting_id, "taken")
    row = await appointments.get(tx, held)
    if row is None or row.status != "booked":
        return Declined(call.say("I'm sorry: that place is no longer free."))
    detail = f"{row.service_key} {row.starts.isoformat()} #{row.appointment_id}"
    await remember_once(tx, call, "appointment_booked", row.appointment_id, detail)
    text = call.say("Done, the place is yours: {line}.", line=shown(call, row))
    return Done(text, {"appointment": str(row.appointment_id)}, buttons(call, row))


TOOL = Tool("waiting_list", Arguments, fill, check, nothing_to_confirm, act)
