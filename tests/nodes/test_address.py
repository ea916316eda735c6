"""Through the graph: a law firm's customer reads Lei, an estate agency's usted, a wellness centre's tu."""

from dataclasses import replace
from typing import Any, cast

import pytest
from langgraph.runtime import Runtime

from graph.state import State, formal_languages
from nodes.reply import reply
from tests.knowledge.test_formal_phrases import FAMILIAR
from tests.nodes.stage import Scripted, Stage, Thread, says
from tests.nodes.test_vertical_effects import other_pack
from tools import alarm

NOBODY_KNOWS = says("", intent="book_appointment")


async def read(thread: Thread) -> str:
    """Everything the customer has read, buttons with it."""
    titles = await thread.stage.rows(
        "SELECT title FROM message_option JOIN message USING (message_id) WHERE contact_id = %s",
        thread.contact_id,
    )
    said = [message.body for message in await thread.spoken()]
    return "\n".join([*said, *(row["title"] for row in titles)])


async def test_a_law_firms_customer_who_asks_for_an_appointment_reads_lei(stage: Stage) -> None:
    thread = await stage.customer("conti", chat=Scripted(NOBODY_KNOWS))
    await thread.say("Vorrei prenotare un appuntamento")
    assert "Mi dica giorno e ora, oppure scelga" in thread.words
    await thread.say("Martedì alle 11")
    await thread.say("sì")
    said = await read(thread)
    assert "Fatto!" in said
    assert FAMILIAR["it"].findall(said) == []


async def test_a_law_firms_customer_who_asks_for_a_person_reads_lei(stage: Stage) -> None:
    thread = await stage.customer("conti")
    await thread.say("Vorrei parlare con una persona, per favore")
    assert "La metto in contatto con" in thread.words
    assert "le risponderà qui" in thread.words
    assert FAMILIAR["it"].findall(await read(thread)) == []


async def test_a_wellness_centres_customer_reads_tu(stage: Stage) -> None:
    thread = await stage.customer("aurora", chat=Scripted(NOBODY_KNOWS))
    await thread.say("Vorrei prenotare un appuntamento")
    assert "Cosa vorresti prenotare?" in thread.words
    await thread.say("Vorrei parlare con una persona, per favore")
    assert "ti risponderà qui" in thread.words


@pytest.mark.parametrize(
    ("slug", "text", "said"),
    [
        ("conti", "Buongiorno", "Come posso aiutarla?"),
        ("costa-azul", "¡Hola, buenas tardes!", "¿En qué puedo ayudarle?"),
        ("costa-azul", "Olá, bom dia!", "SARA"),
        ("conti", "Good morning!", "How can I help you?"),
        ("aurora", "Buongiorno", "Come posso aiutarti?"),
    ],
)
async def test_a_greeting_passes_the_check_as_it_is_said(
    stage: Stage, slug: str, text: str, said: str
) -> None:
    thread = await stage.customer(slug)
    await thread.say(text)
    assert said in thread.words
    assert thread.state["grounding"]["supported"]


async def test_a_call_for_help_is_answered_in_the_form_of_the_house(stage: Stage) -> None:
    thread = await stage.customer("costa-azul")
    await thread.say("Tengo un dolor muy fuerte en el pecho y no puedo respirar")
    assert "llame de inmediato al 112" in thread.words
    assert FAMILIAR["es"].findall(await read(thread)) == []
    thread = await stage.customer("conti")
    await thread.say("Vorrei parlare con una persona, per favore")
    event = await thread.wrote("Aiuto, non respiro e ho un dolore forte al petto")
    [line], _ = await alarm.while_waiting(event, {}, "it", thread.context)
    assert "chiami subito il 112" in line["text"]


async def test_the_language_that_is_asked_for_is_spoken_in_its_form(stage: Stage) -> None:
    thread = await stage.customer("costa-azul", chat=Scripted(says("", intent="update_contact")))
    await thread.say("Could you write to me in Spanish from now on?")
    await thread.say("yes")
    assert "a partir de ahora le escribo en español" in await read(thread)


async def test_a_business_that_changes_its_address_is_heard_in_the_next_turn(stage: Stage) -> None:
    thread = await stage.customer()
    async with other_pack(stage, "aurora", address={"it": "formal"}):
        await thread.say("Vorrei parlare con una persona, per favore")
        assert "le risponderà qui" in thread.words
        assert list(formal_languages(thread.state)) == ["it"]


async def test_a_thread_of_an_earlier_release_is_answered_informally(stage: Stage) -> None:
    thread = await stage.customer("conti")
    event = await thread.wrote("Riparate biciclette?")
    outcome = {"kind": "answered", "replies": [{"text": "Non lo so."}]}
    state: dict[str, Any] = {"event": event, "language": "it", "outcome": outcome}
    state["proposal"] = {"abstained": True}
    for business in ({}, {"business": {"name": "Studio Legale Conti", "languages": ["it"]}}):
        assert not formal_languages(cast(State, {**state, **business}))
    said = await reply(cast(State, state), Runtime(context=replace(thread.context)))
    assert said["window"][-1]["offers"] == "person"
