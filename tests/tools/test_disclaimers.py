"""Disclaimers are added by rule, on their occasion, once a conversation, in the customer's language."""

from pathlib import Path
from typing import Any

import pytest

from tests.tools.shops import open_shop
from tests.tools.talk import Room, Talk
from tools.disclaimers import disclaimed

CURE = "non sostituiscono una cura"


async def answered(talk: Talk, question: str, reply: str = "Sì.", intent: str = "answer") -> str:
    """What is said to a question; the thread's window keeps what SARA said."""
    await talk.say(question, intent=intent, reply=reply)
    window = talk.state.setdefault("window", [])
    window.append({"author": "bot", "text": talk.words, "at": ""})
    return talk.words


async def test_at_its_words_and_once(room: Room) -> None:
    talk = await room.talk("aurora", "it")
    assert await answered(talk, "Avete il parcheggio?") == "Sì."
    assert CURE in await answered(talk, "Fate massaggi in gravidanza?")
    assert CURE not in await answered(talk, "E per il mal di schiena?")


async def test_in_the_customers_language(room: Room) -> None:
    talk = await room.talk("aurora", "pt")
    assert "não substituem cuidados médicos" in await answered(talk, "É bom na gravidez?", "Sim.")


async def test_the_first_answer_and_no_greeting(room: Room, tmp_path: Path) -> None:
    talk = await room.talk(await open_shop(room, tmp_path, "medical"), "en")
    assert await answered(talk, "Hi", "Hello!", intent="greeting") == "Hello!"
    assert "does not replace a visit" in await answered(talk, "Do you have parking?", "Yes.")
    assert await answered(talk, "Are you open on Friday?", "Yes, we are.") == "Yes, we are."


async def test_where_a_price_is_told(room: Room, tmp_path: Path) -> None:
    talk = await room.talk(await open_shop(room, tmp_path, "hotel"), "it")
    assert await answered(talk, "C'è la palestra?", "Sì.") == "Sì."
    assert "tassa di soggiorno" in await answered(talk, "Quanto costa la doppia?", "La doppia costa 90,00 €.")


async def test_when_something_was_done(room: Room) -> None:
    talk = await room.talk("conti", "it")
    await talk.say("vorrei la prima consulenza", intent="book_appointment")
    while talk.state["frame"]["question"]["slot"] != "confirm":
        await talk.say(option=talk.options[0])
    assert "documento d'identità" not in talk.words
    await talk.say("sì")
    assert "Porti un documento d'identità" in talk.words


async def test_not_below_an_abstention(room: Room, tmp_path: Path) -> None:
    talk = await room.talk(await open_shop(room, tmp_path, "medical"), "en")
    talk.state["proposal"] = {}
    outcome: dict[str, Any] = {"kind": "declined", "intent": "answer", "replies": [{"text": "I don't know."}]}
    profile = await room.profile("aurora")
    assert disclaimed(outcome, profile, language="en", asked="pregnancy", said=[]) == outcome


@pytest.mark.parametrize("kind", ["silent", "answered"])
async def test_nothing_said_nothing_added(room: Room, kind: str) -> None:
    outcome: dict[str, Any] = {"kind": kind, "intent": "answer", "replies": []}
    profile = await room.profile("aurora")
    assert disclaimed(outcome, profile, language="en", asked="pregnancy", said=[]) == outcome
