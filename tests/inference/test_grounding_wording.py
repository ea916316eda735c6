"""Values worded freely: how people say hours, lengths, sums and their own case, and what stays refused."""

import pytest

from inference.claims import facts
from inference.grounding import Source, ruled


def values(text: str, language: str, kind: str) -> set[str]:
    return {fact.value for fact in facts(text, language) if fact.kind == kind}


def refused(answer: str, source: str, language: str) -> bool:
    return ruled(answer, [Source("s", source)], language)[2]


@pytest.mark.parametrize(
    ("text", "language", "kind", "value"),
    [
        ("La sauna dura un'ora e un quarto.", "it", "duration", "75 min"),
        ("The ride is two hours and a quarter.", "en", "duration", "135 min"),
        ("El paseo son una hora y cuarto.", "es", "duration", "75 min"),
        ("A visita leva uma hora e um quarto.", "pt", "duration", "75 min"),
        ("Si comincia alle nove meno dieci.", "it", "hour", "08:50|20:50"),
        ("Abrimos até quinze para o meio-dia.", "pt", "hour", "11:45|23:45"),
        ("Doors at twenty past six in the evening.", "en", "hour", "18:20"),
        ("Concert: Thursdays 21.15, hall B.", "en", "hour", "21:15"),
        ("Sabato riservato ai soci 15-23.", "it", "hour", "15:00"),
        ("Il piatto costa 14 euro e 50 al banco.", "it", "money", "14.5 EUR"),
        ("Open March to May.", "en", "date", "04"),
        ("Feriale e festivo, nov-feb.", "it", "date", "01"),
        ("Chiuso per San Valentino.", "it", "date", "02-14"),
        ("Yoga Tues, Thurs and Sat.", "en", "weekday", "3"),
        ("Mezza dozzina di ostriche.", "it", "number", "6"),
    ],
)
def test_free_wording_is_read(text: str, language: str, kind: str, value: str) -> None:
    assert value in values(text, language, kind)


@pytest.mark.parametrize(
    ("text", "language", "kind"),
    [
        ("Las dos terrazas tienen sombra.", "es", "hour"),
        ("Free from three nights up.", "en", "hour"),
        ("Gruppi dalle sei alle dodici persone.", "it", "hour"),
        ("Respondemos em dois dias úteis.", "pt", "weekday"),
        ("O passeio vê o mar, sempre.", "pt", "weekday"),
        ("Tartufo 12.50 al pezzo, caffè 1.20.", "it", "hour"),
    ],
)
def test_counts_and_prices_are_no_hours(text: str, language: str, kind: str) -> None:
    assert not values(text, language, kind)


LANES = (
    "Pista: 24 € l'ora. Noleggio scarpe + 3 €. Tessera da 8 ore 160 €. Da 10 persone in su serve una caparra."
)
SHOP = "Delivery £6, free over £50. Cancel up to 4 days before at no cost; later, half is charged."


@pytest.mark.parametrize(
    ("answer", "source", "language", "lies"),
    [
        ("Con le scarpe la pista viene 27 €.", LANES, "it", False),
        ("Con la tessera ogni ora costa 18 €.", LANES, "it", True),
        ("In quattordici serve la caparra.", LANES, "it", False),
        ("La pista costa 29 €.", LANES, "it", True),
        ("With an order of £20 delivery is free.", SHOP, "en", True),
        ("Cancelling nine days before, you pay nothing.", SHOP, "en", False),
        ("Cancelling two days before, you pay nothing.", SHOP, "en", True),
        ("Cancel up to 3 days before at no cost.", SHOP, "en", True),
    ],
)
def test_the_customers_case_and_what_follows(answer: str, source: str, language: str, lies: bool) -> None:
    assert refused(answer, source, language) is lies


PRICES = (
    "Massaggio rilassante | 50 min | 65,00 €\nMassaggio lungo | 80 min | 92,00 €\nDecontratturante | 50 min |"
    " 75,00 €\nPrenatale | 50 min | 70,00 €\nLinfodrenaggio | 60 min | 78,00 €\nDisdetta gratuita fino a 24"
    " ore prima; dopo si paga la metà. Gruppi da 4 persone: sconto 10 %. Extra 5 €. Buoni da 50 a 300 €."
)


@pytest.mark.parametrize(
    "answer",
    [
        "Sì, per te costa sempre 3 euro.",  # what two prices differ by
        "Una seduta costa 3 euro.",
        "Con una spesa di 20 euro fai il massaggio.",
        "Il rilassante costa 27 euro.",
        "Se prenoti una seduta ti costa 30 euro.",
        "Oggi il massaggio costa la metà, 32,50 €.",
        "Il linfodrenaggio costa 83 €.",
        "Il massaggio rilassante costa 13 € in meno, cioè 52 €.",
    ],
)
def test_no_price_is_made_up_of_others(answer: str) -> None:
    assert refused(answer, PRICES, "it")
