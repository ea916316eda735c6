"""Questions that are much the same, put together: what a business has not written down yet."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

_ALIKE = 0.4  # share of the runs of three letters that two questions have in common
_SHORT = 3


@dataclass(frozen=True)
class Gap:
    """A question that nothing answered, as it was asked last; how often, and in which conversations."""

    question: str
    count: int
    conversation_ids: list[int]


@dataclass
class _Group:
    question: str
    pieces: frozenset[str]
    conversation_ids: list[int]
    count: int = 0


def clustered(asked: Sequence[tuple[int, str]]) -> list[Gap]:
    """(conversation, question) pairs, the latest first, in groups; the most frequent group first.

    A question joins the group whose latest one it is most like, measured by runs of three letters: the same
    question in another order, with a typing error or another ending stays the same.
    """
    groups: list[_Group] = []
    for conversation_id, question in asked:
        pieces = pieces_of(question)
        nearest = max(groups, key=lambda group: likeness(group.pieces, pieces), default=None)
        if nearest is None or likeness(nearest.pieces, pieces) < _ALIKE:
            nearest = _Group(question, pieces, [])
            groups.append(nearest)
        nearest.count += 1
        if conversation_id not in nearest.conversation_ids:
            nearest.conversation_ids.append(conversation_id)
    found = [Gap(group.question, group.count, group.conversation_ids) for group in groups]
    return sorted(found, key=lambda gap: -gap.count)


def pieces_of(text: str) -> frozenset[str]:
    """The runs of three letters of a text's words, accents, capitals and marks aside."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    words = re.findall(r"\w+", "".join(c for c in plain if not unicodedata.combining(c)))
    padded = [f" {word} " for word in words if len(word) >= _SHORT] or [f" {word} " for word in words]
    return frozenset(word[at : at + 3] for word in padded for at in range(len(word) - 2))


def likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """From 0 to 1: what two sets have in common, of all they hold."""
    return len(one & other) / len(one | other) if one or other else 1.0
