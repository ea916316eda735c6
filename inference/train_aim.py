"""Train the aim of search: `python -m inference.train_aim` rewrites data/weights/aim.*.

Rows are passages of invented businesses with the questions they answer, and questions nothing answers. A
question must be nearer to its passage than to the other passages of the same business, and what has an answer
must be nearer to something than what has none. E5 has learnt from most of these businesses already, whose
questions it finds too well: only those it has never seen (`held_out`) tell how sure a rank is. The run is
deterministic.
"""

import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from inference.classify import WEIGHTS
from inference.compass import COMMON_SHARE, Aim, Compass
from inference.compass_sentences import MESSAGES, PASSAGES
from inference.duet import DuetEmbedder
from inference.embed import Vector
from inference.train_e5_rows import held_out
from inference.wording import Wording

DATA = Path(__file__).parent / "data" / "search_pairs.jsonl"
# Of the turn that was learnt, how much is taken; and how many directions of it are kept. Chosen, as are the
# training's own settings, on the dev split of the retrieval gold set.
SHARE = 0.5
RANK = 128
LANGUAGE_SHARE = 0.5
# Of what customers ask, how much is assumed to have no answer in the documents.
UNANSWERED_SHARE = 0.25
_CANDIDATES = 33  # passages that search puts in order
_TEMPERATURE = 0.03
_UNANSWERED_WEIGHT = 1.0
_HOLD = 2e-3  # how strongly the turn is held back
_EPOCHS = 40
_STEP = 1e-3
_SEED = 0

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Business:
    """One invented business: passages (p, d) without what those of a language have in common, its questions
    (q, d) with the index of the passage that answers each, and the questions nothing answers (u, d). `told`
    are the rows of the passages, `asked` all questions' words, those nothing answers last."""

    name: str
    passages: Vector
    questions: Vector
    answers: NDArray[np.int_]
    unanswered: Vector
    told: Sequence[dict[str, Any]]
    asked: Sequence[str]


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows. Raises ValueError naming the line that is none."""
    rows = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        row = json.loads(line)
        if not row.get("business") or not row.get("questions"):
            raise ValueError(f"{path.name}:{number}: needs business and questions")
        rows.append(row)
    return rows


def bearings(embedder: DuetEmbedder) -> tuple[Vector, dict[str, Vector]]:
    """The mean message and the mean passage of each language, as `inference.compass` takes them."""
    messages = np.stack([embedder.query_now(message) for message in MESSAGES])
    languages = {code: embedder.passages_now(list(texts)).mean(axis=0) for code, texts in PASSAGES.items()}
    return messages.mean(axis=0), languages


def businesses(rows: Sequence[dict[str, Any]], embedder: DuetEmbedder) -> list[Business]:
    """The rows embedded, business by business, without what messages and passages have in common."""
    message, languages = bearings(embedder)

    def asked(questions: list[dict[str, Any]]) -> Vector:
        vectors = [embedder.query_now(question["text"]) - COMMON_SHARE * message for question in questions]
        return np.stack(vectors) if vectors else np.empty((0, embedder.dimensions), dtype=np.float32)

    found = []
    for name in sorted({row["business"] for row in rows}):
        own = [row for row in rows if row["business"] == name]
        told = [row for row in own if row.get("passage")]
        rest = [row for row in own if not row.get("passage")]
        passages = embedder.passages_now([f"{row['title']}\n{row['passage']}" for row in told])
        common = np.stack([languages[row["language"]] for row in told])
        found.append(
            Business(
                name,
                passages - LANGUAGE_SHARE * common,
                asked([question for row in told for question in row["questions"]]),
                np.array([n for n, row in enumerate(told) for _ in row["questions"]]),
                asked([question for row in rest for question in row["questions"]]),
                told,
                [question["text"] for row in [*told, *rest] for question in row["questions"]],
            )
        )
    return found


def _gradient(turn: Floats, business: Business) -> Floats:
    """Of the log loss of picking the right passage, and of the pairwise loss of answered over unanswered."""
    scores = business.questions @ turn @ business.passages.T / _TEMPERATURE
    chance = np.exp(scores - scores.max(axis=1, keepdims=True))
    chance /= chance.sum(axis=1, keepdims=True)
    chance[np.arange(len(chance)), business.answers] -= 1
    gradient = business.questions.T @ chance @ business.passages / _TEMPERATURE
    if len(business.unanswered):
        lost = business.unanswered @ turn @ business.passages.T / _TEMPERATURE
        over = lost.max(axis=1)[:, None] - scores.max(axis=1)[None, :]
        weight = _UNANSWERED_WEIGHT / (1 + np.exp(-over)) / len(lost)
        nearest, answered = business.passages[lost.argmax(axis=1)], business.passages[scores.argmax(axis=1)]
        gradient += (business.unanswered * weight.sum(axis=1)[:, None]).T @ nearest / _TEMPERATURE
        gradient -= (business.questions * weight.sum(axis=0)[:, None]).T @ answered / _TEMPERATURE
    return np.asarray(gradient / len(business.questions))


def learn(rows: Sequence[Business]) -> Floats:
    """The turn, (d, d), by Adam over the businesses in a fixed random order."""
    random, size = np.random.default_rng(_SEED), rows[0].passages.shape[1]
    still = np.eye(size, dtype=np.float32)
    turn, first, second = still.copy(), np.zeros_like(still), np.zeros_like(still)
    step = 0
    for _ in range(_EPOCHS):
        order = random.permutation(len(rows))
        for start in range(0, len(order), 2):
            batch = [rows[n] for n in order[start : start + 2]]
            gradient = sum(_gradient(turn, one) for one in batch) / len(batch) + _HOLD * (turn - still)
            step += 1
            first = 0.9 * first + 0.1 * gradient
            second = 0.999 * second + 0.001 * gradient**2
            turn -= _STEP * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
    return turn


def first_ranks(rows: Sequence[Business], compass: Compass) -> Floats:
    """Of each question, also of those nothing answers, the rank of the passage that search would show first
    among those of all these businesses: together they have as many as one that keeps some sixty documents. A
    document is what has one title."""
    told = [row for one in rows for row in one.told]
    titles = [f"{row['business']} {row['title'].partition(' > ')[0]}" for row in told]
    common = np.stack([compass.common(row["language"]) for row in told])
    passages = np.concatenate([one.passages for one in rows]) + LANGUAGE_SHARE * common
    place = {title: number for number, title in enumerate(dict.fromkeys(titles))}
    of = np.array([place[title] for title in titles])
    documents = np.stack([passages[of == number].mean(axis=0) for number in range(len(place))])
    texts = [f"{row['title']} {row['passage']}" for row in told]

    def first(question: str, vector: Vector) -> float:
        telling = compass.aim.turned(vector) if compass.aim else vector
        near, whole = passages @ telling, (documents @ telling)[of]
        # As search does it: the words are looked at in the nearest only.
        nearest = np.argsort(near)[::-1][:_CANDIDATES]
        shares = compass.shares(question, [texts[n] for n in nearest])
        return max(
            compass.rank(telling, told[n]["language"], chunk=near[n], document=whole[n], share=share)
            for n, share in zip(nearest, shares, strict=True)
        )

    vectors = [vector for one in rows for vector in (*one.questions, *one.unanswered)]
    return np.array(
        [first(*asked) for asked in zip((a for one in rows for a in one.asked), vectors, strict=True)]
    )


def calibrated(rows: Sequence[Business], compass: Compass) -> tuple[float, float]:
    """Slope and offset that make a first hit's rank the probability that there is an answer: a logistic
    regression over questions of businesses that neither E5 nor the aim has learnt from, in which those that
    nothing answers weigh UNANSWERED_SHARE."""
    ranks = first_ranks(rows, compass)
    known = np.concatenate([np.arange(len(one.asked)) < len(one.answers) for one in rows])
    share = np.where(known, 1 - UNANSWERED_SHARE, UNANSWERED_SHARE)
    weights = share / np.where(known, known.sum(), (~known).sum()) * len(known)
    model = LogisticRegression(C=1e6).fit(ranks[:, None], known, sample_weight=weights)
    return float(model.coef_[0, 0]), float(model.intercept_[0])


def train(data: Path = DATA, weights: Path = WEIGHTS) -> dict[str, Any]:
    """Train, write weights and sidecar, and return the sidecar."""
    embedder = DuetEmbedder()
    rows = read_rows(data)
    whole = businesses(rows, embedder)
    turn = learn([one for one in whole if not held_out(one.name)])
    left, sizes, right = np.linalg.svd(
        SHARE * (turn - np.eye(embedder.dimensions, dtype=np.float32)), full_matrices=False
    )
    down, up = (left[:, :RANK] * sizes[:RANK]).astype(np.float16), right[:RANK].astype(np.float16)
    np.savez_compressed(weights / "aim.npz", down=down, up=up)
    aim = Aim(embedder.name, down.astype(np.float32), up.astype(np.float32), 1.0, 0.0)
    compass = Compass(*bearings(embedder), aim, Wording(embedder.encoder))
    slope, offset = calibrated([one for one in whole if held_out(one.name)], compass)
    sidecar_path = weights / "aim.json"
    sidecar = {
        "embedder": embedder.name,
        "dimensions": embedder.dimensions,
        "rank": RANK,
        "rows": len(rows),
        "questions": sum(len(row["questions"]) for row in rows),
        "rows_sha256": hashlib.sha256(data.read_bytes()).hexdigest(),
        "slope": round(slope, 4),
        "offset": round(offset, 4),
    }
    sidecar_path.write_text(json.dumps(sidecar, indent=1, sort_keys=True) + "\n", "utf-8")
    return sidecar


if __name__ == "__main__":
    json.dump(train(), sys.stdout, indent=1)
