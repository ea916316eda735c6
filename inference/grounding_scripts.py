"""Scripts that no rule and no judge reads: what is said in them cannot be checked against anything."""

import re
from collections.abc import Iterator, Sequence

from inference.grounding_words import fold

# Latin with its accents and extensions, and marks that modify letters; ordinals and units stand there too.
_READ = re.compile("[\u0000-\u024f\u02b0-\u036f\u1e00-\u1eff]")
_WORD = re.compile(r"[^\W_]+")


def unread(answer: str, texts: Sequence[str]) -> Iterator[str]:
    """Words in a row written in such a script, unless one of the texts has them just so: a name, a quotation.

    The rules know the words of four languages written in Latin letters, and the judge learnt from those: to
    both "бесплатно" is nothing at all, so that an answer in Russian would pass as one that says nothing.
    """
    if all(map(_READ.match, answer)):
        return
    sources = [_even(text) for text in texts]
    start = end = None
    for word in _WORD.finditer(answer):
        if any(map(_is_foreign, word.group())):
            start = word.start() if start is None else start
            end = word.end()
        elif start is not None:
            yield from _unless_told(answer[start:end], sources)
            start = None
    if start is not None:
        yield from _unless_told(answer[start:end], sources)


def _unless_told(said: str, sources: Sequence[str]) -> Iterator[str]:
    even = re.compile(rf"(?<!\w){re.escape(_even(said))}(?!\w)")
    if not any(map(even.search, sources)):
        yield said


def _is_foreign(char: str) -> bool:
    """A letter or figure that is none of those, nor one of them in other clothes (bold, full width)."""
    if _READ.match(char) or not (char.isalpha() or char.isdecimal()):
        return False
    plain = fold(char)
    return not (plain.isascii() and plain.isalnum())


def _even(text: str) -> str:
    return " ".join(text.casefold().split())
