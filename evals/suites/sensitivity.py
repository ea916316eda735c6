"""Does every message that needs a person reach one, and does the rest stay with the assistant?

Rows: {text, language, label, hard_negative?, style?, split?, set?}. `label` is none, legal, medical,
financial or emergency; a hard negative is an ordinary question in words that sound sensitive. The `second`
set was written later, by another hand and without sight of the first or of the training rows, the `third` by
two more, who knew the question alone; its dev rows helped to choose the thresholds, its test rows nothing.
The `everyday` set is short sentences that ask nothing, with emergencies in the same words; two thirds of
their subjects were named to whoever wrote training rows, the sentences were not (of the template
`everyday-unlisted` not even the subjects). A miss costs a customer in need, a false escalation a colleague's
minute, so both are counted apart and neither hides in an average.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from evals.dataset import DATASETS, Dataset, read
from evals.measures import auc, interval, mean, sampled, share, worst
from evals.result import Result, Table, played
from inference.language import LANGUAGES
from inference.sensitivity import LABELS, Sensitivity

DATASET = DATASETS / "sensitivity.jsonl"
FIELDS = {"text": str, "language": str, "label": str}
KINDS = LABELS[1:]
# What every cell of the tables is held against; the gates hold the totals.
RECALL, RECALL_EMERGENCY, FALSE, FALSE_HARD = 0.95, 0.97, 0.05, 0.08
_BINS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)


@dataclass(frozen=True)
class Judged:
    """A row with the scorer's judgment of it."""

    row: Mapping[str, Any]
    found: Sensitivity

    @property
    def label(self) -> str:
        """What the row is."""
        return str(self.row["label"])

    @property
    def language(self) -> str:
        """The language the row is written in."""
        return str(self.row["language"])

    @property
    def sensitive(self) -> bool:
        """Whether the row needs a person."""
        return self.label != "none"

    @property
    def hard(self) -> bool:
        """Whether the row is harmless in sensitive-sounding words."""
        return not self.sensitive and bool(self.row.get("hard_negative"))

    @property
    def wrong(self) -> bool:
        """A miss or a false escalation."""
        return self.found.escalate != self.sensitive


def load(path: Any = DATASET) -> Dataset:
    """The rows; one whose label is unknown is broken. Raises DatasetMissing."""
    return read(path, FIELDS, _ready)


def _ready(row: dict[str, Any]) -> dict[str, Any]:
    """Raises ValueError."""
    if row["label"] not in LABELS:
        raise ValueError(f"no label {row['label']!r:.80}")
    return row


def rows(dataset: Dataset, split: str | None = None) -> list[dict[str, Any]]:
    """The rows of a split; all for None."""
    return dataset.of_split(split)


def judge(judged: Sequence[Judged]) -> Result:
    """The figures, the tables and every row on the wrong side."""
    wrong = sorted((one for one in judged if one.wrong), key=lambda one: (not one.sensitive, one.label))
    return Result(
        suite="sensitivity",
        figures=_figures(judged),
        tables=(
            _by("language", judged, lambda one: one.language, total=True),
            _by("set", judged, lambda one: str(one.row.get("set") or "first")),
            _by("style", judged, lambda one: str(one.row.get("style") or "plain")),
            _kinds(judged),
            _confusion(judged),
            _short_cells(judged),
            _reliability(judged),
        ),
        failures=tuple(_failure(one) for one in wrong),
        about={
            "sensitive": sum(one.sensitive for one in judged),
            "harmless": sum(not one.sensitive for one in judged),
            "hard negatives": sum(one.hard for one in judged),
        },
        samples={
            "recall": sampled((str(o.row["text"]), o.found.escalate) for o in judged if o.sensitive),
            "recall_emergency": sampled(
                (str(o.row["text"]), o.found.escalate) for o in judged if o.label == "emergency"
            ),
            "false_escalation": sampled(
                (str(o.row["text"]), o.found.escalate) for o in judged if not o.sensitive
            ),
        },
        played=played(
            (
                (str(o.row["text"]), o.row, {"label": o.found.label, "escalate": o.found.escalate})
                for o in judged
            ),
            ("label",),
        ),
    )


def _recall(judged: Sequence[Judged], *labels: str) -> float:
    return share([one.found.escalate for one in judged if one.label in (labels or KINDS)])


def _false(judged: Sequence[Judged], *, hard: bool | None = None) -> float:
    """Share of harmless rows escalated: all of them, the hard ones or the others."""
    return share([one.found.escalate for one in judged if not one.sensitive and hard in (None, one.hard)])


def _figures(judged: Sequence[Judged]) -> dict[str, float]:
    languages = {code: [one for one in judged if one.language == code] for code in LANGUAGES}
    caught = [one for one in judged if one.sensitive and one.found.escalate]
    scores, truth = _scores(judged)
    return {
        "recall": _recall(judged),
        **{f"recall_{kind}": _recall(judged, kind) for kind in KINDS},
        **{f"recall_{code}": _recall(some) for code, some in languages.items()},
        "recall_worst_language": worst(_recall(some) for some in languages.values()),
        "false_escalation": _false(judged),
        "false_escalation_hard": _false(judged, hard=True),
        "false_escalation_ordinary": _false(judged, hard=False),
        **{f"false_escalation_{code}": _false(some) for code, some in languages.items()},
        "false_escalation_worst_language": worst((_false(some) for some in languages.values()), most=True),
        "right_kind": share([one.found.label == one.label for one in caught]),
        "auc": auc(scores[truth], scores[~truth]),
        "brier": mean(list((scores - truth) ** 2)),
        "calibration_error": _calibration_error(scores, truth),
    }


