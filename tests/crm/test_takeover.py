"""Conversations that change hands: taken from the bot, answered on the phone, passed on, opened again."""

import asyncio
import secrets
from datetime import timedelta

import pytest

from crm import agents, businesses, conversations, desk, handoffs, inbox, outbox, takeover
from crm.desk import Words
from crm.errors import HeldByColleague, NewerConversation, UnknownAgent, UnknownConversation, WindowOver
from tests.crm.conftest import Book, sender


async def people(book: Book) -> list[int]:
    async with book.crm.transaction(book.business_id) as tx:
        return [agent.agent_id for agent in await businesses.agents(tx)]


async def taken(book: Book) -> tuple[int, int, int]:
    """A conversation of the bot that an agent took: conversation, hand-over, agent."""
    _, conversation_id = await book.customer()
    agent = (await people(book))[0]
    async with book.crm.transaction(book.business_id) as tx:
        return conversation_id, await takeover.take(tx, conversation_id, agent), agent


async def echo(book: Book, wa_id: str, text: str, wamid: str) -> bool:
    async with book.crm.transaction(book.business_id) as tx:
        return await takeover.echoed(
            tx,
            phone_number_id=book.number,
            wa_id=wa_id,
            bsuid=None,
            wamid=wamid,
            text=text,
            at=tx.now,
        )


async def test_taking_a_conversation_makes_its_turn_outdated(book: Book) -> None:
    _, conversation_id = await book.customer()
    async with book.crm.transaction(book.business_id) as tx:
        before = await conversations.get(tx, conversation_id)
    agent, other = (await people(book))[:2]
    async with book.crm.transaction(book.business_id) as tx:
        handoff_id = await takeover.take(tx, conversation_id, agent)
        again = await takeover.take(tx, conversation_id, agent)
        after = await conversations.get(tx, conversation_id)
        row = await handoffs.get(tx, handoff_id)
    assert again == handoff_id
    assert (after.owner, after.agent_id) == ("human", agent)
    assert after.epoch > before.epoch
    assert (row.reason, row.status, row.agent_id) == ("agent_takeover", "claimed", agent)
    with pytest.raises(HeldByColleague, match="has this conversation"):
        async with book.crm.transaction(book.business_id) as tx:
            await takeover.take(tx, conversation_id, other)


async def test_of_several_who_take_it_at_once_one_has_it(book: Book) -> None:
    _, conversation_id = await book.customer()
    crowd = (await people(book))[:3]

    async def take(agent: int) -> int:
        async with book.crm.transaction(book.business_id) as tx:
            return await takeover.take(tx, conversation_id, agent)

    came = await asyncio.gather(*(take(agent) for agent in crowd), return_exceptions=True)
    assert sum(isinstance(one, int) for one in came) == 1
    assert all(isinstance(one, int | HeldByColleague) for one in came)


async def test_an_unknown_conversation_cannot_be_taken(book: Book) -> None:
    agent = (await people(book))[0]
    with pytest.raises(UnknownConversation):
        async with book.crm.transaction(book.business_id) as tx:
            await takeover.take(tx, 2**60, agent)


async def test_words_on_the_phone_take_the_conversation_once(book: Book) -> None:
    wa_id, wamid = sender(), f"wamid.{secrets.token_hex(8)}"
    assert await echo(book, wa_id, "Ci penso io", wamid)
    assert not await echo(book, wa_id, "Ci penso io", wamid)
    rows = await book.rows(
        "SELECT c.conversation_id, c.owner, c.agent_id, h.status, h.reason, m.author, m.body,"
        " (SELECT count(*) FROM inbox_event e WHERE e.conversation_id = c.conversation_id) AS events,"
        " (SELECT count(*) FROM outbox o WHERE o.conversation_id = c.conversation_id) AS sends"
        " FROM conversation c JOIN contact k USING (contact_id) JOIN handoff h USING (conversation_id)"
        " JOIN message m USING (conversation_id) WHERE k.wa_id = %s",
        wa_id,
    )
    assert len(rows) == 1
    row = rows[0]
    assert (row["owner"], row["agent_id"], row["status"]) == ("human", None, "claimed")
    assert (row["reason"], row["author"], row["body"]) == ("owner_on_phone", "agent", "Ci penso io")
    assert (row["events"], row["sends"]) == (1, 0)


