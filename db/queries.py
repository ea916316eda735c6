"""Named SQL: files of blocks, each headed `-- name -- what it is for`."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import LiteralString

_HEADING = re.compile(r"^-- (?P<name>[a-z][a-z0-9_]*) -- .+$", re.MULTILINE)


class UnknownQuery(KeyError):
    """No block of that name: look for a misspelt name or a block without its heading."""


class Queries:
    """The SQL blocks of a folder by name; the only place SQL text of the record comes from."""

    def __init__(self, blocks: Mapping[str, LiteralString]) -> None:
        self._blocks = dict(blocks)

    @classmethod
    def load(cls, folder: Path) -> "Queries":
        """Reads every *.sql file below `folder`. Raises ValueError for a name given twice."""
        blocks: dict[str, LiteralString] = {}
        for file in sorted(folder.glob("*.sql")):
            text = file.read_text(encoding="utf-8")
            headings = list(_HEADING.finditer(text))
            for heading, following in zip(headings, [*headings[1:], None], strict=True):
                name = heading["name"]
                if name in blocks:
                    raise ValueError(f"{file.name}: the query {name} is defined twice")
                body = text[heading.end() : following.start() if following else None].strip()
                blocks[name] = body
        return cls(blocks)

    def __getitem__(self, name: str) -> LiteralString:
        try:
            return self._blocks[name]
        except KeyError:
            raise UnknownQuery(name) from None

    def __len__(self) -> int:
        return len(self._blocks)
