"""Statuses move a message forward, whatever their order."""

import itertools
import secrets

import pytest

from crm import messages
from crm.messages import NewMessage
from tests.crm.conftest import Book


async def sent(book: Book) -> tuple[int, str]:
    """A message of ours and its wamid."""
    contact_id, conversation_id = await book.customer()
    wamid = f"wamid.{secrets.token_hex(8)}"
    async with book.crm.transaction(book.business_id) as tx:
        message = NewMessage(conversation_id, contact_id, "bot", "text", tx.now, body="Hi", wamid=wamid)
        message_id = await messages.add(tx, message)
    assert message_id is not None
    return message_id, wamid


async def report(book: Book, wamid: str, status: str, outbox_id: int | None = None) -> int | None:
    async with book.crm.transaction(book.business_id) as tx:
        told = messages.status(
            wamid=wamid,
            outbox_id=outbox_id,
            status=status,
            at=tx.now,
            error_code=131047 if status == "failed" else None,
            error_title=None,
        )
        [[found]] = await tx.together([told])
    message_id: int | None = found.message_id
    return message_id


async def stands(book: Book, message_id: int) -> str | None:
    rows = await book.rows("SELECT status FROM message WHERE message_id = %s", message_id)
    status: str | None = rows[0]["status"]
    return status


@pytest.mark.parametrize("order", list(itertools.permutations(["sent", "delivered", "read"])))
async def test_the_furthest_status_stands_whatever_the_order(book: Book, order: tuple[str, ...]) -> None:
    message_id, wamid = await sent(book)
    for status in order:
        assert await report(book, wamid, status) == message_id
    assert await stands(book, message_id) == "read"
    kept = await book.rows("SELECT status FROM message_status WHERE message_id = %s", message_id)
    assert {row["status"] for row in kept} == set(order)


@pytest.mark.parametrize(
    ("order", "stands_at"),
    [
        (["sent", "read"], "read"),
        (["read", "delivered"], "read"),
        (["delivered", "played", "read"], "played"),
        (["failed", "delivered"], "failed"),
        (["sent", "failed", "read"], "failed"),
        (["delivered", "failed"], "delivered"),
        (["read", "failed"], "read"),
        (["sent", "sent", "sent"], "sent"),
    ],
)
async def test_skipped_late_and_contradicting_statuses(book: Book, order: list[str], stands_at: str) -> None:
    message_id, wamid = await sent(book)
    for status in order:
        await report(book, wamid, status)
    assert await stands(book, message_id) == stands_at


async def test_a_status_of_a_message_that_is_not_ours_changes_nothing(book: Book) -> None:
    assert await report(book, "wamid.of-nobody", "read") is None


async def test_the_same_message_twice_is_one(book: Book) -> None:
    contact_id, conversation_id = await book.customer()
    wamid = f"wamid.{secrets.token_hex(8)}"
    async with book.crm.transaction(book.business_id) as tx:
        message = NewMessage(conversation_id, contact_id, "customer", "text", tx.now, body="Hi", wamid=wamid)
        assert await messages.add(tx, message) is not None
        assert await messages.known(tx, wamid)
        assert await messages.add(tx, message) is None
