"""What a message speaks of, by a list of words: a medicine, a contract, the pregnancy of whoever asks.

An encoder knows what "eliquis" is only if it has read of it often enough; the list says that it is a medicine
like any other, in all languages at once. The list's syntax is described in its first lines.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from inference.errors import ModelMissing, WeightsCorrupt
from inference.lexicon import deletions, tokens

CONCEPTS = Path(__file__).parent / "data" / "lexicon" / "concepts.txt"
_LINE = re.compile(r"([a-z_]+): ([a-z0-9_* ]+)")
_LONGEST_PHRASE = 5
_SHORTEST_STEM = 2
_TYPO_LENGTH = 7
_MOST_WORDS = 200

Entries = Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Concepts:
    """Concepts by whole word or phrase, by stem, and by a long word or stem that lost a letter."""

    names: tuple[str, ...]
    whole: Entries
    stems: Entries
    misspelt: Entries

    @classmethod
    def load(cls, path: Path = CONCEPTS) -> "Concepts":
        """Read the list. Raises ModelMissing, or WeightsCorrupt naming the line that is not valid."""
        try:
            lines = path.read_text("utf-8").splitlines()
        except OSError as failure:
            raise ModelMissing(f"no list of concepts at {path}: reinstall the package") from failure
        return cls.compile(lines)

    @classmethod
    def compile(cls, lines: Iterable[str]) -> "Concepts":
        """Build from the lines of the list. Raises WeightsCorrupt naming the line that is not valid."""
        names: dict[str, None] = {}
        whole: dict[str, set[str]] = {}
        stems: dict[str, set[str]] = {}
        for number, line in enumerate(lines, 1):
            if not line.strip() or line.startswith("#"):
                continue
            match = _LINE.fullmatch(line.strip())
            if match is None:
                raise WeightsCorrupt(f"the list of concepts, line {number}, is not `name: words`")
            names[match[1]] = None
            for entry in match[2].split():
                table = stems if entry.endswith("*") else whole
                table.setdefault(entry.rstrip("*").replace("_", " "), set()).add(match[1])
        long = {**whole, **stems}
        misspelt: dict[str, set[str]] = {}
        for entry, concepts in long.items():
            if len(entry) >= _TYPO_LENGTH and " " not in entry:
                for typo in deletions(entry):
                    misspelt.setdefault(typo, set()).update(concepts)
        return cls(tuple(names), _frozen(whole), _frozen(stems), _frozen(misspelt))

    def find(self, text: str) -> tuple[str, ...]:
        """The concepts of a message, in the order of the list."""
        words = tokens(text)[:_MOST_WORDS]
        found = set().union(*(self._at(words, at) for at in range(len(words))))
        return tuple(name for name in self.names if name in found)

    def _at(self, words: Sequence[str], at: int) -> set[str]:
        """Concepts of the word at `at` and of the phrases that begin there."""
        found: set[str] = set()
        for length in range(1, min(_LONGEST_PHRASE, len(words) - at) + 1):
            phrase = " ".join(words[at : at + length])
            found |= self.whole.get(phrase, frozenset())
            if length > 1:
                found |= set().union(
                    *self._stemmed(phrase, shortest=len(phrase) - len(words[at + length - 1]))
                )
        found |= set().union(*self._stemmed(words[at], shortest=_SHORTEST_STEM))
        return found or self._mistyped(words[at])

    def _stemmed(self, phrase: str, *, shortest: int) -> Iterator[frozenset[str]]:
        return (
            self.stems[phrase[:end]] for end in range(shortest, len(phrase) + 1) if phrase[:end] in self.stems
        )

    def _mistyped(self, word: str) -> set[str]:
        """Concepts of the long words that one letter more, less or other in `word` would make."""
        if len(word) < _TYPO_LENGTH - 1:
            return set()
        found = set(self.misspelt.get(word, ()))
        for shorter in deletions(word):
            found |= self.whole.get(shorter, frozenset()) | self.misspelt.get(shorter, frozenset())
        return found


def _frozen(table: Mapping[str, set[str]]) -> Entries:
    return {entry: frozenset(names) for entry, names in table.items()}
