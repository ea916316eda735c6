"""Does an answer say only what its sources say? Pure and synchronous, a few milliseconds.

Rules: every number, price, date, hour, link, phone number and name of the answer must stand in a source or
follow from one (`inference.grounding_derived`), beside the same subject where the sources tie it to one; and
it must not promise. A live fact outranks a passage about the same thing. Whether it tells of things the
sources never mention, or affirms what they deny, a small trained judge decides (`inference.grounding_judge`),
except where a sentence plainly denies another: paraphrase is too free for rules.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from inference.claims import KINDS, Claim, Fact, facts
from inference.codes import language_code
from inference.grounding_concepts import keys, meanings
from inference.grounding_content import (
    content,
    denied,
    only_denied,
    pieces,
    stated,
    supposes,
    turns_away,
    unknown,
)
from inference.grounding_courtesy import greets
from inference.grounding_covered import covered
from inference.grounding_days import DAYS, of_other_days, opened_on_a_date, opened_otherwise
from inference.grounding_derived import derives
from inference.grounding_echo import Echo, wishes
from inference.grounding_features import instances
from inference.grounding_insults import abuse
from inference.grounding_judge import FLOOR, Verdict, judge
from inference.grounding_library import Library, Source
from inference.grounding_names import names, unaddressed
from inference.grounding_promises import ACTED, PATTERNS, SAID, denied_promise, promises
from inference.grounding_reader import UNSURE, Reader
from inference.grounding_rivals import rivals
from inference.grounding_rows import (
    clauses,
    days_of_year,
    parse,
    placed,
    sentences,
    shifted,
    subject,
    telling,
)
from inference.grounding_scripts import unread
from inference.grounding_supposed import supposed, theirs
from inference.grounding_words import fold, guess_language

__all__ = ["HARD", "Evidence", "GroundingReport", "Source", "check", "ruled"]

MAX_ANSWER_CHARS = 8192  # twice the longest text message WhatsApp carries: longer is no answer
# What these kinds of claims say is wrong whatever else speaks for the answer; the others are weighed.
HARD = frozenset(KINDS) - {"content", "polarity"}
_SAME = 0.65  # the share of their words from which two clauses are about the same thing
# In a question only what would mislead even as a question is checked.
_HARD = frozenset({"money", "percent", "phone", "url", "email"})
# A sentence with an exception of its own may deny what the source affirms with one, and be right.
_EXCEPTS = re.compile(
    r"\b(?:a meno che|unless|salvo|except|outside|exceto|excepto|tranne|senza|without|sin|sem|fuori|"
    r"purtroppo|"
    r"infelizmente|unfortunately|tampoco|tambem nao|neanche|nemmeno|anche|also|tambien|tambem|ya no|ja nao|"
    r"problem\w*|no more|mais nada|nada mas|nient['’]altro)\b"
)
_DEFINITE = re.compile(
    r"\b(?:le|i|gli|the|los|las|os|as|dos|das|dei|delle|ai|agli|alle|tutt[ie] e|all)\s$", re.IGNORECASE
)
_KNOWS_NOTHING = re.compile(
    r"\b(?:non (?:ho|abbiamo|trovo|dispongo di|mi risulta\w*|so)|no (?:tengo|tenemos|encuentro|dispongo de|"
    r"me consta\w*)|nao (?:tenho|temos|encontro|disponho de|me consta\w*|sei)|"
    r"(?:don't|do not) (?:have|find|see|know)|(?:can't|cannot) (?:find|see|say|tell)|i have no|"
    r"(?:no|any) information)\b"
)
_QUOTED = re.compile("“([^“”]+)”")
_CITED = re.compile('[“«"]([^“”«»"]+)[”»"]')
_CITED_LEAST = 3  # words; fewer are a name or a word that is talked about
_CALLS = re.compile(
    r"^\W*(?:tu |you |usted |voce )?(?:sei|siete|are|eres|sois|es)\s+(?:proprio |really |such |just |"
    r"tan |mesmo )?"
    r"((?:un[oa']?|an?|uma?)\s.*)$"
)


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
class _Finding:
    """A claim with the source that supports it, or None."""

    claim: Claim
    source: str | None
    sure: bool = False  # unsupported whatever the judge says of the rest
    held: bool = False  # not beside this subject, but elsewhere or by the customer: it is weighed


def check(
    answer: str,
    sources: Sequence[Source],
    language: str | None = None,
    reader: Reader | None = None,
    question: str = "",
) -> GroundingReport:
    """Check an answer against its sources.

    `language` is the answer's (it, en, es, pt); guessed when None. Values compare across languages, words by
    their meaning (`inference.grounding_concepts`). `question` is what the customer wrote: it supports
    nothing, but times, counts and names it brings up are weighed instead of refused. A `reader` is asked
    about what rules let pass, is not a quotation and leaves the judge unsure: some 15 ms more. Never raises
    on any text; ModelMissing or WeightsCorrupt where the reader cannot be loaded.
    """
    if len(answer) > MAX_ANSWER_CHARS:
        excess = Claim("content", answer[:80], f"longer than {MAX_ANSWER_CHARS} characters")
        return GroundingReport(False, (excess,), ())
    bare, spoken, findings = _findings(answer, sources, language_code(language), question)
    unsupported = dict.fromkeys(f.claim for f in findings if f.source is None)
    ledger = dict.fromkeys(Evidence(f.claim, f.source) for f in findings if f.source is not None)
    kinds = {claim.kind for claim in unsupported}
    refused = any(f.source is None and _hard(f) for f in findings)
    verdict = _judged(bare, spoken, sources, kinds, None if refused else reader, question)
    if verdict.fails and not kinds:
        unsupported = {
            Claim("content", verdict.where.strip() or answer.strip()[:80], "more than the sources say"): None
        }
    elif not verdict.fails:
        unsupported = dict.fromkeys(f.claim for f in findings if f.source is None and _hard(f))
    return GroundingReport(not unsupported, tuple(unsupported), tuple(ledger))


def _judged(
    bare: str,
    language: str | None,
    sources: Sequence[Source],
    kinds: Collection[str],
    reader: Reader | None,
    question: str,
) -> Verdict:
    """What the judges say of an answer in which rules found these kinds of claims unsupported."""
    one, texts = judge(), [source.text for source in sources]
    record = [source.text for source in sources if source.trusted]
    telling_lines = [
        line
        for _, line in sentences(bare)
        if not greets(fold(line))
        and not (record and covered(fold(line), facts(line, language), language, record)[0])
    ]
    bare = "\n".join(telling_lines)
    if not kinds and not any(map(str.isalnum, fold(bare))):  # nothing but quotations and what the record says
        return Verdict(FLOOR, False, "")
    verdict = one.judge(instances(bare, language, texts, sorted(kinds), one.lexis, question))
    if reader is None or abs(verdict.score - one.threshold) > UNSURE or not telling(fold(bare)):
        return verdict
    refused = reader.refuses(verdict.score, " ".join(telling_lines), texts)
    return verdict if refused is None else replace(verdict, fails=refused)


def _hard(finding: _Finding) -> bool:
    return finding.sure or (finding.claim.kind in HARD and not finding.held)


def ruled(
    answer: str, sources: Sequence[Source], language: str | None, question: str = ""
) -> tuple[str, list[str], bool]:
    """What is left of an answer without its quotations, the kinds of claims rules find unsupported, and
    whether those alone refuse it."""
    bare, _, findings = _findings(answer, sources, language, question)
    failed = [f for f in findings if f.source is None]
    return bare, sorted({f.claim.kind for f in failed}), any(map(_hard, failed))


def _findings(
    answer: str, sources: Sequence[Source], language: str | None, question: str
) -> tuple[str, str | None, list["_Finding"]]:
    quoted, answer = answer, _unquoted(answer, sources)
    spoken = language or guess_language(fold(answer))
    library = Library(tuple((source, parse(source.text)) for source in sources))
    echo = Echo.of(question, spoken)
    findings: list[_Finding] = []
    if quoted != answer:
        findings += _overruled(quoted, library, spoken)
    findings += _misquoted(answer, library)
    for run in unread(answer, [source.text for source in sources]):
        findings.append(_Finding(Claim("content", run, "in letters that cannot be checked"), None, True))
    about: frozenset[str] = frozenset()
    for _, sentence in sentences(answer):
        found = facts(sentence, spoken)
        asks = sentence.rstrip().rstrip('"”»)😊🙂').endswith("?")
        about = subject(sentence, found) or about
        findings += _values(sentence, found, library, about, asks, echo)
        findings += _promises(sentence, found, library, spoken)
        findings += _names(sentence, library, spoken, echo)
        if not asks:
            findings += _turned(sentence, found, library)
            findings += _polarity(unaddressed(sentence), library, spoken)
            findings += _content(unaddressed(sentence), found, library)
            findings += _insults(sentence, library)
    return answer, spoken, findings


def _unquoted(answer: str, sources: Sequence[Source]) -> str:
    """The answer without what stands word for word in one source, in whatever language: quotations in “…”
    and whole lines that are whole lines of a source."""
    texts = [[" ".join(line.split()) for line in source.text.splitlines()] for source in sources]
    # What leads a quotation in has an empty one in its own source.
    whole = {line.removesuffix("“”").rstrip() for text in texts for line in text}

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


def _misquoted(answer: str, library: Library) -> Iterator[_Finding]:
    """What stands in quotation marks is said to be someone's words: they must be in a source."""
    for quotation in _CITED.finditer(answer):
        said = [word for _, word in telling(fold(quotation.group(1)))]
        if len(said) >= _CITED_LEAST and not any(set(said) <= set(p.words) for p in library.parsed):
            yield _Finding(Claim("content", quotation.group().strip(), "quoted"), None, True)


