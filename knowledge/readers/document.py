"""What every reader gives: a document as titled sections of blocks."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from knowledge.errors import DocumentTooBig

# Joins headings where a path is shown or stored; a heading's own '>' is replaced so that it can be split.
PATH_JOINT = " > "
MAX_ROWS = 5_000
_MAX_CHARS = 5_000_000


@dataclass(frozen=True)
class Block:
    """A piece that belongs together. A `row` is one table row with its column names, never to be cut.

    `cells` are a row's (column name, value) pairs as written, empty values left out; a column without a name
    has "".
    """

    kind: Literal["text", "item", "row"]
    text: str
    cells: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Section:
    """Blocks under one heading; `path` holds the headings above them, the document's title not included.

    `language` is what the document says this section is written in; None where it says nothing.
    """

    path: tuple[str, ...]
    blocks: tuple[Block, ...]
    language: str | None = None


@dataclass(frozen=True)
class Metadata:
    """What a document says of itself; None where it says nothing. Both days are the business's, inclusive."""

    title: str | None = None
    language: str | None = None
    valid_from: date | None = None
    valid_until: date | None = None


@dataclass(frozen=True)
class Document:
    """A document as read: its metadata completed with a title, and its sections in reading order."""

    title: str
    metadata: Metadata
    sections: tuple[Section, ...]

    @property
    def text(self) -> str:
        """All its words, for telling the language."""
        return "\n".join(block.text for section in self.sections for block in section.blocks)


class SectionBuilder:
    """Gathers headings and blocks in reading order. At most 5000 table rows and 5 million characters."""

    def __init__(self) -> None:
        self._sections: list[Section] = []
        self._headings: list[tuple[int, str]] = []
        self._blocks: list[Block] = []
        self._bare = False  # the deepest heading has nothing under it yet
        self._language: str | None = None
        self._rows = self._chars = 0

    @property
    def marked(self) -> str | None:
        """The language in which the sections being read are marked."""
        return self._language

    def language(self, code: str | None) -> None:
        """The language in which what follows is marked; another one begins a section of its own."""
        if code != self._language:
            self._close(next_level=0, keep_heading=True)
            self._language = code

    def heading(self, level: int, text: str) -> None:
        """Opens a section at `level` (1 = top), closing deeper and equal ones.

        A heading that nothing follows was meant to be read: it is kept as words of the section above it.
        """
        self._close(next_level=level)
        self._headings = [kept for kept in self._headings if kept[0] < level]
        title = " ".join(text.replace(">", "›").split())
        if title:
            self._headings.append((level, title))
            self._bare = True

    def block(
        self, kind: Literal["text", "item", "row"], text: str, cells: tuple[tuple[str, str], ...] = ()
    ) -> None:
        """Adds a block to the open section; blank ones are dropped. Raises DocumentTooBig."""
        cleaned = text.replace("\x00", "").strip()
        if cleaned:
            self._count(kind, len(cleaned))
            self._blocks.append(Block(kind, cleaned, cells))
            self._bare = False

    def document(self, metadata: Metadata, fallback_title: str) -> Document:
        """The document so far. Its title is the metadata's, else the only top heading, else the fallback."""
        self._close(next_level=0)
        title = metadata.title or self._single_top_heading() or fallback_title
        title = " ".join(title.replace(">", "›").split())
        sections = tuple(
            Section(s.path[1:] if s.path[:1] == (title,) else s.path, s.blocks, s.language)
            for s in self._sections
        )
        return Document(title, metadata, sections)

    def leave(self, level: int) -> None:
        """Ends the sections at `level` and deeper, as at the end of an answer that folds in."""
        if self._headings and self._headings[-1][0] >= level:
            self._close(next_level=level)
            self._headings = [kept for kept in self._headings if kept[0] < level]

    def _count(self, kind: str, chars: int) -> None:
        self._rows += kind == "row"
        self._chars += chars
        if self._rows > MAX_ROWS:
            raise DocumentTooBig(f"it has more than {MAX_ROWS} table rows: split it into several files")
        if self._chars > _MAX_CHARS:
            raise DocumentTooBig(DocumentTooBig.__doc__)

    def _single_top_heading(self) -> str | None:
        tops = {section.path[0] if section.path else "" for section in self._sections}
        return tops.pop() or None if len(tops) == 1 else None

    def _close(self, *, next_level: int, keep_heading: bool = False) -> None:
        if not keep_heading:
            if self._bare and self._headings[-1][0] >= next_level:
                self._blocks.append(Block("text", self._headings.pop()[1]))
            self._bare = False
        if self._blocks:
            path = tuple(text for _, text in self._headings)
            self._sections.append(Section(path, tuple(self._blocks), self._language))
            self._blocks = []
