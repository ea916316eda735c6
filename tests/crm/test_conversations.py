"""A conversation is a session: 24 idle hours end it, unless a human owns it."""

import asyncio
from datetime import timedelta

import pytest

from crm import contacts, conversations, messages, progress
from crm.errors import UnknownConversation
from crm.messages import NewMessage
from tests.crm.conftest import Book


async def reopened(book: Book, contact_id: int) -> int:
    async with book.crm.transaction(book.business_id) as tx:
        return await conversations.open_for(tx, contact_id, book.number)


async def test_it_goes_on_within_a_day_and_a_new_one_opens_after(book: Book) -> None:
    contact_id, first = await book.customer()
    book.clock.now += timedelta(hours=24)
    assert await reopened(book, contact_id) == first
    book.clock.now += timedelta(seconds=1)
    second = await reopened(book, contact_id)
    assert second != first
    async with book.crm.transaction(book.business_id) as tx:
        before, after = await conversations.get(tx, first), await conversations.get(tx, second)
    assert (before.status, after.status) == ("closed", "open")
    assert before.thread_id == f"{book.business_id}:{first}"
    assert after.thread_id == f"{book.business_id}:{second}"


async def test_one_closed_for_idleness_is_remembered_by_the_customers_last_words(book: Book) -> None:
    contact_id, first = await book.customer()
    async with book.crm.transaction(book.business_id) as tx:
        for words in ("Buongiorno", "", "vorrei un massaggio", "anzi no, ci penso"):
            said = NewMessage(first, contact_id, "customer", "text", book.clock.now, body=words)
            await messages.add(tx, said)
    book.clock.now += timedelta(days=2)
    await reopened(book, contact_id)
    async with book.crm.transaction(book.business_id) as tx:
        earlier = await conversations.earlier(tx, contact_id)
    assert [row.summary for row in earlier] == ["vorrei un massaggio / anzi no, ci penso"]


async def test_what_the_bot_did_counts_as_activity(book: Book) -> None:
    contact_id, first = await book.customer()
    book.clock.now += timedelta(hours=20)
    async with book.crm.transaction(book.business_id) as tx:
        await progress.came_to_an_end(tx, first, up_to=0, intent="answer", outcome="answered")
    book.clock.now += timedelta(hours=20)
    assert await reopened(book, contact_id) == first


async def test_one_that_a_human_owns_goes_on_whatever_its_age(book: Book) -> None:
    contact_id, first = await book.customer()
    async with book.crm.transaction(book.business_id) as tx:
        await conversations.give_to_human(tx, first)
    book.clock.now += timedelta(days=30)
    assert await reopened(book, contact_id) == first


async def test_a_closed_one_is_followed_by_another(book: Book) -> None:
    contact_id, first = await book.customer()
    async with book.crm.transaction(book.business_id) as tx:
        await conversations.close(tx, first, summary="A consultation was booked.")
    second = await reopened(book, contact_id)
    assert second != first
    async with book.crm.transaction(book.business_id) as tx:
        (earlier,) = await conversations.earlier(tx, contact_id)
    assert earlier.summary == "A consultation was booked."


async def test_idle_for_a_day_ten_messages_at_once_open_one(book: Book) -> None:
    contact_id, first = await book.customer()
    book.clock.now += timedelta(days=2)
    opened = set(await asyncio.gather(*(reopened(book, contact_id) for _ in range(10))))
    assert len(opened) == 1
    assert first not in opened


async def test_a_webhook_and_a_turn_of_the_same_customer_do_not_wait_for_each_other(book: Book) -> None:
    """The webhook locks the contact and then the conversation, a turn the conversation and then writes a
    message that refers to the contact."""
    contact_id, conversation_id = await book.customer()
    rows = await book.rows("SELECT wa_id FROM contact WHERE contact_id = %s", contact_id)

    async with book.crm.transaction(book.business_id) as webhook:
        await contacts.seen(webhook, wa_id=rows[0]["wa_id"], bsuid=None, name=None)
        async with book.crm.transaction(book.business_id) as turn:
            await conversations.lock(turn, conversation_id)
            waits = asyncio.create_task(conversations.open_for(webhook, contact_id, book.number))
            said = NewMessage(conversation_id, contact_id, "bot", "text", turn.now, body="Hi")
            async with asyncio.timeout(5):
                assert await messages.add(turn, said) is not None
            assert not waits.done()
        assert await waits == conversation_id


async def test_the_epoch_grows_at_each_change_of_owner(book: Book) -> None:
    _, conversation_id = await book.customer()
    async with book.crm.transaction(book.business_id) as tx:
        assert await conversations.give_to_human(tx, conversation_id) == 1
        assert await conversations.give_to_bot(tx, conversation_id) == 2
        row = await conversations.get(tx, conversation_id)
    assert (row.owner, row.agent_id, row.epoch) == ("bot", None, 2)


async def test_the_window_never_moves_back(book: Book) -> None:
    _, conversation_id = await book.customer()
    async with book.crm.transaction(book.business_id) as tx:
        await conversations.customer_wrote(tx, conversation_id, tx.now - timedelta(hours=3))
        assert (await conversations.get(tx, conversation_id)).last_customer_at == tx.now


async def test_an_unknown_one_is_said_so(book: Book) -> None:
    async with book.crm.transaction(book.business_id) as tx:
        for find in (conversations.get, conversations.lock):
            with pytest.raises(UnknownConversation):
                await find(tx, 2**62)
