"""YAML read strictly: nothing is guessed, and whatever is wrong is named with its line and what to write.

YAML 1.1 reads 20:00 as 1200, NO as false and 65.10 as a binary float, and lets a key stand twice; none of
that may happen to what a customer is told.
"""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, Field, ValidationError
from pydantic_core import ErrorDetails

from knowledge.errors import KnowledgeError

Language = Literal["it", "en", "es", "pt"]
Location = tuple[int | str, ...]
LANGUAGES: tuple[Language, ...] = ("it", "en", "es", "pt")


class FileRefused(KnowledgeError):
    """A file cannot be used: `line` (from 1) is wrong, `reason` says what to write instead."""

    def __init__(self, path: Path, line: int, reason: str) -> None:
        super().__init__(f"{path}:{line}: {reason}")
        self.path, self.line, self.reason = path, line, reason


def written(pattern: str, how: str) -> BeforeValidator:
    """Accept a string only in this shape, so that no lenient reading of numbers decides a fact."""
    shape = re.compile(pattern)

    def check(value: object) -> object:
        typed = isinstance(value, Decimal | dt.time | dt.date)
        if not typed and not (isinstance(value, str) and shape.fullmatch(value)):
            raise ValueError(how)
        return value

    return BeforeValidator(check)


Text = Annotated[str, Field(min_length=1, max_length=1000, pattern=r"\S")]
Key = Annotated[str, written(r"[a-z][a-z0-9_]{0,63}", "write a key in small letters, digits and _")]
Texts = Mapping[Language, Text]


class Value(BaseModel, frozen=True, extra="forbid"):
    """Part of a file: cannot be changed once read, and holds nothing but its own keys."""


@dataclass(frozen=True)
class StrictFile:
    """A YAML mapping as read. `refusal` is the class of its errors, `noun` what they call the file."""

    path: Path
    root: yaml.Node
    refusal: type[FileRefused]
    noun: str

    @classmethod
    def read(cls, path: Path, refusal: type[FileRefused], noun: str, first: str) -> "StrictFile":
        """Opens a file whose first key is usually `first`. Raises `refusal` when it is no YAML mapping."""
        return cls(path, _compose(path, refusal, first), refusal, noun)

    def plain(self) -> dict[str, object]:
        """The file as Python values. Repeated keys and aliases, which YAML lets pass, are refused."""
        seen: set[int] = set()
        return self._mapping(self.root, seen)

    def refused(self, location: Sequence[int | str], reason: str) -> FileRefused:
        """The error about what stands at `location`."""
        return self.refusal(self.path, _line(self.root, location), reason)

    def invalid(self, error: ValidationError) -> FileRefused:
        """The error about the first line that does not have its shape."""
        # A misspelt key is both unknown and missing: the line that is there is the one to correct.
        flaws = [
            (d["type"] == "missing", _line(self.root, d["loc"]), _reason(d, self.noun))
            for d in error.errors()
        ]
        return self.refusal(self.path, *min(flaws)[1:])

    def _plain(self, node: yaml.Node, seen: set[int]) -> object:
        if id(node) in seen:
            reason = "YAML anchors (&, *) are not read: write the value out in full"
            raise self.refusal(self.path, node.start_mark.line + 1, reason)
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            return [self._plain(item, seen) for item in node.value]
        return self._mapping(node, seen) if isinstance(node, yaml.MappingNode) else _scalar(node)

    def _mapping(self, node: yaml.Node, seen: set[int]) -> dict[str, object]:
        result: dict[str, object] = {}
        for key, value in node.value:
            name = str(key.value)
            if name in result:
                reason = f"`{name}` is written twice: keep one of them"
                raise self.refusal(self.path, key.start_mark.line + 1, reason)
            result[name] = self._plain(value, seen)
        return result


def _compose(path: Path, refusal: type[FileRefused], first: str) -> yaml.Node:
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except UnicodeDecodeError as error:
        raise refusal(path, 1, "the file is not UTF-8 text: save it as UTF-8") from error
    except OSError as error:
        raise refusal(path, 1, f"the file cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        reason = f"not valid YAML, {getattr(error, 'problem', error)}: check indentation and quotes here"
        raise refusal(path, mark.line + 1 if mark else 1, reason) from error
    if not isinstance(root, yaml.MappingNode):
        raise refusal(path, 1, f"the file must hold `key: value` lines, starting with `{first}:`")
    return root


def _scalar(node: yaml.Node) -> object:
    """Plain null, true, false and whole numbers as such, all else as text."""
    text = str(node.value)
    if getattr(node, "style", None) is not None:
        return text
    if text in (words := {"": None, "~": None, "null": None, "true": True, "false": False}):
        return words[text]
    return int(text) if re.fullmatch(r"-?(0|[1-9][0-9]{0,17})", text) else text


def _line(root: yaml.Node, location: Sequence[int | str]) -> int:
    """The line of the deepest part of `location` that is written in the file."""
    node, mark = root, root.start_mark
    for step in location:
        if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            node = node.value[step]
            mark = node.start_mark
        elif isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == step), None)
            if found is not None:
                mark, node = found[0].start_mark, found[1]
    return mark.line + 1


def _reason(detail: ErrorDetails, noun: str) -> str:
    where = ".".join(str(step) for step in detail["loc"] if step != "[key]")
    match detail["type"]:
        case "missing":
            return f"`{where}` is missing: add it"
        case "extra_forbidden":
            return f"`{where}` is not a key of {noun}: correct its spelling or remove it"
        case "string_type":
            return f"`{where}` must be text: put {detail['input']!r} in quotes"
        case "value_error":
            return f"`{where}`: {detail['msg'].removeprefix('Value error, ')}"
    return f"`{where}`: {detail['msg']}, not {detail['input']!r}"