def _turned(sentence: str, found: Sequence[Fact], library: Library) -> Iterator[_Finding]:
    timed = any(fact.kind == "hour" for fact in found)
    for words in rivals(fold(sentence), [parsed.folded for parsed in library.parsed], timed=timed):
        yield _Finding(Claim("content", sentence.strip(), words), None, True)


def _insults(sentence: str, library: Library) -> Iterator[_Finding]:
    """Nothing a source says makes the customer something, and nobody abuses them."""
    for word in abuse(fold(sentence)):
        if not any(word in parsed.folded for parsed in library.parsed):
            yield _Finding(Claim("content", sentence.strip(), word), None, True)
    called = _CALLS.match(fold(sentence))
    if called and unknown(called.group(1), library.meanings):
        yield _Finding(Claim("content", sentence.strip(), called.group(1).strip()), None, True)


def _placed(sentence: str, found: Sequence[Fact]) -> Iterator[tuple[Fact, frozenset[str], list[Fact]]]:
    """Each value with the subject it stands beside and the other values there."""
    for fact, (start, end), inside in placed(sentence, found):
        about = subject(sentence[start:end], shifted(inside, start, end))
        yield fact, about, [f for f in inside if f.kind != fact.kind]


def _values(
    sentence: str, found: Sequence[Fact], library: Library, inherited: frozenset[str], asks: bool, echo: Echo
) -> Iterator[_Finding]:
    """Judge each value of a sentence with the subject it stands beside."""
    for fact, about, beside in _placed(sentence, found):
        if (asks and fact.kind not in _HARD) or (fact.kind == "number" and _both(sentence, fact)):
            continue
        if fact.kind == "weekday" and wishes(fold(sentence)):
            continue
        apart = library.tells_apart(about, fact.kind)
        claim = Claim(fact.kind, sentence[fact.start : fact.end].strip(), fact.value)
        subjects = about if apart else about | inherited
        source = library.tied(fact, subjects, beside)
        if source is None and fact.kind == "phone":
            source = library.dials(fact)
        if (
            source is None
            and not library.overruled(fact, subjects)
            and (fact.kind == "number" or not library.holds(fact))
        ):
            source = derives(fact, fold(sentence), found, library.named_sources, about | inherited)
        if fact.kind == "hour" and source is not None and of_other_days(fact, found, library.parsed):
            source = None
        free = source is None and not library.overruled(fact, subjects)
        if free and supposed(fact, fold(sentence), library.parsed):
            continue
        somewhere = library.holds(fact) or library.counts(fact) or library.writes(claim) or echo.has(fact)
        yield _Finding(claim, source, held=free and somewhere)


