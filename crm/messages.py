"""What was said, by whom, and what became of it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from crm.record import Ask, Tx


@dataclass(frozen=True)
class Option:
    """A reply button or a list row."""

    option_id: str
    title: str
    description: str | None = None


@dataclass(frozen=True)
class Cited:
    """A source an answer rests on."""

    source: str
    section: str | None = None


@dataclass(frozen=True)
class _Gone:
    message_id: int


@dataclass(frozen=True)
class NewMessage:
    """A message to be written down. `kind` is the channel's type; bodies are text, media go by reference."""

    conversation_id: int
    contact_id: int
    author: str
    kind: str
    sent_at: datetime
    body: str = ""
    agent_id: int | None = None
    wamid: str | None = None
    opener: str | None = None
    language: str | None = None
    reply_to_wamid: str | None = None
    option_id: str | None = None
    media_id: str | None = None
    media_mime_type: str | None = None
    media_sha256: str | None = None
    media_voice: bool = False
    media_filename: str | None = None
    file_id: int | None = None
    forwarded: bool = False
    preview: bool = False  # whether WhatsApp shows a card of the first link
    template_name: str | None = None  # what says it where only a template may be sent
    template_code: str | None = None
    template_values: Sequence[str] | None = None
    options: Sequence[Option] = ()
    sources: Sequence[Cited] = ()


@dataclass(frozen=True)
class MessageRow:
    message_id: int
    author: str
    agent_id: int | None
    wamid: str | None
    kind: str
    body: str
    language: str | None
    media_id: str | None
    media_mime_type: str | None
    media_voice: bool
    transcript_status: str | None
    transcript_confidence: float | None
    media_seconds: float | None
    recorded: bool  # its sound is kept: crm.recordings
    status: str | None
    sent_at: datetime


@dataclass(frozen=True)
class KnownRow:
    """A message that was taken in before."""

    message_id: int


def knowing(wamid: str) -> Ask[KnownRow]:
    """As `known`: to be asked together with what else there is."""
    return Ask(KnownRow, "message_known", {"wamid": wamid})


async def known(tx: Tx, wamid: str) -> bool:
    """Whether a message was taken in before (the channel delivers at least once)."""
    return await tx.value("message_known", wamid=wamid) is not None


@dataclass(frozen=True)
class NumberRow:
    """The id of a message that is about to be written."""

    message_id: int


def numbers(count: int = 1) -> Ask[NumberRow]:
    """Ids for `writing`, in order: with them a message goes in one round trip with what belongs to it."""
    return Ask(NumberRow, "message_numbers", {"count": count})


def writing(message: NewMessage, message_id: int | None) -> Ask[NumberRow]:
    """A message without its options and sources, under an id of `numbers` or a new one; no row when its wamid
    is already known."""
    fields = {name: getattr(message, name) for name in message.__dataclass_fields__}
    del fields["options"], fields["sources"]
    fields["template_values"] = list(message.template_values) if message.template_values else None
    return Ask(NumberRow, "message_insert", {"message_id": message_id, **fields})


def parts(message: NewMessage, message_id: int) -> list[Ask[None]]:
    """The options and sources of a message."""
    several: dict[str, Sequence[Option | Cited]] = {
        "message_option_insert": message.options,
        "message_source_insert": message.sources,
    }
    return [
        Ask(None, query, {"message_id": message_id, "ordinal": ordinal, **asdict(part)})
        for query, all_of_kind in several.items()
        for ordinal, part in enumerate(all_of_kind)
    ]


async def add(tx: Tx, message: NewMessage) -> int | None:
    """Writes a message with its options and sources; None when its wamid is already known."""
    [written] = await tx.together([writing(message, None)])
    if not written:
        return None
    message_id: int = written[0].message_id
    if asks := parts(message, message_id):
        await tx.together(asks)
    return message_id


async def heard(
    tx: Tx,
    message_id: int,
    *,
    transcript: str,
    status: str,
    confidence: float,
    language: str | None,
    reason: str | None,
    seconds: float,
) -> None:
    """Keeps what was heard in a voice note, how surely, and how long it is; `reason` says why it was not."""
    await tx.run(
        "message_transcript",
        message_id=message_id,
        transcript=transcript,
        status=status,
        confidence=confidence,
        language=language,
        reason=reason,
        seconds=seconds,
    )


async def taken_back(tx: Tx, message_ids: Sequence[int]) -> set[int]:
    """Which of these messages their authors have deleted."""
    rows = await tx.all(_Gone, "messages_taken_back", message_ids=list(message_ids))
    return {row.message_id for row in rows}


async def of_conversation(tx: Tx, conversation_id: int, most: int = 50) -> list[MessageRow]:
    """The last messages of a conversation, oldest first."""
    return await tx.all(MessageRow, "messages_of_conversation", conversation_id=conversation_id, most=most)


async def of_contact(tx: Tx, contact_id: int, most: int = 50) -> list[MessageRow]:
    """A customer's last messages over all conversations, oldest first."""
    return await tx.all(MessageRow, "messages_of_contact", contact_id=contact_id, most=most)


async def lately(tx: Tx, contact_id: int, since: datetime, *, most: int) -> int:
    """How many messages a customer wrote since a moment; counted up to `most`."""
    return int(await tx.value("messages_lately", contact_id=contact_id, since=since, most=most))


async def options(tx: Tx, message_id: int) -> list[Option]:
    """The buttons or rows of a message."""
    return await tx.all(Option, "message_options", message_id=message_id)


async def sources(tx: Tx, message_id: int) -> list[Cited]:
    """What an answer rests on."""
    return await tx.all(Cited, "message_sources", message_id=message_id)


@dataclass(frozen=True)
class StatusOf:
    """Which message a status was taken in of; None: none of ours."""

    message_id: int | None


def status(
    *,
    wamid: str,
    outbox_id: int | None,
    status: str,
    at: datetime,
    error_code: int | None = None,
    error_title: str | None = None,
) -> Ask[StatusOf]:
    """Records a status, moves the message forward (never backwards, never out of failed) and settles its row
    of the outbox, named by our own reference (`outbox_id`): the channel has it.

    Of no message is one that is not ours, and one of an attempt that failed and was made again under another
    wamid.
    """
    values = {"wamid": wamid, "outbox_id": outbox_id, "status": status, "at": at}
    return Ask(StatusOf, "status_taken", {**values, "error_code": error_code, "error_title": error_title})
