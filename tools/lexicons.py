"""Phrases a business's vertical lists, looked for in what a customer says, in any of its languages."""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from crm.packs import Topic
from inference.lexicon import Lexicon

_KEPT = 512  # compiled lexicons: several for each business that is talking


def found(phrases: Mapping[str, Iterable[str]], text: str) -> tuple[str, ...]:
    """The wordings of `text` that a phrase covers.

    Customers mix languages, so all are tried; one after the other, because a lexicon forgives typing errors
    and would take the word of one language for another's misspelt.
    """
    hits = [_compiled(tuple(bodies)).matches(text) for bodies in phrases.values()]
    return tuple(dict.fromkeys(word for words in hits for word in words))


def touched(topics: Iterable[Topic], text: str) -> tuple[Topic, tuple[str, ...]] | None:
    """The topic `text` is about and the words that say so, an emergency before all others."""
    hits = [(topic, words) for topic in topics if (words := found(topic.phrases, text))]
    return min(hits, key=lambda hit: hit[0].kind != "emergency", default=None)


@lru_cache(_KEPT)
def _compiled(phrases: tuple[str, ...]) -> Lexicon:
    return Lexicon.compile(phrases)
