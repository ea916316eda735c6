"""Intents: rules that never fail, a calibrated head, and the reject threshold."""

from pathlib import Path

import numpy as np
import pytest

from inference.classify import INTENTS, WEIGHTS, IntentClassifier, LinearHead, exact_intent
from inference.duet import DuetEmbedder
from inference.errors import BadModelOutput, ModelMissing, WeightsCorrupt


@pytest.fixture(scope="module")
def e5() -> DuetEmbedder:
    return DuetEmbedder()


@pytest.fixture(scope="module")
def classifier() -> IntentClassifier:
    return IntentClassifier.load()


@pytest.mark.parametrize(
    "text", ["STOP", " stop. ", "Baja!", "SAIR", "cancella", "Cancelar inscrição", "unsubscribe"]
)
def test_stop_words_opt_out(text: str) -> None:
    assert exact_intent(text) == "opt_out"


@pytest.mark.parametrize("text", ["ciao", "Buongiorno!!", "olá", "HOLA", "thank you 🙏", "ciaooo"])
def test_greetings(text: str) -> None:
    assert exact_intent(text) == "greeting"


@pytest.mark.parametrize(
    "text", ["cancella l'appuntamento", "stop smoking course?", "ciao quanto costa?", "", "👍"]
)
def test_rules_need_the_whole_message(text: str) -> None:
    assert exact_intent(text) is None


# None of these is a training row.
@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("potrei avere un appuntamento mercoledì pomeriggio?", "book_appointment"),
        ("can I please be put through to a real person", "escalate_to_human"),
        ("necesito cambiar mi cita del viernes para el lunes", "reschedule_cancel"),
        ("vocês poderiam me mandar um orçamento pra 6 sessões", "request_quote"),
        ("la doccia dell'appartamento perde e nessuno viene a ripararla", "open_ticket"),
        ("stop sending me promotional messages please", "opt_out"),
    ],
)
async def test_unseen_messages(
    e5: DuetEmbedder, classifier: IntentClassifier, text: str, intent: str
) -> None:
    guess = classifier.classify(text, await e5.query(text))
    assert guess.intent == intent
    assert sum(guess.scores.values()) == pytest.approx(1, abs=1e-4)
    assert set(guess.scores) == set(INTENTS)


async def test_doubt_is_other(e5: DuetEmbedder, classifier: IntentClassifier) -> None:
    strict = IntentClassifier(classifier.head, reject=0.9999)
    text = "mah, non so, vediamo"
    assert strict.classify(text, await e5.query(text)).intent == "other"
    assert classifier.classify("👍👍", await e5.query("👍👍")).intent == "other"


def test_vectors_of_another_embedder_are_refused(classifier: IntentClassifier) -> None:
    with pytest.raises(BadModelOutput, match="DuetEmbedder"):
        classifier.classify("una domanda", np.zeros(1024, dtype=np.float32))


def test_missing_and_damaged_weights(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match=r"inference\.train"):
        LinearHead.load(tmp_path / "intents.npz")
    whole = (WEIGHTS / "intents.npz").read_bytes()
    for damaged in (b"", b"not a zip", whole[: len(whole) // 2]):
        (tmp_path / "intents.npz").write_bytes(damaged)
        with pytest.raises(WeightsCorrupt):
            LinearHead.load(tmp_path / "intents.npz")
    (tmp_path / "intents.json").write_text("[]")
    with pytest.raises(WeightsCorrupt):
        IntentClassifier.load(tmp_path)
