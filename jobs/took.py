"""What a turn came to, for the record: read from what its thread remembers afterwards."""

from crm.turns import Turn
from graph.state import Event, State

# Hand-overs because there was nothing to say, as opposed to something a person has to decide.
_NOTHING_TO_SAY = frozenset({"low_confidence", "ungrounded", "model_exhausted"})


def of_turn(event: Event, before: State, after: State, seconds: float) -> Turn | None:
    """The turn that an event became; None where SARA only listened (a person has the conversation)."""
    told, outcome = after.get("event", {}), after.get("outcome", {})
    answering = event["kind"] in ("customer_message", "hand_back") and bool(told.get("messages"))
    if not answering or not outcome or told.get("turn_id") != event["turn_id"]:
        return None
    waited, waits = (state.get("handoff", {}) for state in (before, after))
    if waited.get("open") and waits.get("open") and event["kind"] == "customer_message":
        return None
    proposal, kind = after.get("proposal") or {}, str(outcome.get("kind", "answered"))
    usage = proposal.get("usage") or {}
    abstained = kind == "answered" and bool(proposal.get("abstained"))
    # A question that a person has just given back is not handed over for the same reason again.
    back = (waits.get("returned") or {}).get("reason") if kind == "not_again" else None
    gave_up = (waits.get("reason") if kind == "handed_over" else back) in _NOTHING_TO_SAY
    said = [one["message_id"] for one in told["messages"] if one.get("message_id") is not None]
    return Turn(
        turn_id=event["turn_id"],
        conversation_id=event["conversation_id"],
        message_id=said[-1] if said else None,
        intent=outcome.get("intent"),
        outcome=kind,
        language=after.get("language"),
        model=proposal.get("model"),
        tokens_in=int(usage.get("input_tokens", 0)),
        tokens_out=int(usage.get("output_tokens", 0)),
        seconds=seconds,
        unanswered=abstained or gave_up,
    )
