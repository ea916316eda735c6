"""Evaluation rows: JSON Lines; a broken one is named and counted, never silently lost."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inference.codes import base_code
from inference.language import LANGUAGES

DATASETS = Path(__file__).parent / "datasets"


class DatasetMissing(Exception):
    """The evaluation rows cannot be read: check the path given with --dataset."""


@dataclass(frozen=True)
class Dataset:
    """Rows that can be used, and for each that cannot one line saying which and why."""

    path: Path
    rows: tuple[dict[str, Any], ...]
    broken: tuple[str, ...]

    def of_split(self, split: str | None) -> list[dict[str, Any]]:
        """The rows of a split, all for None. A row that names none, or null, is in every one."""
        return [row for row in self.rows if split is None or row.get("split") in (None, split)]

    def of_others(self, split: str | None) -> int:
        """How many rows a run on `split` leaves out."""
        return len(self.rows) - len(self.of_split(split))


def read(
    path: Path,
    fields: Mapping[str, type],
    ready: Callable[[dict[str, Any]], dict[str, Any]] = lambda row: row,
) -> Dataset:
    """The rows of `path` that have `fields` of those types; others go to `broken`. Raises DatasetMissing.

    A `language` like "it-IT", "pt_BR" or "PT" is read as "it" or "pt".

    `ready` gives a row the form a suite judges it in, and raises ValueError saying why for one that cannot be
    judged: that row is broken too.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetMissing(f"{path}: {error}; {DatasetMissing.__doc__}") from error
    rows, broken = [], []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            rows.append(ready(_row(line, fields)))
        except RecursionError:  # brackets in brackets, deeper than Python reads
            broken.append(f"{path.name}:{number}: nested too deeply")
        except ValueError as error:
            broken.append(f"{path.name}:{number}: {error}")
    return Dataset(path, tuple(rows), tuple(broken))


def _row(line: str, fields: Mapping[str, type]) -> dict[str, Any]:
    """Raises ValueError saying what is wrong with the line."""
    row = json.loads(line)
    if not isinstance(row, dict):
        raise ValueError("not an object")
    for name, kind in fields.items():
        if name not in row:
            raise ValueError(f"{name} is missing")
        if not isinstance(row[name], kind):
            raise ValueError(f"{name} must be {kind.__name__}")
    # Read by every suite where a row has it, asked for by some.
    language = row.get("language")
    if not isinstance(language, str | None):
        raise ValueError("language must be str")
    return row if language is None else {**row, "language": known_language(language)}


def known_language(code: str) -> str:
    """The base code of a language SARA speaks; another language's code as it stands."""
    base = base_code(code)
    return base if base in LANGUAGES else code


def sendable(row: Mapping[str, Any]) -> None:
    """Raises ValueError for a row with half of a character, which neither a phone nor PostgreSQL takes."""
    try:
        json.dumps(row, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise ValueError("half of a character stands alone in it") from error
