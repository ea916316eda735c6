"""Customers of a business that says Lei or usted hear no tu and no tú from SARA's own sentences."""

import ast
import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from knowledge.phrases import LOCALES, Phrases
from tests.knowledge.test_phrases import BUTTONS, WHATSAPP_BUTTON_TITLE, catalogue, placeholders

ROOT = Path(__file__).parents[2]
LANGUAGES = ("es", "it")
TITLES = (
    *BUTTONS,
    "Yes, book it",
    "Move it",
    "Cancel it",
    "Move one",
    "Cancel one",
    "Please call me",
    "I'll wait here",
    "Skip",
    "I accept",
    "I decline",
    "My details",
    "Billing details",
    "Other number",
)
# The jobs that write to customers; the others write to the team, which is addressed as everywhere.
TO_CUSTOMERS = ("agenda", "attend", "documents", "nps", "paper", "quarantine", "sheet")
FAMILIAR = {
    "it": re.compile(
        r"\b(?:dimmi|scrivimi|puoi|vuoi|ti|te|tuo|tua|tuoi|tue|scegli|sei|hai|devi|vorresti|intendi|preferisci"
        r"|scrivi|dici|accetti|avrai|riceverai|controlla|ricevi|perdona|scusami"
        r"|dimmelo|dimmi|scrivilo|scrivimelo|spostalo|disdicilo|prenotalo|(?!aperti\b)\w{2,}[aei]rti)\b",
        re.IGNORECASE,
    ),
    "es": re.compile(
        r"\b(?:dime|dímelo|escríbeme|escríbelo|puedes|quieres|ti|te|tu|tus|tuya|contigo|elige|has|estás|tienes"
        r"|necesitas|prefieres|refieres|escribes|mandas|envías|dices|cuentas|aceptas|cambias|recibirás|tendrás"
        r"|perdona|revisa|recomendarías|\w{2,}[aei]rte)\b",
        re.IGNORECASE,
    ),
}


def overlay(language: str) -> dict[str, str]:
    with (LOCALES / f"{language}_formal.po").open("rb") as file:
        return {str(m.id): str(m.string) for m in read_po(file, locale=language) if m.id}


def told_to_customers() -> set[str]:
    """The sentences that stand in the code that speaks to customers, wherever in it."""
    files = [ROOT / "jobs" / f"{name}.py" for name in TO_CUSTOMERS]
    files += [file for room in ("nodes", "tools", "inference") for file in (ROOT / room).rglob("*.py")]
    known = catalogue("en")
    return {
        node.value
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in known
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_formal_sentence_is_one_that_is_said_and_differs(language: str) -> None:
    plain = catalogue(language)
    for sentence, translation in overlay(language).items():
        assert sentence in plain
        assert translation != plain[sentence], sentence
        assert placeholders(translation) == placeholders(sentence), sentence
        assert translation == translation.strip()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_formal_sentence_is_familiar(language: str) -> None:
    familiar = {s: t for s, t in overlay(language).items() if FAMILIAR[language].search(t)}
    assert familiar == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_a_customer_is_told_formally_is_familiar(language: str) -> None:
    say, sentences = Phrases.load().speaker(language, formal={language}), told_to_customers()
    assert len(sentences) > 150
    familiar = {s: said for s in sentences if FAMILIAR[language].search(said := say(s))}
    assert familiar == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_forms_looked_for_are_those_of_the_plain_sentences(language: str) -> None:
    plain, formal = catalogue(language), overlay(language)
    missed = [plain[s] for s in formal if not FAMILIAR[language].search(plain[s])]
    assert len(missed) < len(formal) / 4, missed


@pytest.mark.parametrize("language", LANGUAGES)
def test_formal_button_titles_fit(language: str) -> None:
    say = Phrases.load().speaker(language, formal={language})
    for title in TITLES:
        assert len(say(title)) <= WHATSAPP_BUTTON_TITLE, title


def test_who_speaks_formally_says_the_rest_as_usual() -> None:
    phrases = Phrases.load()
    assert phrases.languages == ["en", "es", "it", "pt"]
    formal, plain = phrases.speaker("it", formal={"it"}), phrases.speaker("it")
    assert formal("Choose") == "Scelga"
    assert plain("Choose") == phrases.say("it", "Choose") == "Scegli"
    assert formal("with {person}", person="Anna") == "con Anna"
    assert formal("not in any catalogue") == "not in any catalogue"
    for language in ("en", "pt", "de"):
        assert phrases.speaker(language, formal={language})("Choose") == phrases.say(language, "Choose")
