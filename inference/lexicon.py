"""A phrase lexicon in four languages: words whose presence alone says a message is sensitive.

A lexicon file `data/lexicon/<label>.<language>.txt` has one phrase per line. Case, accents, punctuation and
repeated letters do not matter; one typing error in a word of seven letters or more is forgiven. In a phrase

    word*    any ending            a|b    either word        word?   may be absent
    _        up to three words     # …    comment            ! …     an exception, harmless

Phrases of all languages are tried on every message, because customers mix languages.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from inference.errors import ModelMissing, WeightsCorrupt

_WORD = re.compile(r"[a-z0-9]+")
_STRETCHED = re.compile(r"([a-z])\1{2,}")
_TYPO_LENGTH = 7
MAX_CHARS = 6000


def fold(text: str) -> str:
    """Lower case without accents; apostrophes inside English contractions vanish ("can't" → "cant")."""
    flat = unicodedata.normalize("NFKD", text.casefold())
    flat = "".join(c for c in flat if not unicodedata.combining(c))
    return re.sub(r"(?<=n)['’](?=t\b)", "", flat)


def tokens(text: str) -> list[str]:
    """Folded words of a message, stretched letters pressed together ("aiutooo" → "aiuto")."""
    return [_STRETCHED.sub(r"\1", word) for word in _WORD.findall(fold(text[:MAX_CHARS]))]


def _deletions(word: str) -> Iterable[str]:
    return (word[:i] + word[i + 1 :] for i in range(len(word)))


def _pattern(phrase: str) -> str:
    """A phrase in the file's syntax as a regular expression over tokens, each followed by a space."""
    parts = []
    for item in phrase.split():
        if item == "_":
            parts.append(r"(?:\w+ ){0,3}")
            continue
        optional = item.endswith("?")
        choices = "|".join(c.replace("*", r"\w*") for c in item.removesuffix("?").split("|"))
        parts.append(f"(?:(?:{choices}) )" + ("?" if optional else ""))
    return "".join(parts)


def _plain(phrase: str) -> str:
    """A phrase of a file, folded word by word so that its syntax signs survive."""
    return re.sub(r"[^\s|*?_]+", lambda m: "".join(_WORD.findall(fold(m.group()))), phrase)


@dataclass(frozen=True)
class Lexicon:
    """Compiled phrases of one label."""

    phrases: re.Pattern[str] | None
    exceptions: re.Pattern[str] | None
    words: frozenset[str]
    misspelt: Mapping[str, str]

    @classmethod
    def compile(cls, lines: Iterable[str]) -> "Lexicon":
        """Build from the lines of lexicon files. Raises WeightsCorrupt when a line is not valid syntax."""
        wanted: list[str] = []
        harmless: list[str] = []
        for line in lines:
            text = line.partition("#")[0].strip()
            if text:
                (harmless if text.startswith("!") else wanted).append(_plain(text.lstrip("! ")))
        words = frozenset(w for p in wanted for w in re.findall(r"[a-z0-9]+(?![a-z0-9*])", p))
        long = (w for w in words if len(w) >= _TYPO_LENGTH)
        misspelt = {typo: w for w in long for typo in (*_deletions(w), w)}
        return cls(_compiled(wanted), _compiled(harmless), words, misspelt)

    @classmethod
    def load(cls, folder: Path, label: str) -> "Lexicon":
        """Read every language's file of a label. Raises ModelMissing when there is none."""
        files = sorted(folder.glob(f"{label}.*.txt"))
        if not files:
            raise ModelMissing(f"no lexicon {label}.*.txt in {folder}: reinstall the package")
        return cls.compile(line for file in files for line in file.read_text("utf-8").splitlines())

    def matches(self, text: str) -> tuple[str, ...]:
        """The wordings of `text` that a phrase covers, folded, in order; empty when nothing matches."""
        if self.phrases is None:
            return ()
        line = "".join(self._corrected(word) + " " for word in tokens(text))
        if self.exceptions is not None:
            line = self.exceptions.sub("· ", line)
        return tuple(dict.fromkeys(m.group().strip() for m in self.phrases.finditer(line) if m.group()))

    def excuses(self, text: str) -> bool:
        """Whether `text` holds one of the harmless wordings ("dying to try it")."""
        line = "".join(self._corrected(word) + " " for word in tokens(text))
        return bool(self.exceptions and self.exceptions.search(line))

    def _corrected(self, word: str) -> str:
        """The lexicon's word that is one letter away, or the word itself."""
        if word in self.words or len(word) < _TYPO_LENGTH - 1:
            return word
        if word in self.misspelt:
            return self.misspelt[word]
        return next((self.misspelt[t] for t in _deletions(word) if t in self.misspelt), word)


def _compiled(phrases: list[str]) -> re.Pattern[str] | None:
    if not phrases:
        return None
    try:
        return re.compile(r"\b(?:" + "|".join(_pattern(p) for p in phrases) + ")")
    except re.error as failure:
        raise WeightsCorrupt(f"a lexicon line is not valid: {failure}") from failure
