"""What an action leaves in the customer's history, once however often the turn is re-run."""

from crm import events
from crm.record import Tx
from tools.tool import Call


async def remember_once(tx: Tx, call: Call, kind: str, subject_id: int | None, detail: str) -> None:
    """Writes a domain event unless this turn already has; its handlers work in the same transaction.

    A turn that crashed after its commit is run again: what it made is found by its key, and its event by
    the turn.
    """
    await events.happened(
        tx,
        kind,
        call.contact_id,
        key=f"{call.turn_id}:{kind}:{subject_id or ''}",
        conversation_id=call.conversation_id,
        subject_id=subject_id,
        detail=detail,
        agent_id=call.agent_id,
    )
