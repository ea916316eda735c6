"""The lines by which a document describes itself, in any of the forms a format allows."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import yaml

from knowledge.errors import BadMetadata
from knowledge.readers.document import Metadata

_FRONT_MATTER = re.compile(
    r"\A---[ \t]*\n(?P<body>.*?)^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE
)
_LANGUAGE = re.compile(r"(?P<code>[a-zA-Z]{2})(?:[-_][a-zA-Z0-9]+)*")


def split_front_matter(text: str) -> tuple[Metadata, str]:
    """The YAML block between `---` lines at the top, and the text below it. Raises BadMetadata."""
    found = _FRONT_MATTER.match(text)
    if not found:
        return Metadata(), text
    try:
        values = yaml.safe_load(found["body"])
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 2}: " if mark else ""
        raise BadMetadata(f"{where}the front matter is not valid YAML") from error
    if values is None:
        return Metadata(), text[found.end() :]
    if not isinstance(values, dict):
        # Two rules around prose look like front matter; only a mapping describes a document.
        return Metadata(), text
    return metadata_of(values), text[found.end() :]


def metadata_of(values: Mapping[Any, Any]) -> Metadata:
    """Checks title, language, valid_from and valid_until; other keys are the author's. Raises BadMetadata."""
    title = values.get("title")
    first, last = _day(values, "valid_from"), _day(values, "valid_until")
    if first and last and last < first:
        raise BadMetadata(f"valid_until {last} is before valid_from {first}: correct one of them")
    return Metadata(
        title=(str(title).strip() or None) if title is not None else None,
        language=language_code(values.get("language")),
        valid_from=first,
        valid_until=last,
    )


def language_code(value: object) -> str | None:
    """`pt-BR` → `pt`; None for nothing said. Raises BadMetadata for what is no language code."""
    if value is None or str(value).strip() == "":
        return None
    if value is False:
        return "no"  # YAML 1.1 reads the bare code for Norwegian as false
    found = _LANGUAGE.fullmatch(str(value).strip())
    if not found:
        raise BadMetadata(f"language {str(value)!r} is no two-letter code: write it, en, es, pt …")
    return found["code"].lower()


def marked_language(value: object) -> str | None:
    """`pt-BR` → `pt` from a mark that a program may have set; None for what is no language code."""
    found = _LANGUAGE.fullmatch(value.strip()) if isinstance(value, str) else None
    return found["code"].lower() if found else None


def _day(values: Mapping[Any, Any], key: str) -> date | None:
    value = values.get(key)
    if isinstance(value, datetime):
        return value.date()
    if value is None or isinstance(value, date):
        return value
    if str(value).strip() == "":
        return None
    try:
        return date.fromisoformat(str(value).strip())
    except ValueError as error:
        raise BadMetadata(f"{key} {str(value)!r} is no date: write it as 2026-12-31") from error
