"""Does an answer say only what its sources say? Rules, no model: pure, synchronous, about a millisecond.

Every number, price, date, hour, link, phone number and name of the answer must stand in a source, beside the
same subject where the sources tie it to one; a sentence must not affirm what they deny; most of its words
must be known to them; and it must not promise. Questions and courtesy phrases are not claims.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from inference.claims import Claim, Fact, facts
from inference.grounding_promises import PATTERNS, promises
from inference.grounding_rows import (
    CONTENT_STEM,
    Clause,
    Parsed,
    agree,
    clauses,
    parse,
    segments,
    sentences,
    subject,
    without_facts,
)
from inference.grounding_times import MONTH_OF
from inference.grounding_words import (
    ALL_STOP,
    GENERIC,
    content_stems,
    fold,
    guess_language,
    vocabulary,
)

# Twice the longest text message WhatsApp carries: anything longer cannot be an answer.
MAX_ANSWER_CHARS = 8192
# In a question only what would mislead even as a question is checked.
_HARD = frozenset({"money", "percent", "phone", "url", "email"})
# A value of these kinds belongs to a subject: the right number in the wrong row is wrong.
_TIED = frozenset({"money", "duration", "percent", "number", "hour"})
_COURTESY = re.compile(
    r"^\W*(?:ciao|salve|buon\w*|grazie|certo|certamente|perfetto|volentieri|d'accordo|"
    r"a presto|resto a|siamo a|"
    r"sono a|se hai|se ha|se vuoi|se desidera|fammi|mi faccia|scriv|hello|hi\b|hey|thank|"
    r"sure|of course|great|"
    r"you['’]re welcome|let me know|feel free|if you|see you|happy to|glad to|please|hola|buen|gracias|claro|"
    r"con gusto|si quieres|si desea|quedo|quedamos|dime|digame|hasta|perfecto|ola|oi\b|"
    r"bom dia|boa|obrigad|com "
    r"certeza|se quiser|se precisar|fico|estamos a|estou a|ate|perfeito|me avis|diga|"
    r"mi dispiace|sorry|lo siento|"
    r"lamento|desculp|scusa)"
)
_ABSTAINS = re.compile(
    r"\bnon (?:ho|trovo|dispongo|abbiamo|so|sono sicur|risult|posso confermare|sono in grado)|\bnon lo so"
    r"|\b(?:i|we) (?:don['’]?t|do not|can['’]?t|cannot|couldn['’]?t) (?:have|know|find|confirm|see|say)"
    r"|\bi['’]?m not (?:sure|able)|\bno (?:tengo|encuentro|dispongo|se\b|puedo confirmar|tenemos|dispongo)"
    r"|\bnao (?:tenho|encontro|encontrei|sei|disponho|temos|consigo|posso confirmar)"
)
_NAME = re.compile(r"(?<![\w@./])[A-ZÀ-Ý][\w'’-]*[\wà-ÿ]")
_QUOTED = re.compile("“([^“”]+)”")
_BEFORE_NAME = re.compile(r"(?:^|[.!?:;…\n•*\-–—\"“«(¿¡])\s*$")
# "Ciao Giulia": the customer's own name is no claim.
_ADDRESSED = re.compile(
    r"\b(?:ciao|salve|buon\w*|grazie|gentile|cara|caro|hello|hi|hey|dear|thanks|thank you|morning|afternoon|"
    r"evening|hola|gracias|querid[ao]|dias|tardes|noches|ola|oi|obrigad[ao]|dia|tarde|noite)[, ]+$"
)
_NOT_NAMES = (
    ALL_STOP
    | frozenset(MONTH_OF)
    | vocabulary(
        """
        lei voi ella sara whatsapp google instagram facebook ok spa iva vat nif nie email sms pdf
        eur usd gbp italiano inglese spagnolo portoghese english spanish italian portuguese espanol
        portugues ingles italiana monday tuesday wednesday thursday friday saturday sunday lunedi
        martedi mercoledi giovedi venerdi sabato domenica lunes martes miercoles jueves viernes
        domingo segunda terca quarta quinta sexta feira natale christmas navidad natal pasqua easter
        pascua i'm i'll i've i'd sig dott avv ing sr sra dr dra mr mrs
        """
    )
)


@dataclass(frozen=True)
class Source:
    """A passage, live fact or tool result the answer may rest on."""

    id: str
    text: str


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

    entries: tuple[tuple[str, Parsed], ...]

    @property
    def language(self) -> str | None:
        """The sources' language, when they are all clearly in one."""
        spoken = {p.language for _, p in self.entries if p.language}
        return spoken.pop() if len(spoken) == 1 else None

    def tied(self, fact: Fact, about: frozenset[str], beside: Sequence[Fact]) -> str | None:
        """The source that ties the value to its subject, or None when the sources tie it to another.

        `about` are the subject stems around the value in the answer, `beside` the other values there. A row
        without the value refutes it when it matches strictly more of them than any row with the value does.
        """

        def shared(stems: frozenset[str], own: Sequence[Fact]) -> frozenset[str]:
            return (about & stems) | {b.value for b in beside if any(agree(b, o) for o in own)}

        holding = [
            (source, shared(row.stems, row.facts))
            for source, parsed in self.entries
            for row in parsed.rows
            if row.states(fact) or (fact.kind == "money" and parsed.priced and _plain_price(fact, row.facts))
        ]
        if not holding:
            return None
        if fact.kind in _TIED:
            rivals = [
                shared(row.stems, row.facts)
                for _, parsed in self.entries
                for row in parsed.rows
                if not row.states(fact) and any(f.kind == fact.kind for f in row.facts)
            ]
            if any(all(rival > mine for _, mine in holding) for rival in rivals):
                return None
        return max(holding, key=lambda pair: len(pair[1]))[0]

    def named(self, name: str) -> str | None:
        """The source in which a folded name occurs, spelling of another language allowed (Milano, Milan)."""
        for source, parsed in self.entries:
            if name in parsed.words or any(_same_name(name, word) for word in parsed.words):
                return source
        return None


