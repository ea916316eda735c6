"""Documents cut into passages along their own structure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from knowledge.readers.document import PATH_JOINT, Block, Document, Section

# Characters, the headings not counted: about 250 tokens, well inside the 512 of small embedding models.
MAX_CHARS = 900
# Rows of a table are alike, so that many of them in one vector blur each other.
MAX_ROW_CHARS = 220

_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+")


@dataclass(frozen=True)
class Chunk:
    """A passage: `section` is the document's title and the headings above, joined by PATH_JOINT."""

    ordinal: int
    section: str
    content: str
    of: Section  # where it was cut from


def cut(document: Document) -> list[Chunk]:
    """The passages in reading order. None crosses a heading, none cuts a table row."""
    chunks: list[Chunk] = []
    for section in document.sections:
        path = PATH_JOINT.join((document.title, *section.path))
        chunks.extend(
            Chunk(n, path, text, section) for n, text in enumerate(_passages(section), start=len(chunks))
        )
    return chunks


def _passages(section: Section) -> Iterator[str]:
    """Neighbouring blocks packed together as long as they fit."""
    packed: list[str] = []
    size, in_rows = 0, False
    for piece in (piece for block in section.blocks for piece in _pieces(block)):
        is_row = piece.kind == "row"
        limit = MAX_ROW_CHARS if is_row else MAX_CHARS
        if packed and (is_row != in_rows or size + 1 + len(piece.text) > limit):
            yield "\n".join(packed)
            packed, size = [], 0
        packed.append(piece.text)
        size += len(piece.text) + 1
        in_rows = is_row
    if packed:
        yield "\n".join(packed)


def _pieces(block: Block) -> Iterator[Block]:
    """The block itself when it fits or is a row; else its sentences, a too long one cut between words."""
    if block.kind == "row" or len(block.text) <= MAX_CHARS:
        yield block
        return
    for sentence in _SENTENCE_END.split(block.text):
        rest = sentence
        while len(rest) > MAX_CHARS:
            at = rest.rfind(" ", 1, MAX_CHARS)
            at = at if at > 0 else MAX_CHARS
            yield Block(block.kind, rest[:at].rstrip())
            rest = rest[at:].lstrip()
        if rest:
            yield Block(block.kind, rest)
