"""Sensitivity: emergencies by word or by model, thresholds per language, a conversation's score."""

import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from inference.classify import WEIGHTS
from inference.duet import DuetEmbedder
from inference.errors import BadModelOutput, ModelMissing, WeightsCorrupt
from inference.lexicon import LEXICONS, Lexicon
from inference.sensitivity import EMERGENCY_LEAD, SensitivityScorer, combine


@pytest.fixture(scope="module")
def e5() -> DuetEmbedder:
    return DuetEmbedder()


@pytest.fixture(scope="module")
def scorer() -> SensitivityScorer:
    return SensitivityScorer.load()


# None of these is a training row.
@pytest.mark.parametrize(
    ("text", "language", "label"),
    [
        ("presto un'ambulanza, mio nonno non respira!!", "it", "emergency"),
        ("AIUTOOO mio marito mi ha picchiataaa", "it", "emergency"),
        ("chiamate un ambulnza", "it", "emergency"),
        ("I really want to kill myself", "en", "emergency"),
        ("my wife took a whole bottle of pills", "en", "emergency"),
        ("no quiero vivir más", "es", "emergency"),
        ("meu filho engoliu um frasco de remédio", "pt", "emergency"),
        ("posso fare causa al mio datore di lavoro per il mobbing?", "it", "legal"),
        ("what antibiotic dose should I take for a tooth infection?", "en", "medical"),
        ("¿me conviene invertir mis ahorros en acciones o en un fondo?", "es", "financial"),
    ],
)
async def test_sensitive(
    e5: DuetEmbedder, scorer: SensitivityScorer, text: str, language: str, label: str
) -> None:
    found = scorer.score(text, await e5.query(text), language)
    assert (found.label, found.escalate) == (label, True)
    assert 0.0 <= found.score <= 1.0


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("quanto costa il massaggio per chi ha mal di schiena?", "it"),
        ("vorrei prenotare una manicure per sabato", "it"),
        ("what papers do I bring when I come to sign?", "en"),
        ("dying to try your new facial!", "en"),
        ("¿a qué hora abren mañana?", "es"),
        ("quanto custa a limpeza de pele?", "pt"),
        ("morrendo de vontade de ir aí", "pt"),
    ],
)
async def test_ordinary(e5: DuetEmbedder, scorer: SensitivityScorer, text: str, language: str) -> None:
    found = scorer.score(text, await e5.query(text), language)
    assert (found.label, found.escalate) == ("none", False)


async def test_emergency_words_escalate_whatever_the_threshold(
    e5: DuetEmbedder, scorer: SensitivityScorer
) -> None:
    text = "sento odore di gas"
    found = scorer.score(text, await e5.query(text), "it", {"it": 1.0})
    assert found.escalate
    assert found.words == ("odore di gas",)


async def test_thresholds_are_overridden_by_language_or_for_all(
    e5: DuetEmbedder, scorer: SensitivityScorer
) -> None:
    text = "vorrei prenotare una manicure"
    vector = await e5.query(text)
    assert scorer.score(text, vector, "it", {"it": 0.0}).escalate
    assert scorer.score(text, vector, "it", {"default": 0.0}).escalate
    assert not scorer.score(text, vector, "it", {"es": 0.0}).escalate
    about = scorer.score(text, vector, "it", {"default": 0.0}).label
    assert scorer.score(text, vector, "it", {about: 0.0, "it": 1.0}).escalate
    assert not scorer.score(text, vector, None).escalate


async def test_wording_counts_beside_the_embedding(e5: DuetEmbedder, scorer: SensitivityScorer) -> None:
    vector = await e5.query("is it fine to take this?")
    plain = scorer.score("is it fine to take this bag?", vector, "en")
    medicine = scorer.score("is it fine to take this with xarelto?", vector, "en")
    assert medicine.scores["medical"] > plain.scores["medical"]
    assert sum(medicine.scores.values()) == pytest.approx(1, abs=1e-5)


def test_an_emergency_needs_less_than_other_kinds(scorer: SensitivityScorer) -> None:
    usual = scorer.threshold("it", None, "legal")
    assert scorer.threshold("it", None, "emergency") == pytest.approx(usual - EMERGENCY_LEAD)
    assert scorer.threshold("it", {"it": 0.6}, "emergency") == 0.6
    assert scorer.threshold("de") == scorer.thresholds["default"]


async def test_judging_is_quick_even_for_a_long_message(e5: DuetEmbedder, scorer: SensitivityScorer) -> None:
    text = "vorrei sapere se posso prenotare un massaggio per mia madre che prende la pillola " * 12
    vector = await e5.query(text)
    scorer.score(text, vector, "it")
    spent = []
    for _ in range(5):
        began = time.perf_counter()
        scorer.score(text, vector, "it")
        spent.append(time.perf_counter() - began)
    assert min(spent) < 0.015


@pytest.mark.parametrize("text", ["", "👍", "?!", "a", "x" * 5000, "no\u0301 \x00 \ud7ff"])
async def test_any_text_gets_a_score(e5: DuetEmbedder, scorer: SensitivityScorer, text: str) -> None:
    found = scorer.score(text, await e5.query(text), "it")
    assert 0.0 <= found.score <= 1.0


def test_vectors_of_another_embedder_are_refused(scorer: SensitivityScorer) -> None:
    with pytest.raises(BadModelOutput, match="DuetEmbedder"):
        scorer.score("una domanda", np.zeros(1024, dtype=np.float32), "it")


def test_weights_belong_to_the_word_lists(scorer: SensitivityScorer, tmp_path: Path) -> None:
    shutil.copytree(LEXICONS, tmp_path / "lexicon")
    with (tmp_path / "lexicon" / "concepts.txt").open("a") as file:
        file.write("weather: rain lluvia pioggia chuva\n")
    with pytest.raises(WeightsCorrupt, match="other word lists"):
        SensitivityScorer.load(WEIGHTS, tmp_path / "lexicon")
    assert scorer.version.startswith("3-")


def test_lexicon_syntax() -> None:
    lexicon = Lexicon.compile(
        ["kill _ myself", "suicid*", "non? respira|respiro", "! suicide squad  # a film"]
    )
    assert lexicon.matches("I could kill and maim Myself") == ("kill and maim myself",)
    assert lexicon.matches("pensieri suicidi") == ("suicidi",)
    assert lexicon.matches("Respiro") == ("respiro",)
    assert lexicon.matches("suicide squad tonight?") == ()
    assert lexicon.excuses("a suicide squad film")
    assert Lexicon.compile([]).matches("anything") == ()


def test_missing_lexicon(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing):
        Lexicon.load(tmp_path, "emergency")


def test_a_conversation_rises_and_fades() -> None:
    assert combine(0.4, 0.4) > 0.4
    assert combine(0.0, 0.9) == pytest.approx(0.9)
    faded = 0.9
    for _ in range(4):
        faded = combine(faded, 0.05)
    assert faded < 0.2
    assert combine(7.0, -3.0) == pytest.approx(0.5)
