"""Pictures and documents of customers, encrypted, kept as long as the installation says."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from crm.errors import UnknownMessage
from crm.record import Tx
from crm.sealing import Seal

KEPT_KINDS = ("image", "document", "video")


@dataclass(frozen=True)
class ToFetch:
    """A message whose file is to be had from the channel; `kept`: it is settled already."""

    message_id: int
    media_id: str | None
    media_sha256: str | None
    kind: str
    phone_number_id: str
    kept: bool


@dataclass(frozen=True)
class _SealedRow:
    sealed: bytes | None
    problem: str | None


async def to_fetch(tx: Tx, message_id: int) -> ToFetch | None:
    """What has to be fetched; None for a message there is not."""
    return await tx.first(ToFetch, "file_of_message", message_id=message_id)


async def keep(tx: Tx, message_id: int, content: bytes, seal: Seal) -> None:
    """Keeps the file of a message; does nothing when it is settled already."""
    sealed = await asyncio.to_thread(seal.close, content)
    await tx.run("inbound_file_keep", message_id=message_id, sealed=sealed, bytes=len(content), problem=None)


async def missed(tx: Tx, message_id: int, problem: str) -> None:
    """There is no file, and why: an agent is told instead of waiting for it."""
    await tx.run("inbound_file_keep", message_id=message_id, sealed=None, bytes=None, problem=problem)


async def get(tx: Tx, message_id: int, seal: Seal) -> bytes | None:
    """The file of a message; None when it was not kept (yet).

    Raises UnknownMessage when it could not be had, NotOurSeal when no key fits.
    """
    row = await tx.first(_SealedRow, "inbound_file", message_id=message_id)
    if row is None:
        return None
    if row.sealed is None:
        raise UnknownMessage(f"the file could not be had from WhatsApp: {row.problem}")
    return await asyncio.to_thread(seal.open, row.sealed)


async def forget(tx: Tx, older_than: timedelta) -> int:
    """Deletes, over all tenants, what was kept for longer; how many."""
    return int(await tx.value("inbound_files_forget", older_than=older_than))
