"""What Meta reports of a message of ours: it moves the message along, and proves what nobody knew."""

from collections.abc import Sequence
from datetime import timedelta

import structlog

from api.state import ApiServices
from channels.events import StatusUpdate
from channels.whatsapp.errors import WhatsAppError, from_code
from crm import messages, outbox, queue
from crm.record import Ask, Tx
from jobs import steering
from jobs.halts import TRY_EVERY, halted
from jobs.send import backoff_s, outbox_id_of

log = structlog.get_logger(__name__)

MOST_ATTEMPTS = 8
"""Attempts of a message that Meta takes and then fails for a passing cause, before it is left to a person."""


async def take(
    services: ApiServices, business_id: int, status: StatusUpdate, keeping: Sequence[Ask[None]] = ()
) -> None:
    """Records one status; a message that failed for a passing cause is queued again. `keeping` is asked in
    the same transaction."""
    outbox_id = outbox_id_of(status.callback_data)
    told = messages.status(
        wamid=status.wamid,
        outbox_id=outbox_id,
        status=status.status,
        at=status.at,
        error_code=status.error_code,
        error_title=status.error_title,
    )
    if status.status != "failed" or status.error_code is None:
        await services.crm.at_once(business_id, [*keeping, told])
        return
    error = from_code(status.error_code, status.error_title or "")
    async with services.crm.transaction(business_id) as tx:
        *_, [found] = await tx.together([*keeping, told])
        if found.message_id is None or outbox_id is None:
            return
        again = await _failed(tx, outbox_id, error)
        # Told late, it says nothing of what the account may do now: the next send does.
        news = error.halts_number and again and tx.now - status.at < TRY_EVERY
        if news and (sent := await outbox.addressee(tx, found.message_id)) is not None:
            await halted(tx, sent.phone_number_id, error)
    await steering.refused(services.crm, business_id, found.message_id, error)


async def _failed(tx: Tx, outbox_id: int, error: WhatsAppError) -> bool:
    """Meta took it and did not deliver it: sending it again repeats nothing. Whether it is."""
    row = await outbox.row(tx, outbox_id)
    if row is None or row.status != "failed" or row.state != "accepted":
        return False
    # What the account may not do says nothing of the message: it waits, as if the send had been refused.
    if not error.halts_number and (not error.retryable or row.attempts >= MOST_ATTEMPTS):
        return False
    at = tx.now + timedelta(seconds=backoff_s(error, row.attempts))
    log.warning("failed_after_acceptance", outbox_id=outbox_id, code=error.code, again_at=at.isoformat())
    conversation_id = await outbox.anew(tx, row, at, error_code=error.code, error=str(error))
    if conversation_id is not None:
        await queue.send(tx, conversation_id, delay_s=max(0.0, (at - tx.now).total_seconds()))
    return conversation_id is not None
