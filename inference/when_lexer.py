"""From a message to a line of tokens, each with its kind (`inference.when_lexicon` explains the kinds)."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from inference.codes import base_code
from inference.when_en import ENGLISH
from inference.when_es import SPANISH
from inference.when_it import ITALIAN
from inference.when_lexicon import Lexicon, Word, build
from inference.when_pt import PORTUGUESE

LONGEST_TEXT = 4096
"""Characters read; WhatsApp allows no longer text message."""

_MEANINGFUL = "NCDQWMYZPUXEhO"
_NEAR_BUT_OTHER = frozenset({
    "seguida", "seguido", "quanta", "quantas", "segundos", "segundas",
    "domenico", "domenici", "gennaro", "gennari", "febbraro", "febbrari",  # names of people
})  # fmt: skip
# Feasts that people are called by as well, as one word and without an article of their own.
_ALSO_NAMES = frozenset({"reis", "reyes", "asuncion", "assuncao"})
_BEFORE_A_FEAST = tuple("LlfGKIBbcsATXj")


@dataclass(frozen=True, slots=True)
class Token:
    """One word, phrase or number. `start` and `end` are offsets into the text that was read."""

    kind: str
    text: str
    start: int
    end: int
    n: int = 0
    m: int = 0
    y: int = 0
    name: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A message as tokens; `kinds` has one letter per token, `_` once a rule has consumed it."""

    language: str
    text: str
    tokens: tuple[Token, ...]
    kinds: str

    def consume(self, start: int, end: int) -> "Line":
        """The same line with the tokens of [start, end) out of reach of later rules."""
        return replace(self, kinds=self.kinds[:start] + "_" * (end - start) + self.kinds[end:])


def fold(text: str) -> str:
    """Lower case without accents, exactly as long as the (NFC) text, so that offsets stay valid."""
    return "".join(map(_fold_character, text))


@lru_cache(maxsize=4096)
def _fold_character(character: str) -> str:
    if character in "°ºª":
        return "°"
    if character in "’‘`´ʼ":
        return "'"
    if character in "–—−‐":
        return "-"
    base = unicodedata.normalize("NFKD", character)[:1].lower()[:1] or " "
    return base if base.isprintable() or character in "\n\t" else " "


def read_line(text: str, language: str) -> Line:
    """Tokenise `text` with the words of `language` ("it", "en-GB", …).

    A language the grammar does not know is read with whichever vocabulary recognises most of the text.
    """
    kept = unicodedata.normalize("NFC", text)[:LONGEST_TEXT]
    code = base_code(language)
    if code in _vocabularies():
        return _line(kept, code)
    lines = [_line(kept, known) for known in _vocabularies()]
    return max(lines, key=lambda line: sum(line.kinds.count(kind) for kind in _MEANINGFUL))


@cache
def _vocabularies() -> dict[str, Lexicon]:
    return {v.language: build(v) for v in (ITALIAN, ENGLISH, SPANISH, PORTUGUESE)}


def _line(text: str, language: str) -> Line:
    folded = re.sub(r"(?<=[a-z])-(?=[a-z])", " ", fold(text))
    tokens = _in_context(list(_phrases(list(_scan(folded)), _vocabularies()[language])), language)
    return Line(language, text, tuple(tokens), "".join(token.kind for token in tokens))


