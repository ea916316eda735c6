"""What an answer takes up of the customer's own words: "so with five months' notice", "have a good Friday".

Customers support nothing: they may be wrong, or want to hear something. But a value or a name that they have
brought up themselves is no invention, so whether it is right is weighed with the rest instead of refused.
Amounts of money and shares are not among them: what something costs a source says.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from inference.claims import Fact, facts
from inference.grounding_concepts import keys, meanings
from inference.grounding_names import same_name
from inference.grounding_places import translates
from inference.grounding_rows import agree
from inference.grounding_words import fold

_KINDS = frozenset({"number", "duration", "hour", "weekday", "date"})
_WISHES = re.compile(
    r"\b(?:bo[ma]|buon\w*|buen\w*|good|great|nice|lovely|happy|otim[oa]|excelente|feliz|ate|hasta) "
    r"(?:fim de semana|fin de semana|fine settimana|week-?end|finde)\b"
)


@dataclass(frozen=True)
class Echo:
    """The values of a customer's message, its folded words and what they mean."""

    facts: tuple[Fact, ...]
    words: frozenset[str]
    meanings: frozenset[str]

    @classmethod
    @lru_cache(maxsize=64)  # rules and judge ask for the same one after the other
    def of(cls, question: str, language: str | None) -> "Echo":
        """The echo of a message in the answer's language; of none where it is empty."""
        folded = fold(question)
        words = frozenset(re.findall(r"[a-z0-9]+", folded))
        values = tuple(f for f in facts(question, language) if f.kind in _KINDS)
        return cls(values, words, meanings(folded))

    def speaks_of(self, word: str) -> bool:
        """Whether the customer said a folded word, or one of its meaning."""
        return word in self.words or not self.meanings.isdisjoint(keys(word))

    def has(self, fact: Fact) -> bool:
        """Whether the customer named the value, as a time or as a bare number."""
        return fact.kind in _KINDS and any(
            agree(fact, own) or (own.kind == "number" and bool(own.values & (fact.raw | _clock(fact))))
            for own in self.facts
        )

    def names(self, parts: Sequence[str]) -> bool:
        """Whether the customer said every part of a name."""
        return all(
            part in self.words
            or any(same_name(part, word) for word in self.words)
            or translates(part, self.words)
            for part in parts
        )


def wishes(folded: str) -> bool:
    """Whether a sentence wishes a good weekend."""
    return bool(_WISHES.search(folded))


def _clock(fact: Fact) -> frozenset[str]:
    """The bare numbers that tell an hour: "7" and "19" for 19:00."""
    if fact.kind != "hour":
        return frozenset()
    hours = {int(value[:2]) for value in fact.values if value.endswith(":00")}
    return frozenset(str(hour % 12 or 12) for hour in hours) | frozenset(map(str, hours))
