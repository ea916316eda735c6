"""Cells made comparable: case, accents and typography do not count."""

import re
import unicodedata

_SPACES = str.maketrans(dict.fromkeys("\xa0\u2007\u2009\u202f\u2002\u2003", " "))
_MARKS = str.maketrans(
    {
        **dict.fromkeys("’‘`´′", "'"),
        **dict.fromkeys("“”″", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
    }
)
_NOTHING = re.compile(r"[-/.\s]*|n\.?\s?[ad]\.?|x")
_PUNCTUATION = re.compile(r"[\W_]+")


def fold(text: str) -> str:
    """Small letters without accents; one kind of apostrophe, dash and space; on one line."""
    marked = text.translate(_SPACES).translate(_MARKS).casefold()
    decomposed = unicodedata.normalize("NFKD", marked)
    plain = "".join(char for char in decomposed if not unicodedata.combining(char))
    return " ".join(plain.split())


def same_name(text: str) -> str:
    """A name as names are compared: folded, without punctuation."""
    return _PUNCTUATION.sub(" ", fold(text)).strip()


def says_nothing(cell: str) -> bool:
    """Whether a cell is a dash or another sign for "nothing here"."""
    return _NOTHING.fullmatch(fold(cell)) is not None
