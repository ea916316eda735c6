"""What the dashboard's figures are called, and what is counted, in a sentence each."""

from collections.abc import Mapping

from knowledge.phrases import Say

GROUPS: Mapping[str, tuple[str, ...]] = {
    "talk": (
        "conversations",
        "containment",
        "escalation",
        "unanswered",
        "messages_in",
        "messages_out",
        "voice_share",
    ),
    "speed": ("response_median", "response_p90", "first_response_median", "handling_median"),
    "trade": (
        "leads",
        "lead_qualified_48h",
        "bookings",
        "no_shows",
        "quotes_sent",
        "quotes_accepted",
        "tickets",
        "tickets_in_sla",
    ),
    "cost": ("tokens", "compute_seconds"),
}
"""The figures as the page shows them, group by group."""


def group(say: Say, key: str) -> str:
    """What a group of figures is called."""
    return {
        "talk": say("Conversations"),
        "speed": say("Speed"),
        "trade": say("Business"),
        "cost": say("Cost"),
    }[key]


def title(say: Say, name: str) -> str:
    """What a figure is called; one without words of its own by its key."""
    known = {
        "conversations": say("Conversations begun"),
        "containment": say("Settled without a person"),
        "escalation": say("Passed on to a person"),
        "unanswered": say("Questions without an answer"),
        "messages_in": say("Messages received"),
        "messages_out": say("Messages sent"),
        "voice_share": say("Share of voice notes"),
        "response_median": say("Answer time, median"),
        "response_p90": say("Answer time, 9 of 10 within"),
        "first_response_median": say("First answer of a person, median"),
        "handling_median": say("Handling by a person, median"),
        "leads": say("New leads"),
        "lead_qualified_48h": say("Leads qualified within 48 hours"),
        "bookings": say("Appointments made"),
        "no_shows": say("Missed appointments"),
        "quotes_sent": say("Quotes sent"),
        "quotes_accepted": say("Quotes accepted"),
        "tickets": say("Tickets opened"),
        "tickets_in_sla": say("Tickets solved in time"),
        "tokens": say("Model tokens"),
        "compute_seconds": say("Computing time"),
        "nps": say("Recommendation (NPS)"),
    }
    return known.get(name, name.replace("_", " ").capitalize())


def measured_on(say: Say, name: str, of: str) -> str:
    """What a figure was measured on, with how many of it there were, written; '' for a mere count."""
    known = {
        "containment": say("of {n} conversations", n=of),
        "escalation": say("of {n} conversations", n=of),
        "voice_share": say("of {n} messages received", n=of),
        "response_median": say("over {n} answers", n=of),
        "response_p90": say("over {n} answers", n=of),
        "first_response_median": say("over {n} hand-overs", n=of),
        "handling_median": say("over {n} hand-overs", n=of),
        "lead_qualified_48h": say("of {n} leads", n=of),
        "no_shows": say("of {n} appointments that came to their time", n=of),
        "tickets_in_sla": say("of {n} tickets with due times", n=of),
        "nps": say("over {n} answers", n=of),
    }
    return known.get(name, "")


def part(say: Say, name: str) -> str:
    """What a part of the account's health is called."""
    known = {
        "response": title(say, "response_median"),
        "first_response": title(say, "first_response_median"),
        "answered": say("Conversations without an open question"),
        "tickets_late": say("Tickets late now"),
        "undelivered": say("Messages not delivered"),
    }
    return known.get(name) or title(say, name)
