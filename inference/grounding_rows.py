"""Sources cut into rows: the smallest piece in which a value and the thing it belongs to stand together."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from inference.claims import Fact, facts
from inference.grounding_concepts import meanings
from inference.grounding_words import (
    ALL_STOP,
    NEGATORS,
    content_stems,
    fold,
    guess_language,
    polarity,
    stem,
    without_opposites,
    words,
)

# Short stems forgive inflection, long ones tell one service from another.
CONTENT_STEM = 5
SUBJECT_STEM = 7
CELLS = " | "  # between the cells of a table's row
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+(?=[\"“«(¿¡]?[A-ZÀ-Ý0-9])|\s*\n+\s*|;\s+")
_ABBREVIATED = re.compile(
    r"\b(?:sig|sig\.ra|dott|avv|ing|sra?|dra?|tel|art|mrs?|st|p\.es|es|ex|no|min|[a-z])\.$", re.I
)
_LONGEST_SHORT = 12  # characters of an abbreviation, what may stand before it and blanks behind it
_CLAUSE = re.compile(
    r"[,;:()]\s+|\s+(?:[–—-]|ma|but|pero|mas|mentre|while|mientras|enquanto|invece)\s+"
    # "open on Saturday and closed on Sunday" says two things.
    r"|\s+(?:and|ed?|y)\s+(?=(?:[\w']+\s+){0,3}(?:closed|chius|cerrad|fechad|open|apert|abiert|abert|"
    r"exclud|esclus|"
    r"exclu[ií]d|includ|inclus|inclu[ií]d|not|non|no|n[ãa]o)\w*)",
    re.IGNORECASE,
)
_ITEM = re.compile(r"[,;]|\s(?:and|or|ed?|o|y|ou)\s|\s[–—-]\s")
_DAY_OF_YEAR = re.compile(r"(?:\d{4}-)?\d{2}-\d{2}")
_ONLY = re.compile(r"\b(?:only|solo|soltanto|solamente|apenas|unicamente|just|so)\b")
_PRICE_WORDS = re.compile(r"[€$£]|\b(?:prezz|listin|tariff|price|rates?|preci|preco|valor|eur)\w*")


# Labels of a cell that only says how much or how long.
_LABELS = (
    "prezzo costo tariffa durata tempo pronto giorno notte mese price cost rate length time duration day "
    "night month ready precio coste duracion plazo dia noche mes entrega "
    "preco duracao prazo diaria mensalidade noite"
)


@dataclass(frozen=True)
class Clause:
    """A clause for the polarity check: its subject stems, weekdays as "#0".."#6", and whether it affirms."""

    stems: frozenset[str]
    affirms: bool
    limited: bool = False  # "only within the UK" affirms and denies at once
    dates: frozenset[str] = frozenset()  # its days of the year, "MM-DD"


@dataclass(frozen=True)
class Row:
    """A piece of a source: its subject stems (inherited from the row before if it names none) and facts."""

    stems: frozenset[str]
    facts: tuple[Fact, ...]
    own: frozenset[str] = frozenset()  # the stems it names itself
    words: tuple[str, ...] = ()  # the words behind `stems`

    def states(self, fact: Fact) -> bool:
        """Whether the row holds the value, in any of the readings of either side."""
        return any(agree(fact, own) for own in self.facts)


@dataclass(frozen=True)
class Parsed:
    """A source, read once. `stems` are short content stems, `words` whole folded words for names."""

    rows: tuple[Row, ...]
    clauses: tuple[Clause, ...]
    stems: frozenset[str]
    meanings: frozenset[str]
    words: frozenset[str]
    folded: str
    language: str | None
    priced: bool


def sentences(text: str) -> list[tuple[int, str]]:
    """Sentences and lines of `text` with their positions; an abbreviation's full stop does not end one."""
    found: list[tuple[int, str]] = []
    start = 0
    for match in _SENTENCE_END.finditer(text):
        ending = text[max(start, match.start() - _LONGEST_SHORT) : match.start()].rstrip()
        if "\n" not in match.group() and _ABBREVIATED.search(ending):
            continue
        found.append((start, text[start : match.start()]))
        start = match.end()
    found.append((start, text[start:]))
    return [(at, piece) for at, piece in found if piece.strip()]


