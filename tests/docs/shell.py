"""Command blocks of the documentation as a list of commands, without a shell."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

FENCE = re.compile(r"^( *)```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block and where it stands."""

    path: Path
    line: int
    language: str
    text: str


def where(block: Block) -> str:
    """The file and the line."""
    return f"{block.path.name}:{block.line}"


@dataclass(frozen=True)
class Command:
    """One line of a block: its words, what it is given on standard input, and the variables set before it."""

    block: Block
    line: str
    words: tuple[str, ...]
    stdin: str = ""
    stdin_file: str | None = None
    environment: dict[str, str] = field(default_factory=dict)


def blocks(path: Path, language: str) -> list[Block]:
    """The blocks of a language in a document, in order."""
    text = path.read_text("utf-8")
    return [
        Block(path, text.count("\n", 0, found.start()) + 1, language, found[3])
        for found in FENCE.finditer(text)
        if found[2] == language
    ]


def commands(block: Block) -> Iterator[Command]:
    """The commands of a bash block. Understood: comments, lines continued by a backslash, `NAME=value …`,
    `export NAME=value`, `echo … | command`, `command < file`, `command - < file`."""
    exported: dict[str, str] = {}
    for line in block.text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if not words:
            continue
        stdin, source = "", None
        if "|" in words:
            at = words.index("|")
            assert words[0] == "echo", line
            stdin, words = " ".join(words[1:at]) + "\n", words[at + 1 :]
        if "<" in words:
            at = words.index("<")
            source, words = words[at + 1], words[:at]
        own = dict(exported)
        while words and re.fullmatch(r"[A-Z_]+=.*|export", words[0]):
            word = words.pop(0)
            if word != "export":
                name, _, value = word.partition("=")
                own[name] = value
        if not words:
            exported = own
            continue
        yield Command(block, " ".join(line.split()), tuple(words), stdin, source, own)