def _plain_price(fact: Fact, own: Sequence[Fact]) -> bool:
    """A price column has bare numbers: "65" in a source that speaks of prices supports "65 €"."""
    amounts = {v.split()[0] for v in fact.values}
    return any(f.kind == "number" and f.values & amounts for f in own)


def _same_name(name: str, word: str) -> bool:
    shortest = min(len(name), len(word))
    return shortest >= 4 and name[: max(3, shortest - 2)] == word[: max(3, shortest - 2)]


@dataclass(frozen=True)
class _Finding:
    """A claim with the source that supports it, or None."""

    claim: Claim
    source: str | None


def check(answer: str, sources: Sequence[Source], language: str | None = None) -> GroundingReport:
    """Check an answer against its sources.

    `language` is the answer's (it, en, es, pt); guessed when None. Words are only compared with sources of
    the same language; values are compared across languages. Never raises on any text.
    """
    if len(answer) > MAX_ANSWER_CHARS:
        excess = Claim("content", answer[:80], f"longer than {MAX_ANSWER_CHARS} characters")
        return GroundingReport(False, (excess,), ())
    answer = _unquoted(answer, sources)
    spoken = language or guess_language(fold(answer))
    library = Library(tuple((s.id, parse(s.text)) for s in sources))
    findings: list[_Finding] = []
    about: frozenset[str] = frozenset()
    for _, sentence in sentences(answer):
        found = facts(sentence, spoken)
        question = sentence.rstrip().rstrip('"”»)😊🙂').endswith("?")
        about = subject(sentence, found) or about
        findings += _values(sentence, found, library, about, question)
        findings += _promises(sentence, library)
        if not question:
            findings += _names(sentence, library)
            findings += _statement(sentence, found, library, spoken)
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


