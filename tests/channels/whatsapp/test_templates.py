"""Templates as Meta lists them, and the local lint."""

from typing import Any

import pytest

from channels.whatsapp.fields import Malformed
from channels.whatsapp.templates import GraphTemplate, lint, read

GOOD: dict[str, Any] = {
    "name": "autumn_offer",
    "language": "it",
    "category": "MARKETING",
    "status": "APPROVED",
    "quality_score": {"score": "GREEN"},
    "rejected_reason": "NONE",
    "components": [
        {
            "type": "BODY",
            "text": "Ciao {{1}}, questa settimana da {{2}} trovi le novità dell'autunno. Ti aspettiamo!",
            "example": {"body_text": [["Anna", "Aurora"]]},
        },
        {"type": "FOOTER", "text": "Rispondi STOP per non ricevere altro"},
        {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Prenota"}]},
    ],
}


def template(body: str | None = None, **changes: Any) -> GraphTemplate:
    parts = GOOD["components"]
    if body is not None:
        parts = [{"type": "BODY", "text": body, "example": {"body_text": [["a", "b", "c"]]}}]
    return read(GOOD | {"components": parts} | changes)


def test_a_listed_template_is_read_whole() -> None:
    found = read(GOOD)
    assert (found.name, found.code, found.category, found.status) == (
        "autumn_offer",
        "it",
        "MARKETING",
        "APPROVED",
    )
    assert (found.variables, found.examples, found.quick_replies) == (2, 2, ("Prenota",))
    assert found.quality == "GREEN"
    assert found.reason is None
    assert found.plain


def test_what_needs_more_than_values_is_not_plain() -> None:
    header = {"type": "HEADER", "format": "IMAGE"}
    link = {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "Vai", "url": "https://a.it/{{1}}"}]}
    for part in (header, link):
        found = read(GOOD | {"components": [*GOOD["components"][:1], part]})
        assert not found.plain
        assert [f.field for f in lint(found)] == ["components"]
    assert not template("Ciao {{nome}}, ti aspettiamo da noi questa settimana.").plain


def test_quick_replies_behind_another_button_get_no_ids() -> None:
    link = {"type": "URL", "text": "Vai", "url": "https://a.it"}
    reply = {"type": "QUICK_REPLY", "text": "Prenota"}
    for buttons, payloads in (([reply, link], ("Prenota",)), ([link, reply], ())):
        found = read(
            GOOD | {"components": [*GOOD["components"][:1], {"type": "BUTTONS", "buttons": buttons}]}
        )
        assert (found.quick_replies, found.payloads, found.plain) == (("Prenota",), payloads, True)


def test_a_template_without_name_or_language_is_malformed() -> None:
    for missing in ("name", "language"):
        with pytest.raises(Malformed, match=missing):
            read({key: value for key, value in GOOD.items() if key != missing})


def test_a_good_one_has_no_findings() -> None:
    assert lint(read(GOOD), lambda _: "it") == []


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"name": "Autumn-Offer"}, "name", "small letters"),
        ({"category": "PROMOTION"}, "category", "PROMOTION"),
        ({"language": "italian"}, "language", "italian"),
        ({"language": "pt"}, "language", "pt_BR"),
        ({"body": ""}, "body", "needs a body"),
        ({"body": "x" * 1025}, "body", "1025"),
        ({"body": "{{1}}, ti aspettiamo questa settimana"}, "body", "begin nor end"),
        ({"body": "Ti aspettiamo questa settimana, {{1}}"}, "body", "begin nor end"),
        ({"body": "Ciao {{1}} {{2}}, ti aspettiamo questa settimana da noi"}, "body", "between"),
        ({"body": "Ciao {{2}}, ti aspettiamo questa settimana da noi"}, "body", "without a gap"),
        ({"body": "Ciao {{1}}, da {{luogo}} ti aspettiamo questa settimana"}, "body", "all numbered"),
        ({"body": "Ciao {{1, ti aspettiamo questa settimana"}, "body", "not closed"),
        ({"body": "Ciao,\n\n\nti aspettiamo"}, "body", "line breaks"),
    ],
)
def test_what_meta_refuses_is_an_error(changes: dict[str, Any], field: str, words: str) -> None:
    errors = [f for f in lint(template(**changes)) if f.level == "error"]
    assert [(f.field, words in f.words) for f in errors] == [(field, True)]


@pytest.mark.parametrize(
    "body",
    [
        "Solo oggi il 20% di sconto su tutto",
        "Aproveite nossa oferta",
        "Book now, special offer",
        "Rebajas de enero",
    ],
)
def test_advertising_in_a_utility_template_is_a_warning(body: str) -> None:
    assert [f.field for f in lint(template(body, category="UTILITY"))] == ["category"]
    assert lint(template(body)) == []


def test_words_in_another_language_are_a_warning() -> None:
    (finding,) = lint(read(GOOD), lambda _: "es")
    assert (finding.level, finding.field) == ("warning", "language")
    assert lint(read(GOOD), lambda _: None) == []


def test_too_few_words_or_examples_for_its_variables_are_warnings() -> None:
    short = template("Per {{1}} alle {{2}} ok")
    assert ["too few" in f.words for f in lint(short)] == [True]
    bare = read(GOOD | {"components": [{"type": "BODY", "text": GOOD["components"][0]["text"]}]})
    assert ["example" in f.words for f in lint(bare)] == [True]