def agree(claim: Fact, own: Fact) -> bool:
    """Whether a source's fact supports a claim's value."""
    if claim.kind == own.kind:
        if claim.kind == "date":
            return _same_date(next(iter(claim.values)), next(iter(own.values)))
        if claim.kind == "url":
            return any(o == c or o.startswith(c + "/") for c in claim.values for o in own.values)
        return bool(claim.values & own.values)
    if claim.kind == "number" and own.kind in ("money", "duration", "percent", "date", "hour"):
        return bool(own.raw & claim.values)
    # "Minimum age: 25" holds "25 years".
    if claim.kind == "duration" and own.kind == "number":
        return claim.value.endswith("month") and bool(claim.raw & own.values)
    return False


def _same_date(claim: str, own: str) -> bool:
    """Dates agree when the parts both give are equal: "03-12" with "2026-03-12", month "03" with both."""
    return own.endswith(claim) or claim.endswith(own) or (len(claim) == 2 and own[-5:-3] == claim)


def clauses(text: str, language: str | None) -> list[Clause]:
    """Clauses of one sentence; one that only lists days inherits the negation of the clause before."""
    found: list[Clause] = []
    ahead = frozenset[str]()  # dates that stand alone before a comma: "28 December 2026, closed"
    for part in text.split(CELLS) if CELLS in text else _CLAUSE.split(text):
        folded = fold(part)
        affirms, topics = polarity(folded, language)
        in_part = facts(part, language)
        days = {f"#{f.value}" for f in in_part if f.kind == "weekday"}
        if days and not topics and affirms and any(f.kind == "hour" for f in in_part):
            topics = frozenset({"#open"})
        bare = without_facts(without_opposites(folded), in_part)
        values = {f"={f.value}" for f in in_part if f.kind in ("duration", "money", "percent", "hour")}
        stems = meanings(bare) | topics | days | values
        if days and stems == days and found:
            affirms, stems = found[-1].affirms, stems | {s for s in found[-1].stems if s == "#open"}
        dates = ahead | days_of_year(in_part)
        if stems:
            found.append(Clause(frozenset(stems), affirms, bool(_ONLY.search(folded)), dates))
        ahead = frozenset() if stems else dates
    return found


def days_of_year(found: Iterable[Fact]) -> frozenset[str]:
    """The days of the year among the facts, "MM-DD"."""
    written = (value for fact in found if fact.kind == "date" for value in fact.values)
    return frozenset(value[-5:] for value in written if _DAY_OF_YEAR.fullmatch(value))


def heard(text: str, language: str | None) -> list[Clause]:
    """Every clause of a source; a short one ("We do not sell it") speaks of what the one before does."""
    found: list[Clause] = []
    for _, sentence in sentences(text):
        for clause in clauses(sentence, language):
            if len(clause.stems) < 2 and found and not clause.affirms:
                stems = clause.stems | found[-1].stems
                found.append(Clause(stems, clause.affirms, clause.limited, clause.dates | found[-1].dates))
            else:
                found.append(clause)
    return found


def without_facts(folded: str, spent: Sequence[Fact]) -> str:
    """The text with its facts blanked, so that "sabato" or "euro" are not taken for subjects."""
    for fact in spent:
        folded = folded[: fact.start] + " " * (fact.end - fact.start) + folded[fact.end :]
    return folded


def subject(text: str, spent: Sequence[Fact]) -> frozenset[str]:
    """What a piece of text is about, its facts left out: long stems, and concepts for other languages."""
    bare = without_facts(fold(text), spent)
    return content_stems(bare, SUBJECT_STEM) | {key for key in meanings(bare) if key.startswith("@")}


_CELL_STEMS = subject(_LABELS, ())


def shifted(inside: Sequence[Fact], start: int, end: int) -> list[Fact]:
    """The facts of text[start:end], at their positions in it."""
    return [Fact(f.kind, f.values, f.start - start, min(f.end, end) - start, f.raw) for f in inside]


def segments(text: str, found: Sequence[Fact], kind: str) -> list[tuple[int, int]]:
    """Cut a sentence so that each fact of `kind` stands with its own subject.

    In "massage 65 €, facial 50 €" the subject comes first and each cut follows a fact; in "65 € for the
    massage and 50 € for the facial" it comes after and each cut precedes one.
    """
    spans = sorted({(f.start, f.end) for f in found if f.kind == kind})
    if len(spans) < 2:
        return [(0, len(text))]
    leads = bool(subject(text[: spans[0][0]], [f for f in found if f.end <= spans[0][0]]))
    gaps = [(before[1], after[0]) for before, after in pairwise(spans)]
    cuts = [_cut(text, start, end, leads) for start, end in gaps]
    return list(zip([0, *cuts], [*cuts, len(text)], strict=True))


