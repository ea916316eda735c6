"""How notice, opening times and money are said, in four languages and as a country writes its money."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from knowledge.phrases import Phrases
from tests.tools.talk import Room
from tools.holding import holding
from tools.wording import money, notice, number

NIGHT = datetime(2026, 11, 20, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        (1, "1 minuto"),
        (45, "45 minuti"),
        (60, "1 ora"),
        (90, "90 minuti"),
        (1440, "24 ore"),
        (2880, "48 ore"),
        (3000, "50 ore"),
        (4320, "3 giorni"),
        (43200, "30 giorni"),
    ],
)
def test_notice_is_told_in_what_it_is_counted_in(minutes: int, said: str) -> None:
    assert notice(minutes, "it") == said


@pytest.mark.parametrize(
    ("language", "said"), [("it", "3 giorni"), ("en", "3 days"), ("es", "3 días"), ("pt", "3 dias")]
)
def test_days_of_notice_in_every_language(language: str, said: str) -> None:
    assert notice(3 * 1440, language) == said


@pytest.mark.parametrize(
    ("language", "country", "currency", "written"),
    [
        ("it", "IT", "EUR", "1.234,50 €"),
        ("en", "IT", "EUR", "€1,234.50"),
        ("pt", "PT", "EUR", "1 234,50 €"),
        ("pt", "BR", "BRL", "R$ 1.234,50"),
        ("en", "BR", "BRL", "R$1,234.50"),
        ("es", "MX", "MXN", "$1,234.50"),
        ("en", "US", "USD", "$1,234.50"),
        ("it", "CH", "CHF", "CHF 1’234.50"),
        ("pt", "", "EUR", "1 234,50 €"),
    ],
)
def test_money_is_written_as_its_country_does(
    language: str, country: str, currency: str, written: str
) -> None:
    assert money(Decimal("1234.50"), currency, language, country) == written


def test_numbers_go_with_the_money() -> None:
    assert (number(Decimal("1234.50"), "pt", "BR"), number(Decimal("2.00"), "pt", "BR")) == ("1.234,5", "2")


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("it", "riapriamo sabato 21 novembre, 09:30: ti"),
        ("en", "open again on Saturday 21 November, 09:30: you"),
        ("es", "abrimos de nuevo el sábado 21 de noviembre, 9:30: te"),
        ("pt", "Próxima abertura: sábado, 21 de novembro, 09:30. Respondemos"),
    ],
)
async def test_the_next_opening_is_said_as_people_say_it(room: Room, language: str, said: str) -> None:
    profile, say = await room.profile("aurora"), Phrases.load().speaker(language)
    assert said in holding(profile, say, language, NIGHT)
    own = replace(profile, holding={("closed", language): "({when})"})
    assert holding(own, say, language, NIGHT).removeprefix("(").removesuffix(")") in said
