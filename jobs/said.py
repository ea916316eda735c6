"""What customers and agents said, as the graph takes it in."""

from collections.abc import Sequence

from crm.inbox import InboxRow
from graph.state import Said


def said(rows: Sequence[InboxRow]) -> list[Said]:
    """The messages that events speak of, in order."""
    return [
        Said(
            message_id=row.message_id,
            author="agent" if row.author == "agent" else "customer",
            kind=row.message_kind or "text",
            text=row.body or "",
            option_id=row.option_id,
            wamid=row.wamid,
            sent_at=row.sent_at.isoformat() if row.sent_at else "",
            media={
                "id": row.media_id,
                "mime_type": row.media_mime_type,
                "sha256": row.media_sha256,
                "voice": bool(row.media_voice),
                "filename": row.media_filename,
            }
            if row.media_id
            else None,
            transcript=None,
            place=_place(row),
            quoted=row.quoted or None,
            advertised=row.advertised or None,
        )
        for row in rows
        if row.message_id is not None
    ]


def _place(row: InboxRow) -> dict[str, object] | None:
    if row.latitude is None:
        return None
    return {
        "latitude": row.latitude,
        "longitude": row.longitude,
        "name": row.place_name,
        "address": row.place_address,
    }
