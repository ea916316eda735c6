"""A document's source: one Markdown file from which a PDF, a Word document or a workbook is made."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from knowledge.readers.markdown import plain_words

KINDS = (".pdf", ".docx", ".xlsx")
_FRONT_MATTER = re.compile(r"\A---\n(?P<body>.*?)^---\n", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^(?P<marks>#{1,4}) +(?P<text>.+)$")
_ITEM = re.compile(r"^\s*(?:[-*]|\d{1,3}[.)]) +(?P<text>.+)$")
_RULE = re.compile(r"^\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?$")
_LAYOUTS = frozenset({"ruled", "open", "columns", "letter"})


class BadSource(Exception):
    """A source cannot be rendered: correct the line the message names."""


@dataclass(frozen=True)
class Table:
    """A table's column names and rows, every row as wide as the header."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Part:
    """A heading (with its level), a paragraph, a list item or a table, in reading order."""

    kind: Literal["heading", "text", "item", "table"]
    text: str = ""
    level: int = 0
    table: Table = Table((), ())


@dataclass(frozen=True)
class Source:
    """A source as read; `business` is the name that stands in page headers."""

    path: Path
    title: str
    language: str
    author: str
    layout: str
    business: str
    parts: tuple[Part, ...]

    @property
    def kind(self) -> str:
        """The ending of the file to make: `.pdf`, `.docx` or `.xlsx`."""
        return Path(self.path.stem).suffix

    @property
    def heading(self) -> str:
        """What stands in large letters on top: the source's first `# heading`, else its title."""
        return self.parts[0].text if self._has_heading else self.title

    @property
    def body(self) -> tuple[Part, ...]:
        """The parts under that heading."""
        return self.parts[1:] if self._has_heading else self.parts

    @property
    def _has_heading(self) -> bool:
        return bool(self.parts) and self.parts[0].kind == "heading" and self.parts[0].level == 1


def load_source(path: Path, business: str) -> Source:
    """Reads one source. Raises BadSource."""
    text = path.read_text(encoding="utf-8").replace("\r\n", "\n")
    found = _FRONT_MATTER.match(text)
    if not found:
        raise BadSource(f"{path}: begin it with title and language between two lines of ---")
    described: Any = yaml.safe_load(found["body"])
    missing = {"title", "language"} - set(described)
    layout = described.get("layout", "ruled")
    if missing or layout not in _LAYOUTS:
        raise BadSource(
            f"{path}: name {', '.join(sorted(missing)) or 'a layout of ' + str(sorted(_LAYOUTS))}"
        )
    parts = _Parts(path)
    parts.read(text[found.end() :].split("\n"))
    return Source(
        path=path,
        title=str(described["title"]),
        language=str(described["language"]),
        author=str(described.get("author", business)),
        layout=layout,
        business=business,
        parts=tuple(parts.done),
    )


class _Parts:
    """Walks the lines once; `_lines` is the paragraph or item being read."""

    def __init__(self, path: Path) -> None:
        self.done: list[Part] = []
        self._path = path
        self._line_end = "\n" if Path(path.stem).suffix == ".xlsx" else " "  # a cell of its own for each line
        self._lines: list[str] = []
        self._in_item = False

    def read(self, lines: list[str]) -> None:
        at = 0
        while at < len(lines):
            at = self._step(lines, at)
        self._flush()

    def _step(self, lines: list[str], at: int) -> int:
        line = lines[at]
        if line.lstrip().startswith("|") and at + 1 < len(lines) and _RULE.match(lines[at + 1].strip()):
            return self._table(lines, at)
        heading, item = _HEADING.match(line), _ITEM.match(line)
        if heading or item or not line.strip():
            self._flush()
        if heading:
            self.done.append(Part("heading", plain_words(heading["text"].strip()), len(heading["marks"])))
        elif item:
            self._in_item = True
            self._lines.append(item["text"])
        elif line.strip():
            self._lines.append(line)
        return at + 1

    def _table(self, lines: list[str], at: int) -> int:
        self._flush()
        end = at + 2
        while end < len(lines) and lines[end].lstrip().startswith("|"):
            end += 1
        header = _cells(lines[at])
        rows = [_cells(line) for line in lines[at + 2 : end]]
        for number, row in enumerate(rows, start=at + 3):
            if len(row) > len(header):
                raise BadSource(f"{self._path}: table line {number} has {len(row)} cells, not {len(header)}")
        padded = tuple(row + ("",) * (len(header) - len(row)) for row in rows)
        self.done.append(Part("table", table=Table(header, padded)))
        return end

    def _flush(self) -> None:
        if self._lines:
            text = "".join(self._with_line_end(line) for line in self._lines).strip()
            self.done.append(Part("item" if self._in_item else "text", plain_words(text)))
        self._lines, self._in_item = [], False

    def _with_line_end(self, line: str) -> str:
        """As in Markdown: a line end is a space, but for one marked by a backslash or two spaces."""
        if line.endswith(("\\", "  ")):
            return line.rstrip("\\ ").strip() + "\n"
        return line.strip() + self._line_end


def _cells(line: str) -> tuple[str, ...]:
    inner = line.strip().removeprefix("|").removesuffix("|")
    return tuple(" ".join(plain_words(cell).split()) for cell in inner.split("|"))