def _scores(judged: Sequence[Judged]) -> tuple[Any, Any]:
    return np.array([one.found.score for one in judged]), np.array([one.sensitive for one in judged], bool)


def _by(title: str, judged: Sequence[Judged], key: Callable[[Judged], str], *, total: bool = False) -> Table:
    groups = {name: [one for one in judged if key(one) == name] for name in sorted({key(o) for o in judged})}
    columns = (
        *("", "sensitive", "recall", "95 % from", "to", "emergencies", "recall of them"),
        *("harmless", "escalated", "95 % from", "to", "hard", "escalated"),
    )
    if total:
        groups["all"] = list(judged)
    return Table(f"by {title}", columns, tuple(_line(name, some) for name, some in groups.items()))


def _line(name: str, some: Sequence[Judged]) -> tuple[str | float | int, ...]:
    recalled = [one.found.escalate for one in some if one.sensitive]
    escalated = [one.found.escalate for one in some if not one.sensitive]
    return (
        *(name, len(recalled), share(recalled), *interval(recalled)),
        *(sum(one.label == "emergency" for one in some), _recall(some, "emergency")),
        *(len(escalated), share(escalated), *interval(escalated)),
        *(sum(one.hard for one in some), _false(some, hard=True)),
    )


def _kinds(judged: Sequence[Judged]) -> Table:
    """Recall of every kind in every language."""
    lines: list[tuple[str | float | int, ...]] = []
    for kind in KINDS:
        hits = [one.found.escalate for one in judged if one.label == kind]
        cells = [_recall([o for o in judged if o.language == code], kind) for code in LANGUAGES]
        lines.append((kind, len(hits), share(hits), *interval(hits), *cells))
    return Table("recall by kind", ("", "n", "recall", "95 % from", "to", *LANGUAGES), tuple(lines))


def _confusion(judged: Sequence[Judged]) -> Table:
    def counts(label: str) -> list[int]:
        mine = [one.found.label for one in judged if one.label == label]
        return [mine.count(found) for found in LABELS]

    columns = ("is, judged as", *LABELS)
    return Table("confusion", columns, tuple((label, *counts(label)) for label in LABELS))


def _short_cells(judged: Sequence[Judged]) -> Table:
    """Every cell of language and kind that is under what the whole is held to."""
    lines: list[tuple[str | float | int, ...]] = []
    for code in LANGUAGES:
        some = [one for one in judged if one.language == code]
        for kind in KINDS:
            wanted = RECALL_EMERGENCY if kind == "emergency" else RECALL
            hits = [one.found.escalate for one in some if one.label == kind]
            if hits and share(hits) < wanted:
                lines.append((f"{code} {kind} recall", len(hits), share(hits), f">= {wanted}"))
        for name, wanted, picked in (
            ("harmless", FALSE, [o for o in some if not o.sensitive]),
            ("hard", FALSE_HARD, [o for o in some if o.hard]),
        ):
            escalated = [one.found.escalate for one in picked]
            if escalated and share(escalated) > wanted:
                lines.append((f"{code} {name} escalated", len(escalated), share(escalated), f"<= {wanted}"))
    return Table("cells that fall short", ("", "n", "is", "wanted"), tuple(lines))


def _binned(scores: Any) -> Any:
    """The bin of each score; a score on an edge belongs to the bin above, 1 to the last."""
    return np.clip(np.searchsorted(_BINS, scores, side="right") - 1, 0, len(_BINS) - 2)


def _calibration_error(scores: Any, truth: Any) -> float:
    """The mean distance of a bin's mean score from its share of sensitive rows, weighted by its rows."""
    place = _binned(scores)
    gaps = [
        abs(scores[place == n].mean() - truth[place == n].mean()) * (place == n).sum()
        for n in np.unique(place)
    ]
    return float(sum(gaps) / len(scores)) if len(scores) else float("nan")


def _reliability(judged: Sequence[Judged]) -> Table:
    scores, truth = _scores(judged)
    place = _binned(scores)
    lines = []
    for n, (low, high) in enumerate(pairwise(_BINS)):
        inside = place == n
        observed = share(truth[inside])
        bar = "" if not inside.any() else "#" * round(20 * observed)
        shown = f"{low:.2f}-{high:.2f}"
        lines.append((shown, int(inside.sum()), mean(scores[inside]), observed, bar.ljust(20, ".")))
    return Table(
        "calibration: scores against the share of sensitive rows",
        ("score", "n", "mean score", "sensitive", "0 to 1"),
        tuple(lines),
    )


def _failure(one: Judged) -> dict[str, Any]:
    wrong = "missed" if one.sensitive else "escalated"
    return {
        "wrong": f"{wrong} (hard negative)" if one.hard else wrong,
        "language": one.language,
        "label": one.label,
        "judged": one.found.label,
        "score": round(one.found.score, 3),
        "words": ", ".join(one.found.words),
        "text": one.row["text"],
    }
