"""The two buttons under a quote; they work for as long as the quote is open, with no question pending."""

from crm.messages import Option
from tools.tool import Call

ACCEPT, DECLINE = "quote:accept:", "quote:decline:"


def decisions(call: Call, quote_id: int) -> tuple[Option, ...]:
    """Accept and decline."""
    return (
        Option(f"{ACCEPT}{quote_id}", call.say("I accept")),
        Option(f"{DECLINE}{quote_id}", call.say("I decline")),
    )


def decided(option_id: str | None) -> tuple[str, int] | None:
    """("accept" or "decline", the quote's id) of a pressed button; None for any other."""
    kind, _, rest = (option_id or "").partition(":")
    decision, _, number = rest.partition(":")
    known = kind == "quote" and decision in ("accept", "decline")
    return (decision, int(number)) if known and number.isascii() and number.isdigit() else None
