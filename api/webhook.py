"""The road in: check, keep, write down, answer. No model and no call to Meta here."""

import hashlib
import json
from collections.abc import AsyncIterator

import structlog
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import PlainTextResponse

from api.state import ApiServices, services_of
from channels.events import InboundMessage, ParsedWebhook, StatusUpdate
from channels.whatsapp.parse import parse
from channels.whatsapp.signature import BadSignature, MissingSignature, verify
from crm import contacts, conversations, inbox, messages, outbox, queue, webhooks
from crm.errors import RecordUnavailable
from crm.messages import NewMessage
from crm.record import Tx
from jobs.send import outbox_id_of

log = structlog.get_logger(__name__)
router = APIRouter()

MOST_BYTES = 3 * 2**20  # Meta's largest payload


class _Known(Exception):
    """The message was taken in before; leaving the transaction undoes what led up to noticing it."""


@router.get("/webhooks/whatsapp", response_class=PlainTextResponse)
async def verification(request: Request) -> str:
    """Meta's subscription check: the raw challenge for the right token."""
    query, services = request.query_params, services_of(request)
    token = query.get("hub.verify_token", "")
    if query.get("hub.mode") != "subscribe" or not services.verifies(token):
        raise HTTPException(403, "wrong verify token: compare SARA_WHATSAPP_VERIFY_TOKEN with Meta's page")
    return query.get("hub.challenge", "")


@router.post("/webhooks/whatsapp")
async def receive(request: Request) -> dict[str, int]:
    """Everything one webhook carries, each message in a transaction of its own.

    401 without a signature, 403 with a wrong one, 413 over 3 MB, 400 for what is not JSON, 503 when the
    database is away (Meta delivers again). Anything else is answered 200 and kept.
    """
    services = services_of(request)
    raw = await _body(request.stream())
    try:
        verify(services.app_secret, raw, request.headers.get("x-hub-signature-256"))
    except MissingSignature as error:
        raise HTTPException(401, _words(error)) from error
    except BadSignature as error:
        raise HTTPException(403, _words(error)) from error
    digest = hashlib.sha256(raw).digest()
    try:
        payload = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "the body is not JSON") from error
    async with services.crm.outside() as tx:
        await webhooks.keep(tx, digest, raw)
    parsed = parse(payload)
    for unparsed in parsed.unparsed:
        await _keep_unparsed(services, digest, unparsed.path, unparsed.reason)
    return await _take_in(services, parsed, digest)


def _words(error: Exception) -> str:
    """What an error says, or else what its class says."""
    return str(error) or (type(error).__doc__ or "").partition("\n")[0]


async def _body(stream: AsyncIterator[bytes]) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in stream:
        size += len(part)
        if size > MOST_BYTES:
            raise HTTPException(413, "a webhook has at most 3 MB")
        parts.append(part)
    return b"".join(parts)


async def _take_in(services: ApiServices, parsed: ParsedWebhook, digest: bytes) -> dict[str, int]:
    counts = {"messages": 0, "duplicates": 0, "statuses": 0, "unparsed": len(parsed.unparsed)}
    for number, message in enumerate(parsed.messages):
        outcome = await _guarded(services, digest, f"messages/{number}", message)
        counts[outcome] += 1
    for number, status in enumerate(parsed.statuses):
        outcome = await _guarded(services, digest, f"statuses/{number}", status)
        counts[outcome] += 1
    for kind, events in (("echoes", parsed.echoes), ("preferences", parsed.preferences)):
        for number, _ in enumerate(events):
            await _keep_unparsed(services, digest, f"{kind}/{number}", "kept: not acted on yet")
    services.metrics.webhook(counts)
    return counts


async def _guarded(
    services: ApiServices, digest: bytes, path: str, item: InboundMessage | StatusUpdate
) -> str:
    """One item. What goes wrong with it is kept beside its neighbours; only a missing database stops all.

    One more try is worth it: a deadlock or a connection that died with the old server is over at once,
    while the channel would come back only after its own, growing, delay.
    """
    try:
        try:
            return await _item(services, item)
        except RecordUnavailable:
            return await _item(services, item)
    except RecordUnavailable:
        raise
    except Exception as error:
        log.exception("webhook_item_not_taken_in", path=path)
        await _keep_unparsed(services, digest, path, f"{type(error).__name__}: {error}")
        return "unparsed"


async def _item(services: ApiServices, item: InboundMessage | StatusUpdate) -> str:
    business_id = await services.business_of(item.phone_number_id)
    if business_id is None:
        raise LookupError(f"no business has the number {item.phone_number_id}: `sara business add`")
    if isinstance(item, StatusUpdate):
        await _status(services, business_id, item)
        return "statuses"
    return "messages" if await _message(services, business_id, item) else "duplicates"


async def _message(services: ApiServices, business_id: int, message: InboundMessage) -> bool:
    """Contact, conversation, message, event and drain job in one transaction; False for a duplicate."""
    try:
        async with services.crm.transaction(business_id) as tx:
            if await messages.known(tx, message.wamid):
                return False
            await _write(services, tx, message)
    except _Known:
        return False
    return True


async def _write(services: ApiServices, tx: Tx, message: InboundMessage) -> None:
    sender = message.sender
    contact_id = await contacts.seen(tx, wa_id=sender.wa_id, bsuid=sender.bsuid, name=sender.name)
    conversation_id = await conversations.open_for(tx, contact_id, message.phone_number_id)
    media = message.media
    message_id = await messages.add(
        tx,
        NewMessage(
            conversation_id=conversation_id,
            contact_id=contact_id,
            author="customer",
            wamid=message.wamid,
            kind=message.type,
            body=(message.text or "").replace("\x00", ""),
            reply_to_wamid=message.reply_to,
            option_id=message.button_id,
            media_id=media.id if media else None,
            media_mime_type=media.mime_type if media else None,
            media_sha256=media.sha256 if media else None,
            media_voice=bool(media and media.voice),
            media_filename=media.filename if media else None,
            sent_at=message.sent_at,
        ),
    )
    if message_id is None:  # another delivery of the same message won the race
        raise _Known
    await conversations.customer_wrote(tx, conversation_id, min(message.sent_at, tx.now))
    await inbox.add(tx, conversation_id, inbox.CUSTOMER_MESSAGE, message_id=message_id)
    await queue.drain(tx, conversation_id, delay_s=services.gather_seconds)


async def _status(services: ApiServices, business_id: int, status: StatusUpdate) -> None:
    outbox_id = outbox_id_of(status.callback_data)
    async with services.crm.transaction(business_id) as tx:
        message_id = await messages.status(
            tx,
            wamid=status.wamid,
            outbox_id=outbox_id,
            status=status.status,
            at=status.at,
            error_code=status.error_code,
            error_title=status.error_title,
        )
        if message_id is not None and outbox_id is not None:
            # Whatever became of the request's answer: Meta has the message.
            await outbox.accepted(tx, outbox_id, message_id, status.wamid)


async def _keep_unparsed(services: ApiServices, digest: bytes, path: str, reason: str) -> None:
    log.warning("webhook_unparsed", path=path, reason=reason)
    async with services.crm.outside() as tx:
        await webhooks.unparsed(tx, digest, path, reason)
