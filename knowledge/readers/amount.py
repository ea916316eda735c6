"""Whether a text states an amount or a price: what nobody would put where it is not meant to be read."""

import re

_WORD = r"(?:eur|euros?|usd|gbp|reais|libras?|pounds?|dollars?)\b"
AMOUNT = re.compile(rf"(?:€|£|\$|%|\b{_WORD})\s*\d|\d\s*(?:€|£|\$|%|{_WORD})", re.IGNORECASE)
_PRICE = re.compile(
    r"(?P<cart>\b(?:carrello|cart|basket|bag|carrito|cesta|carrinho)\b[^\w€£$]*)?"
    rf"(?:(?:€|£|\$|\b{_WORD})\s*(?P<behind>\d[\d.,]*)"
    rf"|(?<![\d.,])(?P<before>\d[\d.,]*)\s*(?:€|£|\$|{_WORD}))",
    re.IGNORECASE,
)


def states_price(text: str) -> bool:
    """Whether it holds an amount with a currency sign that is a price, and not nothing or a cart's sum."""
    return any(
        not found["cart"] and re.search("[1-9]", found["behind"] or found["before"])
        for found in _PRICE.finditer(text)
    )