def _both(sentence: str, fact: Fact) -> bool:
    """ "Le due", "the two", "los dos": what was spoken of before, counted."""
    said = sentence[fact.start : fact.end].strip()
    if said.isalpha() and fact.value == "1":
        return True  # "una a una", "l'una": an article more often than a count
    return said.isalpha() and fact.value in ("2", "3") and bool(_DEFINITE.search(sentence[: fact.start]))


def _promises(
    sentence: str, found: Sequence[Fact], library: Library, language: str | None
) -> Iterator[_Finding]:
    """A promise stands only when a source makes the same kind of promise; one denied promises nothing, nor
    does who knows nothing of it."""
    if _KNOWS_NOTHING.search(fold(sentence)):
        return
    for name, wording in promises(fold(sentence)):
        if (name in SAID or name == "guarantee") and denied_promise(fold(sentence), wording, language):
            continue
        if name == "discount" and any(f.kind == "percent" and library.holds(f) for f in found):
            continue  # so much per cent off is what the source says by "10 % in the café"
        if name == ACTED:
            yield _Finding(Claim("promise", wording, name), None)
            continue
        source = next((s.id for s, p in library.entries if PATTERNS[name].search(p.folded)), None)
        if source is None and name in SAID:
            source = library.promised(SAID[name], sentence)
        yield _Finding(Claim("promise", wording, name), source)


