"""From a message's vector to the vector that finds what answers it.

Sentence embeddings share much of their direction: some passages are near to every question ("write to us
…"), and passages in the question's own language are nearer than those that answer it in another. Both are
measured on sentences about nothing in particular, for any embedding model. For the bundled encoders a linear
aim comes on top, trained on customers' questions and the passages that answer them (`inference.train_aim`).
"""

import asyncio
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from inference.classify import WEIGHTS
from inference.compass_sentences import MESSAGES, PASSAGES
from inference.duet import DuetEmbedder
from inference.embed import Embedder, Vector
from inference.errors import ModelMissing, WeightsCorrupt
from inference.wording import Wording

# Of what every message has in common, taken out of the question: from 0.5 to 1 the figures hardly move.
COMMON_SHARE = 0.8
# Chosen on the dev split of the gold set; around them the figures hardly move.
_DOCUMENT_WEIGHT = 0.6  # of the document's mean beside the chunk itself
_WORDS_WEIGHT = 0.2  # of the share of the question's words that are said in a chunk
_LANGUAGE_SHARE = 0.6  # of what the passages of a language have in common, taken out of each


@dataclass(frozen=True)
class Aim:
    """A linear turn of question vectors, v + (v @ down) @ up, and what a rank by it is worth.

    `down` (d, r), `up` (r, d). `slope` and `offset` make a rank the probability that the passage answers.
    """

    embedder: str
    down: Vector
    up: Vector
    slope: float
    offset: float

    @classmethod
    def load(cls, folder: Path = WEIGHTS) -> "Aim":
        """Read `aim.npz` and `aim.json`. Raises ModelMissing or WeightsCorrupt."""
        try:
            about = json.loads((folder / "aim.json").read_text("utf-8"))
            with np.load(folder / "aim.npz", allow_pickle=False) as stored:
                down, up = stored["down"].astype(np.float32), stored["up"].astype(np.float32)
            return cls(str(about["embedder"]), down, up, float(about["slope"]), float(about["offset"]))
        except FileNotFoundError as failure:
            raise ModelMissing(f"no aim.* in {folder}: reinstall the package") from failure
        except (OSError, KeyError, TypeError, ValueError, BadZipFile) as failure:
            raise WeightsCorrupt("aim.* is damaged: run `python -m inference.train_aim`") from failure

    def turned(self, vectors: Vector) -> Vector:
        """Question vectors, shape (…, d), turned toward what answers them."""
        return np.asarray(vectors + (vectors @ self.down) @ self.up, dtype=np.float32)

    def probability(self, rank: float) -> float:
        """How likely a passage of this rank answers, 0..1."""
        return 1.0 / (1.0 + math.exp(-min(max(self.slope * rank + self.offset, -50.0), 50.0)))


@dataclass(frozen=True)
class Compass:
    """The bearings of one embedding model.

    `message` is the mean of ordinary messages, `languages` that of ordinary passages by language; all (d,).
    `aim` and `wording` are there for the bundled encoders.
    """

    message: Vector
    languages: Mapping[str, Vector]
    aim: Aim | None
    wording: Wording | None

    def telling(self, asked: Vector) -> Vector:
        """What tells a message from others, turned toward what answers it; shape (d,), not of length 1."""
        bare = np.asarray(asked - COMMON_SHARE * self.message, dtype=np.float32)
        return self.aim.turned(bare) if self.aim else bare

    def rank(self, telling: Vector, language: str, *, chunk: float, document: float, share: float) -> float:
        """How well a chunk in `language` answers: its own nearness to what is asked and its document's, less
        what its language adds, and the share of the question's words that it says."""
        near = (chunk + _DOCUMENT_WEIGHT * document) - _LANGUAGE_SHARE * float(
            telling @ self.common(language)
        )
        return near / (1 + _DOCUMENT_WEIGHT) + _WORDS_WEIGHT * share

    def common(self, language: str) -> Vector:
        """What passages in `language` have in common; shape (d,)."""
        known = self.languages.get(language)
        if known is not None:
            return known
        return np.asarray(np.mean(list(self.languages.values()), axis=0), dtype=np.float32)

    def shares(self, question: str, texts: Sequence[str]) -> Vector:
        """For each text how much of the question's words it says, 0..1; all 0 without word vectors."""
        if self.wording is None:
            return np.zeros(len(texts), dtype=np.float32)
        return self.wording.shares(question, texts)

    def sureness(self, rank: float, similarity: float) -> float:
        """How sure it is that a passage answers, 0..1; its cosine where no aim was trained for the model."""
        return self.aim.probability(rank) if self.aim else min(max(similarity, 0.0), 1.0)


async def take_compass(embedder: Embedder) -> Compass:
    """Embeds the sentences: about two seconds with the bundled encoders. Raises what the embedder does."""
    messages = np.stack([await embedder.query(message) for message in MESSAGES])
    languages = {
        language: np.asarray((await embedder.passages(passages)).mean(axis=0), dtype=np.float32)
        for language, passages in PASSAGES.items()
    }
    aim = Aim.load()
    return Compass(
        np.asarray(messages.mean(axis=0), dtype=np.float32),
        languages,
        aim if aim.embedder == embedder.name else None,
        await asyncio.to_thread(Wording, embedder.encoder) if isinstance(embedder, DuetEmbedder) else None,
    )