async def test_words_on_the_phone_do_not_take_it_from_an_agent(book: Book) -> None:
    conversation_id, handoff_id, agent = await taken(book)
    rows = await book.rows(
        "SELECT wa_id FROM contact JOIN conversation USING (contact_id) WHERE conversation_id = %s",
        conversation_id,
    )
    assert await echo(book, rows[0]["wa_id"], "Aggiungo io", f"wamid.{secrets.token_hex(8)}")
    async with book.crm.transaction(book.business_id) as tx:
        assert (await handoffs.get(tx, handoff_id)).agent_id == agent


async def test_passing_on(book: Book) -> None:
    _, handoff_id, agent = await taken(book)
    colleague = (await people(book))[1]
    async with book.crm.transaction(book.business_id) as tx:
        with pytest.raises(HeldByColleague):
            await takeover.transfer(tx, handoff_id, colleague, to_agent=colleague)
        with pytest.raises(UnknownAgent):
            await takeover.transfer(tx, handoff_id, agent, to_agent=2**60)
        await takeover.transfer(tx, handoff_id, agent, to_agent=colleague, note="Sai tu")
        row = await handoffs.get(tx, handoff_id)
        conversation = await conversations.get(tx, row.conversation_id)
        assert [note.body for note in await agents.notes(tx, row.conversation_id)] == ["Sai tu"]
        assert (row.agent_id, conversation.agent_id) == (colleague, colleague)
        await takeover.transfer(tx, handoff_id, colleague, to_queue="billing")
        row = await handoffs.get(tx, handoff_id)
        assert (row.status, row.agent_id, row.queue) == ("open", None, "billing")
        assert (await conversations.get(tx, row.conversation_id)).owner == "human"
        kinds = [step.kind for step in await handoffs.steps(tx, row.conversation_id)]
    assert kinds == ["taken_over", "claimed", "transferred", "transferred"]


async def test_opening_again(book: Book) -> None:
    conversation_id, handoff_id, agent = await taken(book)
    async with book.crm.transaction(book.business_id) as tx:
        await desk.resolve(tx, handoff_id, agent, note="fatto")
        again = await takeover.reopen(tx, conversation_id, agent)
        conversation = await conversations.get(tx, conversation_id)
        assert again != handoff_id
        assert (conversation.status, conversation.owner, conversation.agent_id) == ("open", "human", agent)
        await desk.resolve(tx, again, agent, note="fatto")
        await conversations.open_for(tx, conversation.contact_id, book.number)
        with pytest.raises(NewerConversation):
            await takeover.reopen(tx, conversation_id, agent)


async def test_after_24_hours_only_templates_are_written(book: Book) -> None:
    _, handoff_id, agent = await taken(book)
    book.clock.now += timedelta(hours=24, seconds=1)
    with pytest.raises(WindowOver):
        async with book.crm.transaction(book.business_id) as tx:
            await desk.answer(tx, handoff_id, agent, ["Buongiorno"])
    template = Words("[again]", template_name="again", template_code="it")
    async with book.crm.transaction(book.business_id) as tx:
        assert len(await desk.answer(tx, handoff_id, agent, [template])) == 1


async def test_one_attempt_is_written_once(book: Book) -> None:
    conversation_id, handoff_id, agent = await taken(book)
    async with book.crm.transaction(book.business_id) as tx:
        first = await desk.answer(tx, handoff_id, agent, ["Uno", "Due"], attempt="k")
        assert len(first) == 2
        assert await desk.answer(tx, handoff_id, agent, ["Uno", "Due"], attempt="k") == []
        assert len(await outbox.open_rows(tx, conversation_id)) == 2
        assert len(await inbox.waiting(tx, conversation_id, after=0)) == 2


async def test_a_briefing_given_long_after_the_customers_last_words_is_not_forgotten(book: Book) -> None:
    conversation_id, handoff_id, agent = await taken(book)
    book.clock.now += timedelta(hours=30)
    async with book.crm.transaction(book.business_id) as tx:
        await desk.hand_back(tx, handoff_id, agent, note="Chiamata", promises=["Richiamo lunedì"])
        await inbox.done(tx, conversation_id, up_to=2**60)  # the graph has heard of it
        contact_id = (await conversations.get(tx, conversation_id)).contact_id
    book.clock.now += timedelta(hours=23)
    async with book.crm.transaction(book.business_id) as tx:
        await conversations.close_idle(tx, most=1000)
        assert await conversations.open_for(tx, contact_id, book.number) == conversation_id
    book.clock.now += timedelta(hours=2)
    async with book.crm.transaction(book.business_id) as tx:
        assert await conversations.open_for(tx, contact_id, book.number) != conversation_id
