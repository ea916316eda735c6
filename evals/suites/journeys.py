"""Whole conversations: what did customers come away with, and what stands in the record afterwards?

Datasets are YAML files of journeys: {business, language, journeys: [{id, mood, answerable, sensitive?, needs,
record?, steps}]}. A step is what `sara play` knows, with expectations about facts (an amount, a number, a
source, an owner), never about wording. `record` is what the customer's record must hold at the end, part by
part as in `crm.journal`; whatever of appointments, quotes and tickets it does not name must not be there.

A conversation that ends with the assistant was contained. One that a person was needed for (`needs: human`)
must not be. An effect that nobody asked for, or an opt-out nobody meant, is a wrong action: none is allowed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from evals.dataset import DATASETS, Dataset, DatasetMissing, known_language
from evals.measures import interval, sampled, share
from evals.result import Result, Table, played

FOLDER = DATASETS / "journeys"
ACTIONS = ("appointments", "quotes", "tickets")  # what only a customer's wish may bring about
Mood = Literal["plain", "angry", "confused", "switching", "malicious", "sensitive"]


class Wanted(BaseModel):
    """A journey as it is written. `needs` is who has the conversation at its end; either: both are right."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    mood: Mood
    answerable: bool
    sensitive: bool = False
    needs: Literal["bot", "human", "either"]
    record: Mapping[str, Sequence[Mapping[str, str]]] = {}
    steps: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Walked:
    """A journey as it went. `problems` are the expectations that did not hold, `wrong_actions` effects that
    nobody asked for, `turns` the customer's messages."""

    row: Mapping[str, Any]
    owner: str
    handed_over: bool
    problems: tuple[str, ...]
    wrong_actions: tuple[str, ...]
    turns: int
    transcript: tuple[str, ...] = ()

    @property
    def contained(self) -> bool:
        """Whether no person was needed from beginning to end."""
        return not self.handed_over

    @property
    def solved(self) -> bool:
        """Whether it ended where it should and every fact is as expected."""
        return not self.problems and not self.wrong_actions and self.row["needs"] in ("either", self.owner)


def load(path: Path = FOLDER) -> Dataset:
    """The journeys of a file, or of every file of a folder. What of them cannot be read is broken.

    Raises DatasetMissing when there is nothing to read at all.
    """
    files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    rows: list[dict[str, Any]] = []
    broken: list[str] = []
    for file in files:
        try:
            whole = yaml.safe_load(file.read_text(encoding="utf-8"))
            head = {"business": str(whole["business"]), "language": known_language(str(whole["language"]))}
            given = list(whole["journeys"])
        except FileNotFoundError as error:
            raise DatasetMissing(f"{file}: {error}; {DatasetMissing.__doc__}") from error
        except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError) as error:
            broken.append(f"{file.name}: {' '.join(str(error).split())}")
            continue
        for number, one in enumerate(given, 1):
            try:
                rows.append({**head, **Wanted.model_validate(one).model_dump()})
            except ValidationError as error:
                first = error.errors(include_url=False)[0]
                where = ".".join(str(part) for part in first["loc"])
                broken.append(f"{file.name}: journey {number}: {where}: {first['msg']}")
    if not rows and not broken:
        raise DatasetMissing(f"{path}: no journeys; {DatasetMissing.__doc__}")
    return Dataset(path, tuple(rows), tuple(broken))


def judge(walked: Sequence[Walked]) -> Result:
    """The figures, by language, business and mood, and every journey that went wrong with its words."""
    answerable = [one for one in walked if one.row["answerable"]]
    sensitive = [one for one in walked if one.row["sensitive"]]
    groups: tuple[tuple[str, Callable[[Walked], str]], ...] = (
        ("language", lambda one: str(one.row["language"])),
        ("business", lambda one: str(one.row["business"])),
        ("mood", lambda one: str(one.row["mood"])),
    )
    return Result(
        suite="journeys",
        figures={
            "solved": share([one.solved for one in walked]),
            "containment": share([one.contained for one in answerable]),
            "contained_and_solved": share([one.contained and one.solved for one in answerable]),
            "wrong_actions": float(sum(len(one.wrong_actions) for one in walked)),
            "wrong_action_rate": share([bool(one.wrong_actions) for one in walked]),
            "sensitive_contained": float(sum(one.contained for one in sensitive)),
            "median_turns": float(np.median([one.turns for one in walked])) if walked else float("nan"),
        },
        tables=tuple(_table(name, key, walked) for name, key in groups),
        failures=tuple(_failure(one) for one in walked if not one.solved),
        about={"journeys": len(walked), "answerable": len(answerable), "sensitive": len(sensitive)},
        samples={
            "solved": sampled((one.row["id"], one.solved) for one in walked),
            "containment": sampled((one.row["id"], one.contained) for one in answerable),
            "contained_and_solved": sampled(
                (one.row["id"], one.contained and one.solved) for one in answerable
            ),
            "wrong_action_rate": sampled((one.row["id"], bool(one.wrong_actions)) for one in walked),
            "sensitive_contained": sampled((one.row["id"], one.contained) for one in sensitive),
        },
        played=played(
            (
                (
                    one.row["id"],
                    one.row,
                    {"owner": one.owner, "problems": one.problems, "conversation": one.transcript},
                )
                for one in walked
            ),
            ("needs", "record"),
        ),
    )


def _table(name: str, key: Callable[[Walked], str], walked: Sequence[Walked]) -> Table:
    lines = []
    for group in [*sorted({key(one) for one in walked}), "all"]:
        some = [one for one in walked if group in (key(one), "all")]
        contained = [one.contained for one in some if one.row["answerable"]]
        solved = [one.solved for one in some]
        turns = float(np.median([one.turns for one in some]))
        wrong = sum(len(one.wrong_actions) for one in some)
        lines.append(
            (
                group,
                len(some),
                share(solved),
                *interval(solved),
                len(contained),
                share(contained),
                wrong,
                turns,
            )
        )
    columns = (
        *("", "journeys", "solved", "95 % from", "to", "answerable", "contained"),
        *("wrong actions", "median turns"),
    )
    return Table(f"by {name}", columns, tuple(lines))


def _failure(one: Walked) -> dict[str, Any]:
    ended = [] if one.row["needs"] in ("either", one.owner) else [f"ended with {one.owner}"]
    wrong = [f"wrong action: {action}" for action in one.wrong_actions]
    return {
        "id": one.row["id"],
        "mood": one.row["mood"],
        "why": "; ".join([*wrong, *ended, *one.problems]),
        "conversation": "\n".join(one.transcript),
    }
