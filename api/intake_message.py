"""A customer's message written down: contact, conversation, message, event and job in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from api.state import ApiServices
from channels.events import InboundMessage
from crm import contacts, conversations, inbound, inbox, messages, queue
from crm.contacts import KnownRow
from crm.conversations import NewcomerRow, OpenRow
from crm.inbound import Changed, Place, Referral, RevokedRow
from crm.inbound_files import KEPT_KINDS
from crm.messages import NewMessage, NumberRow
from crm.record import Ask, Tx
from inference import extract


class _Known(Exception):
    """The message was taken in before; leaving the transaction undoes what led up to noticing it."""


async def take(
    services: ApiServices, business_id: int, message: InboundMessage, keeping: Sequence[Ask[None]] = ()
) -> bool:
    """Everything a message changes in the record, and `keeping` in the same transaction; False for a
    duplicate."""
    try:
        async with services.crm.opening(business_id, [*_sought(message), *keeping]) as (tx, rows):
            found = _Found(*rows[: len(fields(_Found))])
            if found.known:
                return False
            await _write(services, tx, message, found)
    except _Known:
        await services.crm.at_once(0, keeping)
        return False
    return True


@dataclass(frozen=True)
class _Found:
    """What the record knew of a message before it came: the rows of `_sought`."""

    contacts: Sequence[KnownRow]
    made: Sequence[NewcomerRow]
    opened: Sequence[OpenRow]
    known: Sequence[messages.KnownRow]
    revoked: Sequence[RevokedRow]
    numbers: Sequence[NumberRow]


def _sought(message: InboundMessage) -> list[Ask[Any]]:
    """Who wrote, in which conversation, and what the record knows of the message. That is asked last, behind
    the locks of contact and conversation: whatever brings it a second time, or takes it back, waits for them.
    """
    sender, number = message.sender, message.phone_number_id
    return [
        contacts.of_phone(sender.wa_id),
        conversations.newcomer(
            wa_id=sender.wa_id,
            bsuid=sender.bsuid,
            name=sender.name,
            phone_number_id=number,
            wamid=message.wamid,
        ),
        conversations.open_of_phone(sender.wa_id, number),
        *_of_the_message(message.wamid),
    ]


def _of_the_message(wamid: str) -> list[Ask[Any]]:
    return [messages.knowing(wamid), inbound.revoked(wamid), messages.numbers()]


@dataclass(frozen=True)
class _Arrival:
    """Where a message belongs, both rows locked, under which id it is to be written, whether it was taken
    back before it came, and what is still to be asked about its sender."""

    contact_id: int
    conversation_id: int
    message_id: int
    revoked: bool
    asks: Sequence[Ask[Any]] = ()


async def _write(services: ApiServices, tx: Tx, message: InboundMessage, found: _Found) -> None:
    arrival = await _arrival(tx, message, found)
    if not (message.type == "system" or message.deletes or message.edits):
        await _said(services, tx, message, arrival)
        return
    await tx.together(arrival.asks)
    if message.type == "system":
        await _announced(tx, message, arrival.contact_id, arrival.conversation_id)
    elif message.deletes:
        await _taken_back(tx, message, arrival.contact_id, arrival.conversation_id)
    else:
        await _edited(services, tx, message, arrival.contact_id, arrival.conversation_id)


async def _arrival(tx: Tx, message: InboundMessage, found: _Found) -> _Arrival:
    """Raises _Known."""
    sender, number = message.sender, message.phone_number_id
    message_id, revoked, opened = found.numbers[0].message_id, found.revoked, found.opened
    if found.made:
        made = found.made[0]
        return _Arrival(made.contact_id, made.conversation_id, message_id, bool(revoked))
    asks: list[Ask[Any]] = []
    contact_id = contacts.known_as(found.contacts, sender.bsuid)
    if contact_id is not None:
        asks.append(contacts.again(contact_id, sender.name))
    else:  # known by something else than the phone number, or entered by another message a moment ago
        contact_id = await contacts.seen(tx, wa_id=sender.wa_id, bsuid=sender.bsuid, name=sender.name)
        opened, known, revoked, [numbered] = await tx.together(
            [conversations.open_of(contact_id, number), *_of_the_message(message.wamid)]
        )
        message_id = numbered.message_id
        if known:
            raise _Known
    conversation_id = await conversations.open_for(tx, contact_id, number, opened)
    return _Arrival(contact_id, conversation_id, message_id, bool(revoked), asks)


async def _said(services: ApiServices, tx: Tx, message: InboundMessage, arrival: _Arrival) -> None:
    contact_id, conversation_id, message_id = arrival.contact_id, arrival.conversation_id, arrival.message_id
    new = _new(message, contact_id, conversation_id)
    asks: list[Ask[Any]] = [
        *arrival.asks,
        messages.writing(new, message_id),
        *inbound.arrived(tx, message_id, new, message.phone_number_id, answers=_answers(message)),
    ]
    # At once and whoever has the conversation: what is on its way stays unsent, and a human need not notice.
    # A word that may as well answer a question ("cancella") waits for the turn, which knows what was asked.
    if extract.opt_out(message.text or "", amid=True):
        await contacts.opt_out(tx, contact_id, evidence=message.wamid)
    if arrival.revoked:
        await tx.together(asks)
        nobody_saw = Changed(message_id, conversation_id, "", deleted=False, event_id=None, unseen=False)
        await inbound.take_back(tx, nobody_saw, tx.now)
        return
    if message.location or message.referral:  # which are kept with the message
        await tx.together(asks)
        asks = []
    if message.location:
        point = message.location
        await inbound.put_place(
            tx, message_id, Place(point.latitude, point.longitude, point.name, point.address)
        )
    if message.referral:
        await _came_from(tx, message, message_id, contact_id, conversation_id)
    if message.media and message.type in KEPT_KINDS:
        await queue.file(tx, message_id)
    await tx.ending([*asks, *_telling_graph(services, tx, conversation_id, message_id)])


def _answers(message: InboundMessage) -> bool:
    """Whether a message can be an answer to a campaign: a thumb says nothing, and who leaves answers none."""
    return message.type != "reaction" and not extract.opt_out(message.text or "")


async def _came_from(
    tx: Tx, message: InboundMessage, message_id: int, contact_id: int, conversation_id: int
) -> None:
    """The advertisement is kept with the message, and in the customer's history."""
    if message.referral is None:
        return
    referral = Referral(**message.referral.model_dump())
    await inbound.put_referral(tx, message_id, referral)
    detail = referral.headline or referral.source_url or referral.source_id or ""
    await contacts.remember(
        tx, contact_id, "came_from_advertisement", conversation_id=conversation_id, detail=detail
    )


