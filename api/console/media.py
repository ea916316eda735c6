"""Sound, pictures and files of a conversation, for the agents of its business only."""

from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Request, Response

from api.console.access import Seated
from api.console.desk import valid_id
from api.console.uploads import shown_type
from api.state import services_of
from channels.whatsapp.errors import WhatsAppError
from crm import console, files, inbound_files, recordings, trail
from crm.errors import UnknownMessage, UnknownRecording
from db.tenancy import tenant
from graph.context import MediaUnusable
from inference.sound_formats import MIME_TYPES, sniff

# Whatever a file claims to be, in the browser it can do nothing.
_LOCKED = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, max-age=600",
}


def media_router() -> APIRouter:
    """/audio/{message}, /media/{message} and /file/{message}."""
    router = APIRouter(prefix="/{business}")

    @router.get("/audio/{message_id}")
    async def audio(request: Request, seat: Seated, message_id: int) -> Response:
        services = services_of(request)
        if services.seal is None:
            raise UnknownRecording(UnknownRecording.__doc__)
        async with services.crm.transaction(seat.business.business_id) as tx:
            recording = await recordings.get(tx, valid_id(message_id), services.seal)
            await trail.looked_at_message(tx, seat.reader, "recording", message_id)
        container = sniff(recording.sound)
        kind = MIME_TYPES[container] if container else "application/octet-stream"
        return _ranged(request, recording.sound, kind)

    @router.get("/media/{message_id}")
    async def media(request: Request, seat: Seated, message_id: int) -> Response:
        services = services_of(request)
        async with services.crm.transaction(seat.business.business_id) as tx:
            message = await console.message(tx, valid_id(message_id))
            kept = await inbound_files.get(tx, message_id, services.seal) if services.seal else None
            await trail.looked_at_message(tx, seat.reader, "file", message_id)
        if kept is not None:
            return _shown(kept, message.media_filename or f"file-{message_id}")
        if message.media_id is None or services.media is None:
            raise UnknownMessage(UnknownMessage.__doc__)
        try:
            with tenant(seat.business.business_id):  # whose token it is fetched with
                content = await services.media(
                    message.media_id, message.media_sha256, message.phone_number_id
                )
        except MediaUnusable as error:
            raise UnknownMessage(UnknownMessage.__doc__) from error
        except WhatsAppError as error:
            raise HTTPException(502, "WhatsApp does not give the file out at the moment") from error
        return _shown(content, message.media_filename or f"file-{message_id}")

    @router.get("/file/{message_id}")
    async def file(request: Request, seat: Seated, message_id: int) -> Response:
        async with services_of(request).crm.transaction(seat.business.business_id) as tx:
            message = await console.message(tx, valid_id(message_id))
            kept = await files.get(tx, message.file_id) if message.file_id is not None else None
            await trail.looked_at_message(tx, seat.reader, "file", message_id)
        if kept is None:
            raise UnknownMessage(UnknownMessage.__doc__)
        return _shown(kept.content, kept.filename)

    return router


def _shown(content: bytes, name: str) -> Response:
    """Pictures in place, sound to be played, everything else as a download."""
    container = sniff(content)
    kind = shown_type(content) or (MIME_TYPES[container] if container else None)
    place = "inline" if kind else "attachment"
    headers = {**_LOCKED, "Content-Disposition": f"{place}; filename*=UTF-8''{quote(name, safe='')}"}
    return Response(content, media_type=kind or "application/octet-stream", headers=headers)


def _ranged(request: Request, content: bytes, kind: str) -> Response:
    """The whole, or the piece a player asks for: Safari plays nothing without ranges."""
    headers = {**_LOCKED, "Accept-Ranges": "bytes"}
    unit, _, wanted = request.headers.get("range", "").partition("=")
    first, _, last = wanted.partition("-")
    if unit != "bytes" or not first.isdigit() or (last and not last.isdigit()):
        return Response(content, media_type=kind, headers=headers)
    start, end = int(first), min(int(last) if last else len(content), len(content) - 1)
    if start > end:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{len(content)}"})
    headers["Content-Range"] = f"bytes {start}-{end}/{len(content)}"
    return Response(content[start : end + 1], 206, media_type=kind, headers=headers)
