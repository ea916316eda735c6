"""Is what a message asks for told without a language model, and how sure is that?

Rows: {text, language, intent, style?, split?}. `intent` is one of `inference.classify.INTENTS`; the rows were
written apart from the classifier's training rows. A wrong tool costs a customer a wrong question, a message
taken for `other` or `answer` by mistake only an answer, so that the two are counted apart.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from evals.dataset import DATASETS, Dataset, read
from evals.measures import interval, mean, sampled, share
from evals.result import Result, Table, played
from inference.classify import INTENTS, IntentGuess
from inference.language import LANGUAGES

DATASET = DATASETS / "intents.jsonl"
FIELDS = {"text": str, "language": str, "intent": str}
_TALK = frozenset({"answer", "greeting", "other"})  # what no tool is started for
_BINS = (0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)


@dataclass(frozen=True)
class Judged:
    """A row with the classifier's guess."""

    row: Mapping[str, Any]
    guess: IntentGuess

    @property
    def intent(self) -> str:
        """What the message asks for."""
        return str(self.row["intent"])

    @property
    def language(self) -> str:
        """The language it is written in."""
        return str(self.row["language"])

    @property
    def right(self) -> bool:
        """Whether the guess is what the message asks for."""
        return self.guess.intent == self.intent

    @property
    def wrong_tool(self) -> bool:
        """Whether a tool would be started that the message does not ask for."""
        return not self.right and self.guess.intent not in _TALK


def load(path: Any = DATASET) -> Dataset:
    """The rows; one whose intent or language is unknown is broken. Raises DatasetMissing."""
    return read(path, FIELDS, _ready)


def _ready(row: dict[str, Any]) -> dict[str, Any]:
    """Raises ValueError."""
    if row["intent"] not in INTENTS:
        raise ValueError(f"no intent {row['intent']!r:.80}")
    if row["language"] not in LANGUAGES:
        raise ValueError(f"no language {row['language']!r:.80}")
    return row


def rows(dataset: Dataset, split: str | None = None) -> list[dict[str, Any]]:
    """The rows of a split; all for None."""
    return dataset.of_split(split)


def judge(judged: Sequence[Judged]) -> Result:
    """The figures: right guesses over all rows, by intent and by language, and tools started by mistake."""
    by_language = {code: [one for one in judged if one.language == code] for code in LANGUAGES}
    by_intent = {intent: [one for one in judged if one.intent == intent] for intent in INTENTS}
    recalls = {intent: share([one.right for one in some]) for intent, some in by_intent.items() if some}
    right = {code: share([one.right for one in some]) for code, some in by_language.items() if some}
    return Result(
        suite="intents",
        figures={
            "right": share([one.right for one in judged]),
            "right_macro": mean(list(recalls.values())),
            **{f"right_{code}": value for code, value in right.items()},
            "right_worst_language": min(right.values(), default=float("nan")),
            **{f"recall_{intent}": value for intent, value in recalls.items()},
            "wrong_tool": share([one.wrong_tool for one in judged]),
            "calibration_error": _calibration_error(judged),
        },
        tables=(
            _by("language", by_language),
            _by("intent", by_intent),
            _by("style", _grouped(judged, lambda one: str(one.row.get("style") or "plain"))),
            _confusion(judged),
            _calibration(judged),
        ),
        failures=tuple(_failure(one) for one in judged if not one.right),
        about={"messages": len(judged)},
        samples={
            "right": sampled((_name(one), one.right) for one in judged),
            "wrong_tool": sampled((_name(one), one.wrong_tool) for one in judged),
        },
        played=played(((_name(one), one.row, {"intent": one.guess.intent}) for one in judged), ("intent",)),
    )


def _name(one: Judged) -> str:
    return f"{one.language}: {one.row['text']}"


def _grouped(judged: Sequence[Judged], key: Callable[[Judged], str]) -> dict[str, list[Judged]]:
    return {name: [one for one in judged if key(one) == name] for name in sorted({key(o) for o in judged})}


def _by(title: str, groups: Mapping[str, Sequence[Judged]]) -> Table:
    lines = []
    for name, some in groups.items():
        right = [one.right for one in some]
        lines.append((name, len(some), share(right), *interval(right), share([o.wrong_tool for o in some])))
    return Table(f"by {title}", ("", "n", "right", "95 % from", "to", "wrong tool"), tuple(lines))


def _confusion(judged: Sequence[Judged]) -> Table:
    """Asked for by row, guessed by column."""
    counted = Counter((one.intent, one.guess.intent) for one in judged)
    lines: list[tuple[str | int, ...]] = []
    for asked in INTENTS:
        lines.append((asked, *(counted[asked, guessed] for guessed in INTENTS)))
    return Table("asked for (rows), guessed (columns)", ("", *INTENTS), tuple(lines))


def _bins(judged: Sequence[Judged]) -> list[tuple[str, list[Judged]]]:
    return [
        (
            f"{low:.2f}-{high:.2f}",
            [o for o in judged if low <= o.guess.confidence < high or o.guess.confidence == high == 1.0],
        )
        for low, high in pairwise(_BINS)
    ]


def _calibration(judged: Sequence[Judged]) -> Table:
    """How sure a guess is against how often it is right."""
    lines = tuple(
        (name, len(some), mean([one.guess.confidence for one in some]), share([one.right for one in some]))
        for name, some in _bins(judged)
        if some
    )
    return Table("calibration of confidence", ("confidence", "n", "mean confidence", "right"), lines)


def _calibration_error(judged: Sequence[Judged]) -> float:
    """The expected calibration error: the gap between sure and right, weighted by rows."""
    gaps = [
        len(some) * abs(mean([o.guess.confidence for o in some]) - share([o.right for o in some]))
        for _, some in _bins(judged)
        if some
    ]
    return sum(gaps) / len(judged) if judged else float("nan")


def _failure(one: Judged) -> dict[str, Any]:
    return {
        "language": one.language,
        "asked for": one.intent,
        "guessed": one.guess.intent,
        "confidence": round(one.guess.confidence, 3),
        "message": one.row["text"],
    }
