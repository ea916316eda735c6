"""What personal data looks like in texts of four languages, as one pattern read from left to right.

The first alternatives are what must stay (dates, times, ids of ours): what they take, later ones cannot.
Numbers are not checked by their check digits: a mistyped tax code still is somebody's.
"""

import re

_LEAST_DIGITS = 7  # of a run that may be a telephone number
_LEAST_OF_A_CODE = 5  # a tax code with fewer is words that happen to fit
_MOST_BESIDE_A_DATE = 3  # digits next to dates and times that are no number of anybody
# Between two digits of one number: spaces, dots, dashes, slashes, brackets, invisible marks, keycap emoji.
_GAP = r"[^\S\n]|[().\-/_*·‐-―\u200b-\u200f\u2060\ufeff\ufe0f\u20e3]"
_S = r"[\s.\-]?"

_ZERO_TO_NINE = (
    "zero|uno|due|tre|quattro|cinque|sei|sette|otto|nove|doppio|one|two|three|four|five|six|seven|eight|nine|oh|double|"
    "triple|cero|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|doble|um|uma|dois|duas|três|quatro|sete|oito|doze|meia"
)
_INTRODUCTIONS = (
    r"mi chiamo|il mio nome è|sono (?:il signor|la signora|il sig\.|la sig\.ra|il dott\.|la dott\.ssa)|"
    r"my name is|my name's|i am called|me llamo|mi nombre es|chamo-me|me chamo|meu nome é|a nome di|"
    r"a nombre de|em nome de|in the name of|under the name(?: of)?|nome e cognome:?|"
    r"(?:nome|name|nombre|cognome|surname|apellidos?|apelido):"
)
_SAID_DOT = r"\(dot\)|\[dot\]|\bdot\b|\bpunto\b|\bponto\b"
_DOT = rf"(?:\.|{_SAID_DOT})"
# Not a dot with a space behind it only: that ends a sentence ("see you @ home. It was nice").
_DOT_WITHIN = rf"(?:\s?(?:{_SAID_DOT})\s?|\s?\.|\s\.\s)"
_AT = r"(?:\(at?\)|\[at\]|\bat\b|\bchiocciola\b|\bchiocciolina\b|\barroba\b)"
_ENDING = r"(?:com|it|es|pt|br|co\s?\.\s?uk|uk|net|org|eu|info)\b"

_STAYS = {
    "uuid": r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
    "moment": r"(?<![\d.+-])(?:19|20)\d\d-[01]\d-[0-3]\d(?:[T ][0-2]\d:[0-5]\d(?::[0-5]\d(?:[.,]\d+)?)?"
    r"(?:Z|[+-]\d\d:?\d\d)?)?(?![\d-])",
    "day": r"(?<![\d.+/-])[0-3]?\d(?P<between>[/.-])[01]?\d(?P=between)(?:19|20)\d\d(?![\d/-])",
    "paper": r"(?<![\d/])20\d\d/\d{4}(?![\d/])",  # a quote's or an invoice's number
    "hours": r"(?<![\d.:])[0-2]?\d[.:][0-5]\d\s?[-–—]\s?[0-2]?\d[.:][0-5]\d(?![.:]?\d)",
    "amount": r"(?:[€£$]\s?\d{1,3}(?:[.,]\d{3})*(?:[.,]\d{2})?(?!\d)|"
    r"(?<![\d.,+])\d{1,3}(?:[.,]\d{3})*(?:[.,]\d{2})?\s?(?:€|£|\$|euro?s?\b|EUR\b|GBP\b|USD\b))",
}

_IBAN = (
    rf"(?:IT{_S}\d{{2}}{_S}[A-Z](?:{_S}\d){{10}}(?:{_S}[A-Z0-9]){{12}}"
    rf"|(?:ES|PT){_S}\d{{2}}(?:{_S}\d){{20,21}}"
    rf"|GB{_S}\d{{2}}(?:{_S}[A-Z]){{4}}(?:{_S}\d){{14}})"
)
_TAX = "|".join(
    (
        # codice fiscale; letters stand for digits where two people would have the same one
        r"(?:[A-Z]\s?){6}(?:[0-9LMNP-V]\s?){2}[ABCDEHLMPRST]\s?(?:[0-9LMNP-V]\s?){2}[A-Z]\s?(?:[0-9LMNP-V]\s?){3}[A-Z]\b",
        r"[XYZ][\s-]?\d{7}[\s-]?[A-Z]\b",  # NIE
        r"\d{2}\.?\d{3}\.?\d{3}[\s-]?[A-Z]\b",  # NIF, DNI
        r"[ABCDEFGHJNPQRSUVW][\s-]?\d{7}[\s-]?[0-9A-J]\b",  # CIF
        r"[A-Z]{2}\s?\d{2}\s?\d{2}\s?\d{2}\s?[A-D]\b",  # National Insurance number
        r"(?:IT|ES|PT|GB|FR|DE|XI)[\s-]?[A-Z]?(?:[\s.-]?\d){8,12}[A-Z]?\b",  # VAT numbers with their country
    )
)

