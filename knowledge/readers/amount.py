"""Whether a text states an amount: what nobody would put where it is not meant to be read."""

import re

AMOUNT = re.compile(
    r"(?:€|£|\$|%|\b(?:eur|euros?|usd|gbp|reais|libras?|pounds?|dollars?)\b)\s*\d"
    r"|\d\s*(?:€|£|\$|%|(?:eur|euros?|usd|gbp|reais|libras?|pounds?|dollars?)\b)",
    re.IGNORECASE,
)
_CENTS = re.compile(r"(?<![\d.,:])\d{1,5}[.,]\d{2}(?![\d.,:])")


def states_price(text: str) -> bool:
    """Whether it holds an amount with a currency or percent sign, or a number written with cents."""
    return bool(AMOUNT.search(text) or _CENTS.search(text))
