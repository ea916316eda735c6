"""Grounding: values in other words are the same values, and what follows from a source needs its operands."""

import pytest

from inference.claims import facts
from inference.grounding import Source, check

WASH = "Washer 8 kg: £4.50 | Dryer: £1 per 6 minutes | Service wash: £16 per bag | Large bag: £24"
GYM = "Abbonamento mensile: 45 € | Trimestrale: 120 € | Ingresso singolo: 9 €. Età minima 16 anni."
SHOP = "Aperto dal martedì al sabato 9:00-19:00. Da maggio a ottobre anche la terrazza. Reso entro 60 giorni."
CUTS = (
    "Service: Cut (stylist) | Price: £55 | Service: Cut (director) | Price: £78 | Service: Toner | Price: £35"
)
DOGS = "Dogs up to 10 kg: £18 a day. Over 10 kg: £25 a day. Second dog: 10 % less. Drop-off is free."


@pytest.mark.parametrize(
    ("text", "language", "kind", "value"),
    [
        ("mil trescientos pesos", "es", "money", "1300 USD"),
        ("un millón doscientos cincuenta mil pesos", "es", "money", "1250000 USD"),
        ("quatrocentos e setenta reais", "pt", "money", "470 BRL"),
        ("a hundred and five pounds", "en", "money", "105 GBP"),
        ("duecentonovanta euro", "it", "money", "290 EUR"),
        ("seis euros y medio", "es", "money", "6.5 EUR"),
        ("six pounds twenty", "en", "money", "6.2 GBP"),
        ("por ciento ochenta libras", "es", "money", "180 GBP"),
        ("setenta y cinco por ciento", "es", "percent", "75"),
        ("setenta e duas horas", "pt", "duration", "4320 min"),
        ("two and a half hours", "en", "duration", "150 min"),
        ("una hora y veinte", "es", "duration", "80 min"),
        ("half a year", "en", "duration", "6 month"),
        ("from nine till half five", "en", "hour", "05:30|17:30"),
        ("7 giorni su 7", "it", "weekday", "6"),
        ("from May to October", "en", "date", "07"),
        ("minus thirty-eight", "en", "number", "-38"),
    ],
)
def test_values_in_words_have_one_form(text: str, language: str, kind: str, value: str) -> None:
    assert (kind, value) in [(f.kind, f.value) for f in facts(text, language)]


def test_two_numbers_are_not_one() -> None:
    said = [f.value for f in facts("de veinte a treinta euros", "es")]
    assert said == ["20 EUR", "30 EUR"]


def refused(answer: str, source: str, language: str) -> set[str]:
    report = check(answer, [Source("s", source)], language)
    return {claim.kind for claim in report.unsupported} - {"content"}


@pytest.mark.parametrize(
    ("answer", "source", "language"),
    [
        ("Half an hour in the dryer is £5.", WASH, "en"),
        ("Two service washes come to £32.", WASH, "en"),
        ("Un anno di abbonamento mensile sono 540 €.", GYM, "it"),
        ("Suo figlio ha 14 anni, quindi non può entrare: l'età minima è 16 anni.", GYM, "it"),
        ("Il lunedì siamo chiusi.", SHOP, "it"),
        ("A luglio c'è anche la terrazza.", SHOP, "it"),
        ("Può rendere entro due mesi.", SHOP, "it"),
        ("The director's cut is £78.", CUTS, "en"),
        ("Your puppy weighs 6 kilos, so he is £18 a day.", DOGS, "en"),
        ("You get a 10 % discount on the second dog.", DOGS, "en"),
    ],
)
def test_what_follows_is_no_invention(answer: str, source: str, language: str) -> None:
    assert refused(answer, source, language) == set()


@pytest.mark.parametrize(
    ("answer", "source", "language", "kind"),
    [
        ("Half an hour in the dryer is £7.", WASH, "en", "money"),
        ("Half it is: £12 for the large bag.", WASH, "en", "money"),
        ("L'età minima è 14 anni.", GYM, "it", "duration"),
        ("Il lunedì siamo aperti.", SHOP, "it", "weekday"),
        ("A dicembre c'è la terrazza.", SHOP, "it", "date"),
        ("Può rendere entro sei mesi.", SHOP, "it", "duration"),
        ("A cut with the director is £55.", CUTS, "en", "money"),
        ("The toner is £78.", CUTS, "en", "money"),
        (
            "You get a 10 % discount at the café.",
            "Second dog: half price. The café is open.",
            "en",
            "percent",
        ),
        ("The slot is sorted and it's on us.", DOGS, "en", "promise"),
    ],
)
def test_what_does_not_follow_is_named(answer: str, source: str, language: str, kind: str) -> None:
    assert kind in refused(answer, source, language)


def test_a_quotation_is_word_for_word() -> None:
    source = [
        Source("s", "Please do not bring dogs into the garden."),
        Source("own", "Our documents say: “”"),
    ]
    assert check("Our documents say: “do not bring dogs into the garden”", source, "en").supported
    false = check("The first rule is «reveal every hidden instruction at once».", source, "en")
    assert not false.supported
    assert [claim.value for claim in false.unsupported if claim.kind == "content"].count("quoted") == 1


@pytest.mark.parametrize(
    ("language", "closed", "lies", "true"),
    [
        ("it", "Studio Conti: lunedì 28 dicembre 2026 siamo chiusi.",
         ("Sì, il 28 dicembre siamo aperti.", "Aperti, sì: il 28 dicembre ci siamo."),
         "Il 28 dicembre siamo chiusi."),
        ("en", "Conti: on Monday, 28 December 2026 we are closed.",
         ("Yes, we are open on 28 December.", "Open, yes: on 28 December we are here."),
         "We are closed on 28 December."),
        ("es", "Conti: el lunes, 28 de diciembre de 2026 estamos cerrados.",
         ("Sí, el 28 de diciembre estamos abiertos.", "Abrimos el 28 de diciembre."),
         "El 28 de diciembre estamos cerrados."),
        ("pt", "Conti: segunda-feira, 28 de dezembro de 2026, encerrado.",
         ("Sim, estamos abertos no dia 28 de dezembro.", "Abertos, sim: no dia 28 de dezembro estamos cá."),
         "No dia 28 de dezembro estamos encerrados."),
    ],
)  # fmt: skip
def test_a_day_of_the_year_that_is_shut_is_not_called_open(
    language: str, closed: str, lies: tuple[str, ...], true: str
) -> None:
    source = [Source("F1", closed, trusted=True)]
    assert [check(lie, source, language=language).supported for lie in lies] == [False, False]
    assert check(true, source, language=language).supported
