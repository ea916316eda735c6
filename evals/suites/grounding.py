"""Are invented claims told from supported ones, before they reach a customer?

Rows: {answer, passages[], supported, question?, language?, kind?, split?}; a passage is a text, or {text,
trusted} where it may be a live fact, which outranks documents. An answer with `supported` false says one
thing its passages do not: it must be refused. One with `supported` true must pass. The figures are those of
`inference.grounding.check`, the same call a turn makes.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evals.dataset import DATASETS, Dataset, read
from evals.measures import interval, sampled, share
from evals.result import Result, Table, played
from inference.grounding import GroundingReport, Source, check
from inference.grounding_reader import Reader

DATASET = DATASETS / "grounding.jsonl"
# Answers worded as freely as a good model words them, by authors who knew none of the rules.
FREE = DATASETS / "grounding_more.jsonl"
# What models of four kinds write in a turn: the prompt and the sources are those of the graph, the questions
# and documents the demo's.
TURNS = DATASETS / "grounding_turns.jsonl"
# Short answers of the kinds the others have, by two authors who knew nothing but the question; the dev rows
# of the first were read while rules were mended, of the test rows of the second four: dates they missed.
PLAIN = DATASETS / "grounding_plain.jsonl"
FIELDS = {"answer": str, "passages": list, "supported": bool}
_LANGUAGES = ("it", "en", "es", "pt")
_COLUMNS = ("", "n", "right", "95 % from", "to")


@dataclass(frozen=True)
class Judged:
    """A row with the verdict on its answer; `blind` is the verdict without being told the language."""

    row: Mapping[str, Any]
    report: GroundingReport
    blind: GroundingReport
    milliseconds: float

    @property
    def refused(self) -> bool:
        """Whether the answer was refused."""
        return not self.report.supported

    @property
    def right(self) -> bool:
        """Whether it passed exactly when its passages support it."""
        return self.report.supported is bool(self.row["supported"])


def rows(dataset: Dataset, split: str | None = None) -> list[dict[str, Any]]:
    """The rows of a split; all for None."""
    return dataset.of_split(split)


def load(path: Any = DATASET) -> Dataset:
    """The gold set, or one like it; a row whose passages hold something else than texts is broken.

    Raises DatasetMissing.
    """
    return read(path, FIELDS, _ready)


def _ready(row: dict[str, Any]) -> dict[str, Any]:
    """Raises ValueError: what is no text would be judged as a source that says nothing."""
    for passage in row["passages"]:
        whole = passage if isinstance(passage, Mapping) else {"text": passage}
        if not isinstance(whole.get("text"), str):
            raise ValueError(f"passages: {passage!r:.80} is neither a text nor an object with a text")
        if not isinstance(whole.get("trusted"), bool | None):
            raise ValueError("passages: trusted must be true or false")
    if not isinstance(row.get("question"), str | None):
        raise ValueError("question must be str")
    return row


def every() -> Dataset:
    """The gold set, the freely worded one, that of turns and the plain one; each row names its `set`.
    Raises DatasetMissing."""
    sets = [load(path) for path in (DATASET, FREE, TURNS, PLAIN)]
    rows_ = tuple({**row, "set": one.path.stem} for one in sets for row in one.rows)
    return Dataset(DATASET, rows_, tuple(line for one in sets for line in one.broken))


def ask(given: Sequence[Mapping[str, Any]], reader: Reader | None = None) -> list[Judged]:
    """Every answer checked against its passages, timed with the passages read for the first time."""
    judged = []
    for row in given:
        sources = [_source(str(at), passage) for at, passage in enumerate(row["passages"])]
        started = time.perf_counter()
        report = check(row["answer"], sources, row.get("language"), reader, row.get("question") or "")
        milliseconds = (time.perf_counter() - started) * 1000
        blind = check(row["answer"], sources, reader=reader, question=row.get("question") or "")
        judged.append(Judged(row, report, blind, milliseconds))
    return judged


def _source(at: str, passage: Any) -> Source:
    if isinstance(passage, Mapping):
        return Source(at, str(passage["text"]), trusted=passage.get("trusted") is True)
    return Source(at, str(passage))


def judge(judged: Sequence[Judged]) -> Result:
    """The figures: the share of fabrications refused and of supported answers refused."""
    invented = [one for one in judged if not one.row["supported"]]
    supported = [one for one in judged if one.row["supported"]]
    by_language = {
        f"recall_{code}": share([one.refused for one in invented if one.row.get("language") == code])
        for code in _LANGUAGES
    }
    figures = {
        "recall": share([one.refused for one in invented]),
        "false_block": share([one.refused for one in supported]),
        "precision": share([not one.row["supported"] for one in judged if one.refused]),
        "recall_language_untold": share([not one.blind.supported for one in invented]),
        "false_block_language_untold": share([not one.blind.supported for one in supported]),
        **by_language,
    }
    return Result(
        suite="grounding",
        figures=figures,
        tables=(
            _summary(judged),
            *_by_set(judged),
            *_by_kind(invented, supported),
            _languages(judged),
            _speed(judged),
        ),
        failures=tuple(_failure(one) for one in judged if not one.right),
        about={"fabrications": len(invented), "supported": len(supported), "median_ms": _median_ms(judged)},
        samples={
            "recall": sampled((_name(one), one.refused) for one in invented),
            "false_block": sampled((_name(one), one.refused) for one in supported),
        },
        played=played(
            ((_name(one), one.row, {"supported": not one.refused}) for one in judged), ("supported",)
        ),
    )


def _name(one: Judged) -> str:
    return str(one.row.get("id") or one.row["answer"])


def _median_ms(judged: Sequence[Judged]) -> float:
    return round(float(np.median([one.milliseconds for one in judged])), 3) if judged else float("nan")


def _summary(judged: Sequence[Judged]) -> Table:
    return Table(
        "answers",
        _COLUMNS,
        tuple(
            _line(name, [one for one in judged if one.row["supported"] is truth])
            for name, truth in (("fabrications refused", False), ("supported passed", True))
        ),
    )


def _by_kind(invented: Sequence[Judged], supported: Sequence[Judged]) -> tuple[Table, ...]:
    return tuple(
        Table(title, _COLUMNS, tuple(_line(kind, _of(some, kind)) for kind in _kinds(some)))
        for title, some in (
            ("fabrications refused, by kind", invented),
            ("supported passed, by kind", supported),
        )
        if _kinds(some)
    )


def _by_set(judged: Sequence[Judged]) -> tuple[Table, ...]:
    names = sorted({str(one.row["set"]) for one in judged if one.row.get("set")})
    lines = []
    for name in names:
        of_set = [one for one in judged if one.row.get("set") == name]
        invented = [one.refused for one in of_set if not one.row["supported"]]
        supported = [one.refused for one in of_set if one.row["supported"]]
        lines.append((name, len(invented), share(invented), len(supported), share(supported)))
    columns = ("", "fabrications", "refused", "supported", "refused")
    return (Table("by set", columns, tuple(lines)),) if names else ()


def _kinds(some: Sequence[Judged]) -> list[str]:
    return sorted({str(one.row["kind"]) for one in some if one.row.get("kind")})


def _of(some: Sequence[Judged], kind: str) -> list[Judged]:
    return [one for one in some if one.row.get("kind") == kind]


def _line(name: str, some: Sequence[Judged]) -> tuple[str | float | int, ...]:
    right = [one.right for one in some]
    return name, len(some), share(right), *interval(right)


def _languages(judged: Sequence[Judged]) -> Table:
    lines = []
    for code in _LANGUAGES:
        spoken = [one for one in judged if one.row.get("language") == code]
        invented = [one.refused for one in spoken if not one.row["supported"]]
        supported = [one.refused for one in spoken if one.row["supported"]]
        lines.append((code, len(invented), share(invented), len(supported), share(supported)))
    return Table("by language", ("", "fabrications", "refused", "supported", "refused"), tuple(lines))


def _speed(judged: Sequence[Judged]) -> Table:
    taken = [one.milliseconds for one in judged] or [float("nan")]
    return Table(
        "milliseconds an answer",
        ("median", "p95", "longest"),
        ((_shown(np.median(taken)), _shown(np.quantile(taken, 0.95)), _shown(max(taken))),),
    )


def _shown(milliseconds: Any) -> float:
    return round(float(milliseconds), 3)


def _failure(one: Judged) -> dict[str, Any]:
    unsupported = "; ".join(f"{claim.kind}: {claim.text}" for claim in one.report.unsupported)
    return {
        "id": one.row.get("id", ""),
        "language": one.row.get("language", ""),
        "kind": one.row.get("kind", ""),
        "answer": one.row["answer"],
        "verdict": f"refused for {unsupported}" if unsupported else "passed",
    }
