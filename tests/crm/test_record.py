"""Several queries in one round trip are one transaction of one business."""

import asyncio

import psycopg
import pytest

from crm import conversations, inbox, queue
from crm.conversations import ConversationRow
from crm.errors import RecordContended
from crm.record import Ask
from tests.crm.conftest import Book


async def test_each_query_sees_what_those_before_it_wrote(book: Book) -> None:
    _, conversation_id = await book.customer()
    this = {"conversation_id": conversation_id}
    when = book.crm.clock()
    _, [row] = await book.crm.at_once(
        book.business_id,
        [conversations.wrote(conversation_id, when), Ask(ConversationRow, "conversation", this)],
    )
    assert row.last_customer_at == when


async def test_nothing_of_it_happens_when_one_of_them_fails(book: Book) -> None:
    _, conversation_id = await book.customer()
    told = inbox.new(conversation_id, inbox.CUSTOMER_MESSAGE)
    nowhere = inbox.new(-1, inbox.CUSTOMER_MESSAGE)
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        await book.crm.at_once(book.business_id, [told, nowhere])
    assert await book.rows("SELECT 1 FROM inbox_event WHERE conversation_id = %s", conversation_id) == []
    # The connection it was asked on is as good as before.
    [[made]] = await book.crm.at_once(book.business_id, [told])
    assert made.event_id > 0


async def test_it_is_of_one_business_and_of_none(book: Book) -> None:
    _, conversation_id = await book.customer()
    asked = [Ask(ConversationRow, "conversation", {"conversation_id": conversation_id})]
    assert await book.crm.at_once(0, asked) == [[]]
    [[row]] = await book.crm.at_once(book.business_id, asked)
    assert row.conversation_id == conversation_id


async def test_an_event_and_its_turn_are_asked_together(book: Book) -> None:
    _, conversation_id = await book.customer()
    async with book.crm.transaction(book.business_id) as tx:
        for _ in range(2):  # the second finds a job waiting, and is served by it
            await tx.together(
                [
                    inbox.new(conversation_id, inbox.CUSTOMER_MESSAGE),
                    queue.turn(tx, conversation_id, delay_s=1),
                ]
            )
    lock = f"conv:{conversation_id}"
    assert len(await book.rows("SELECT 1 FROM procrastinate_jobs WHERE lock = %s", lock)) == 1
    assert len(await book.rows("SELECT 1 FROM inbox_event WHERE conversation_id = %s", conversation_id)) == 2


async def test_who_loses_a_deadlock_is_told_that_another_try_is_worth_it(book: Book) -> None:
    (_, one), (_, other) = await book.customer(), await book.customer()
    both = asyncio.Barrier(2)

    async def locks(first: int, then: int) -> int:
        async with book.crm.transaction(book.business_id) as tx:
            await conversations.lock(tx, first)
            await both.wait()
            return (await conversations.lock(tx, then)).conversation_id

    ended = await asyncio.gather(locks(one, other), locks(other, one), return_exceptions=True)
    [lost] = [result for result in ended if isinstance(result, BaseException)]
    assert isinstance(lost, RecordContended)
    assert next(result for result in ended if result is not lost) in (one, other)
