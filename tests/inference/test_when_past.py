"""The day something happened on: the words of a day to come, read backwards from 18 November 2026."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from inference.when_past import past_day

NOW = datetime(2026, 11, 18, 10, tzinfo=ZoneInfo("Europe/Rome"))


@pytest.mark.parametrize(
    ("language", "text", "day"),
    [
        ("it", "il 10 novembre", date(2026, 11, 10)),
        ("it", "martedì 10 novembre alle 9", date(2026, 11, 10)),
        ("it", "il 20 dicembre", date(2025, 12, 20)),
        ("it", "il 10/11", date(2026, 11, 10)),
        ("it", "10/11/2024", date(2024, 11, 10)),
        ("it", "il 18 novembre", date(2026, 11, 18)),
        ("it", "il 20", date(2026, 10, 20)),
        ("it", "il 31", date(2026, 10, 31)),
        ("it", "lunedì scorso", date(2026, 11, 16)),
        ("it", "lo scorso lunedì", date(2026, 11, 16)),
        ("it", "lunedì", date(2026, 11, 16)),
        ("it", "mercoledì scorso", date(2026, 11, 11)),
        ("it", "venerdì 13", date(2026, 11, 13)),
        ("it", "ieri sera verso le 10", date(2026, 11, 17)),
        ("it", "l'altro ieri", date(2026, 11, 16)),
        ("it", "tre giorni fa", date(2026, 11, 15)),
        ("it", "oggi", date(2026, 11, 18)),
        ("it", "a Natale", date(2025, 12, 25)),
        ("en", "last Monday", date(2026, 11, 16)),
        ("en", "last night", date(2026, 11, 17)),
        ("en", "on the 10th", date(2026, 11, 10)),
        ("en", "November 3rd", date(2026, 11, 3)),
        ("en", "5 days ago", date(2026, 11, 13)),
        ("es", "el lunes pasado", date(2026, 11, 16)),
        ("es", "el pasado lunes", date(2026, 11, 16)),
        ("es", "hace dos días", date(2026, 11, 16)),
        ("es", "anoche", date(2026, 11, 17)),
        ("es", "el 10 de noviembre", date(2026, 11, 10)),
        ("pt", "segunda-feira passada", date(2026, 11, 16)),
        ("pt", "há 3 dias", date(2026, 11, 15)),
        ("pt", "anteontem", date(2026, 11, 16)),
        ("pt", "no dia 10", date(2026, 11, 10)),
    ],
)
def test_a_day_is_the_last_of_its_name(language: str, text: str, day: date) -> None:
    assert past_day(text, language=language, now=NOW, country="IT") == day


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("it", "domani"),
        ("it", "lunedì prossimo"),
        ("it", "la settimana scorsa"),
        ("it", "martedì della settimana scorsa"),
        ("it", "il 10 del mese scorso"),
        ("it", "mercoledì"),
        ("it", "tra il 10 e il 12 novembre"),
        ("it", "il 20 dicembre 2026"),
        ("it", "non ricordo"),
        ("en", "a couple of weeks ago"),
        ("es", "pasado mañana"),
        ("pt", "o mês passado"),
    ],
)
def test_what_is_no_one_day_that_is_past_is_none(language: str, text: str) -> None:
    assert past_day(text, language=language, now=NOW, country="IT") is None


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("ho avuto un tamponamento ieri mattina", date(2026, 11, 17)),
        ("ho avuto un tamponamento lunedì scorso", date(2026, 11, 16)),
        ("la polizza scade il 10 dicembre e ho rotto il vetro", None),
        ("posso passare lunedì per una perdita d'acqua?", None),
    ],
)
def test_unasked_only_what_cannot_be_to_come_is_read(text: str, day: date | None) -> None:
    assert past_day(text, language="it", now=NOW, country="IT", plainly=True) == day
