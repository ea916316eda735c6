"""How many of what is named a text asks for, and which numbers leave that open."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from inference.quantities import Quantity, quantity

NOW = datetime(2026, 11, 18, 10, tzinfo=ZoneInfo("Europe/Rome"))
MASSAGE = {"massaggio", "massage", "masaje", "massagem", "deep"}
NAMED = {*MASSAGE, "decontratturante", "tissue", "730", "eredita"}


@pytest.mark.parametrize(
    ("language", "text", "number"),
    [
        ("it", "3 massaggi decontratturanti", 3),
        ("it", "cinque sedute di massaggio decontratturante", 5),
        ("it", "5 x massaggio decontratturante", 5),
        ("it", "un massaggio decontratturante", None),
        ("it", "1 massaggio per 4 persone", None),
        ("it", "massaggio per 4 persone", None),
        ("it", "sabato alle 3 massaggio decontratturante", None),
        ("it", "il 20 massaggio decontratturante", None),
        ("it", "massaggio decontratturante il 20 novembre alle 15", None),
        ("it", "massaggio di 80 minuti, ho 100 euro", None),
        ("it", "il modello 730", None),
        ("it", "massaggio per mia madre di 70 anni", None),
        ("en", "3 deep tissue massages", 3),
        ("en", "two massages", 2),
        ("es", "tres masajes", 3),
        ("pt", "4 massagens", 4),
    ],
)
def test_a_number_counts_what_stands_behind_it(language: str, text: str, number: int | None) -> None:
    read = quantity(text, language=language, heads=MASSAGE, named=NAMED, now=NOW, country="IT")
    assert read == Quantity(number)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("it", "massaggio 3 volte a settimana"),
        ("it", "massaggio di 2 ore"),
        ("it", "massaggio per 3 mesi"),
        ("it", "successione con tre eredi"),
        ("it", "2 massaggi o 3 massaggi"),
        ("en", "massage in 3 rooms"),
        ("es", "masaje con 3 amigas"),
    ],
)
def test_a_number_that_is_not_understood_is_unclear(language: str, text: str) -> None:
    read = quantity(text, language=language, heads=MASSAGE, named=NAMED, now=NOW, country="IT")
    assert read == Quantity(None, unclear=True)