def _cut(text: str, start: int, end: int, leads: bool) -> int:
    """Where one item ends and the next begins: at a comma or "and" between two values, if there is one."""
    between = list(_ITEM.finditer(text, start, end))
    if between:
        return between[0 if leads else -1].start()
    return start if leads else end


def records(line: str, found: Sequence[Fact]) -> list[tuple[int, int]]:
    """Cut a line of cells into the records it holds: "A: 5 € | B: 7 €" has two, "Cut | 30 min | 20 €" one.

    A label that returns ("Service: … | Price: … | Service: …") begins a record; otherwise a cell does that
    names something and holds a value, when the record before has its own.
    """
    cuts = [0, *(m.end() for m in re.finditer(re.escape(CELLS), line)), len(line)]
    cells = list(pairwise(cuts))
    labels = [fold(line[a:b].partition(":")[0]).strip() if ":" in line[a:b] else "" for a, b in cells]
    first = labels[0] if labels[0] and labels.count(labels[0]) > 1 else None
    starts = [0]
    amount = False
    for n, (a, b) in enumerate(cells):
        inside = [
            f for f in found if a <= f.start < b and f.kind in ("money", "duration", "number", "percent")
        ]
        own = subject(line[a:b], shifted(inside, a, b)) - _CELL_STEMS
        if first is not None:
            begins = labels[n] == first or (
                amount and labels.count(labels[n]) == 1 and any(f.kind == "money" for f in inside)
            )
        else:
            following = [f for f in found if b <= f.start < cells[n + 1][1]] if n + 1 < len(cells) else []
            begins = amount and bool(own) and any(f.kind == "money" for f in [*inside, *following])
        if n and begins:
            starts.append(a)
            amount = False
        amount = amount or any(f.kind == "money" for f in inside)
    return list(zip(starts, [*starts[1:], len(line)], strict=True))


def _rows(text: str, language: str | None) -> Iterator[Row]:
    before: frozenset[str] = frozenset()
    said: tuple[str, ...] = ()
    for _, sentence in sentences(text):
        found = facts(sentence, language)
        whole = records(sentence, found) if CELLS in sentence else segments(sentence, found, "money")
        for start, end in whole:
            inside = tuple(f for f in found if start <= f.start < end)
            within = shifted(inside, start, end)
            own = stems = subject(sentence[start:end], within)
            told = tuple(word for _, word in telling(without_facts(fold(sentence[start:end]), within)))
            if len(stems) < 2:
                stems, told = stems | before, told + said
            before, said = stems or before, told or said
            if stems or inside:
                yield Row(stems, inside, own, tuple(dict.fromkeys(told)))


_TOKEN = re.compile(r"[a-z][a-z'’]*[a-z]|[a-z]")


def telling(folded: str) -> list[tuple[int, str]]:
    """Words of three letters or more that no language uses as mere joints, each with its position."""
    found = []
    for match in _TOKEN.finditer(folded):
        word = match.group().replace("’", "'")
        if word not in NEGATORS and word not in ALL_STOP:
            word = word.rpartition("'")[2] or word
        if len(word) > 2 and word not in ALL_STOP and word not in NEGATORS:
            found.append((match.start(), word))
    return found


def placed(sentence: str, found: Sequence[Fact]) -> Iterator[tuple[Fact, tuple[int, int], list[Fact]]]:
    """Each value with the piece of the sentence it stands in and the other values there."""
    cuts = {kind: segments(sentence, found, kind) for kind in {f.kind for f in found}}
    for fact in found:
        start, end = next((s, e) for s, e in cuts[fact.kind] if s <= fact.start < e)
        yield fact, (start, end), [f for f in found if start <= f.start < end]


@lru_cache(maxsize=512)
def parse(text: str) -> Parsed:
    """Read a source. Pure, so recent texts are remembered: the same passages are checked turn after turn."""
    folded = fold(text)
    language = guess_language(folded)
    return Parsed(
        tuple(_rows(text, language)),
        tuple(heard(text, language)),
        frozenset(stem(w, CONTENT_STEM) for w in words(folded)),
        meanings(folded),
        frozenset(re.findall(r"[a-z0-9]+", folded)),
        folded,
        language,
        bool(_PRICE_WORDS.search(folded)),
    )
