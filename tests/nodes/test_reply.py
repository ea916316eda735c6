"""The turn's words go out once, fit the channel, and are dropped when somebody else has the word."""

from collections.abc import Awaitable, Callable

from langgraph.runtime import Runtime

from crm import conversations, messages
from graph.state import State
from inference.chat import Answered, Request
from nodes.reply import reply
from tests.nodes.stage import Scripted, Stage, Thread, says


class Meanwhile(Scripted):
    """A model during whose thinking something happens."""

    happens: Callable[[], Awaitable[object]]

    async def propose(self, request: Request) -> Answered:
        await self.happens()
        return await super().propose(request)


async def replied(thread: Thread, outcome: dict[str, object]) -> State:
    """A state on the verge of the reply."""
    event = await thread.wrote("E poi?")
    return State(**{**thread.state, "event": event, "outcome": outcome})


async def test_words_of_a_turn_are_dropped_when_a_human_took_over_meanwhile(stage: Stage) -> None:
    chat = Meanwhile(says("Il massaggio rilassante costa 65,00 €."))
    thread = await stage.customer(chat=chat)

    async def taken_over() -> None:
        async with stage.crm.transaction(thread.business_id) as tx:
            await conversations.give_to_human(tx, thread.conversation_id)

    chat.happens = taken_over
    await thread.say("Quanto costa un massaggio rilassante?")
    assert thread.state["outcome"]["kind"] == "superseded"
    assert await thread.outbox() == []
    assert await thread.spoken() == []
    assert all(line["author"] == "customer" for line in thread.state["window"])


async def test_run_twice_a_turn_speaks_once(stage: Stage) -> None:
    thread = await stage.customer()
    await thread.say("Ciao")
    state = await replied(thread, {"kind": "answered", "replies": [{"text": "Una volta sola."}]})
    await reply(state, Runtime(context=thread.context))
    await reply(state, Runtime(context=thread.context))
    assert [message.body for message in await thread.spoken()].count("Una volta sola.") == 1
    rows = [row for row in await thread.outbox() if row["turn_id"] == state["event"]["turn_id"]]
    assert len(rows) == 1
    assert rows[0]["answers"] == state["event"]["messages"][0]["wamid"]


async def test_a_long_text_goes_out_in_parts_without_losing_a_word(stage: Stage) -> None:
    thread = await stage.customer()
    await thread.say("Ciao")
    words = [f"parola{number}" for number in range(1200)]
    state = await replied(thread, {"kind": "answered", "replies": [{"text": " ".join(words)}]})
    await reply(state, Runtime(context=thread.context))
    rows = [row for row in await thread.outbox() if row["turn_id"] == state["event"]["turn_id"]]
    parts = [m.body for m in await thread.spoken() if m.message_id in {row["message_id"] for row in rows}]
    assert len(parts) > 1
    assert [row["ordinal"] for row in rows] == list(range(len(parts)))
    assert all(len(part) <= 4096 for part in parts)
    assert " ".join(parts).split() == words


async def test_an_answer_names_its_sources_and_finishes_its_events(stage: Stage) -> None:
    thread = await stage.customer()
    await thread.say("Quanto costa un massaggio rilassante?")
    (message,) = await thread.spoken()
    async with stage.crm.transaction(thread.business_id) as tx:
        cited = {source.source for source in await messages.sources(tx, message.message_id)}
    assert any("listino" in source for source in cited)
    rows = await stage.rows(
        "SELECT last_intent, last_outcome FROM conversation WHERE conversation_id = %s",
        thread.conversation_id,
    )
    assert rows == [{"last_intent": "answer", "last_outcome": "answered"}]


async def test_nothing_to_say_writes_nothing_and_still_finishes(stage: Stage) -> None:
    thread = await stage.customer()
    await thread.say("Ciao")
    before = len(await thread.outbox())
    state = await replied(thread, {"kind": "silent", "replies": []})
    await reply(state, Runtime(context=thread.context))
    assert len(await thread.outbox()) == before
    waiting = "SELECT 1 FROM inbox_event WHERE conversation_id = %s AND done_at IS NULL"
    assert await stage.rows(waiting, thread.conversation_id) == []
