"""The sources of an answer, read: where a value, a name or a promise stands in them, and beside what."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from inference.claims import Claim, Fact
from inference.grounding_concepts import keys, meanings
from inference.grounding_names import same_name
from inference.grounding_places import translates
from inference.grounding_rows import Parsed, Row, agree, sentences, subject
from inference.grounding_words import fold

# A value of these kinds belongs to a subject: the right number in the wrong row is wrong.
_TIED = frozenset({"money", "duration", "percent", "number", "hour"})
_UNDIALLED = re.compile(r"[\s()./+-]")
_COUNTED = frozenset({"duration", "number"})
# What a live fact says besides its subject.
_PRICE_STEMS = subject(
    "prezzo costa costo durata dura orario price cost costs duration lasts takes precio cuesta duracion "
    "duran preco custa duracao",
    (),
)


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

    def promised(self, wording: re.Pattern[str], sentence: str) -> str | None:
        """The source that says as much of what the sentence speaks of, in other words."""
        spoken = meanings(fold(wording.sub(" ", fold(sentence))))
        for source, _ in self.entries:
            before = ""  # "Kerbside delivery £35. Free over £1,500": of what the sentence before tells
            for _, line in sentences(source.text):
                folded = fold(line)
                if wording.search(folded) and spoken & meanings(f"{before} {folded}"):
                    return source.id
                before = folded
        return None

    def holds(self, fact: Fact) -> bool:
        """Whether any source states the value, of whatever subject."""
        return any(row.states(fact) for parsed in self.parsed for row in parsed.rows)

    def writes(self, claim: Claim) -> bool:
        """Whether a source has an hour's or a date's very wording: read as such here, and not there."""
        said = fold(claim.text)
        return (
            claim.kind in ("hour", "date")
            and any(map(str.isdigit, said))
            and any(re.search(rf"(?<!\d){re.escape(said)}(?!\d)", parsed.folded) for parsed in self.parsed)
        )

    def dials(self, fact: Fact) -> str | None:
        """The source that has a phone number's digits one after the other, however they are grouped."""
        digits = _UNDIALLED.sub("", fact.value)
        return next(
            (s.id for s, p in self.entries if len(digits) >= 6 and digits in _UNDIALLED.sub("", p.folded)),
            None,
        )

    def counts(self, fact: Fact) -> bool:
        """Whether a source has the value's bare number: "dinner for six, and for ten 10 € less"."""
        if fact.kind not in _COUNTED:
            return False
        bare = fact.raw | {v for v in fact.values if v.replace(".", "").isdigit()}
        return any(
            own.kind == "number" and bool(own.values & bare)
            for parsed in self.parsed
            for row in parsed.rows
            for own in row.facts
        )

    @property
    def named_sources(self) -> list[tuple[str, Parsed]]:
        """Each source's name with what it says."""
        return [(source.id, parsed) for source, parsed in self.entries]

    def named(self, parts: Sequence[str], language: str | None = None) -> str | None:
        """The source in which every part of a name occurs, in the answer's or in another language."""
        for source, parsed in self.entries:
            if all(
                part in parsed.words
                or keys(part) & parsed.meanings & _concepts(part)
                or any(same_name(part, word) for word in parsed.words)
                or (parsed.language != language and translates(part, parsed.words))
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