@cache
def _scanner() -> re.Pattern[str]:
    meridiem = r"(?P<meridiem>[ap])\.?\s?m\b\.?"
    return re.compile(
        rf"""
        (?P<link>(?:https?://|www\.)\S+|[\w.+-]{{1,64}}@[\w-]{{1,63}}(?:\.[\w-]{{1,63}})+)
      | (?P<iso>\d{{4}}-\d{{1,2}}-\d{{1,2}}(?:t(?=\d))?)
      | (?P<dmy>\d{{1,2}}\s?([/.\-])\s?\d{{1,2}}\s?\4\s?(?:\d{{4}}|\d{{2}})(?!\d))(?!\s?\d\d\s\d\d)
      | (?P<phone>\+\d[\d\ ().\-]{{6,}}\d|(?=(?:[ .\-]?\d){{8}})\d{{2,}}(?:[ .\-]?\d{{2,}})*)
      | (?P<address>\d{{1,5}}[a-z]?(?:\s(?!on\b|at\b|the\b|in\b|from\b|to\b|for\b)[a-z]+){{1,2}}
          \s(?:street|road|avenue|lane|boulevard)\b)
      | (?P<money>[€$£]\s?\d[\d.,]*|r\$\s?\d[\d.,]*|\d[\d.,]*\s?(?:[€$£%]|eur\b|euros?\b|reais\b))
      | (?P<apm>\d{{1,2}}(?:\s?[:.h]\s?(?P<apm_minute>\d{{2}}))?\s?{meridiem})
      | (?P<clock>\d{{1,2}}:\d{{2}}(?!\d)(?::\d{{2}}(?!\d))?(?:\s?(?:hs|hrs|h|horas|ore)\b)?)
      | (?P<hclock>\d{{1,2}}(?:h\s?|\s?h\s)\d{{2}}(?![\d:])(?:\s?m(?:in)?\b)?|\d{{1,2}}\s?hs?\b)
      | (?P<dm>\d{{1,2}}/\d{{1,2}}(?![\d/]))
      | (?P<dotted>\d{{1,2}}[.,]\d{{2}}(?![\d.,]*\d))
      | (?P<decimal>\d+(?:[.,]\d+)+)
      | (?P<ordinal>\d{{1,2}}\s?(?:°|(?:st|nd|rd|th)\b))
      | (?P<odd>2(?:moro|morrow|mrw|nite|night|day)\b)
      | (?P<number>\d+)
      | (?P<word>[a-z]+)
      | (?P<dash>-)
      | (?P<comma>,)
      | (?P<at>@)
      | (?P<stop>[.;:!?\n/()&])
        """,
        re.VERBOSE | re.ASCII,
    )


def _scan(folded: str) -> Iterator[Token]:
    for match in _scanner().finditer(folded):
        shape = match.lastgroup or ""
        for name in ("apm", "dmy"):
            if match.group(name):
                shape = name
        yield _token(shape, match)


def _token(shape: str, match: re.Match[str]) -> Token:  # noqa: PLR0911 - one shape after the other
    text, start, end = match.group(), match.start(), match.end()
    digits = [int(part) for part in re.findall(r"\d+", text[:24])]
    if shape == "iso":
        return Token("Y", text, start, end, digits[2], digits[1], digits[0], "iso")
    if shape == "dmy":
        year = digits[2] + 2000 if digits[2] < 100 else digits[2]
        return Token("Y", text, start, end, digits[0], digits[1], year)
    if shape == "dm":
        return Token("Y", text, start, end, digits[0], digits[1])
    if shape in ("clock", "hclock"):
        minute = digits[1] if len(digits) > 1 else 0
        return Token("C", text, start, end, digits[0], minute, name="" if shape == "clock" else "h")
    if shape == "apm":
        minute = int(match.group("apm_minute") or 0)
        return Token("C", text, start, end, digits[0], minute, name=match.group("meridiem") + "m")
    if shape == "dotted":
        return Token("d", text, start, end, digits[0], digits[1])
    if shape == "number":
        return Token("y" if 1900 <= digits[0] < 2200 and len(text) == 4 else "N", text, start, end, digits[0])
    kinds = {"ordinal": "O", "dash": "-", "comma": ",", "stop": ".", "word": "?", "odd": "?", "at": "@"}
    return Token(kinds.get(shape, "$"), text, start, end, digits[0] if shape == "ordinal" else 0)


def _phrases(tokens: list[Token], lexicon: Lexicon) -> Iterator[Token]:
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if token.kind == "@":
            yield replace(token, kind="A")
        elif token.kind != "?":
            yield token
        else:
            size, word = _meaning(tokens, at, lexicon)
            last = tokens[at + size - 1]
            text = " ".join(t.text for t in tokens[at : at + size])
            yield Token(word.kind, text, token.start, last.end, word.n, word.m, name=word.name)
            at += size - 1
        at += 1


def _meaning(tokens: list[Token], at: int, lexicon: Lexicon) -> tuple[int, Word]:
    words = []
    for token in tokens[at : at + lexicon.longest]:
        if token.kind != "?":
            break
        words.append(token.text)
    found = lexicon.match(words)
    if found is not None:
        return found
    near = _near(words[0], lexicon.long_words)
    return 1, lexicon.phrases[(near,)] if near else Word("w")


def _near(word: str, known: tuple[str, ...]) -> str | None:
    """The weekday, month or relative day that `word` misspells by one letter.

    Only long words with the same first letter: short ones have too many honest neighbours.
    """
    if len(word) < 6 or word in _NEAR_BUT_OTHER:
        return None
    for candidate in known:
        if candidate[0] == word[0] and abs(len(candidate) - len(word)) <= 1 and one_edit(word, candidate):
            return candidate
    return None


