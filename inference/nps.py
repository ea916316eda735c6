"""A customer's answer to "how likely are you to recommend us, from 0 to 10?", in four languages.

A bare number means a hundred things. It is read as a score where a message begins with one, or ends with one
after words that judge, and nothing else in it asks for anything: "alle 8", "9/10 alle 15", "2 persone",
"a 10, please?" are none. What is unsure is none either: such a message goes its normal way.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

from inference.nps_words import (
    BOLD,
    NUMBERS,
    correcting,
    displeased,
    follows,
    giving,
    judging,
    leads,
    meaning,
    wishing,
)
from inference.when_lexer import fold, read_line

_MOST_CHARACTERS = 2000
_PREAMBLE_WORDS = 14
_POLITE = re.compile(r"\W*(?:per (?:favore|piacere|cortesia)|please|pls|por favor|se faz favor|sff)\W*")
_MORE_TIME = frozenset("DQWMYCPEhXUjdkaZ")  # kinds of when_lexicon that speak of when
_COUNTING = frozenset("NHRx")  # … of how many, and of parts of an hour


@dataclass(frozen=True, slots=True)
class Answer:
    """A score from 0 to 10 and the customer's words about it, '' where there are none.

    `asks`: the message holds the score and asks for something besides, which has to be answered.
    """

    score: int
    comment: str = ""
    asks: bool = False


def read(text: str, language: str) -> Answer | None:
    """The answer in a message, or None for one that is something else or may be."""
    plain = _plain(text)
    folded = fold(plain)
    head = _head().match(folded)
    if head is not None:
        return _with_rest(head, plain, language)
    tail = _tail().search(folded)
    if tail is not None:
        before = plain[: tail.start()].strip(" \t\n,.;:!-–—")
        if len(before.split()) <= _PREAMBLE_WORDS and _judges(before) and _is_comment(before, language):
            return Answer(_score(tail), before)
    return None


def corrected(text: str, language: str) -> Answer | None:
    """The answer that takes an earlier one's place, behind words such as "sorry, I meant"; None for anything
    else, a bare score too."""
    plain = _plain(text)
    found = _correction().match(fold(plain))
    if found is None:
        return None
    rest = plain[found.end() :]
    before = _not_that().search(fold(rest))
    answer = read(rest[: before.start()] if before else rest, language)
    if answer is None and re.search(rf"(?<!\w)(?:{meaning()})(?!\w)", found.group()):
        return _with_question(rest, language)
    return answer


def _with_question(text: str, language: str) -> Answer | None:
    """A score with something asked for behind it: "2, a che ora aprite?", not "2 persone, avete posto?"."""
    parted = re.match(r"([^\n,.;:!?]+)(?:[,.;:!]+\s+|\s*\n\s*)(?=\D)", text)
    score = read(parted.group(1), language) if parted else None
    if parted is None or score is None or score.comment or not _asks(text[parted.end() :]):
        return None
    return Answer(score.score, asks=True)


def complains(text: str) -> bool:
    """Whether somebody sounds displeased; a question about refunds counts too."""
    return re.search(rf"\b(?:{displeased()})\b", fold(_plain(text))) is not None


def _with_rest(head: re.Match[str], plain: str, language: str) -> Answer | None:
    rest = plain[head.end() :]
    scale = head.group("scale") or ""
    words = rest.lstrip(" \t\n,.;:!…-–—()\"'").rstrip()
    if not any(character.isalnum() for character in rest):
        return None if "?" in rest else Answer(_score(head))
    parted = bool(re.match(r"\s*(?:[,.;:!…()–—\n-]|[^\w\s?'\"])", rest)) or bool(scale)
    if not parted and not _may_follow(head, words):
        return None
    if _is_comment(words, language):
        return Answer(_score(head), words)
    if _demands(words, _score(head)):
        return Answer(_score(head), words)
    # "9 out of 10. Are you open tomorrow?": with a slash it might be a date.
    return Answer(_score(head), asks=True) if scale and "/" not in scale and _asks(words) else None


def _may_follow(head: re.Match[str], words: str) -> bool:
    """Whether words without a comma before them go with a score and not with a quantity, a time or a date."""
    if head.group("word") is not None and head.group("word") not in BOLD:
        return False
    return re.match(rf"(?:{follows()}|{judging()})(?!\w)", fold(words)) is not None


def _is_comment(words: str, language: str) -> bool:
    """Whether words do no more than say how it was."""
    folded = fold(words)
    if _POLITE.fullmatch(folded) or _asks(words):
        return False
    kinds = set(read_line(words, language).kinds)
    counts, times = kinds & _COUNTING, kinds & _MORE_TIME
    return not (counts or times) or _judges(words)


def _asks(words: str) -> bool:
    """Whether something is asked for. Who says what could be better asks for nothing now."""
    if "?" in words:
        return True
    folded = fold(words)
    advises = re.search(r"\b(?:miglior\w+|improv\w+|mejor\w+|melhor\w+)", folded) is not None
    return not advises and re.search(rf"(?<!\w)(?:{wishing()})(?!\w)", folded) is not None


def _demands(words: str, score: int) -> bool:
    """A low score with a complaint that demands something: people look after those."""
    return score <= 6 and "?" not in words and complains(words)


def _judges(words: str) -> bool:
    return re.search(rf"(?<!\w)(?:{judging()})(?!\w)", fold(words)) is not None


def _score(found: re.Match[str]) -> int:
    """The whole score; halves and "8 or 9" count as the lower one, "11/10" as ten."""
    if found.group("word") is not None:
        return NUMBERS[found.group("word")]
    if found.group("beyond") is not None:
        return 0 if found.group("beyond").startswith("-") else 10
    return int(found.group("digits"))


def _number() -> str:
    out_of = r"(?:\s*/\s*|\s*(?:su|out of|of|sobre|de|em|en|di|over)\s+)(?:10|dieci|ten|diez|dez)(?![\w:/%])"
    digits = (
        r"(?P<digits>10|\d)(?:\s*(?:o|or|ou|oppure|u|-|–)\s*(?:10|\d)(?!\d)|[.,][05](?!\d)|½|\s+1/2(?!\d))?"
    )
    beyond = r"(?P<beyond>-\d{1,4}|1[1-9]|[2-9]\d|\d{3,4})(?=\s*/\s*10(?!\d))"
    word = rf"(?P<word>{'|'.join(sorted(NUMBERS, key=len, reverse=True))})"
    more = r"(?:\s*(?:e mezzo|and a half|y medio|e meio)(?!\w))?"
    praise = r"(?:\s*\+{1,3}|\s+(?:e|con|cum|y|com)(?: la)? (?:lode|laude))?"
    units = r"(?:\s+(?:punti|points?|puntos|pontos)(?!\w))?"
    stop = r"(?![\w%°€$£])(?!:\d)(?![.,]\d)(?!\s*/\s*\d)(?!\s*[-–]\s*\d)"
    return rf"(?:{beyond}|{digits}|{word}){more}(?P<scale>{out_of})?{praise}{units}{stop}"


@cache
def _head() -> re.Pattern[str]:
    """A score at the beginning of a message, with what may announce it."""
    return re.compile(rf"[\s\"'«“(*_]*(?:(?:{leads()})(?!\w)[\s,:.!…\"«“*]*){{0,4}}{_number()}")


@cache
def _tail() -> re.Pattern[str]:
    """A score at the end, after a pause or after words that give one."""
    pause = r"(?:[,.;:!…()\n–—-]|[^\w\s?'\"])\s*"
    announced = rf"(?:{pause}(?:(?:{leads()})(?!\w)[\s,:]*){{0,3}}|(?<!\w)(?:{giving()})[\s:]+)"
    return re.compile(rf"{announced}{_number()}[^\w?]*$")


@cache
def _correction() -> re.Pattern[str]:
    """What leads a correction, an exclamation before it included."""
    cry = r"(?:(?:no|nao|oh|ah|ops|oops|ups|oddio)(?!\w)[\s,:.!…]*)?"
    return re.compile(rf"[\s\"'«“(*_]*{cry}(?:(?:{correcting()})(?!\w)[\s,:;.!…]*(?:-\s+)?)+")


@cache
def _not_that() -> re.Pattern[str]:
    """The former score at the end of a correction: "… and not 10"."""
    rather = r"non|not|no|nao|invece (?:di|che)|instead of|en (?:vez|lugar) de|em vez de"
    return re.compile(rf"[\s,;]+(?:(?:e|y|and)\s+)?(?:{rather})\s+(?:(?:an?|un|um)\s+)?{_number()}\W*$")


def _plain(text: str) -> str:
    """A text with keycap digits as digits."""
    kept = unicodedata.normalize("NFC", text)[:_MOST_CHARACTERS].replace("\U0001f51f", "10")
    return re.sub(r"([0-9])\ufe0f?\u20e3", r"\1", kept).strip()
