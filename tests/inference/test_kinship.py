"""Words near one another in sense are no strangers, in one language or across two."""

import pytest

from inference.duet import SentenceEncoder
from inference.grounding import Source, check
from inference.kinship import Kinship


@pytest.fixture(scope="module")
def kin() -> Kinship:
    return Kinship(SentenceEncoder())


def test_a_word_of_the_same_sense_is_no_stranger(kin: Kinship) -> None:
    texts = ["Prestiamo un ombrello agli ospiti."]
    assert kin.strangers(["umbrella"], "An umbrella is lent.", texts, across=True) == []
    assert kin.strangers(["mortgage"], "A mortgage is lent.", texts, across=True) == ["mortgage"]


def test_a_plain_word_is_no_stranger_anywhere(kin: Kinship) -> None:
    assert kin.strangers(["volentieri"], "Volentieri.", ["Vendiamo trapani."], across=False) == []


def test_without_texts_or_words(kin: Kinship) -> None:
    assert kin.strangers(["trapano"], "Un trapano.", [], across=False) == ["trapano"]
    assert kin.strangers([], "", ["Vendiamo trapani."], across=False) == []


def test_a_trade_outside_the_dictionary_may_be_paraphrased(kin: Kinship) -> None:
    sources = [
        Source("a", "Ripariamo violini e violoncelli; cambiamo le corde e rifacciamo i crini dell'arco.")
    ]
    said = "We fix fiddles and cellos, and put new strings on."
    assert not check(said, sources, "en").supported
    assert check(said, sources, "en", kin).supported


def test_what_the_sources_never_mention_is_still_refused(kin: Kinship) -> None:
    sources = [
        Source("a", "Ripariamo violini e violoncelli; cambiamo le corde e rifacciamo i crini dell'arco.")
    ]
    assert not check("Organizziamo gite in barca con degustazione di vini.", sources, "it", kin).supported
    assert not check(
        "Ripariamo violini e offriamo anche il noleggio di biciclette.", sources, "it", kin
    ).supported
