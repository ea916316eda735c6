"""JSON Lines in, JSON Lines out."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sara.commands.failures import CommandFailed


def read(path: Path, *required: str) -> list[dict[str, Any]]:
    """The rows of a file. Raises CommandFailed naming the first line that lacks one of `required`."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandFailed(f"{path} cannot be read: {error}") from error
    rows = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            rows.append(_row(path, number, line, required))
    return rows


def _row(path: Path, number: int, line: str, required: Iterable[str]) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise CommandFailed(f"{path}:{number}: not JSON ({error})") from error
    if not isinstance(row, dict):
        raise CommandFailed(f"{path}:{number}: not an object")
    missing = [name for name in required if name not in row]
    if missing:
        raise CommandFailed(f"{path}:{number}: {', '.join(missing)} missing")
    return row


def write(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Writes rows, one a line. Raises CommandFailed when the file cannot be written."""
    try:
        with path.open("w", encoding="utf-8") as file:
            for row in rows:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
    except OSError as error:
        raise CommandFailed(f"{path} cannot be written: {error}") from error