_GOES = {
    "data": r"\bdata:[\w/.+-]+(?:;[\w=.-]+)*;base64,[A-Za-z0-9+/=_-]+"
    r"|(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{200,}={0,2}",
    "message_id": r"wamid\.[A-Za-z0-9+/=_-]+",
    "user_id": r"\b[A-Z]{2}\.(?=[A-Za-z0-9]*\d)[A-Za-z0-9]{8,128}\b",
    "email": r"(?<![\w.+%'-])[\w.+%'-]+@[\w-]+(?:\.[\w-]+)+"
    rf"|(?<![\w+-])(?i:[\w+-]+(?:\s?{_DOT}\s?[\w+-]+)?\s*{_AT}\s*[\w-]+(?:\s?{_DOT}\s?[\w-]+)?\s?{_DOT}\s?"
    rf"{_ENDING})"
    # A phone's keyboard puts a space at the sign. "@" is also written for "at": a known ending has to follow.
    rf"|(?<![\w.+%'-])(?i:[\w.+%'-]+\s*[@＠]\s*(?!www\.)(?:[\w-]+{_DOT_WITHIN})+{_ENDING})",
    "iban": rf"\b(?:(?i:{_IBAN})|[A-Z]{{2}}\d{{2}}(?:\s?[A-Z0-9]{{4}}){{3,7}}(?:\s?[A-Z0-9]{{1,3}})?\b)",
    "tax": rf"(?<![\w+])(?i:{_TAX})",
    "number": rf"\+?\(?\d(?:(?:{_GAP}){{0,3}}\d){{{_LEAST_DIGITS - 1},}}",
    "spelled": rf"(?i:(?:\b(?:{_ZERO_TO_NINE})\b[\s,.;-]*){{{_LEAST_DIGITS},}})",
    "introduced": rf"(?P<intro>(?i:\b(?:{_INTRODUCTIONS})\s+))"
    r"(?P<who>[^\W\d_][\w'’-]*(?:[^\S\n]+[A-ZÀ-ÖØ-Þ][\w'’-]+){0,3})",
}

_STAY = "|".join(_STAYS.values())
_GO = "|".join(f"(?P<{name}>{form})" for name, form in _GOES.items())
FORMS = re.compile(f"(?P<stays>{_STAY})|{_GO}")
INTRODUCED = re.compile(_GOES["introduced"])
_CLOCK = re.compile(rf"{_STAY}|(?<![\d.])[0-2]?\d[.:][0-5]\d(?![\d.])")
_LABELS = {
    "data": "[data]",
    "message_id": "[message id]",
    "user_id": "[user id]",
    "email": "[e-mail]",
    "iban": "[iban]",
    "tax": "[tax id]",
    "spelled": "[number]",
}


def masked_form(match: re.Match[str]) -> str:
    """What stands in the place of one of `FORMS`."""
    kind, found = match.lastgroup or "stays", match[0]
    if kind == "stays" or (kind == "tax" and _digits(found) < _LEAST_OF_A_CODE):
        return found
    if kind == "introduced":
        return f"{match['intro']}[name]"
    if kind == "number":
        ahead = "(" if found.startswith("(") and ")" not in found else ""  # it closes behind the number
        return ahead + _number(found.removeprefix(ahead))
    spare = found[len(found.rstrip(" ,.;-")) :] if kind == "spelled" else ""
    return f"{_LABELS[kind]}{spare}"


def _number(found: str) -> str:
    if found.startswith("+"):
        return "[phone]"
    if _digits(_CLOCK.sub("", found)) <= _MOST_BESIDE_A_DATE:
        return found
    digits = [int(one) for one in found if one.isdigit()]
    if 13 <= len(digits) <= 19 and _luhn(digits):
        return "[card]"
    return "[phone]" if digits[:2] == [0, 0] else "[number]"


def _digits(found: str) -> int:
    return sum(one.isdigit() for one in found)


def _luhn(digits: list[int]) -> bool:
    doubled = [one * 2 - 9 * (one > 4) for one in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
