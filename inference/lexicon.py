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
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

from inference.errors import ModelMissing, WeightsCorrupt

LEXICONS = Path(__file__).parent / "data" / "lexicon"
ADVICE = ("legal", "medical", "financial")
_WORD = re.compile(r"[a-z0-9]+")
_STRETCHED = re.compile(r"([a-z])\1{2,}")
_TYPO_LENGTH = 7
MAX_CHARS = 6000


def fold(text: str) -> str:
    """Lower case without accents; apostrophes inside English contractions vanish ("can't" → "cant")."""
    flat = unicodedata.normalize("NFKD", text.casefold())
    flat = "".join(c for c in flat if not unicodedata.combining(c))
    return re.sub(r"(?<=n)['’](?=t\b)", "", flat)


@lru_cache(maxsize=64)  # each lexicon reads the same message
def tokens(text: str) -> tuple[str, ...]:
    """Folded words of a message, stretched letters pressed together ("aiutooo" → "aiuto")."""
    return tuple(_STRETCHED.sub(r"\1", word) for word in _WORD.findall(fold(text[:MAX_CHARS])))


def deletions(word: str) -> Iterable[str]:
    """`word` without each of its letters in turn."""
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
        known, excusing = (
            frozenset(w for p in phrases for w in re.findall(r"[a-z0-9]+(?![a-z0-9*])", p))
            for phrases in (wanted, harmless)
        )
        long = (w for w in known if len(w) >= _TYPO_LENGTH)
        misspelt = {typo: w for w in long for typo in (*deletions(w), w)}
        # A word of an exception is nobody's typing error, but nothing is corrected into it.
        return cls(_compiled(wanted), _compiled(harmless), known | excusing, misspelt)

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
        return next((self.misspelt[t] for t in deletions(word) if t in self.misspelt), word)


def _compiled(phrases: list[str]) -> re.Pattern[str] | None:
    if not phrases:
        return None
    try:
        return re.compile(r"\b(?:" + "|".join(_pattern(p) for p in phrases) + ")")
    except re.error as failure:
        raise WeightsCorrupt(f"a lexicon line is not valid: {failure}") from failure


@dataclass(frozen=True)
class Words:
    """What the lexicons found; `excused` when the message holds a figure of speech ("dying to try it")."""

    emergency: tuple[str, ...]
    advice: Mapping[str, tuple[str, ...]]
    excused: bool = False

    FLAGS: ClassVar[int] = 2 + len(ADVICE)

    @property
    def flags(self) -> tuple[bool, ...]:
        """Whether there is anything of emergency, of each kind of advice, and an excuse."""
        return bool(self.emergency), *(bool(self.advice.get(label)) for label in ADVICE), self.excused

    @property
    def all(self) -> tuple[str, ...]:
        """Every matched wording, emergency first, without repeats."""
        return tuple(dict.fromkeys([*self.emergency, *(w for found in self.advice.values() for w in found)]))


@dataclass(frozen=True)
class WordSpotter:
    """The four lexicons."""

    emergency: Lexicon
    advice: Mapping[str, Lexicon]

    @classmethod
    def load(cls, folder: Path = LEXICONS) -> "WordSpotter":
        """Read all lexicon files. Raises ModelMissing or WeightsCorrupt."""
        return cls(
            Lexicon.load(folder, "emergency"), {label: Lexicon.load(folder, label) for label in ADVICE}
        )

    def find(self, text: str) -> Words:
        """Matches of every lexicon in `text`."""
        advice = {label: lexicon.matches(text) for label, lexicon in self.advice.items()}
        return Words(self.emergency.matches(text), advice, self.emergency.excuses(text))
