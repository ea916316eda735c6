"""Word error rate that counts what was misheard, not how it is spelled.

Both sides are brought to one spelling first: case, punctuation and dots of abbreviations ("p.m.", "S.P.A.")
go; number words become digits (text2num) and every digit counts as one word, so that "trecentoquaranta",
"340" and "3 4 0" are the same, and one wrong figure of a phone number costs one word; signs of money and
percent become words; minutes of a full hour ("10:00") go, as nobody says them, and so does the "and" of
"quindici e trenta"; English contractions are written out. Accents and endings stay: they carry meaning in
Italian, Spanish and Portuguese.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import jiwer
from text_to_num import alpha2digit

from inference.codes import base_code

_NUMBER_LANGUAGES = ("it", "en", "es", "pt")
_SIGNS = {
    "€": {"it": "euro", "en": "euros", "es": "euros", "pt": "euros"},
    "£": {"it": "sterline", "en": "pounds", "es": "libras", "pt": "libras"},
    "r$": {"it": "reais", "en": "reais", "es": "reales", "pt": "reais"},
    "$": {"it": "dollari", "en": "dollars", "es": "dólares", "pt": "dólares"},
    "%": {"it": "per cento", "en": "percent", "es": "por ciento", "pt": "por cento"},
}
# The sign is written before the figure and said after it.
_MONEY_FIRST = re.compile(r"(r\$|[€£$])\s?(\d[\d.,]*\d|\d)")
_FULL_HOUR = re.compile(r"\b(\d{1,2}):00\b")
_ABBREVIATION = re.compile(r"\b(?:\w\.){2,}(?!\w)")
_HOURS_H = re.compile(r"\b(\d{1,2})h(\d{2})?\b")
_THOUSANDS = re.compile(r"(?<=\d)[.,](?=\d{3}\b)")
_NO_CENTS = re.compile(r"(?<=\d)[.,]00\b")
_ORDINAL = re.compile(r"(?<=\d)(?:st|nd|rd|th|º|ª|°|o|a)\b")
_AND_BETWEEN_FIGURES = re.compile(r"(?<=\d) [ey] (?=\d)")
_CONTRACTIONS = (
    (re.compile(r"n't\b"), " not"),
    (re.compile(r"'m\b"), " am"),
    (re.compile(r"'re\b"), " are"),
    (re.compile(r"'ll\b"), " will"),
    (re.compile(r"'ve\b"), " have"),
    (re.compile(r"'d\b"), " would"),
    (re.compile(r"\b(it|that|what|there|where|here|he|she|how)'s\b"), r"\1 is"),
)
_WORD = re.compile(r"\d|[^\W\d_]+")


@dataclass(frozen=True)
class Errors:
    """Words to change, to add and to take away to make what was heard what was said; and words said."""

    wrong: int
    said: int

    @property
    def rate(self) -> float:
        """Errors per word said; nan when nothing was said."""
        return self.wrong / self.said if self.said else float("nan")


def words(text: str, language: str) -> list[str]:
    """The words of a text in the one spelling; `language` as in "pt" or "pt-BR"."""
    code = base_code(language)
    text = _MONEY_FIRST.sub(r"\2 \1", text.casefold().replace("’", "'"))
    text = _ABBREVIATION.sub(lambda found: found[0].replace(".", ""), text)
    text = _FULL_HOUR.sub(r"\1", text)
    text = _NO_CENTS.sub("", _THOUSANDS.sub("", text))
    text = _HOURS_H.sub(r"\1 \2", text)
    for sign, names in _SIGNS.items():
        text = text.replace(sign, f" {names.get(code, '')} ")
    if code == "en":
        for short, long in _CONTRACTIONS:
            text = short.sub(long, text)
    if code in _NUMBER_LANGUAGES:
        text = alpha2digit(text, code, threshold=0)
    text = _AND_BETWEEN_FIGURES.sub(" ", _ORDINAL.sub("", text))
    return _WORD.findall(text.replace("'", " "))


def errors(said: str, heard: str, language: str) -> Errors:
    """How far `heard` is from `said`."""
    reference, hypothesis = words(said, language), words(heard, language)
    if not reference:
        return Errors(len(hypothesis), 0)
    found = jiwer.process_words(" ".join(reference), " ".join(hypothesis))
    return Errors(found.substitutions + found.deletions + found.insertions, len(reference))


def pooled(each: Sequence[Errors]) -> float:
    """The error rate over all of them: long notes count more than short ones. nan for none."""
    return Errors(sum(one.wrong for one in each), sum(one.said for one in each)).rate
