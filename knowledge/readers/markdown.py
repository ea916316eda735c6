"""Markdown as people write it: headings, paragraphs, lists, quotes, fenced blocks and pipe tables."""

import re
from typing import Literal

from knowledge.readers.document import Document, SectionBuilder
from knowledge.readers.metadata import split_front_matter
from knowledge.readers.raw_html import shown
from knowledge.readers.table import add_table, squeeze

_HEADING = re.compile(r"^ {0,3}(?P<marks>#{1,6})[ \t]+(?P<text>.*?)[ \t]*#*[ \t]*$")
_UNDERLINE = re.compile(r"^ {0,3}(?P<mark>=+|-+)[ \t]*$")
_RULE = re.compile(r"^ {0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}$")
_ITEM = re.compile(r"^\s*(?:[-*+•]|\d{1,3}[.)])[ \t]+(?P<text>\S.*)$")
_FENCE = re.compile(r"^ {0,3}(?P<mark>`{3,}|~{3,})")
_TABLE_RULE = re.compile(r"^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$")
_CELL_EDGE = re.compile(r"(?<!\\)\|")
_LINK = re.compile(r"\[(?P<text>[^\]]*)\]\((?P<url>[^)\s]+)[^)]*\)")
_EMPHASIS = re.compile(r"(?P<mark>\*{1,3}|(?<!\w)_{1,3}|`+)(?=\S)(?P<text>.+?)(?<=\S)(?P=mark)")
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+\-.!|>~])")
_MAX_MARKED = 20_000
# Escaped marks wait in the private-use area, out of sight of the patterns above.
_ASIDE = 0xE000
_PUT_ASIDE = re.compile("[\ue000-\ue07f]")


def read_markdown(text: str, name: str) -> Document:
    """Sections by heading; each paragraph, list item and table row is a block. Raises BadMetadata."""
    metadata, body = split_front_matter(text)
    reader = _Reader()
    reader.read(shown(body).split("\n"))
    return reader.into.document(metadata, name)


def plain_words(text: str) -> str:
    """Inline marks taken off; a link keeps its address behind its words, since an answer may quote it.

    A paragraph of more than 20 000 characters is left as it is: looking for marks that never close takes time
    that grows with the square of its length.
    """
    if len(text) > _MAX_MARKED:
        return text
    text = _ESCAPED.sub(lambda m: chr(_ASIDE + ord(m[1])), text)
    text = _LINK.sub(_link_words, text)
    previous = None
    while previous != text:
        previous, text = text, _EMPHASIS.sub(lambda m: m["text"], text)
    return _PUT_ASIDE.sub(lambda m: chr(ord(m[0]) - _ASIDE), text)


def _link_words(link: re.Match[str]) -> str:
    words, url = link["text"], link["url"].strip("<>")
    if not words.strip():
        return ""  # nothing to press: nobody sees that it is there
    address = url.removeprefix("mailto:").removeprefix("tel:")
    return words if address in words or url.startswith("#") else f"{words} ({address})"


class _Reader:
    """Walks the lines once; what is gathered in `_lines` is the paragraph or item being read."""

    def __init__(self) -> None:
        self.into = SectionBuilder()
        self._level = 0
        self._lines: list[str] = []
        self._in_item = False

    def read(self, lines: list[str]) -> None:
        at = 0
        while at < len(lines):
            at = self._step(lines, at)
        self._flush()

    def _step(self, lines: list[str], at: int) -> int:
        """Reads what begins at line `at` and returns where the next begins."""
        line = re.sub(r"^ {0,3}(?:> ?)+", "", lines[at])
        following = lines[at + 1] if at + 1 < len(lines) else ""
        if _FENCE.match(line):
            return self._fence(lines, at)
        if "|" in line and "|" in following and _TABLE_RULE.match(following):
            return self._table(lines, at)
        heading = _HEADING.match(line)
        underline = _UNDERLINE.match(line)
        if not line.strip():
            self._flush()
        elif heading:
            self._heading(len(heading["marks"]), heading["text"])
        elif underline and self._lines and not self._in_item:
            title, self._lines = " ".join(self._lines), []
            self._heading(1 if underline["mark"][0] == "=" else 2, title)
        elif _RULE.match(line):
            self._flush()
        else:
            self._words(line)
        return at + 1

    def _words(self, line: str) -> None:
        item = _ITEM.match(line)
        if item:
            self._flush()
            self._in_item = True
        words = item["text"] if item else line
        self._lines.append(words.strip() + ("\\" if words.endswith("  ") else ""))

    def _heading(self, level: int, text: str) -> None:
        self._flush()
        self._level = level
        self.into.heading(level, plain_words(text))

    def _fence(self, lines: list[str], at: int) -> int:
        self._flush()
        opening = _FENCE.match(lines[at])
        mark = opening["mark"] if opening else "```"
        end = next((n for n in range(at + 1, len(lines)) if lines[n].strip().startswith(mark)), len(lines))
        self.into.block("text", "\n".join(lines[at + 1 : end]))
        return end + 1

    def _table(self, lines: list[str], at: int) -> int:
        self._flush()
        header = _cells(lines[at])
        end = at + 2
        while end < len(lines) and "|" in lines[end]:
            end += 1
        rows = [_cells(line) for line in lines[at + 2 : end]]
        self.into_table(header, rows)
        return end

    def into_table(self, header: list[str], rows: list[list[str]]) -> None:
        """Adds the table; a bold group row inside it opens a section one level below the current heading."""
        add_table(self.into, rows, header=header, group_level=self._level + 1)

    def _flush(self) -> None:
        if self._lines:
            # As in Markdown: a line end is a space, but for one marked by a backslash.
            words = plain_words(
                "".join(f"{line[:-1]}\n" if line[-1:] == "\\" else f"{line} " for line in self._lines)
            )
            kind: Literal["item", "text"] = "item" if self._in_item else "text"
            self.into.block(kind, f"- {squeeze(words)}" if self._in_item else words)
        self._lines, self._in_item = [], False


def _cells(line: str) -> list[str]:
    inner = line.strip().removeprefix("|")
    inner = inner[:-1] if inner.endswith("|") and not inner.endswith("\\|") else inner
    return [squeeze(plain_words(cell)) for cell in _CELL_EDGE.split(inner)]
