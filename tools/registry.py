"""The tools there are, by intent. An intent that is not here is answered, not acted on."""

from collections.abc import Collection, Mapping
from types import MappingProxyType

from inference.appointment_wishes import about_appointment, names_own
from inference.wishes import has_quote
from tools import (
    accept_quote,
    book_appointment,
    cancel_appointment,
    escalate_to_human,
    list_my_appointments,
    open_ticket,
    opt_out,
    qualify_lead,
    quote_status,
    request_quote,
    reschedule_appointment,
    reschedule_cancel,
    ticket_status,
    update_contact,
    waiting_list,
)
from tools.details import with_details
from tools.heard import with_read_back
from tools.tool import Tool


def registry() -> Mapping[str, Tool]:
    """Every tool by its intent, asking what the vertical of a business wants known before it acts."""
    modules = (
        accept_quote,
        book_appointment,
        cancel_appointment,
        escalate_to_human,
        list_my_appointments,
        open_ticket,
        opt_out,
        qualify_lead,
        quote_status,
        request_quote,
        reschedule_appointment,
        reschedule_cancel,
        ticket_status,
        update_contact,
        waiting_list,
    )
    tools = (with_read_back(with_details(module.TOOL)) for module in modules)
    return MappingProxyType({tool.intent: tool for tool in tools})


TOOLS: Mapping[str, Tool] = registry()

# Buttons that work on their own, without a question pending, by the first words of their ids.
_OF_BUTTONS: Mapping[str, str] = MappingProxyType(
    {
        "quote:": "accept_quote",
        "ticket:": "ticket_status",
        "waiting:": "waiting_list",
        "appointment:move:": "reschedule_appointment",
        "appointment:cancel:": "cancel_appointment",
    }
)

# What is done with appointments a customer has. A business turns all of it off with `reschedule_cancel`.
_WISHES: Mapping[str, str] = MappingProxyType(
    {"move": "reschedule_appointment", "cancel": "cancel_appointment", "list": "list_my_appointments"}
)
OWN_APPOINTMENT = frozenset({"reschedule_cancel", "reschedule_appointment", "cancel_appointment"})


def intent_of_option(option_id: str | None) -> str | None:
    """The intent a button stands for by itself; None for one that answers a question."""
    return next((intent for head, intent in _OF_BUTTONS.items() if (option_id or "").startswith(head)), None)


def narrowed(intent: str, text: str, pending: str | None = None) -> str:
    """What `reschedule_cancel` and `request_quote` mean in these words: one of the tools for it, or itself.

    `pending` is the intent whose questions are being answered: while a quote is asked for, "the quote" is
    that one.
    """
    if intent in ("request_quote", "quote_status"):
        if pending == "request_quote":
            return "request_quote"
        return "quote_status" if has_quote(text) else intent
    if intent != "reschedule_cancel":
        return intent
    return _WISHES.get(about_appointment(text) or "", intent)


def is_off(intent: str, off: Collection[str]) -> bool:
    """Whether a business does not carry out an intent by chat."""
    return intent in off or (intent in OWN_APPOINTMENT and "reschedule_cancel" in off)


def same_matter(frame_intent: str, turn_intent: str, text: str) -> bool:
    """Whether a turn that looks like another intent still speaks of what is pending.

    "No, Friday" looks like a new booking to a model, and "move it to Friday" like a change of an old one:
    while an appointment is being arranged both are answers, unless an appointment of the customer's own is
    named.
    """
    matters = {*OWN_APPOINTMENT, "book_appointment"} - {"reschedule_cancel"}
    if frame_intent not in matters or turn_intent not in {*matters, "reschedule_cancel"}:
        return False
    return not names_own(text)
