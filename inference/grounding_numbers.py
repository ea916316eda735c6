"""Numbers as people write them: number words of four languages, and 1.150 / 1,150 / 1 150 / 65,00."""

import re
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
_ONE = {"it": "uno", "en": "one", "es": "uno", "pt": "um"}
_EXTRA = {
    "it": {"cento": 100, "centocinquanta": 150, "duecento": 200, "trecento": 300, "cinquecento": 500}
    | {"mille": 1000, "duemila": 2000, "tremila": 3000},
    "en": {"a hundred": 100, "one hundred": 100, "two hundred": 200, "three hundred": 300}
    | {"five hundred": 500, "a thousand": 1000, "one thousand": 1000},
    "es": {"cien": 100, "ciento cincuenta": 150, "doscientos": 200, "trescientos": 300, "quinientos": 500}
    | {"veintiuno": 21, "veintiun": 21, "dos mil": 2000},
    "pt": {"cem": 100, "cento e cinquenta": 150, "duzentos": 200, "trezentos": 300, "quinhentos": 500}
    | {"duas": 2, "catorze": 14, "dezesseis": 16, "dezessete": 17, "dezenove": 19, "dois mil": 2000},
}
# Words that mean something else in a neighbour language; they count only where their own language is spoken.
_AMBIGUOUS = frozenset({"due", "once", "ten", "dos", "sei", "one", "sete"})
# Italian "sei" is also "you are": six only beside a unit or an hour.
_SEI = re.compile(
    r"(?:(?<=\balle )|(?<=\bdalle )|(?<=\ble )|(?<=\bore ))sei\b"
    r"|\bsei(?=\s+(?:mes|or[ae]|minut|giorn|settiman|ann|euro|sedut|person|volt|incontr|stanz|camer|post))"
)
_SEI_OF = re.compile(r"\b((?:in|di|per|da|con|ai|dei|delle|ogni|i|le)\s)sei\b(?= [a-z]+[ei]\b)")
_THOUSANDS = re.compile(r"\b(\d{1,3})( ?(?:mila|mil|thousand))\b")
# Two digit groups count as one number only when they are grouped in threes.
NUMBER = r"(?:\d{1,3}(?:[ .,'’\u00a0\u202f]\d{3})+(?!\d)(?:[.,]\d{1,2})?(?!\d)|\d+(?:[.,]\d{1,2})?(?![\d]))"


def _tens_and_ones(language: str) -> dict[str, int]:
    low, high = (part.split() for part in _SMALL[language])
    table = {word: i + 2 for i, word in enumerate(low)}
    units = {_ONE[language]: 1, **{word: i + 2 for i, word in enumerate(low[:8])}}
    for i, ten in enumerate(high):
        value = 20 + 10 * i
        table[ten] = value
        for unit, n in units.items():
            if language == "it":
                table[(ten[:-1] if unit[0] in "uo" else ten) + unit] = value + n
            elif language == "en":
                table[f"{ten}-{unit}"] = table[f"{ten} {unit}"] = value + n
            else:
                table[f"{ten} {'y' if language == 'es' else 'e'} {unit}"] = value + n
                if language == "es" and value == 20:
                    table["veinti" + unit] = value + n
    return table


@lru_cache(maxsize=8)
def _number_words(language: str | None) -> tuple[dict[str, int], re.Pattern[str]]:
    codes = [language] if language in _SMALL else list(_SMALL)
    table: dict[str, int] = {}
    for code in codes:
        table |= _tens_and_ones(code) | _EXTRA[code]
    table.pop("sei", None)
    if len(codes) > 1:
        table = {w: n for w, n in table.items() if w not in _AMBIGUOUS}
    ordered = sorted(table, key=len, reverse=True)
    return table, re.compile(
        # "Per cento" is a sign, not a hundred.
        r"\b(?<!per )(?<!por )(?:" + "|".join(map(re.escape, ordered)) + r")\b"
    )


# "Half a per cent", "mezzo euro"; and what the British call five and ten pounds.
_HALF = re.compile(
    r"\b(?:mezz[oa]|half an?|half|medi[oa]|mei[oa])"
    r"(?= (?:per ?cento?|percent|por ciento|por cento|eur|pound|dol|rea))"
)
_NOTES = {"tenner": "10 gbp", "fiver": "5 gbp"}
_NOTE = re.compile(r"\b(?:" + "|".join(_NOTES) + r")\b")


def spell_out(folded: str, language: str | None) -> str:
    """Replace number words from two up by digits, padded with spaces so that positions stay the same."""
    table, pattern = _number_words(language)
    folded = _HALF.sub(lambda m: "0.5".ljust(len(m[0])), folded)
    folded = _NOTE.sub(lambda m: _NOTES[m[0]].ljust(len(m[0])), folded)

    def digits(match: re.Match[str]) -> str:
        found = match.group()
        return str(table[found]).ljust(len(found))

    text = pattern.sub(digits, folded)
    if language in (None, "it"):
        text = _SEI_OF.sub(r"\g<1>6  ", _SEI.sub("6  ", text))
    return _THOUSANDS.sub(lambda m: str(int(m[1]) * 1000).ljust(len(m[0]))[: max(len(m[0]), 6)], text)


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
