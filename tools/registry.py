"""The tools there are, by intent. An intent that is not here is answered, not acted on."""

from collections.abc import Mapping
from types import MappingProxyType

from tools import (
    book_appointment,
    escalate_to_human,
    open_ticket,
    qualify_lead,
    request_quote,
    reschedule_cancel,
)
from tools.details import with_details
from tools.tool import Tool


def registry() -> Mapping[str, Tool]:
    """Every tool by its intent, asking what the vertical of a business wants known before it acts."""
    modules = (
        book_appointment,
        escalate_to_human,
        open_ticket,
        qualify_lead,
        request_quote,
        reschedule_cancel,
    )
    return MappingProxyType({module.TOOL.intent: with_details(module.TOOL) for module in modules})


TOOLS: Mapping[str, Tool] = registry()
