"""What an action leaves in the customer's history, once however often the turn is re-run."""

from crm import contacts
from crm.record import Tx
from tools.tool import Call

_LOOKED_BACK = 50


async def remember_once(tx: Tx, call: Call, kind: str, subject_id: int | None, detail: str) -> None:
    """Writes a domain event unless the same one is already there.

    A turn that crashed after its commit is run again: what it made is found by its key, and its event
    by kind and detail.
    """
    earlier = await contacts.history(tx, call.contact_id, most=_LOOKED_BACK)
    if any(event.kind == kind and event.detail == detail for event in earlier):
        return
    await contacts.remember(
        tx,
        call.contact_id,
        kind,
        conversation_id=call.conversation_id,
        subject_id=subject_id,
        detail=detail,
    )
