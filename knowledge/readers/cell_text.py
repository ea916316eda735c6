"""What a spreadsheet cell shows: its value written as its number format says, with no digit lost but those an
amount of money does not show."""

import re
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal

_SECTION = re.compile(r'((?:"[^"]*"|\\.|\[[^\]]*\]|[^;"\\\[])*);?')
_CURRENCY_MARK = re.compile(r"\[\$(?P<symbol>[^\]-]*)(?:-(?P<locale>[0-9A-Fa-f]+))?\]")
_BRACKETS = re.compile(r"\[[^\]]*\]")
_CONDITION = re.compile(r"\[[<>=]")
_PADDING = re.compile(r"[_*].")
_PLACEHOLDERS = re.compile(r"[0#?](?:[0#?.,/ ]*[0#?])?(?:[eE][+-]0+)?,*")
_CURRENCY = re.compile(
    r"[€£$¥]|(?<![a-z])(?:eur(?:os?)?|gbp|pounds?|brl|reais|usd|pesos|mxn|ars|clp|cop|cad|aud|chf|fr\.)(?![a-z])",
    re.IGNORECASE,
)
_QUOTED = re.compile(r'"([^"]*)"|\\(.)')
_MARK = "\x01"  # where the number goes
_MAX_EXACT_PLACES = 4
_MAX_DIGITS = 15  # of what a cell holds exactly
_LANGUAGES = {0x10: "it", 0x0A: "es", 0x16: "pt", 0x09: "en"}
_YES_NO = {"it": ("sì", "no"), "es": ("sí", "no"), "pt": ("sim", "não"), "en": ("yes", "no")}


def written(value: object, number_format: str, language: str | None) -> str:
    """The cell's text: `65,00 €`, `12,5%`, `2026-12-01`, `09:30`. The decimal sign is a comma where the
    language, the document's or else the format's, has one; thousands are never separated.
    """
    if isinstance(value, bool):
        return _YES_NO[language if language in _YES_NO else "en"][0 if value else 1]
    if isinstance(value, int | float | Decimal):
        return _number(Decimal(format(value, ".15g")), number_format or "General", language)
    if isinstance(value, date | time | timedelta):
        return _when(value, number_format)
    return "" if value is None else " ".join(str(value).split())


def _when(value: date | time | timedelta, number_format: str) -> str:
    match value:
        case datetime():
            return _moment(value, number_format)
        case time():
            return value.strftime("%H:%M:%S" if value.second else "%H:%M")
        case timedelta():
            return _span(value)
    return value.isoformat()


def _moment(value: datetime, number_format: str) -> str:
    shows = _BRACKETS.sub("", number_format).lower()
    if not (value.hour or value.minute or value.second) and "h" not in shows:
        return value.date().isoformat()
    if "y" not in shows and "d" not in shows and "h" in shows:
        return value.strftime("%H:%M")
    return value.strftime("%Y-%m-%d %H:%M")


def _span(value: timedelta) -> str:
    minutes = round(value.total_seconds() / 60)
    sign = "-" if minutes < 0 else ""
    return f"{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def _number(value: Decimal, number_format: str, language: str | None) -> str:
    section, is_own = _section(number_format, value)
    language = language or _format_language(section)
    shape = _shape(section)
    if shape is None:  # General, text, or a format that hides the number
        return _digits(value, 0, 1, language)
    before, digits, after = shape
    if "%" in before + after:
        value *= 100
    whole, _, fraction = digits.replace(",", "").partition(".")
    places = fraction.count("0")
    if _is_money(section, before + after, fraction) and value.adjusted() < _MAX_DIGITS:
        # Of 22.5 × 1.15 the list shows 25.88; its third decimal would be read as thousands.
        value = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    amount = _digits(abs(value) if is_own else value, places, whole.count("0"), language)
    text = f"{before}{amount}{after}".strip()
    return f"-{text}" if is_own and value < 0 and not re.search(r"[-(]", before) else text


def _is_money(section: str, words: str, fraction: str) -> bool:
    """Whether a format shows amounts of money, with a currency or with the two decimals of cents. One for
    some values only (`[>=1000]`) does not tell how the others show."""
    if _CONDITION.search(section) or "%" in words or fraction.strip("0"):
        return False
    return fraction == "00" or _CURRENCY.search(words) is not None


def _section(number_format: str, value: Decimal) -> tuple[str, bool]:
    """The part of the format for this value, and whether it is one for negative numbers alone."""
    sections = [found for found in _SECTION.findall(number_format) if found]
    if value < 0 and len(sections) > 1:
        return sections[1], True
    return (sections[0] if sections else "General"), False


def _shape(section: str) -> tuple[str, str, str] | None:
    """The words before the number, its placeholders and the words behind it."""
    literals: list[str] = []

    def put_aside(text: str) -> str:
        literals.append(text)
        return chr(0xE000 + len(literals) - 1)

    text = _CURRENCY_MARK.sub(lambda m: put_aside(m["symbol"]), section)
    text = _QUOTED.sub(lambda m: put_aside(m[1] or m[2] or ""), text)
    text = _PADDING.sub("", _BRACKETS.sub("", text))
    found = _PLACEHOLDERS.search(text)
    if not found or "/" in found[0] or "general" in text.lower():
        return None
    before, after = (
        re.sub("[\ue000-\uf8ff]", lambda m: literals[ord(m[0]) - 0xE000], part)
        for part in (text[: found.start()], text[found.end() :])
    )
    return before, found[0], after


def _digits(value: Decimal, places: int, width: int, language: str | None) -> str:
    exact = max(-int(value.normalize().as_tuple().exponent), 0)
    shown = max(places, exact if exact <= _MAX_EXACT_PLACES else min(_MAX_EXACT_PLACES, max(places, 2)))
    text = f"{abs(value):.{shown}f}"
    whole, _, fraction = text.partition(".")
    sign = "-" if value < 0 else ""
    point = "." if language in (None, "en") else ","
    return sign + whole.zfill(width) + (point + fraction if fraction else "")


def _format_language(section: str) -> str | None:
    """`[$€-410]` was chosen in Italian."""
    for found in _CURRENCY_MARK.finditer(section):
        if found["locale"]:
            return _LANGUAGES.get(int(found["locale"], 16) & 0xFF)
    return None
