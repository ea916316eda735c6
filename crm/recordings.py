"""The sound of voice notes, encrypted, kept as long as the installation says."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from crm.errors import UnknownRecording
from crm.record import Tx
from crm.sealing import Seal


@dataclass(frozen=True)
class RecordingRow:
    sealed: bytes
    mime_type: str | None


@dataclass(frozen=True)
class Recording:
    """A voice note as it came; `mime_type` is what the sender's phone called it."""

    sound: bytes
    mime_type: str | None


async def keep(tx: Tx, message_id: int, sound: bytes, seal: Seal) -> None:
    """Keeps the sound of a message; does nothing when it is kept already."""
    sealed = await asyncio.to_thread(seal.close, sound)
    await tx.run("recording_keep", message_id=message_id, sealed=sealed, bytes=len(sound))


async def get(tx: Tx, message_id: int, seal: Seal) -> Recording:
    """The sound of a message. Raises UnknownRecording when none is kept, NotOurSeal when no key fits."""
    row = await tx.first(RecordingRow, "recording", message_id=message_id)
    if row is None:
        raise UnknownRecording(UnknownRecording.__doc__)
    return Recording(await asyncio.to_thread(seal.open, row.sealed), row.mime_type)


async def forget(tx: Tx, older_than: timedelta) -> int:
    """Deletes, over all tenants, what was kept for longer; how many. Transcripts stay."""
    return int(await tx.value("recordings_forget", older_than=older_than))
