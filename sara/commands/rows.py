"""JSON Lines in, JSON Lines out."""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from inference.errors import InferenceError
from sara.commands.failures import CommandFailed

# What a field must be where a command reads it; a field that is not here may be anything.
_KINDS: dict[str, type] = {
    "text": str,
    "question": str,
    "answer": str,
    "language": str,
    "now": str,
    "passages": list,
}


def read(path: Path, *required: str) -> list[dict[str, Any]]:
    """The rows of a file. Raises CommandFailed naming the first line that is no row, lacks one of
    `required` or holds something else than text (or a list) where a command reads it."""
    return [row for _, row in _numbered(path, required)]


def convert(
    path: Path, work: Callable[[dict[str, Any]], dict[str, Any]], *required: str
) -> list[dict[str, Any]]:
    """What `work` makes of each row. Raises CommandFailed naming the line of a row it cannot use."""
    made = []
    for number, row in _numbered(path, required):
        try:
            made.append(work(row))
        # OverflowError: a moment in the first or last hours of the calendar, in another time zone.
        except (ValueError, OverflowError, InferenceError) as error:
            raise CommandFailed(f"{path}:{number}: {error}") from error
    return made


def _numbered(path: Path, required: Iterable[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        # Only a line feed ends a line: JSON strings may hold U+2028 and other breaks as they are.
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandFailed(f"{path} cannot be read: {error}") from error
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield number, _row(path, number, line, required)


def _row(path: Path, number: int, line: str, required: Iterable[str]) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise CommandFailed(f"{path}:{number}: not JSON ({error})") from error
    if not isinstance(row, dict):
        raise CommandFailed(f"{path}:{number}: not an object")
    missing = [name for name in required if name not in row]
    if missing:
        raise CommandFailed(f"{path}:{number}: {', '.join(missing)} missing")
    for name, kind in _KINDS.items():
        # An optional field may also be null.
        if not isinstance(row.get(name), kind) and (name in required or row.get(name) is not None):
            raise CommandFailed(f"{path}:{number}: {name} must be {'a list' if kind is list else 'text'}")
    return row


def write(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Writes rows, one a line, all or none. Raises CommandFailed when the file cannot be written."""
    lines = "".join(_line(row) for row in rows)
    try:
        path.write_text(lines, encoding="utf-8", newline="\n")
    except OSError as error:
        raise CommandFailed(f"{path} cannot be written: {error}") from error


def _line(row: dict[str, Any]) -> str:
    readable = json.dumps(row, ensure_ascii=False)
    try:
        readable.encode()
    except UnicodeEncodeError:  # half an emoji, as a cut text leaves it, exists in JSON but not in UTF-8
        return json.dumps(row) + "\n"
    return readable + "\n"
