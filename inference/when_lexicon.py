"""The vocabulary of the date grammar: every word a customer uses about time gets a one-letter kind.

A sentence then reads as a short string of kinds ("domani alle tre e mezza" is `DANJH`), so one set of
regular expressions over kinds serves every language and a language is only a table of words.

| kind | meaning | fields used |
|---|---|---|
| N i | number; indefinite article that counts as one only before a unit | n |
| O | ordinal, -1 for "last" | n |
| W M | weekday (Monday 0); month (January 1) | n |
| D Q | day relative to today; the same with a part of day ("stasera") | n, name |
| P | part of day; m is 1 when it can qualify an hour ("di sera") | name, m |
| U j E | week, month, year or "days"; the singular word for day; week-end | name |
| h k a | hour or minute; "o'clock"; am or pm | name |
| X T | next; this | |
| I F B | in (two hours); tra/fra, which is both in and between; between | |
| A l s | at; feminine plural article (le tre); "to" before an hour (ten to five) | |
| L G | article before a day of the month; of | name |
| J r n | and; or; not | |
| H R S V | half; quarter; minus; past | |
| f K b c | from; to or until; before; after | |
| z v g | from now; move or correct; greeting | |
| C Y d y | clock time 15:30; numeric date 20/11; dotted number 15.30; year | n, m, y, name |
| Z | named holiday | name |
| x $ | a thing that is counted (people, euro); money, percentages, phone numbers | |
| - , . w | dash; comma; other punctuation; any other word | |
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

MORNING, LUNCH, AFTERNOON, EVENING, NIGHT = "morning", "lunch", "afternoon", "evening", "night"

Row = tuple[str, int, str, str]
"""(kind, number, name, phrases separated by `|`), unaccented and in lower case."""


@dataclass(frozen=True, slots=True)
class Word:
    """What one phrase means; the fields in use depend on the kind (see the table above)."""

    kind: str
    n: int = 0
    m: int = 0
    name: str = ""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """One language's words as data."""

    language: str
    rows: tuple[Row, ...]
    numbers: Mapping[str, int]
    parts: Mapping[str, str]
    of_part: tuple[str, ...]
    weekdays: tuple[str, ...]
    months: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """A vocabulary made ready for longest-match lookup."""

    language: str
    phrases: Mapping[tuple[str, ...], Word]
    longest: int
    long_words: tuple[str, ...]

    def match(self, words: list[str]) -> tuple[int, Word] | None:
        """The longest phrase that `words` starts with, as (number of words, meaning)."""
        for size in range(min(self.longest, len(words)), 0, -1):
            found = self.phrases.get(tuple(words[:size]))
            if found is not None:
                return size, found
        return None


def build(vocabulary: Vocabulary) -> Lexicon:
    """Index a vocabulary. Rows come last, so an exception in `rows` overrides a generated phrase."""
    phrases: dict[tuple[str, ...], Word] = {}
    for phrase, word in _generated(vocabulary):
        phrases[tuple(phrase.split())] = word
    for kind, n, name, alternatives in vocabulary.rows:
        for phrase in alternatives.split("|"):
            phrases[tuple(phrase.split())] = Word(kind, n, 0, name)
    names = (key[0] for key, word in phrases.items() if len(key) == 1 and word.kind in "WMD")
    return Lexicon(
        vocabulary.language,
        phrases,
        max(map(len, phrases)),
        tuple(sorted(name for name in names if len(name) >= 7)),
    )


def _generated(vocabulary: Vocabulary) -> Iterator[tuple[str, Word]]:
    for phrase, n in vocabulary.numbers.items():
        yield phrase, Word("N", n)
    yield from _listed("W", vocabulary.weekdays, 0)
    yield from _listed("M", vocabulary.months, 1)
    for phrase, part in vocabulary.parts.items():
        yield phrase, Word("P", name=part)
        for prefix in vocabulary.of_part:
            yield f"{prefix} {phrase}", Word("P", m=1, name=part)


def _listed(kind: str, items: Iterable[str], first: int) -> Iterator[tuple[str, Word]]:
    for n, alternatives in enumerate(items, first):
        for phrase in alternatives.split("|"):
            yield phrase, Word(kind, n)
