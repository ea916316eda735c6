"""The intent of a message without a language model: exact-match rules, then a linear head."""

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.errors import BadModelOutput, ModelMissing, WeightsCorrupt
from inference.lexicon import tokens

WEIGHTS = Path(__file__).parent / "data" / "weights"

INTENTS = (
    "answer",
    "greeting",
    "book_appointment",
    "reschedule_cancel",
    "request_quote",
    "qualify_lead",
    "open_ticket",
    "escalate_to_human",
    "opt_out",
    "other",
)

# fmt: off
# A whole message of one of these is a legal request to stop: it must never depend on a model's mood.
OPT_OUT = frozenset(
    {
        "stop", "stopp", "stop all", "unsubscribe", "opt out", "optout", "baja", "baja por favor",
        "dar de baja", "darme de baja", "darse de baja", "sair", "parar", "pare", "cancelar inscricao",
        "descadastrar", "cancella", "cancellami", "cancellatemi", "cancella iscrizione", "disiscrivi",
        "disiscrivimi", "disiscrivetemi", "remover", "remova", "stop grazie", "stop please", "please stop",
        "stop por favor", "stop messaggi", "stop mensajes", "stop messages", "stop mensagens",
        "sair por favor", "no more messages",
    }
)
GREETING = frozenset(
    {
        "ciao", "salve", "buongiorno", "buon giorno", "buonasera", "buona sera", "buon pomeriggio",
        "buonanotte", "ehi", "grazie", "grazie mille", "arrivederci", "hello", "hi", "hey", "hiya",
        "good morning", "good afternoon", "good evening", "thanks", "thank you", "thank you so much",
        "bye", "goodbye", "hola", "hola buenas", "buenas", "buenos dias", "buenas tardes", "buenas noches",
        "gracias", "muchas gracias", "adios", "ola", "oi", "bom dia", "boa tarde", "boa noite", "obrigado",
        "obrigada", "muito obrigado", "muito obrigada", "tchau", "hi there", "hello there",
        "ciao buongiorno", "hola buenos dias", "hola buenas tardes", "oi bom dia", "ola bom dia",
        "ola boa tarde",
    }
)
# fmt: on


@dataclass(frozen=True)
class LinearHead:
    """A softmax layer read from `<name>.npz`: coef (k, d), bias (k,), classes (k,), temperature ()."""

    classes: tuple[str, ...]
    coef: NDArray[np.float32]
    bias: NDArray[np.float32]
    temperature: float

    @classmethod
    def load(cls, path: Path) -> "LinearHead":
        """Read weights written by inference/train.py. Raises ModelMissing or WeightsCorrupt."""
        try:
            with np.load(path, allow_pickle=False) as file:
                head = cls(
                    tuple(str(c) for c in file["classes"]),
                    file["coef"].astype(np.float32),
                    file["bias"].astype(np.float32),
                    float(file["temperature"]),
                )
        except FileNotFoundError as failure:
            raise ModelMissing(f"no weights at {path}: run `python -m inference.train`") from failure
        except (ValueError, KeyError, OSError, EOFError, TypeError, zipfile.BadZipFile) as failure:
            raise WeightsCorrupt(f"{path} is unreadable: run `python -m inference.train`") from failure
        k = len(head.classes)
        if head.coef.ndim != 2 or head.coef.shape[0] != k or head.bias.shape != (k,) or head.temperature <= 0:
            raise WeightsCorrupt(f"{path} has inconsistent shapes: run `python -m inference.train`")
        return head

    def logits(self, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """Calibrated logits (k,) of a query vector (d,). Raises BadModelOutput for another embedder's."""
        if vector.shape != (self.coef.shape[1],):
            raise BadModelOutput(
                f"the heads were trained on vectors of shape ({self.coef.shape[1]},), got {vector.shape}: "
                "embed the message with DuetEmbedder.query"
            )
        return np.asarray((self.coef @ vector + self.bias) / self.temperature, dtype=np.float32)

    def probabilities(self, vector: NDArray[np.float32]) -> dict[str, float]:
        """Calibrated probability of each class, summing to 1."""
        return softmax(self.classes, self.logits(vector))


def softmax(classes: tuple[str, ...], logits: NDArray[np.float32]) -> dict[str, float]:
    """Probabilities by class name from logits (k,)."""
    weights = np.exp(logits - logits.max())
    return {c: float(p) for c, p in zip(classes, weights / weights.sum(), strict=True)}


def read_sidecar(path: Path) -> dict[str, Any]:
    """The JSON that inference/train.py writes beside weights. Raises ModelMissing or WeightsCorrupt."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as failure:
        raise ModelMissing(f"no {path}: run `python -m inference.train`") from failure
    except ValueError as failure:
        raise WeightsCorrupt(f"{path} is not JSON: run `python -m inference.train`") from failure
    if not isinstance(content, dict):
        raise WeightsCorrupt(f"{path} is not a JSON object: run `python -m inference.train`")
    return content


@dataclass(frozen=True)
class IntentGuess:
    """What the message asks for. `confidence` is a calibrated probability; an exact-match rule gives 1."""

    intent: str
    confidence: float
    scores: Mapping[str, float]


@dataclass(frozen=True)
class IntentClassifier:
    """Rules, then the head; below `reject` the answer is `other`, because nothing known fits."""

    head: LinearHead
    reject: float

    @classmethod
    def load(cls, folder: Path = WEIGHTS) -> "IntentClassifier":
        """Read `intents.npz` and `intents.json`. Raises ModelMissing or WeightsCorrupt."""
        sidecar = read_sidecar(folder / "intents.json")
        try:
            return cls(LinearHead.load(folder / "intents.npz"), float(sidecar["reject"]))
        except (KeyError, TypeError) as failure:
            raise WeightsCorrupt("intents.json lacks `reject`: run `python -m inference.train`") from failure

    def classify(self, text: str, vector: NDArray[np.float32]) -> IntentGuess:
        """The intent of `text`, whose query embedding is `vector` (d,)."""
        certain = exact_intent(text)
        if certain:
            return IntentGuess(certain, 1.0, {certain: 1.0})
        if not any(c.isalnum() for c in text):
            return IntentGuess("other", 1.0, {"other": 1.0})
        scores = self.head.probabilities(vector)
        best = max(scores, key=lambda intent: scores[intent])
        if best != "other" and scores[best] < self.reject:
            return IntentGuess("other", 1.0 - scores[best], scores)
        return IntentGuess(best, scores[best], scores)


def exact_intent(text: str) -> str | None:
    """opt_out or greeting when the whole message is one of their fixed wordings, else None."""
    phrase = " ".join(tokens(text[:80]))
    if phrase in OPT_OUT:
        return "opt_out"
    return "greeting" if phrase in GREETING else None
