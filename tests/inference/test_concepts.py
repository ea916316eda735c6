"""Concepts: what a message speaks of, in any of the languages, with a typing error or two."""

from pathlib import Path

import pytest

from inference.concepts import Concepts
from inference.errors import ModelMissing, WeightsCorrupt


@pytest.fixture(scope="module")
def concepts() -> Concepts:
    return Concepts.load()


def test_syntax() -> None:
    concepts = Concepts.compile(
        ["# a list", "", "medicine: xarelto paracetamol* sleeping_pill*", "late: tarde"]
    )
    assert concepts.names == ("medicine", "late")
    assert concepts.find("XARELTO?") == ("medicine",)
    assert concepts.find("two paracetamols, it is tarde") == ("medicine", "late")
    assert concepts.find("a sleeping pill") == concepts.find("my sleeping pills") == ("medicine",)
    assert concepts.find("sleeping") == concepts.find("pills") == concepts.find("") == ()


@pytest.mark.parametrize("typo", ["xareltto", "xarlto", "xarelko"])
def test_one_typing_error_in_a_long_word_is_forgiven(typo: str) -> None:
    assert Concepts.compile(["medicine: xarelto"]).find(typo) == ("medicine",)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("posso fare la sauna? prendo l'eliquis", "medicine"),
        ("estoy embarazada de tres meses", "pregnancy"),
        ("a minha senhoria quer despejar-me", "housing"),
        ("should I remortgage now", "loan"),
        ("¿puedo desgravarlo?", "tax"),
        ("vorrei spostare l'appuntamento", "book"),
    ],
)
def test_all_languages(concepts: Concepts, text: str, name: str) -> None:
    assert name in concepts.find(text)


def test_a_line_that_is_not_one_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsCorrupt, match="line 2"):
        Concepts.compile(["medicine: xarelto", "no colon here"])
    with pytest.raises(ModelMissing):
        Concepts.load(tmp_path / "concepts.txt")
