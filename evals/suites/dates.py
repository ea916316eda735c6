"""Is what customers say about days and hours read right, and left alone where it is not plain?

Rows: {text, language, now, time_zone, value, accepted?, kind?, split?}. `now` is local time in `time_zone`.
`value` is what is meant, in the form of `inference.when`: an ISO local time, a date~part, or null where
nothing is said, where it must be asked or where no such time exists. `accepted` are other readings a careful
person may come to ("next Friday" said on a Monday). An answer that is neither is a miss when it is null,
since the customer is then asked, and wrong otherwise.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from evals.dataset import DATASETS, Dataset, read
from evals.measures import interval, sampled, share, worst
from evals.result import Result, Table, played
from inference.language import LANGUAGES
from inference.when import when_row

DATASET = DATASETS / "dates.jsonl"
FIELDS = {"text": str, "language": str, "now": str, "time_zone": str}
Cell = str | float | int


@dataclass(frozen=True)
class Read:
    """A row with what was read in it."""

    row: Mapping[str, Any]
    found: str | None
    candidates: Sequence[str]
    problem: str | None

    @property
    def language(self) -> str:
        """The language it is written in."""
        return str(self.row["language"])

    @property
    def kind(self) -> str:
        """What it is an example of."""
        return str(self.row.get("kind") or "other")

    @property
    def right(self) -> bool:
        """What is meant, or another reading that is accepted."""
        return self.found in (self.row["value"], *(self.row.get("accepted") or ()))

    @property
    def wrong(self) -> bool:
        """Not what is meant, and said without a question."""
        return not self.right and self.found is not None


def load(path: Any = DATASET) -> Dataset:
    """The rows; one without a value, or whose moment or zone cannot be read, is broken.

    Raises DatasetMissing.
    """
    return read(path, FIELDS, _ready)


def _ready(row: dict[str, Any]) -> dict[str, Any]:
    """Raises ValueError."""
    if "value" not in row or not isinstance(row["value"], str | None):
        raise ValueError("value must be a text or null")
    accepted = row.get("accepted")
    if not isinstance(accepted, list | None) or not all(isinstance(o, str | None) for o in accepted or ()):
        raise ValueError("accepted must be a list of texts, null among them where it may be asked")
    try:
        zone = ZoneInfo(row["time_zone"])
    except (OSError, ValueError, ZoneInfoNotFoundError) as error:
        raise ValueError(f"no time zone {row['time_zone']!r:.80}") from error
    try:
        moment = datetime.fromisoformat(row["now"])
        _ = moment.tzinfo and moment.astimezone(zone)
    except (ValueError, OverflowError) as error:
        raise ValueError("now is no ISO time there is") from error
    return row


def rows(dataset: Dataset, split: str | None = None) -> list[dict[str, Any]]:
    """The rows of a split; all for None."""
    return dataset.of_split(split)


def answer(row: Mapping[str, Any]) -> Read:
    """What the grammar reads, as `sara when` does. Raises BadWhenRow."""
    asked = {name: row[name] for name in ("text", "language", "now")}
    came = when_row(asked, now=datetime.fromisoformat(row["now"]), time_zone=row["time_zone"])
    candidates, problem, value = came["candidates"], came["problem"], came["value"]
    return Read(
        row,
        str(value) if value is not None else None,
        [str(each) for each in candidates] if isinstance(candidates, list) else [],
        str(problem) if problem is not None else None,
    )


def judge(answered: Sequence[Read]) -> Result:
    """Shares of right, missed and wrong answers, by language and by kind, and every one that is not right."""
    languages = {code: [one for one in answered if one.language == code] for code in LANGUAGES}
    return Result(
        suite="dates",
        figures={
            "right": share([one.right for one in answered]),
            "wrong": share([one.wrong for one in answered]),
            **{f"right_{code}": share([one.right for one in some]) for code, some in languages.items()},
            "right_worst_language": worst(share([one.right for one in some]) for some in languages.values()),
        },
        tables=(
            _by("language", answered, lambda one: one.language),
            _by("kind", answered, lambda one: one.kind),
        ),
        failures=tuple(_failure(one) for one in answered if not one.right),
        samples={
            "right": sampled((f"{o.language}: {o.row['text']}", o.right) for o in answered),
            "wrong": sampled((f"{o.language}: {o.row['text']}", o.wrong) for o in answered),
        },
        about={"expressions": len(answered)},
        played=played(
            ((f"{o.language}: {o.row['text']}", o.row, {"value": o.found}) for o in answered), ("value",)
        ),
    )


def _by(title: str, answered: Sequence[Read], key: Callable[[Read], str]) -> Table:
    groups = {name: [o for o in answered if key(o) == name] for name in sorted({key(o) for o in answered})}
    if title == "language":
        groups["all"] = list(answered)
    lines = tuple(_line(name, some) for name, some in groups.items())
    return Table(f"by {title}", ("", "n", "right", "95 % from", "to", "asked instead", "wrong"), lines)


def _line(name: str, some: Sequence[Read]) -> tuple[Cell, ...]:
    hits = [one.right for one in some]
    missed = share([not one.right and not one.wrong for one in some])
    return (name, len(some), share(hits), *interval(hits), missed, share([one.wrong for one in some]))


def _failure(one: Read) -> dict[str, Any]:
    return {
        "language": one.language,
        "text": one.row["text"],
        "wanted": one.row["value"],
        "found": one.found,
        "candidates": ", ".join(one.candidates),
        "problem": one.problem or "",
    }
