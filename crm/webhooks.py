"""Raw webhooks, kept whatever becomes of them."""

from dataclasses import dataclass
from datetime import UTC, datetime

from crm.record import Ask, Crm, Tx


@dataclass(frozen=True)
class PayloadRow:
    """A raw body as it came; `digest` is its SHA-256."""

    digest: bytes
    body: bytes
    received_at: datetime


BEFORE_ALL = PayloadRow(b"", b"", datetime.min.replace(tzinfo=UTC))


def keeping(digest: bytes, body: bytes) -> Ask[None]:
    """Keeps a body under its SHA-256, to be asked together with what is taken in from it; the same body again
    is no second row."""
    return Ask(None, "payload_insert", {"digest": digest, "body": body})


async def keep(crm: Crm, digest: bytes, body: bytes) -> None:
    """Keeps a body by itself, before anything is taken in from it."""
    await crm.at_once(0, [Ask(None, "payload_unwaited"), keeping(digest, body)])


def unparsed(digest: bytes, path: str, reason: str) -> Ask[None]:
    """Notes an item that could not be taken in, and why."""
    return Ask(None, "unparsed_insert", {"digest": digest, "path": path, "reason": reason})


async def again(
    tx: Tx,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    digest: str | None = None,
    left_out: bool = False,
    after: PayloadRow = BEFORE_ALL,
    most: int = 100,
) -> list[PayloadRow]:
    """Kept bodies after another one, oldest first; as owner only. `digest` is the beginning of one in
    hexadecimal; `left_out`: only those of which something could not be taken in."""
    return await tx.all(
        PayloadRow,
        "payload_again",
        since=since,
        until=until,
        digest=digest,
        left_out=left_out,
        after_at=after.received_at,
        after_digest=after.digest,
        most=most,
    )


async def forget_unparsed(tx: Tx, digest: bytes) -> None:
    """A body is about to be taken in again: what could not be is noted anew. As owner only."""
    await tx.run("unparsed_forget", digest=digest)
