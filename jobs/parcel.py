"""A message that is about to leave, with its file."""

from dataclasses import dataclass
from datetime import datetime

from channels.messages import Kind, OutboundMessage
from channels.whatsapp.client import WhatsAppClient
from channels.whatsapp.limits import FILE_MAX
from crm.contacts import ContactRow
from crm.files import FileRow
from crm.outbox import OutboxRow

# https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media: what WhatsApp shows in place;
# the rest goes as a document. OGG is Opus or nothing.
IN_PLACE: dict[Kind, tuple[str, ...]] = {
    "image": ("image/jpeg", "image/png"),
    "video": ("video/mp4", "video/3gpp"),
    "audio": ("audio/ogg", "audio/mp4", "audio/mpeg", "audio/aac", "audio/amr"),
}


@dataclass(frozen=True)
class Parcel:
    """A claimed row with everything its request needs."""

    row: OutboxRow
    phone_number_id: str
    contact: ContactRow
    message: OutboundMessage
    at: datetime  # when its turn is
    gap_s: float  # between two messages of its number
    file: FileRow | None = None  # what a document shows; uploaded right before it is sent


async def with_file(client: WhatsAppClient, parcel: Parcel) -> OutboundMessage:
    """The message with its file uploaded. An upload sends nothing yet, so it may be made again with it."""
    if parcel.file is None:
        return parcel.message
    media_id = await client.upload(
        parcel.phone_number_id, parcel.file.content, parcel.file.mime_type, parcel.file.filename
    )
    kind = _shown_as(parcel.file)
    name = parcel.file.filename if kind == "document" else None
    voice = kind == "audio" and parcel.row.media_voice
    body = "" if kind == "audio" else parcel.message.body
    return parcel.message.model_copy(
        update={"kind": kind, "media_id": media_id, "filename": name, "voice": voice, "body": body}
    )


def _shown_as(file: FileRow) -> Kind:
    """How WhatsApp shows a file: in place where it can and the size allows it, else as a document."""
    if file.kind != "attachment":
        return "document"
    for kind, types in IN_PLACE.items():
        if file.mime_type.split(";")[0] in types and len(file.content) <= FILE_MAX[kind]:
            return kind
    return "document"