async def _announced(tx: Tx, message: InboundMessage, contact_id: int, conversation_id: int) -> None:
    """WhatsApp tells something about the customer: it asks for no answer."""
    await _add(tx, _new(message, contact_id, conversation_id, author="system"))
    if message.moved_to:
        await inbound.moved(tx, contact_id, wa_id=message.moved_to.wa_id, bsuid=message.moved_to.bsuid)


async def _taken_back(tx: Tx, message: InboundMessage, contact_id: int, conversation_id: int) -> None:
    """What the customer deletes is gone; a deletion that overtakes its message waits for it here."""
    await _add(tx, _new(message, contact_id, conversation_id, author="system", reply_to=message.deletes))
    changed = await inbound.to_change(tx, message.deletes or "")
    if changed is not None:
        await inbound.take_back(tx, changed, message.sent_at)


async def _edited(
    services: ApiServices, tx: Tx, message: InboundMessage, contact_id: int, conversation_id: int
) -> None:
    """Other words for a message the graph has not seen; for one it has answered, one more message."""
    changed = await inbound.to_change(tx, message.edits or "")
    seen = changed is None or not changed.unseen
    author = "customer" if seen else "system"
    new = _new(message, contact_id, conversation_id, author=author, reply_to=message.edits)
    if changed is not None and changed.deleted:
        new = replace(new, body="")
    message_id = await _add(tx, new)
    await conversations.customer_wrote(tx, conversation_id, min(message.sent_at, tx.now))
    if changed is not None:
        await inbound.edit(tx, changed.message_id, _body(message), message.sent_at)
    if seen and not (changed and changed.deleted):
        await tx.ending(_telling_graph(services, tx, conversation_id, message_id))


def _telling_graph(services: ApiServices, tx: Tx, conversation_id: int, message_id: int) -> list[Ask[Any]]:
    return [
        inbox.new(conversation_id, inbox.CUSTOMER_MESSAGE, message_id=message_id),
        queue.turn(tx, conversation_id, delay_s=services.gather_seconds),
    ]


async def _add(tx: Tx, new: NewMessage) -> int:
    message_id = await messages.add(tx, new)
    if message_id is None:  # another delivery of the same message won the race
        raise _Known
    return message_id


def _new(
    message: InboundMessage,
    contact_id: int,
    conversation_id: int,
    *,
    author: str = "customer",
    reply_to: str | None = None,
) -> NewMessage:
    media = message.media
    return NewMessage(
        conversation_id=conversation_id,
        contact_id=contact_id,
        author=author,
        wamid=message.wamid,
        kind=message.type,
        body=_body(message),
        reply_to_wamid=reply_to or message.reply_to,
        option_id=message.button_id,
        media_id=media.id if media else None,
        media_mime_type=media.mime_type if media else None,
        media_sha256=media.sha256 if media else None,
        media_voice=bool(media and media.voice),
        media_filename=media.filename if media else None,
        forwarded=message.is_forwarded,
        sent_at=message.sent_at,
    )


def _body(message: InboundMessage) -> str:
    """The message in words: what was said, or else the place it shows."""
    if message.location:
        point = message.location
        return Place(point.latitude, point.longitude, point.name, point.address).words
    return message.text or ""
