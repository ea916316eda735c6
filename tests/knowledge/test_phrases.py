"""Every sentence SARA can say is in every catalogue, with the same placeholders."""

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from knowledge.phrases import LOCALES, Phrases

ROOT = Path(__file__).parents[2]
SPEAKING = ("tools", "nodes", "jobs", "api", "inference")
LANGUAGES = ("en", "es", "it", "pt")
BUTTONS = (
    "Yes, a colleague please",
    "No, thanks",
    "Yes, confirm",
    "No, change it",
    "Another time",
    "Another service",
    "Write it again",
    "Leave it",
    "Choose",
)
WHATSAPP_BUTTON_TITLE = 20


def sentences(source: str) -> Iterator[str | None]:
    """First arguments of `say(…)`; names of module constants are followed, anything else is None."""
    tree = ast.parse(source)
    constants = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        called = node.func
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        if name != "say":
            continue
        first = node.args[0]
        if isinstance(first, ast.Name):
            yield constants.get(first.id)
        else:
            yield first.value if isinstance(first, ast.Constant) else None


def spoken() -> dict[str, str]:
    """Every sentence in the code, and the file it is in."""
    found = {}
    for room in SPEAKING:
        for file in sorted((ROOT / room).rglob("*.py")):
            if file.is_relative_to(ROOT / "api" / "console"):
                continue  # the interface has a catalogue of its own: tests/api/console/test_words.py
            for sentence in sentences(file.read_text(encoding="utf-8")):
                assert sentence is not None, f"{file}: the first argument of say() must be a literal"
                found[sentence] = f"{room}/{file.name}"
    return found


def placeholders(sentence: str) -> list[str]:
    return sorted(name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None)


def catalogue(language: str) -> dict[str, str]:
    with (LOCALES / f"{language}.po").open("rb") as file:
        return {str(m.id): str(m.string) for m in read_po(file, locale=language) if m.id}


def test_the_code_speaks() -> None:
    assert len(spoken()) > 60
    assert list(sentences('say("a")\nX = "b"\nc.say(X, y=1)\nsay(f"{z}")')) == ["a", "b", None]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_is_in_the_catalogue(language: str) -> None:
    known = catalogue(language)
    missing = {sentence: where for sentence, where in spoken().items() if not known.get(sentence)}
    assert missing == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_keep_the_placeholders(language: str) -> None:
    for sentence, translation in catalogue(language).items():
        assert placeholders(sentence) == placeholders(translation), sentence
        assert translation == translation.strip()


@pytest.mark.parametrize("language", ["it", "es", "pt"])
def test_sentences_are_really_translated(language: str) -> None:
    same = [s for s, t in catalogue(language).items() if s == t and len(re.findall(r"\b[a-z]{3,}", s)) > 1]
    assert same == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_button_titles_fit(language: str) -> None:
    phrases = Phrases.load()
    for title in BUTTONS:
        assert len(phrases.say(language, title)) <= WHATSAPP_BUTTON_TITLE, title


def test_an_unknown_language_speaks_english_and_values_are_filled_in() -> None:
    phrases = Phrases.load()
    assert phrases.languages == list(LANGUAGES)
    assert phrases.say("de", "with {person}", person="Anna") == "with Anna"
    assert phrases.speaker("pt")("with {person}", person="{Ana}") == "com {Ana}"
