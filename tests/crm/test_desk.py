"""What agents do: claim, answer, hand back, resolve; and what is closed stays closed."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable

import pytest

from crm import businesses, conversations, desk, handoffs, inbox
from crm.errors import HandoffClosed, UnknownHandoff
from crm.record import Tx
from tests.crm.conftest import Book


async def opened(book: Book) -> tuple[int, int]:
    """A conversation that a human owns, and its hand-over."""
    _, conversation_id = await book.customer()
    async with book.crm.transaction(book.business_id) as tx:
        handoff_id = await handoffs.open_one(
            tx,
            conversation_id,
            turn_id=f"turn:{secrets.token_hex(6)}",
            reason="customer_request",
            label=None,
            score=None,
            summary="Anna wants a person",
            wants="a person",
            draft="",
        )
        await conversations.give_to_human(tx, conversation_id)
    return conversation_id, handoff_id


async def agents(book: Book) -> list[int]:
    async with book.crm.transaction(book.business_id) as tx:
        return [agent.agent_id for agent in await businesses.agents(tx)]


async def events(book: Book, conversation_id: int) -> list[str]:
    rows = await book.rows(
        "SELECT kind FROM inbox_event WHERE conversation_id = %s ORDER BY 1", conversation_id
    )
    return [row["kind"] for row in rows]


async def test_claiming_twice_changes_the_owner_once(book: Book) -> None:
    conversation_id, handoff_id = await opened(book)
    agent = (await agents(book))[0]
    async with book.crm.transaction(book.business_id) as tx:
        row = await desk.claim(tx, handoff_id, agent)
        epoch = (await conversations.get(tx, conversation_id)).epoch
        await desk.claim(tx, handoff_id, agent)
        conversation = await conversations.get(tx, conversation_id)
    assert (row.status, row.agent_id) == ("claimed", agent)
    assert (conversation.owner, conversation.agent_id, conversation.epoch) == ("human", agent, epoch)


async def test_an_answer_claims_goes_out_in_order_and_joins_the_thread(book: Book) -> None:
    conversation_id, handoff_id = await opened(book)
    agent = (await agents(book))[0]
    async with book.crm.transaction(book.business_id) as tx:
        written = await desk.answer(tx, handoff_id, agent, ["Good morning.", "Come on Monday."])
        epoch = (await conversations.get(tx, conversation_id)).epoch
    rows = await book.rows(
        "SELECT o.message_id, o.epoch, m.body, m.author, m.agent_id"
        " FROM outbox o JOIN message m USING (message_id) WHERE o.conversation_id = %s ORDER BY outbox_id",
        conversation_id,
    )
    assert [row["message_id"] for row in rows] == written
    assert [row["body"] for row in rows] == ["Good morning.", "Come on Monday."]
    assert {(row["author"], row["agent_id"], row["epoch"]) for row in rows} == {("agent", agent, epoch)}
    assert await events(book, conversation_id) == [inbox.AGENT_MESSAGE] * 2


async def test_handing_back_keeps_what_was_learned_and_gives_the_word_to_the_bot(book: Book) -> None:
    conversation_id, handoff_id = await opened(book)
    async with book.crm.transaction(book.business_id) as tx:
        await desk.hand_back(
            tx,
            handoff_id,
            None,
            note="Called her",
            facts={"letter": "on Monday"},
            promises=["no fee", "a call"],
        )
        row = await handoffs.get(tx, handoff_id)
        told = await handoffs.facts(tx, handoff_id)
        conversation = await conversations.get(tx, conversation_id)
        assert await handoffs.open_of(tx, conversation_id) is None
    assert (row.status, row.note, row.closed_at) == ("returned", "Called her", book.clock.now)
    assert [(fact.kind, fact.key, fact.body) for fact in told] == [
        ("fact", "letter", "on Monday"),
        ("promise", "", "no fee"),
        ("promise", "", "a call"),
    ]
    assert (conversation.owner, conversation.status) == ("bot", "open")
    assert await events(book, conversation_id) == [inbox.HAND_BACK]


async def test_resolving_closes_the_conversation_with_a_summary(book: Book) -> None:
    conversation_id, handoff_id = await opened(book)
    async with book.crm.transaction(book.business_id) as tx:
        await desk.resolve(tx, handoff_id, None, note="Settled on the phone")
        conversation = await conversations.get(tx, conversation_id)
    assert (conversation.status, conversation.owner) == ("closed", "bot")
    assert conversation.summary == "Anna wants a person — Settled on the phone"
    assert await events(book, conversation_id) == [inbox.RESOLVE]


ACTS: list[Callable[[Tx, int], Awaitable[object]]] = [
    lambda tx, handoff_id: desk.claim(tx, handoff_id, None),
    lambda tx, handoff_id: desk.answer(tx, handoff_id, None, ["Hi"]),
    lambda tx, handoff_id: desk.hand_back(tx, handoff_id, None, note=""),
    lambda tx, handoff_id: desk.resolve(tx, handoff_id, None, note=""),
]


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("ended", ["returned", "resolved"])
async def test_nothing_can_be_done_with_a_closed_one(
    book: Book, act: Callable[[Tx, int], Awaitable[object]], ended: str
) -> None:
    conversation_id, handoff_id = await opened(book)
    async with book.crm.transaction(book.business_id) as tx:
        end = desk.hand_back if ended == "returned" else desk.resolve
        await end(tx, handoff_id, None, note="done")
    before = await events(book, conversation_id)
    with pytest.raises(HandoffClosed):
        async with book.crm.transaction(book.business_id) as tx:
            await act(tx, handoff_id)
    assert await events(book, conversation_id) == before


@pytest.mark.parametrize("act", ACTS)
async def test_a_hand_over_of_another_business_is_unknown(
    book: Book, act: Callable[[Tx, int], Awaitable[object]]
) -> None:
    _, handoff_id = await opened(book)
    async with book.crm.outside() as tx:
        other = await businesses.of_slug(tx, "aurora")
    with pytest.raises(UnknownHandoff):
        async with book.crm.transaction(other) as tx:
            await act(tx, handoff_id)


async def test_of_several_who_hand_back_at_once_one_does(book: Book) -> None:
    conversation_id, handoff_id = await opened(book)

    async def back(number: int) -> None:
        async with book.crm.transaction(book.business_id) as tx:
            await desk.hand_back(tx, handoff_id, None, note=str(number))

    came = await asyncio.gather(*(back(number) for number in range(6)), return_exceptions=True)
    assert sorted(str(type(one).__name__) for one in came) == ["HandoffClosed"] * 5 + ["NoneType"]
    assert await events(book, conversation_id) == [inbox.HAND_BACK]


async def test_answering_while_another_resolves_ends_in_one_order(book: Book) -> None:
    """Either the answer went out before the end, or it is refused; never a closed one with a human owner."""
    conversation_id, handoff_id = await opened(book)

    async def answers() -> None:
        async with book.crm.transaction(book.business_id) as tx:
            await desk.answer(tx, handoff_id, None, ["One moment"])

    async def resolves() -> None:
        async with book.crm.transaction(book.business_id) as tx:
            await desk.resolve(tx, handoff_id, None, note="")

    came = await asyncio.gather(*(answers() for _ in range(3)), resolves(), return_exceptions=True)
    assert {type(one) for one in came} <= {type(None), HandoffClosed}
    async with book.crm.transaction(book.business_id) as tx:
        conversation = await conversations.get(tx, conversation_id)
    assert (conversation.status, conversation.owner) == ("closed", "bot")


async def test_a_turn_opens_one_hand_over_and_a_conversation_has_one_open(book: Book) -> None:
    conversation_id, handoff_id = await opened(book)
    rows = await book.rows("SELECT turn_id FROM handoff WHERE handoff_id = %s", handoff_id)
    async with book.crm.transaction(book.business_id) as tx:
        for turn_id in (rows[0]["turn_id"], "turn:another"):
            again = await handoffs.open_one(
                tx,
                conversation_id,
                turn_id=turn_id,
                reason="sensitive",
                label="legal",
                score=0.9,
                summary="",
                wants="",
                draft="",
            )
            assert again == handoff_id