def _values(
    sentence: str, found: Sequence[Fact], library: Library, inherited: frozenset[str], question: bool
) -> Iterator[_Finding]:
    """Judge each value of a sentence with the subject it stands beside."""
    cuts = {kind: segments(sentence, found, kind) for kind in {f.kind for f in found}}
    for fact in found:
        if question and fact.kind not in _HARD:
            continue
        start, end = next((s, e) for s, e in cuts[fact.kind] if s <= fact.start < e)
        inside = [f for f in found if start <= f.start < end]
        shifted = [Fact(f.kind, f.values, f.start - start, min(f.end, end) - start) for f in inside]
        about = subject(sentence[start:end], shifted) or inherited
        beside = [f for f in inside if f.kind != fact.kind]
        claim = Claim(fact.kind, sentence[fact.start : fact.end].strip(), fact.value)
        yield _Finding(claim, library.tied(fact, about, beside))


def _promises(sentence: str, library: Library) -> Iterator[_Finding]:
    """A promise stands only when a source makes the same kind of promise."""
    for name, wording in promises(fold(sentence)):
        source = next((s for s, p in library.entries if PATTERNS[name].search(p.folded)), None)
        yield _Finding(Claim("promise", wording, name), source)


def _names(sentence: str, library: Library) -> Iterator[_Finding]:
    """Capitalised words inside a sentence are names of people, places or services."""
    for match in _NAME.finditer(sentence):
        folded = fold(match.group()).replace("’", "'").removesuffix("'s")
        name = folded.rpartition("'")[2]
        before = sentence[max(0, match.start() - 40) : match.start()]
        opening = _BEFORE_NAME.search(before)
        addressed = _ADDRESSED.search(fold(before))
        if opening or addressed or len(name) < 3 or folded in _NOT_NAMES or name in _NOT_NAMES:
            continue
        yield _Finding(Claim("name", match.group(), name), library.named(name))


def _statement(
    sentence: str, found: Sequence[Fact], library: Library, language: str | None
) -> Iterator[_Finding]:
    """Polarity and content of a sentence that states something."""
    folded = fold(sentence)
    if _ABSTAINS.search(folded):
        return
    for clause in clauses(sentence, language or library.language):
        if _denied(clause, library):
            yield _Finding(
                Claim("polarity", sentence.strip(), "affirmed" if clause.affirms else "denied"), None
            )
            break
    if _COURTESY.search(folded) and not found and len(folded) < 120:
        return
    comparable = [p for _, p in library.entries if language is None or p.language in (language, None)]
    stems = content_stems(without_facts(folded, found), CONTENT_STEM) - GENERIC
    if len(stems) < 3 or (library.entries and not comparable):
        return
    known = frozenset().union(*(p.stems for p in comparable)) if comparable else frozenset()
    unknown = stems - known
    if len(unknown) * 2 > len(stems):
        yield _Finding(Claim("content", sentence.strip(), " ".join(sorted(unknown))), None)
        return
    best = max(library.entries, key=lambda entry: len(stems & entry[1].stems))
    yield _Finding(Claim("content", sentence.strip(), " ".join(sorted(stems))), best[0])


def _denied(clause: Clause, library: Library) -> bool:
    """Whether the clause of the sources that is nearest to this one says the opposite."""
    scores = {True: 0, False: 0}
    for _, parsed in library.entries:
        for own in parsed.clauses:
            shared = clause.stems & own.stems
            marked = any(s in shared for s in _TOPICS)
            enough = len(shared) >= 2 and (marked or len(shared) * 2 >= len(clause.stems))
            same = own.affirms == clause.affirms
            if enough:
                scores[same] = max(scores[same], len(shared))
    return scores[False] > scores[True]


_TOPICS = frozenset({"#open", "#included", "#free", "#allowed", "#required", "#available"})


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
