"""Whole stories, from the customer's phone and back."""

import itertools
import re
import secrets
from pathlib import Path

import pytest

from sara.demo import JOURNEYS, journeys
from sara.exchange import Customer, exchange
from sara.local import Local
from sara.play import Expect, play, read

_senders = itertools.count(secrets.randbelow(10**8) * 1000 + 394 * 10**11)
_AMOUNT = re.compile(
    r"[€$£]\s*\d|\d[\d.,]*\s*(?:€|\$|£|eur\b|euros?\b|dollars?\b|pounds?\b|d[oó]lares\b|reais\b)",
    re.IGNORECASE,
)
# What none of the businesses offers and no document mentions.
INVENTED = [
    ("aurora", "it", "Quanto costa la riparazione di un motore fuoribordo?"),
    ("aurora", "en", "How much do you charge to tune a grand piano?"),
    ("conti", "en", "What is the price of a hot-air balloon ride for two?"),
    ("costa-azul", "es", "¿Cuánto cuesta arreglar una bicicleta de montaña?"),
    ("costa-azul", "pt", "Quanto custa um corte de cabelo para o meu cão?"),
]


@pytest.mark.parametrize(
    "path", [*journeys(), *sorted((JOURNEYS / "actions").glob("*.yaml"))], ids=lambda path: path.stem
)
async def test_the_journeys(whole: Local, path: Path) -> None:
    journey = await play(whole, read(path), base=JOURNEYS, customer=str(next(_senders)))
    assert [f"{step.said}: {problem}" for step in journey.steps for problem in step.problems] == []
    assert journey.passed


@pytest.mark.parametrize("language", ["it", "en", "es", "pt"])
async def test_a_booking_by_voice_note_is_read_back_in_every_language(whole: Local, language: str) -> None:
    path = JOURNEYS / "voice" / f"{language}.yaml"
    journey = await play(whole, read(path), base=path.parent, customer=str(next(_senders)))
    assert [f"{step.said}: {problem}" for step in journey.steps for problem in step.problems] == []
    assert journey.passed
    heard = journey.steps[0].result
    assert heard is not None
    assert heard.transcript
    assert heard.transcript not in journey.steps[-1].said


async def test_a_journey_without_its_read_back_fails(whole: Local) -> None:
    path = JOURNEYS / "voice" / "it.yaml"
    script = read(path)
    wrong = script.steps[0].model_copy(update={"expect": Expect(read_back="un massaggio lunare")})
    journey = await play(
        whole,
        script.model_copy(update={"steps": (wrong,)}),
        base=path.parent,
        customer=str(next(_senders)),
    )
    assert [step.problems for step in journey.steps] == [
        ("no reply so far reads back 'un massaggio lunare'",)
    ]


@pytest.mark.parametrize(("business", "language", "question"), INVENTED)
async def test_a_price_that_is_in_no_document_is_never_said(
    whole: Local, business: str, language: str, question: str
) -> None:
    came = await exchange(whole, Customer(business, str(next(_senders)), "Anna"), text=question)
    assert came.language == language
    assert came.reply
    assert _AMOUNT.findall(came.reply) == []


async def test_a_price_that_is_in_a_document_is(whole: Local) -> None:
    customer = Customer("aurora", str(next(_senders)), "Anna")
    came = await exchange(whole, customer, text="Quanto costa un massaggio rilassante?")
    assert _AMOUNT.findall(came.reply) == ["65,00 €"]
    assert came.sources
