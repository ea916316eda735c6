"""How measured figures are written: seconds, shares, counts and points in a language."""

from babel.numbers import format_decimal

from tools.wording import locale_of

NOTHING = "–"  # what stands where there was nothing to measure
_MINUTE, _HOUR = 60, 3600


def written(value: float | None, unit: str, language: str) -> str:
    """A figure with its unit: "4.2 s", "2 h 5 min", "12.3 %", "1,204", "+14".

    `unit` is one of the analytics: seconds, share (0 to 1), count, tokens, points (with their sign).
    """
    if value is None:
        return NOTHING
    if unit == "points":
        return f"{'+' if round(value, 1) > 0 else ''}{_minus(_decimal(value, '#,##0.#', language))}"
    return _minus(_plain(value, unit, language))


def written_difference(value: float, unit: str, language: str) -> str:
    """How much more or less: "+0.4 s", "−3.1 pp" (percentage points), "+12"."""
    if unit == "share":
        points = "pp" if language == "en" else "p.p."
        size = f"{_decimal(abs(value) * 100, '#,##0.#', language)} {points}"
    else:
        size = _plain(abs(value), "count" if unit == "points" else unit, language)
    return f"{_sign(value)}{size}"


def _sign(value: float) -> str:
    return "+" if value > 0 else "−" if value < 0 else "±"


def _plain(value: float, unit: str, language: str) -> str:
    if unit == "seconds":
        return _lasting(value, language)
    if unit == "share":
        return f"{_decimal(value * 100, '#,##0.#', language)} %"
    return _decimal(value, "#,##0.#", language)


def _lasting(seconds: float, language: str) -> str:
    if round(seconds, 1) < _MINUTE:
        return f"{_decimal(seconds, '0.#', language)} s"
    whole = round(seconds)
    if whole < _HOUR:
        minutes, rest = divmod(whole, _MINUTE)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(round(seconds / _MINUTE), 60)
    shown = _decimal(hours, "#,##0", language)
    return f"{shown} h {minutes} min" if minutes else f"{shown} h"


def _decimal(value: float, pattern: str, language: str) -> str:
    return str(format_decimal(value, format=pattern, locale=locale_of(language)))


def _minus(text: str) -> str:
    return text.replace("-", "−")
