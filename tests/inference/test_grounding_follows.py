"""What the sources say in other words or figures, and what belongs to another day."""

import pytest

from inference.claims import facts
from inference.grounding import Source, ruled
from inference.grounding_covered import covered
from inference.grounding_names import uncalled
from inference.grounding_words import fold

WEEK = "Office open Monday to Thursday 9:00–17:30, Friday 9:00–16:30. Closed at weekends."


def values(text: str, kind: str, language: str) -> set[str]:
    return {fact.value for fact in facts(text, language) if fact.kind == kind}


def kinds(answer: str, source: str, language: str) -> list[str]:
    return ruled(answer, [Source("s", source)], language)[1]


@pytest.mark.parametrize(
    ("text", "language", "dates"),
    [
        ("half term 15-19 Feb off", "en", {"02-15", "02-19"}),
        ("19 Dec - 3 Jan", "en", {"12-19", "01-03"}),
        ("Closed December 24-26, 2026", "en", {"2026-12-24", "2026-12-26"}),
        ("June 5 to 8, four guests", "en", {"06-05", "06-08"}),
        ("11 Jan - 26 Mar 2027", "en", {"01-11", "2027-03-26"}),
        ("dal 7 al 9 ott.", "it", {"10-07", "10-09"}),
        ("closed Christmas Eve", "en", {"12-24"}),
        ("último sábado, 21h", "pt", {"last/5"}),
        ("a segunda quarta-feira do mês", "pt", {"2/2"}),
        ("5 out of 10", "en", set()),
        ("lun 9-13 mar 15-19", "it", set()),
    ],
)
def test_dates_as_people_write_them(text: str, language: str, dates: set[str]) -> None:
    assert values(text, "date", language) == dates


@pytest.mark.parametrize(
    ("text", "language", "kind", "found"),
    [
        ("General English | 15 h/week | £195", "en", "duration", {"900 min"}),
        ("Sesión completa (6 h) $290.000", "es", "duration", {"360 min"}),
        ("Quanto à hora de saída", "pt", "duration", set()),
        ("hasta la una del mediodía", "es", "hour", {"01:00|13:00"}),
        ("il cappotto e le due camicie", "it", "hour", set()),
        ("tra l'una e le due", "it", "hour", {"02:00|14:00"}),
        ("quattrocentosessantacinquemila euro", "it", "money", {"465000 EUR"}),
        ("duemilacinquecento euro", "it", "money", {"2500 EUR"}),
    ],
)
def test_lengths_hours_and_amounts_as_people_write_them(
    text: str, language: str, kind: str, found: set[str]
) -> None:
    assert values(text, kind, language) == found


@pytest.mark.parametrize(
    ("answer", "source", "language"),
    [
        ("In piscina dal 23 maggio al 27 settembre.", "Piscina dal 23/05/2026 al 27/09/2026.", "it"),
        ("Estaremos de vacaciones del 10/08 al 24/08.", "En agosto cerramos del 10 al 24.", "es"),
        ("Vindima dias 12/09, 13/09 e 19/09.", "Vindima: 12, 13 e 19 de setembro.", "pt"),
        ("Deve pesare almeno 1500 grammi.", "Peso minimo 1,5 kg.", "it"),
        ("A partir de onze pessoas há desconto.", "Grupos acima de 10 pessoas têm desconto.", "pt"),
        ("You'd get 50% back.", "Cancel 14-29 days out for half.", "en"),
    ],
)
def test_what_follows_is_no_invention(answer: str, source: str, language: str) -> None:
    assert not {"date", "number", "percent", "hour"} & set(kinds(answer, source, language))


@pytest.mark.parametrize(
    ("answer", "source", "language", "kind"),
    [
        ("From the 16th to the 19th of February.", "Half term 15-19 Feb.", "en", "date"),
        ("El baile es el primer sábado del mes.", "Baile mensal: último sábado, 21h.", "es", "date"),
        ("Estaremos de vacaciones del 11/08 al 24/08.", "En agosto cerramos del 10 al 24.", "es", "date"),
        ("Deve pesare almeno 1800 grammi.", "Peso minimo 1,5 kg.", "it", "number"),
        ("A partir de nove pessoas há desconto.", "Grupos acima de 10 pessoas têm desconto.", "pt", "number"),
        ("Fridays we're here from nine until half past five.", WEEK, "en", "hour"),
        ("We're closed on Sunday and Tuesday.", f"{WEEK} Closed Sunday.", "en", "polarity"),
    ],
)
def test_what_does_not_follow_is_found(answer: str, source: str, language: str, kind: str) -> None:
    assert kind in kinds(answer, source, language)


def test_an_hour_of_its_own_day_stands() -> None:
    assert "hour" not in kinds("On Fridays we close at half past four.", WEEK, "en")
    assert "hour" not in kinds("On Tuesday we're open from nine until 5.30 pm.", WEEK, "en")


@pytest.mark.parametrize(
    ("answer", "name", "left"),
    [
        ("Ciao Giulia, certo!", "Giulia Rossi", "Ciao , certo!"),
        ("A domani, Sig.ra Giulia Rossi!", "Giulia Rossi", "A domani, !"),
        ("Perfetto Giulia", "Giulia", "Perfetto"),
        ("Lo fa Nadia Corsi.", "Nadia Corsi Massaggiatrice", "Lo fa Nadia Corsi."),
        ("Pode usar sessenta noites.", "Proprietária Sessenta Noites", "Pode usar sessenta noites."),
        ("Nobody is called.", None, "Nobody is called."),
    ],
)
def test_a_name_is_left_out_where_it_calls_somebody(answer: str, name: str | None, left: str) -> None:
    assert " ".join(uncalled(answer, name).split()) == left


def test_covered_is_all_of_a_line_and_nothing_else() -> None:
    source = ["Membership: Full | £42 per month | all opening hours\nDay pass | £9"]

    def seen(sentence: str) -> tuple[int, int]:
        return covered(fold(sentence), facts(sentence, "en"), "en", source)

    assert seen("Full membership is £42 per month, all opening hours.") == (1, 1)
    assert seen("Full membership is £9.") == (0, 1)  # each in the source, not in one line
    assert seen("Full membership is £45 per month.") == (0, 0)
    assert seen("Full membership is not £42 per month.") == (0, 1)  # a line that denies as often
