"""Plain text: paragraphs between blank lines, optionally under a front matter."""

import re

from knowledge.readers.document import Document, SectionBuilder
from knowledge.readers.metadata import split_front_matter

_PARAGRAPH = re.compile(r"\n[ \t]*\n")
# A longer line was broken by its width; a shorter one, as in an address, by its author.
_WRAPPED_CHARS = 60
_BULLET = re.compile(r"^\s*(?:[-*•–]|\d{1,2}[.)])\s+")


def read_plain(text: str, name: str) -> Document:
    """Each paragraph is a block; lines that begin with a bullet are items. Raises BadMetadata."""
    metadata, body = split_front_matter(text)
    into = SectionBuilder()
    for paragraph in _PARAGRAPH.split(body):
        lines = [line.strip() for line in paragraph.splitlines() if line.strip()]
        if lines and all(_BULLET.match(line) for line in lines):
            for line in lines:
                into.block("item", f"- {_BULLET.sub('', line)}")
        else:
            into.block("text", _unwrapped(lines))
    return into.document(metadata, name)


def _unwrapped(lines: list[str]) -> str:
    return "".join(f"{line} " if len(line) > _WRAPPED_CHARS else f"{line}\n" for line in lines)
