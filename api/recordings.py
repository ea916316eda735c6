"""Voice notes over HTTP, for the people who listen to what SARA could not understand."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from api.auth import Authenticated
from api.state import services_of
from crm import recordings, trail
from crm.errors import UnknownRecording
from inference.sound_formats import MIME_TYPES, sniff

router = APIRouter(prefix="/api/businesses/{business}/messages", tags=["voice notes"])

_LARGEST_ID = 2**63 - 1


@router.get("/{message_id}/audio", response_class=Response)
async def audio(
    request: Request, caller: Authenticated, message_id: Annotated[int, Path(gt=0, le=_LARGEST_ID)]
) -> Response:
    """The sound of a voice note as the customer sent it."""
    services = services_of(request)
    if services.seal is None:
        raise UnknownRecording(UnknownRecording.__doc__)
    async with services.crm.transaction(caller.business_id) as tx:
        recording = await recordings.get(tx, message_id, services.seal)
        await trail.looked_at_message(tx, caller.reader, "recording", message_id)
    # What a browser is told comes from the content, never from the sender: it must not become a page here.
    container = sniff(recording.sound)
    return Response(
        recording.sound,
        media_type=MIME_TYPES[container] if container else "application/octet-stream",
        headers={
            "Cache-Control": "private, no-store",
            "Content-Disposition": f'inline; filename="note-{message_id}"',
            "X-Content-Type-Options": "nosniff",
        },
    )
