"""Does an answer say only what its sources say? Rules, no model: pure, synchronous, about two milliseconds.

Every number, price, date, hour, link, phone number and name of the answer must stand in a source, beside the
same subject where the sources tie it to one; a sentence must not affirm what they deny; it must not tell of
things they never mention; and it must not promise. A live fact outranks a passage about the same thing.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from inference.claims import Claim, Fact, facts
from inference.grounding_concepts import keys, meanings
from inference.grounding_content import content, denied, only_denied, pieces, stated, supposes, unknown
from inference.grounding_names import names, same_name, unaddressed
from inference.grounding_promises import PATTERNS, promises
from inference.grounding_rows import Parsed, Row, agree, clauses, parse, segments, sentences, shifted, subject
from inference.grounding_words import fold, guess_language

# Twice the longest text message WhatsApp carries: anything longer cannot be an answer.
MAX_ANSWER_CHARS = 8192
# In a question only what would mislead even as a question is checked.
_HARD = frozenset({"money", "percent", "phone", "url", "email"})
# A value of these kinds belongs to a subject: the right number in the wrong row is wrong.
_TIED = frozenset({"money", "duration", "percent", "number", "hour"})
# What a live fact says besides its subject.
_PRICE_STEMS = subject(
    "prezzo costa costo durata dura orario price cost costs duration lasts takes precio cuesta duracion "
    "duran preco custa duracao",
    (),
)
_DAYS = frozenset(f"#{day}" for day in range(7))
_DEFINITE = re.compile(r"\b(?:le|i|gli|the|los|las|os|as|tutt[ie] e|all)\s$", re.IGNORECASE)
_QUOTED = re.compile("“([^“”]+)”")


@dataclass(frozen=True)
class Source:
    """A passage, live fact or tool result the answer may rest on.

    `trusted` is what the record itself says (a live fact, a tool's result): where it gives a value for a
    subject, a passage cannot give another.
    """

    id: str
    text: str
    trusted: bool = False


@dataclass(frozen=True)
class Evidence:
    """A claim and the source that supports it."""

    claim: Claim
    source_id: str


@dataclass(frozen=True)
class GroundingReport:
    """`supported` when nothing is unsupported; `ledger` names a source for each supported claim."""

    supported: bool
    unsupported: tuple[Claim, ...]
    ledger: tuple[Evidence, ...]


@dataclass(frozen=True)
class Library:
    """The sources of one answer, parsed."""

    entries: tuple[tuple[Source, Parsed], ...]

    @property
    def language(self) -> str | None:
        """The sources' language, when they are all clearly in one."""
        spoken = {p.language for _, p in self.entries if p.language}
        return spoken.pop() if len(spoken) == 1 else None

    @property
    def parsed(self) -> list[Parsed]:
        """What the sources say, without their names."""
        return [parsed for _, parsed in self.entries]

    @property
    def meanings(self) -> frozenset[str]:
        """The meaning of every word of every source."""
        return frozenset().union(*(parsed.meanings for parsed in self.parsed))

    def tied(self, fact: Fact, about: frozenset[str], beside: Sequence[Fact]) -> str | None:
        """The source that ties the value to its subject, or None when the sources tie it to another.

        `about` are the subject's stems around the value in the answer, `beside` the other values there. A row
        without the value refutes it when it matches strictly more of them than any row with the value does.
        """

        def shared(row: Row, stems: frozenset[str]) -> frozenset[str]:
            return (about & stems) | {b.value for b in beside if any(agree(b, o) for o in row.facts)}

        if self.overruled(fact, about):
            return None
        holding = [
            (source.id, shared(row, row.stems), source.trusted)
            for source, parsed in self.entries
            for row in parsed.rows
            if row.states(fact) or (fact.kind == "money" and parsed.priced and _plain_price(fact, row.facts))
        ]
        if not holding:
            return None
        sure = [source for source, _, trusted in holding if trusted]
        if sure and self.settled(fact, about):
            return sure[0]
        if fact.kind in _TIED:
            for parsed in self.parsed:
                for row in parsed.rows:
                    if row.states(fact) or not any(f.kind == fact.kind for f in row.facts):
                        continue
                    rival = shared(row, row.own)
                    if all(rival > mine for _, mine, _ in holding):
                        return None
        return max(holding, key=lambda one: (len(one[1]), one[2]))[0]

    def overruled(self, fact: Fact, about: frozenset[str]) -> bool:
        """Whether the record gives another value for the very subject of this one, and nowhere this one."""
        if fact.kind not in _TIED:
            return False
        rows = [row for source, parsed in self.entries if source.trusted for row in parsed.rows]
        rivals = [row for row in rows if any(f.kind == fact.kind for f in row.facts)]
        if any(row.states(fact) for row in rivals):
            return False
        subjects = [row.own - _PRICE_STEMS for row in rivals]
        return any(named and named <= about for named in subjects)

    def settled(self, fact: Fact, about: frozenset[str]) -> bool:
        """Whether the record gives this value for the very subject: no passage can refute it."""
        rows = [row for source, parsed in self.entries if source.trusted for row in parsed.rows]
        return any(
            row.states(fact) and row.own - _PRICE_STEMS and row.own - _PRICE_STEMS <= about for row in rows
        )

    def tells_apart(self, about: frozenset[str], kind: str) -> bool:
        """Whether a subject picks some rows with values of a kind and not others; "excess" picks none."""
        rows = [row for p in self.parsed for row in p.rows if any(f.kind == kind for f in row.facts)]
        return len({about & row.stems for row in rows}) > 1

    def named(self, parts: Sequence[str]) -> str | None:
        """The source in which every part of a name occurs, spelling of another language allowed."""
        for source, parsed in self.entries:
            if all(
                part in parsed.words
                or keys(part) & parsed.meanings & _concepts(part)
                or any(same_name(part, word) for word in parsed.words)
                for part in parts
            ):
                return source.id
        return None


def _concepts(part: str) -> frozenset[str]:
    return frozenset(key for key in keys(part) if key.startswith("@"))


def _plain_price(fact: Fact, own: Sequence[Fact]) -> bool:
    """A price column has bare numbers: "65" in a source that speaks of prices supports "65 €"."""
    amounts = {v.split()[0] for v in fact.values}
    return any(f.kind == "number" and f.values & amounts for f in own)


@dataclass(frozen=True)
class _Finding:
    """A claim with the source that supports it, or None."""

    claim: Claim
    source: str | None


def check(answer: str, sources: Sequence[Source], language: str | None = None) -> GroundingReport:
    """Check an answer against its sources.

    `language` is the answer's (it, en, es, pt); guessed when None. Values compare across languages, words by
    their meaning (`inference.grounding_concepts`). Never raises on any text.
    """
    if len(answer) > MAX_ANSWER_CHARS:
        excess = Claim("content", answer[:80], f"longer than {MAX_ANSWER_CHARS} characters")
        return GroundingReport(False, (excess,), ())
    quoted, answer = answer, _unquoted(answer, sources)
    spoken = language or guess_language(fold(answer))
    library = Library(tuple((source, parse(source.text)) for source in sources))
    findings: list[_Finding] = []
    if quoted != answer:
        findings += _overruled(quoted, library, spoken)
    about: frozenset[str] = frozenset()
    for _, sentence in sentences(answer):
        found = facts(sentence, spoken)
        question = sentence.rstrip().rstrip('"”»)😊🙂').endswith("?")
        about = subject(sentence, found) or about
        findings += _values(sentence, found, library, about, question)
        findings += _promises(sentence, library)
        findings += _names(sentence, library)
        if not question:
            findings += _polarity(unaddressed(sentence), library, spoken)
            findings += _content(unaddressed(sentence), found, library)
    unsupported = dict.fromkeys(f.claim for f in findings if f.source is None)
    ledger = dict.fromkeys(Evidence(f.claim, f.source) for f in findings if f.source is not None)
    return GroundingReport(not unsupported, tuple(unsupported), tuple(ledger))


def _unquoted(answer: str, sources: Sequence[Source]) -> str:
    """The answer without what stands word for word in one source, in whatever language: quotations in “…”
    and whole lines that are whole lines of a source."""
    texts = [[" ".join(line.split()) for line in source.text.splitlines()] for source in sources]
    whole = {line for text in texts for line in text}

    def cut(quoted: re.Match[str]) -> str:
        lines = [" ".join(line.split()) for line in quoted.group(1).splitlines()]
        return "" if any(all(line in " ".join(text) for line in lines) for text in texts) else quoted.group()

    left = _QUOTED.sub(cut, answer).splitlines()
    return "\n".join(line for line in left if " ".join(line.split()) not in whole)


def _overruled(answer: str, library: Library, language: str | None) -> Iterator[_Finding]:
    """Values the record contradicts: quoting a passage word for word does not make them right."""
    for _, sentence in sentences(answer):
        found = facts(sentence, language)
        for fact, about, _ in _placed(sentence, found):
            if library.overruled(fact, about):
                yield _Finding(Claim(fact.kind, sentence[fact.start : fact.end].strip(), fact.value), None)


def _placed(sentence: str, found: Sequence[Fact]) -> Iterator[tuple[Fact, frozenset[str], list[Fact]]]:
    """Each value with the subject it stands beside and the other values there."""
    cuts = {kind: segments(sentence, found, kind) for kind in {f.kind for f in found}}
    for fact in found:
        start, end = next((s, e) for s, e in cuts[fact.kind] if s <= fact.start < e)
        inside = [f for f in found if start <= f.start < end]
        about = subject(sentence[start:end], shifted(inside, start, end))
        yield fact, about, [f for f in inside if f.kind != fact.kind]


def _values(
    sentence: str, found: Sequence[Fact], library: Library, inherited: frozenset[str], question: bool
) -> Iterator[_Finding]:
    """Judge each value of a sentence with the subject it stands beside."""
    for fact, about, beside in _placed(sentence, found):
        if (question and fact.kind not in _HARD) or (fact.kind == "number" and _both(sentence, fact)):
            continue
        apart = library.tells_apart(about, fact.kind)
        claim = Claim(fact.kind, sentence[fact.start : fact.end].strip(), fact.value)
        yield _Finding(claim, library.tied(fact, about if apart else about | inherited, beside))


def _both(sentence: str, fact: Fact) -> bool:
    """ "Le due", "the two", "los dos": what was spoken of before, counted."""
    said = sentence[fact.start : fact.end].strip()
    return said.isalpha() and fact.value in ("2", "3") and bool(_DEFINITE.search(sentence[: fact.start]))


def _promises(sentence: str, library: Library) -> Iterator[_Finding]:
    """A promise stands only when a source makes the same kind of promise."""
    for name, wording in promises(fold(sentence)):
        source = next((s.id for s, p in library.entries if PATTERNS[name].search(p.folded)), None)
        yield _Finding(Claim("promise", wording, name), source)


def _names(sentence: str, library: Library) -> Iterator[_Finding]:
    for wording, parts in names(sentence):
        yield _Finding(Claim("name", wording, " ".join(parts)), library.named(parts))


def _polarity(sentence: str, library: Library, language: str | None) -> Iterator[_Finding]:
    """Whether a sentence affirms what the sources deny, or denies what they affirm."""
    spoken = language or library.language
    said = [
        clause
        for piece in pieces(sentence)
        if not supposes(fold(piece), spoken)
        for clause in clauses(piece, spoken)
    ]
    opposed = any(denied(clause, library.parsed) for clause in said)
    if not opposed and said and all(clause.affirms and not clause.limited for clause in said):
        never = only_denied(library.parsed)
        days = {s for clause in said if "#open" in clause.stems for s in clause.stems if s in _DAYS}
        told = [keys(word) for word in content(stated(sentence, ()))]
        opposed = bool(days & never) or any(meaning <= never for meaning in told)
    if opposed:
        affirms = any(clause.affirms for clause in said)
        yield _Finding(Claim("polarity", sentence.strip(), "affirmed" if affirms else "denied"), None)


def _content(sentence: str, found: Sequence[Fact], library: Library) -> Iterator[_Finding]:
    """Whether a sentence tells of things the sources never mention; if not, which source it is nearest to."""
    folded = stated(sentence, found)
    new = unknown(folded, library.meanings)
    if new:
        yield _Finding(Claim("content", sentence.strip(), " ".join(sorted(new))), None)
        return
    said = meanings(folded)
    if library.entries and len(content(folded)) >= 2:
        best = max(library.entries, key=lambda entry: len(said & entry[1].meanings))
        yield _Finding(Claim("content", sentence.strip(), " ".join(content(folded))), best[0].id)


def ground_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """One row of `sara ground`: {answer, passages[], language?} → {supported, unsupported[]}.

    A passage is a string or an object with `text` and perhaps `id`. Raises ValueError naming what is missing.
    """
    answer, passages = row.get("answer"), row.get("passages")
    if not isinstance(answer, str) or not isinstance(passages, list):
        raise ValueError("a row needs `answer` (text) and `passages` (a list of texts)")
    sources = [_source(i, passage) for i, passage in enumerate(passages)]
    language = row.get("language")
    report = check(answer, sources, language if isinstance(language, str) else None)
    return {
        "supported": report.supported,
        "unsupported": [{"kind": c.kind, "text": c.text, "value": c.value} for c in report.unsupported],
    }


def _source(index: int, passage: object) -> Source:
    if isinstance(passage, str):
        return Source(str(index), passage)
    if isinstance(passage, Mapping) and isinstance(passage.get("text"), str):
        return Source(str(passage.get("id", index)), passage["text"])
    raise ValueError(f"passage {index} is neither text nor an object with `text`")
