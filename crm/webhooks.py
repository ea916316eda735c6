"""Raw webhooks, kept whatever becomes of them."""

from crm.record import Tx


async def keep(tx: Tx, digest: bytes, body: bytes) -> None:
    """Keeps a body under its SHA-256; the same body again is no second row."""
    await tx.run("payload_insert", digest=digest, body=body)


async def unparsed(tx: Tx, digest: bytes, path: str, reason: str) -> None:
    """Notes an item that could not be taken in, and why."""
    await tx.run("unparsed_insert", digest=digest, path=path, reason=reason)
