"""A call for help in the middle of something else waits for nobody: no agent, no second voice note."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from crm import businesses, takeover
from inference.errors import ModelUnavailable
from inference.speech import Transcript
from tests.nodes.stage import Stage, Thread
from tests.nodes.test_transcribe import Ear, Media, unclear

WANTS = "Vorrei parlare con una persona"
HELP = "Aiuto, mio padre è svenuto e non respira"


class Away:
    """An embedding model that is away."""

    name = "away"

    async def query(self, text: str) -> Any:
        raise ModelUnavailable("away")


def told_of(thread: Thread) -> list[tuple[int, str | None]]:
    """What the team is told from now on: hand-over, and the turn of an alarm."""
    told: list[tuple[int, str | None]] = []

    async def notify(business_id: int, handoff_id: int, alarm: str | None = None) -> None:
        told.append((handoff_id, alarm))

    thread.context = replace(thread.context, notify=notify)
    return told


async def numbers(thread: Thread) -> int:
    """How often the customer was told the emergency number."""
    return sum("112" in message.body for message in await thread.spoken())


@pytest.mark.parametrize("answered", [False, True])
async def test_while_a_person_has_the_conversation(stage: Stage, answered: bool) -> None:
    thread = await stage.customer()
    await thread.say(WANTS)
    if answered:
        await thread.agent_says("Buonasera, mi dica.")
    told = told_of(thread)
    await thread.say(HELP)
    assert (await thread.snapshot()).next == ("await_human",)
    assert await numbers(thread) == 1
    [handoff] = await thread.handoffs()
    assert (handoff["label"], handoff["reason"]) == ("emergency", "customer_request")
    assert handoff["wants"].startswith(HELP)
    assert [one for one, alarm in told] == [handoff["handoff_id"]]
    assert told[0][1] is not None
    assert thread.state["window"][-1]["author"] == "bot"
    [row] = [row for row in await thread.outbox() if row["turn_id"].endswith(":emergency")]
    assert row["epoch"] == (await thread.conversation()).epoch, "it is sent although a person speaks"
    await thread.say("Presto, aiuto, non respira!")
    assert (await numbers(thread), len(told)) == (1, 1), "told a moment ago"
    stage.clock.now += timedelta(minutes=31)
    await thread.say("Presto, aiuto, non respira!")
    assert (await numbers(thread), len(told)) == (2, 2)


async def test_ordinary_words_raise_nothing(stage: Stage) -> None:
    thread = await stage.customer()
    await thread.say(WANTS)
    told = told_of(thread)
    await thread.say("Quanto costa un massaggio rilassante?")
    assert (await numbers(thread), told) == (0, [])
    assert [row["label"] for row in await thread.handoffs()] == [None]


async def test_after_a_hand_over_for_an_emergency_the_number_is_not_repeated_at_once(stage: Stage) -> None:
    thread = await stage.customer()
    await thread.say(HELP)
    await thread.say("Non respira, fate presto")
    assert await numbers(thread) == 1


async def test_after_a_colleague_took_it_outside_the_thread(stage: Stage) -> None:
    thread = await stage.customer()
    await thread.say("Buongiorno")
    async with stage.crm.transaction(thread.business_id) as tx:
        agent = (await businesses.agents(tx))[0].agent_id
        await takeover.take(tx, thread.conversation_id, agent)
    await thread.say(HELP)
    assert (await thread.snapshot()).next == ("await_human",)
    assert await numbers(thread) == 1
    assert [row["label"] for row in await thread.handoffs()] == ["emergency"]


async def test_a_sensitive_matter_nobody_looked_at_is_not_saras_after_an_idle_hand_back(stage: Stage) -> None:
    thread = await stage.customer("conti")
    await thread.say("Can I talk to a person?")
    await thread.say("My landlord wants to evict me, can I sue him and would I win?")
    await thread.handed_back("Nobody answered for a while.")
    assert [row["reason"] for row in await thread.handoffs()] == ["customer_request", "sensitive"]
    assert (await thread.conversation()).owner == "human"


@pytest.mark.parametrize("option", ["confirm:yes", "human:yes"])
async def test_beside_a_button(stage: Stage, option: str) -> None:
    thread = await stage.customer()
    await thread.say("Vorrei prenotare un massaggio rilassante giovedì alle 12")
    event = await thread.wrote("Sì", HELP)
    event["messages"][0]["option_id"] = option
    await thread.deliver(event)
    [handoff] = await thread.handoffs()
    assert (handoff["reason"], handoff["label"]) == ("sensitive", "emergency")
    assert await numbers(thread) == 1
    assert await stage.rows("SELECT 1 FROM appointment WHERE contact_id = %s", thread.contact_id) == []


async def test_in_a_note_that_was_hardly_heard_beside_other_words(stage: Stage) -> None:
    thread = await stage.customer()
    ear = Ear(unclear("aiuto mio padre non respira"))
    thread.context = replace(thread.context, transcriber=ear, media=Media())
    event = await thread.wrote("", "mi sentite?")
    event["messages"][0] |= {
        "kind": "audio",
        "media": {"id": "1", "mime_type": "audio/ogg", "sha256": None, "voice": True},
    }
    await thread.deliver(event)
    [handoff] = await thread.handoffs()
    assert (handoff["reason"], handoff["label"]) == ("sensitive", "emergency")
    assert len(thread.state["handoff"]["packet"]["voice_notes"]) == 1
    assert await numbers(thread) == 1


async def test_in_a_voice_note_while_a_person_has_the_conversation(stage: Stage) -> None:
    thread = await stage.customer()
    await thread.say(WANTS)
    ear = Ear(Transcript("ok", HELP, "it", confidence=0.9, duration_s=2.0))
    thread.context = replace(thread.context, transcriber=ear, media=Media())
    event = await thread.wrote("", kind="audio")
    event["messages"][0]["media"] = {"id": "1", "mime_type": "audio/ogg", "sha256": None, "voice": True}
    await thread.deliver(event)
    assert await numbers(thread) == 1


async def test_while_the_embedding_model_is_away(stage: Stage) -> None:
    thread = await stage.customer()
    await thread.say(WANTS)
    thread.context = replace(thread.context, embedder=Away())  # type: ignore[arg-type]
    await thread.say(HELP)
    assert await numbers(thread) == 1


async def test_a_topic_of_the_vertical_is_heard_while_the_embedding_model_is_away(stage: Stage) -> None:
    thread = await stage.customer("conti")
    thread.context = replace(thread.context, embedder=Away())  # type: ignore[arg-type]
    await thread.say("mio marito mi picchia")
    [handoff] = await thread.handoffs()
    assert (handoff["reason"], handoff["label"]) == ("sensitive", "emergency")
    assert await numbers(thread) == 1


async def test_in_a_note_hardly_heard_while_a_person_has_the_conversation(stage: Stage) -> None:
    thread = await stage.customer()
    await thread.say(WANTS)
    thread.context = replace(
        thread.context, transcriber=Ear(unclear("aiuto mio padre non respira")), media=Media()
    )
    event = await thread.wrote("", kind="audio")
    event["messages"][0]["media"] = {"id": "1", "mime_type": "audio/ogg", "sha256": None, "voice": True}
    await thread.deliver(event)
    assert await numbers(thread) == 1
    [handoff] = await thread.handoffs()
    assert handoff["label"] == "emergency"
    assert handoff["wants"].startswith("aiuto mio padre")


async def test_who_asks_for_a_person_again_after_a_hand_back_gets_one(stage: Stage) -> None:
    """What was handed back as sensitive is not sensitive anew; the wish for a person is."""
    thread = await stage.customer("conti")
    sue = "My landlord wants to evict me, can I sue him and would I win?"
    await thread.say(sue)
    await thread.say(f"{sue} Can I talk to a person?")
    await thread.handed_back("Told her to come in on Monday.")
    assert [row["reason"] for row in await thread.handoffs()] == ["sensitive", "customer_request"]
    assert (await thread.conversation()).owner == "human"
