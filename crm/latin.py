"""Text in the letters that printed documents and Italian electronic invoices can hold."""

import unicodedata

from anyascii import anyascii

_TYPOGRAPHY = str.maketrans({"–": "-", "—": "-", "‘": "'", "’": "'", "“": '"', "”": '"', "…": "..."})
_DROPPED = ("So", "Sk", "Cf", "Cc", "Cs", "Co", "Cn")  # pictures and what no reader sees


def latin(text: str) -> str:
    """A text in Latin-1: other letters are transliterated (Łódź → Lódz), emoji left out, space made single.

    FatturaPA allows Basic Latin and the Latin-1 supplement only (types String…LatinType of its schema).
    """
    text = unicodedata.normalize("NFC", text).translate(_TYPOGRAPHY).replace("€", "EUR")
    return " ".join("".join(_letter(char) for char in text).split())


def _letter(char: str) -> str:
    if char.isspace():
        return " "
    if unicodedata.category(char) in _DROPPED and char not in "°©®":
        return ""
    return char if ord(char) < 0x100 else anyascii(char)
