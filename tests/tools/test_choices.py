"""What chooses an option: words that tell, said and not denied."""

import pytest

from tools.choices import chosen

PATIENT = {"self": "Per me", "child": "Per un minore", "other": "Per un adulto"}
TIMES = {"morning": "Mañana", "lunch": "Mediodía", "evening": "Tarde o noche"}
STUDENT = {"child": "Un niño o una niña", "adult": "Un adulto", "company": "Una empresa"}
OPERATION = {"buy": "Comprare", "rent": "Prendere in affitto", "sell": "Vendere", "let": "Dare in affitto"}
HAIR = {"natural": "Naturali", "coloured": "Colorati", "not_hair": "Non è per i capelli"}
URGENCY = {"today": "Hoje", "week": "Esta semana", "later": "Sem pressa"}
ROOMS = {"rent": "Rent a home", "let": "Rent out my home"}
WANTED = {"refund": "Rimborso", "other": "Altro"}


@pytest.mark.parametrize(
    ("titles", "language", "text", "option"),
    [
        (PATIENT, "it", "Vorrei l'apparecchio per mia figlia", None),
        (PATIENT, "it", "per me", "self"),
        (PATIENT, "it", "È per me, grazie", "self"),
        (PATIENT, "it", "per un minore di dieci anni", "child"),
        (TIMES, "es", "Buenas tardes", None),
        (TIMES, "es", "Buenas tardes, mejor por la mañana", "morning"),
        (TIMES, "es", "por la tarde", "evening"),
        (STUDENT, "es", "quiero una clase", None),
        (STUDENT, "es", "una niña de ocho años", "child"),
        (OPERATION, "it", "non voglio vendere", None),
        (OPERATION, "it", "non voglio vendere ma comprare", "buy"),
        (OPERATION, "it", "no, vendere", "sell"),
        (HAIR, "it", "non è per i capelli", "not_hair"),
        (HAIR, "it", "i capelli sono colorati", "coloured"),
        (URGENCY, "pt", "no Porto, esta semana", "week"),
        (URGENCY, "pt", "não tenho pressa", "later"),
        (URGENCY, "pt", "tenho muita pressa", None),
        (ROOMS, "en", "I'd like to rent a home", "rent"),
        (WANTED, "it", "altro", "other"),
        (WANTED, "it", "vorrei un altro appuntamento", None),
    ],
)
def test_an_answer_chooses_by_what_it_tells(
    titles: dict[str, str], language: str, text: str, option: str | None
) -> None:
    assert chosen(titles, text, language, unasked=False) == option


@pytest.mark.parametrize(
    ("titles", "language", "text", "option"),
    [
        (TIMES, "es", "Quisiera información para la tarde del sábado", None),
        (OPERATION, "it", "Cerco un appartamento in affitto in centro", None),
        (OPERATION, "it", "Vorrei comprare un appartamento in centro", "buy"),
        (OPERATION, "it", "Vorrei dare in affitto un appartamento", "let"),
    ],
)
def test_unasked_a_whole_title_must_have_been_said(
    titles: dict[str, str], language: str, text: str, option: str | None
) -> None:
    assert chosen(titles, text, language, unasked=True) == option