def one_edit(a: str, b: str) -> bool:
    """Whether one insertion, deletion, substitution or swap of neighbours turns `a` into `b`."""
    if len(a) > len(b):
        a, b = b, a
    at = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), len(a))
    if len(a) == len(b):
        return a[at + 1 :] == b[at + 1 :] or (
            a[at : at + 2] == b[at : at + 2][::-1] and a[at + 2 :] == b[at + 2 :]
        )
    return a[at:] == b[at + 1 :]


def _in_context(tokens: list[Token], language: str) -> list[Token]:
    """Settle the words whose kind depends on their neighbours."""
    done: list[Token] = []
    for at, token in enumerate(tokens):
        after = tokens[at + 1] if at + 1 < len(tokens) else None
        before = done[-1] if done else None
        name = token.kind == "Z" and token.text in _ALSO_NAMES and not _is_feast(done, language)
        done.append(replace(token, kind="w") if name else _settle(token, before, after, language))
    for at in range(len(done) - 1):
        if done[at].kind == "g" and done[at + 1].kind in "PWZEMC":
            done[at + 1] = replace(done[at + 1], kind="w")
        if _is_count(done, at):
            done[at] = replace(done[at], kind="w")
    return done


def _is_feast(before: list[Token], language: str) -> bool:
    """Whether "Reyes" behind these tokens is the feast ("en Reyes"), not a name ("soy Marta Reyes")."""
    if not before:
        return True
    last = before[-1]
    if last.kind == "J":  # "entre Navidad y Reyes"
        return len(before) > 1 and before[-2].kind in ("Z", "D", "W", "M", "N", "O")
    if language == "pt" and last.text == "a":
        return False  # "sou a Assunção"
    return last.kind in _BEFORE_A_FEAST or last.text in ("para", "por", "os", "nos", "pelos", "los")


def _is_count(tokens: list[Token], at: int) -> bool:
    """Whether "4/5" is a number of people or days ("4/5 persone") rather than a date."""
    token, after = tokens[at], tokens[at + 1]
    if token.kind != "Y" or token.y or after.kind not in ("x", "U", "h"):
        return False
    if after.kind == "U" and at + 2 < len(tokens) and tokens[at + 2].kind == "X":
        return False  # "il 4/5, settimana prossima" without its comma
    before = tokens[at - 1] if at else None
    dated = before is not None and (before.kind in ("W", "L", "j") or before.text in ("dal", "al", "del"))
    return not dated


def _settle(  # noqa: PLR0911 - one exception after the other
    token: Token, before: Token | None, after: Token | None, language: str
) -> Token:
    next_kind = after.kind if after else ""
    previous_kind = before.kind if before else ""
    if token.kind == "h" and (
        next_kind in ("C", "d") or (next_kind == "N" and previous_kind not in ("N", "i", "H"))
    ):
        return replace(token, kind="A")  # "ore 15", "h 15", but "2 ore"
    if token.kind == "W" and token.text in ("mar", "mart"):
        if previous_kind in ("N", "O"):
            return replace(token, kind="M", n=3)
        if next_kind not in tuple("NOAPCXYLl,"):
            return replace(token, kind="w")  # the sea
    if (
        language == "pt"
        and token.kind == "W"
        and next_kind == "W"
        and token.text in ("segunda", "quarta", "quinta")
    ):
        return replace(token, kind="O", n=token.n + 2)  # "segunda terça de março" is the second Tuesday
    if language == "pt" and token.kind == "O" and after and after.text == "feira" and 2 <= token.n <= 6:
        return replace(token, kind="W", n=token.n - 2)
    if (
        token.kind == "R"
        and token.text in ("quarto", "cuarto")
        and next_kind == "W"
        and previous_kind not in "JSi"
    ):
        return replace(token, kind="O", n=4)  # "il quarto sabato", but "alle tre e un quarto sabato"
    if language == "pt" and token.text == "a" and after and after.text == "uma":
        return replace(token, kind="A")  # "à uma"
    if language == "es" and token.text == "pasado" and previous_kind in ("W", "U", "M"):
        return replace(token, kind="w")
    article = previous_kind == "l" or (before is not None and before.text.endswith(" la"))
    if language == "es" and token.kind == "D" and token.n == 1 and (previous_kind == "D" or article):
        return replace(token, kind="P", n=0, name="morning")  # "para la mañana" is not tomorrow
    return token