def _names(sentence: str, library: Library, language: str | None, echo: Echo) -> Iterator[_Finding]:
    """What somebody knows nothing of may have any name: the customer's, as a rule."""
    if _KNOWS_NOTHING.search(fold(sentence)):
        return
    for wording, parts in names(sentence):
        if theirs(sentence, wording, language):
            continue
        source = library.named(parts, language)
        yield _Finding(Claim("name", wording, " ".join(parts)), source, held=echo.names(parts))


def _polarity(sentence: str, library: Library, language: str | None) -> Iterator[_Finding]:
    """Whether a sentence affirms what the sources deny, or denies what they affirm."""
    spoken = language or library.language
    said = [
        clause
        for piece in pieces(sentence)
        if not supposes(fold(piece), spoken)
        for clause in clauses(piece, spoken)
    ]
    parsed = library.parsed
    on_a_date = opened_on_a_date(said, days_of_year(facts(sentence, spoken)), parsed)
    opposed = on_a_date or opened_otherwise(said, parsed) or any(denied(one, parsed) for one in said)
    plain = said and all(clause.affirms and not clause.limited for clause in said)
    if not opposed and plain and not turns_away(fold(sentence), spoken):
        never = only_denied(parsed)
        days = {s for clause in said if "#open" in clause.stems for s in clause.stems if s in DAYS}
        told = [keys(word) for word in content(stated(sentence, ()))]
        opposed = bool(days & never) or any(meaning <= never for meaning in told)
    if opposed:
        affirms = any(clause.affirms for clause in said)
        sure = not _EXCEPTS.search(fold(sentence)) and (
            on_a_date or any(denied(c, parsed, _SAME) for c in said)
        )
        yield _Finding(Claim("polarity", sentence.strip(), "affirmed" if affirms else "denied"), None, sure)


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
