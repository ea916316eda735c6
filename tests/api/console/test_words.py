"""Every sentence of the interface is in every catalogue, with the same placeholders."""

import re
import string
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from api.console import words

CONSOLE = Path(words.__file__).parent
SAID = re.compile(r"\bsay\(\s*([\"'])(.+?)\1", re.DOTALL)
LANGUAGES = sorted(words.LANGUAGES)


def spoken() -> dict[str, str]:
    found = {}
    for file in sorted([*CONSOLE.rglob("*.py"), *CONSOLE.rglob("*.html")]):
        for match in SAID.finditer(file.read_text(encoding="utf-8")):
            found[match[2]] = file.name
    return found


def catalogue(language: str) -> dict[str, str]:
    with (words.LOCALES / f"{language}.po").open("rb") as file:
        return {str(m.id): str(m.string) for m in read_po(file, locale=language) if m.id}


def placeholders(sentence: str) -> list[str]:
    return sorted(name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_catalogues_hold_what_is_said_and_nothing_else(language: str) -> None:
    known, said = catalogue(language), spoken()
    assert len(said) > 150
    assert {one: said[one] for one in said if not known.get(one)} == {}
    assert set(known) - set(said) == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_keep_the_placeholders(language: str) -> None:
    for sentence, translation in catalogue(language).items():
        assert placeholders(sentence) == placeholders(translation), sentence


@pytest.mark.parametrize("language", ["it", "es", "pt"])
def test_sentences_are_really_translated(language: str) -> None:
    known = catalogue(language)
    same = [one for one, other in known.items() if one == other and len(one.split()) > 2]
    assert same == []
