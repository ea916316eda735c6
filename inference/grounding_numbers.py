"""Numbers as people write them: number words of four languages, and 1.150 / 1,150 / 1 150 / 65,00."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache

_SMALL = {
    "it": (
        "due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici quindici sedici "
        "diciassette diciotto diciannove",
        "venti trenta quaranta cinquanta sessanta settanta ottanta novanta",
    ),
    "en": (
        "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
        "sixteen seventeen "
        "eighteen nineteen",
        "twenty thirty forty fifty sixty seventy eighty ninety",
    ),
    "es": (
        "dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince "
        "dieciseis diecisiete "
        "dieciocho diecinueve",
        "veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa",
    ),
    "pt": (
        "dois tres quatro cinco seis sete oito nove dez onze doze treze quatorze quinze dezasseis dezassete "
        "dezoito dezanove",
        "vinte trinta quarenta cinquenta sessenta setenta oitenta noventa",
    ),
}
_MORE = {
    "it": {"dozzina": 12},
    "en": {"dozen": 12},
    "es": {"docena": 12, "veintiun": 21, "quinientos": 500, "setecientos": 700, "novecientos": 900}
    | {"quinientas": 500, "setecientas": 700, "novecientas": 900, "ciento": 100, "cien": 100},
    "pt": {"duas": 2, "catorze": 14, "dezesseis": 16, "dezessete": 17, "dezenove": 19, "duzia": 12}
    | {"cem": 100, "cento": 100, "duzentos": 200, "duzentas": 200, "trezentos": 300, "trezentas": 300}
    | {"quinhentos": 500, "quinhentas": 500},
}
# Only inside a number: "thirty-one", "one hundred", "un millón".
_ONES = {
    "it": ("un", "uno", "una"),
    "en": ("one", "a"),
    "es": ("un", "uno", "una"),
    "pt": ("um", "uma"),
}
_TIMES = {
    "it": {"cento": 100, "mila": 1000, "mille": 1000, "milione": 10**6, "milioni": 10**6},
    "en": {"hundred": 100, "thousand": 1000, "million": 10**6},
    "es": {"mil": 1000, "millon": 10**6, "millones": 10**6},
    "pt": {"mil": 1000, "milhao": 10**6, "milhoes": 10**6},
}
_JOINT = {"it": ("", "e"), "en": ("", "and", "-"), "es": ("", "y"), "pt": ("", "e")}
# Words that mean something else in a neighbour language; they count only where their own language is spoken.
_AMBIGUOUS = frozenset({"due", "once", "ten", "dos", "sei", "one", "sete"})
# Italian "sei" is also "you are": six only beside a unit or an hour.
_SEI = re.compile(
    r"(?:(?<=\bmassimo )|(?<=\bminimo )|(?<=\balmeno )|(?<=\bfino a )|(?<=\balle )|(?<=\bdalle )|"
    r"(?<=\ble )|(?<=\bore ))sei\b"
    r"|\bsei(?=\s+(?:mes|or[ae]|minut|giorn|settiman|ann|euro|sedut|person|volt|incontr|stanz|camer|post))"
)
_SEI_OF = re.compile(r"\b((?:in|di|per|da|con|ai|dei|delle|ogni|i|le)\s)sei\b(?= [a-z]+[ei]\b)")
_THOUSANDS = re.compile(r"\b(\d{1,3})( ?(?:mila|mil|thousand))\b")
_WORD = re.compile(r"[a-z]+")
_MILA = re.compile(r"\b([a-z]*mil(?:a|le))([a-z]{3,})\b")
# Two digit groups count as one number only when they are grouped in threes.
NUMBER = r"(?:\d{1,3}(?:[ .,'’\u00a0\u202f]\d{3})+(?!\d)(?:[.,]\d{1,2})?(?!\d)|\d+(?:[.,]\d{1,2})?(?![\d]))"


@lru_cache(maxsize=8)
def _atoms(language: str | None) -> dict[str, int]:
    """The numbers that are one word: 2 to 90, and in Spanish and Portuguese the hundreds."""
    if language not in _SMALL:
        every: dict[str, int] = {}
        for code in _SMALL:
            every |= _atoms(code)
        return {word: n for word, n in every.items() if word not in _AMBIGUOUS}
    low, high = (part.split() for part in _SMALL[language])
    table = {word: i + 2 for i, word in enumerate(low)} | _MORE[language]
    for i, ten in enumerate(high):
        table[ten] = 20 + 10 * i
        if language == "es" and i == 0:
            table |= {"veinti" + unit: 22 + n for n, unit in enumerate(low[:8])} | {"veintiuno": 21}
    hundreds = {"es": "cientos", "pt": "centos"}
    if language in hundreds:
        for n, unit in enumerate(low[:8], 2):
            table.setdefault(unit + hundreds[language], n * 100)
            table.setdefault(unit + hundreds[language][:-2] + "as", n * 100)
    if language == "it":
        table |= _fused(low, high)
    table.pop("sei", None)
    return table


def _fused(low: list[str], high: list[str]) -> dict[str, int]:
    """Italian writes its numbers in one word: "centotrentacinque", "duemilacinquecento"."""
    units = {"uno": 1, **{word: i + 2 for i, word in enumerate(low[:8])}}
    below = {word: i + 2 for i, word in enumerate(low)} | {"uno": 1}
    for i, ten in enumerate(high):
        below[ten] = 20 + 10 * i
        below |= {(ten[:-1] if unit[0] in "uo" else ten) + unit: 20 + 10 * i + n for unit, n in units.items()}
    hundreds = {"cento": 100, **{f"{unit}cento": n * 100 for unit, n in units.items() if n > 1}}
    whole = {word: n for word, n in below.items() if n > 20} | hundreds
    for hundred, n in hundreds.items():
        for word, m in below.items():
            whole[hundred + word] = n + m
            if word[0] == "o":
                whole[hundred[:-1] + word] = n + m
    whole |= {f"{word}mila": n * 1000 for word, n in (below | whole).items() if n > 1}
    return whole | {"mille": 1000}


@dataclass(frozen=True)
class _Spelling:
    """How the languages at hand write numbers."""

    atoms: dict[str, int]
    ones: frozenset[str]
    times: dict[str, int]
    joints: frozenset[str]

    def opens(self, word: str, after: str) -> bool:
        """Whether a number begins with a word."""
        if word in self.ones:
            return self.times.get(after, 0) >= 100
        return word in self.atoms or (word == "mil" and after in self.atoms)

    def grown(self, number: tuple[int, int, int], word: str, joined: bool) -> tuple[int, int, int] | None:
        """A number (thousands, rest, the last word's value) with one more word; None when it ends before."""
        whole, part, last = number
        if word in self.times and not joined:
            factor = self.times[word]
            if factor == 100 and part < 10:
                return whole, part * 100, part * 100
            return (whole + part * factor, 0, factor) if factor >= 1000 and part < 1000 else None
        value = self.atoms.get(word, 1 if word in self.ones and word != "a" else 0)
        tens = last in range(20, 91, 10) and value < 10
        hundreds = last >= 100 and last % 100 == 0 and value < min(last, 1000)
        return (whole, part + value, value) if value and (tens or hundreds) else None


@lru_cache(maxsize=8)
def _spelling(language: str | None) -> _Spelling:
    codes = (language,) if language in _SMALL else tuple(_SMALL)
    return _Spelling(
        _atoms(language),
        frozenset(word for code in codes for word in _ONES[code]),
        {word: n for code in codes for word, n in _TIMES[code].items()},
        frozenset(joint for code in codes for joint in _JOINT[code]),
    )


def _read(folded: str, language: str | None) -> Iterator[tuple[int, int, int]]:
    """(start, end, value) of each number written in words."""
    spelling = _spelling(language)
    found = list(_WORD.finditer(folded))
    at = 0
    while at < len(found):
        word, before = found[at].group(), folded[: found[at].start()]
        after = found[at + 1].group() if at + 1 < len(found) else ""
        share = word in ("cento", "ciento") and after not in spelling.atoms
        if not spelling.opens(word, after) or (share and before.endswith(("per ", "por "))):
            at += 1
            continue
        end, value = _whole_number(folded, found, at, spelling)
        yield found[at].start(), found[end].end(), value
        at = end + 1


def _whole_number(
    folded: str, found: Sequence[re.Match[str]], at: int, spelling: _Spelling
) -> tuple[int, int]:
    """The last word of the number that begins at a word, and its value."""
    first = spelling.atoms.get(found[at].group(), 1)
    number = (1000, 0, 1000) if found[at].group() == "mil" else (0, first, first)
    end, following = at, at + 1
    while following < len(found):
        if folded[found[end].end() : found[following].start()].strip() not in ("", "-"):
            break
        joined = found[following].group() in spelling.joints and following + 1 < len(found)
        if joined:
            if folded[found[following].end() : found[following + 1].start()] != " ":
                break
            following += 1
        grown = spelling.grown(number, found[following].group(), joined)
        if grown is None:
            break
        number, end, following = grown, following, following + 1
    return end, number[0] + number[1]


# "Half a per cent", "mezzo euro"; and what the British call five and ten pounds.
_HALF_DOZEN = re.compile(r"\b(?:half a dozen|mezza dozzina|media docena|meia duzia)\b")
_HALF = re.compile(
    r"\b(?:mezz[oa]|half an?|half|medi[oa]|mei[oa])"
    r"(?= (?:per ?cento?|percent|por ciento|por cento|eur|pound|dol|rea))"
)
_NOTES = {"tenner": "10 gbp", "fiver": "5 gbp"}
_NOTE = re.compile(r"\b(?:" + "|".join(_NOTES) + r")\b")
# "Two and a half hours", "seis euros y medio", "six pounds twenty".
_AND_HALF = re.compile(
    r"\b(\d{1,4})(\s+and a half|\s+and 3\s+quarters?|\s+e mezz[oa]|\s+y medi[oa]|\s+e mei[oa])"
    r"(?=\s+(?:hour|or[ae]\b|hora|eur|pound|day|giorn|dia|week|settiman|semana|kilo|chil|quilo|mes|mont|"
    r"year|ann|an))"
)
_UNIT_AND_HALF = re.compile(
    r"\b(\d{1,4})\s+(eur\w*|pounds?|sterline|libras?|reais|reales|pesos|dollars?)(?:\s+and a half|"
    r"\s+e mezz[oa]|\s+y medi[oa]|"
    r"\s+e mei[oa])\b"
)
_UNIT_AND_CENTS = re.compile(
    r"\b(\d{1,4})\s+(eur\w*|pounds?|sterline|libras?|reais|reales|dollars?)\s+(?:and |e |y |con )?(\d\d)\b"
    r"(?=\s*(?:$|[^\sa-z\d%€£]|\b(?:il|la|lo|le|i|l|a|al|alla|each|the|o|os|as|cada|por|in|di|de|da|do|e|"
    r"y|and|con|com|with|for|una?|um|per (?:il|la|lo|i|le))\b))"
)


def spell_out(folded: str, language: str | None) -> str:
    """Replace number words from two up by digits, padded with spaces so that positions stay the same."""
    folded = _HALF_DOZEN.sub(lambda m: "6".ljust(len(m[0])), folded)
    folded = _HALF.sub(lambda m: "0.5".ljust(len(m[0])), folded)
    folded = _NOTE.sub(lambda m: _NOTES[m[0]].ljust(len(m[0])), folded)
    if language in (None, "it"):
        folded = _MILA.sub(_in_thousands, folded)
    text = folded
    for start, end, value in _read(folded, language):
        if len(str(value)) <= end - start:
            text = text[:start] + str(value).ljust(end - start) + text[end:]
    if language in (None, "it"):
        text = _SEI_OF.sub(r"\g<1>6  ", _SEI.sub("6  ", text))
    text = _THOUSANDS.sub(lambda m: str(int(m[1]) * 1000).ljust(len(m[0]))[: max(len(m[0]), 6)], text)
    return _fractions(text)


def _in_thousands(match: re.Match[str]) -> str:
    """ "Duemilacinquecento": Italian writes thousands and what follows in one word."""
    atoms = _atoms("it")
    over, under = atoms.get(match[1], 0), atoms.get(match[2], 0)
    known = over % 1000 == 0 and over and 0 < under < 1000
    return str(over + under).ljust(len(match[0])) if known else match[0]


def _fractions(text: str) -> str:
    """ "2 and a half hours" is 2.5 hours, "6 euros y medio" 6.50 euros, "6 pounds 20" 6.20 pounds."""
    text = _AND_HALF.sub(lambda m: f"{m[1]}.{'75' if '3' in m[2] else '5'}".ljust(len(m[0])), text)
    text = _UNIT_AND_HALF.sub(lambda m: f"{m[1]}.50 {m[2]}".ljust(len(m[0])), text)
    return _UNIT_AND_CENTS.sub(lambda m: f"{m[1]}.{m[3]} {m[2]}".ljust(len(m[0])), text)


def canonical(number: str) -> str:
    """One spelling for one value: "1.150", "1,150" and "1 150" give "1150"; "65,00" gives "65"."""
    text = re.sub(r"[ '’\u00a0\u202f]", "", number)
    cents = re.fullmatch(r"(.*?)[.,](\d{1,2})", text)
    whole, fraction = (cents[1], cents[2]) if cents else (text, "")
    whole = re.sub(r"[.,]", "", whole) or "0"
    try:
        value = Decimal(f"{whole}.{fraction or '0'}").normalize()
    except InvalidOperation:
        return number
    return f"{value:f}"
