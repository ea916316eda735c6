"""Prices as people write them in a list, in four languages. Exact or not at all: what is not wholly
understood raises Unclear."""

import re
from dataclasses import dataclass
from decimal import Decimal

from knowledge.facts.fact import PriceUnit, Unclear
from knowledge.facts.words import fold

MOST = Decimal("9999999999.99")  # what the record's numeric(12, 2) holds
_MOST_PERCENT = 100
_MOST_CHARS = 80

_DOLLARS = ("USD", "CAD", "AUD", "NZD", "MXN", "ARS", "CLP", "COP", "UYU")
_CURRENCIES: dict[str, tuple[str, ...]] = {
    "€": ("EUR",), "eur": ("EUR",), "euro": ("EUR",), "euros": ("EUR",),
    "£": ("GBP",), "gbp": ("GBP",), "pounds": ("GBP",),
    "r$": ("BRL",), "brl": ("BRL",), "reais": ("BRL",),
    "us$": ("USD",), "usd": ("USD",), "$": _DOLLARS, "pesos": _DOLLARS,
    "mxn": ("MXN",), "ars": ("ARS",), "clp": ("CLP",), "cop": ("COP",), "cad": ("CAD",), "aud": ("AUD",),
    "chf": ("CHF",), "fr.": ("CHF",),
}  # fmt: skip
_CODE = r"eur(?:os?)?|gbp|pounds|brl|reais|usd|pesos|mxn|ars|clp|cop|cad|aud|chf|fr\."
_SIGN = rf"(?:r\$|us\$|[€£$]|(?<![a-z])(?:{_CODE})(?![a-z]))"
_NUMBER = r"\d(?:[\d.,' ]*\d)?(?:[.,]-{1,2})?"


def _amount(number: int) -> str:
    """The pattern of one amount with its sign before or behind it."""
    return rf"(?P<before{number}>{_SIGN})?\s?(?P<number{number}>{_NUMBER})\s?(?P<after{number}>{_SIGN}|%)?"


_OPEN = r"a partire da|a partir de|starting (?:at|from)|prices? from|from|desde|da|min(?:imo|imum)?\.?"
_PRICE = re.compile(
    rf"(?:(?P<open>{_OPEN})|(?P<between>tra|fra|between|entre)|(?P<de>de))?\s?{_amount(1)}"
    rf"(?:\s?(?P<to>-|(?:fino )?a|ai|(?:up )?to|until|hasta|ate|e|and|y)\s?{_amount(2)})?"
    r"(?P<plus>\s?\+)?(?P<rest>\D*)"
)
_WHOLE = re.compile(
    r"(?P<whole>\d{1,3}(?P<group>[.,' ])\d{3}(?:(?P=group)\d{3})*|\d+)"
    r"(?:(?P<point>[.,])(?P<cents>\d{1,2}|-{1,2}))?"
)
_FREE = re.compile(
    r"gratuit[oa]s?|gratis|free(?: of charge)?|no charge|senza costi|sin cargo|sem custos?|omaggio"
)
_ON_REQUEST = re.compile(
    r"(?:(?:prezzo|price|precio|preco) )?(?:"
    r"(?:su|a|previo) (?:preventivo|richiesta)|preventivo|da concordare"
    r"|(?:up)?on (?:request|application)|by quot(?:e|ation)|(?:on )?quot(?:e|ation)|poa"
    r"|(?:bajo|segun|previo|sin) (?:presupuesto|peticion|pedido)|presupuesto|a? ?consultar|a convenir"
    r"|sob (?:consulta|orcamento|pedido)|(?:mediante|por) orcamento|orcamento|a combinar)"
)
_EACH = r"(?:per|por|a|al|alla|all'|l'|la|an|ao|p/|/|cada|each|each/|every|/ ?each)\s?"
_UNITS: tuple[tuple[PriceUnit, str], ...] = (
    (
        "person",
        rf"{_EACH}(?:persona|person|pessoa|pax|testa|ospite|guest|partecipante|participante)"
        r"|p\.? ?p\.?|pro capite",
    ),
    ("hour", rf"{_EACH}(?:ora|hour|hora|h|hr)|/h|orari[ao]|hourly"),
    ("month", rf"{_EACH}(?:mese|month|mes|mo)|mensil[ei]|monthly|mensual(?:es)?|mensa(?:l|is)"),
    (
        "session",
        rf"{_EACH}(?:seduta|sessione|session|sesion|sessao|trattamento|treatment|tratamiento|tratamento"
        r"|lezione|lesson|class|clase|aula|ingresso|entry|entrada|visita|visit|consulenza|consultation|consulta"
        r"|pezzo|piece|pieza|unidad|unidade|peca)|cad(?:auno|auna|\.)?|each",
    ),
    ("case", rf"{_EACH}(?:pratica|case|caso|expediente|processo|incarico)"),
)  # fmt: skip
_UNKNOWN_UNIT = re.compile(
    rf"(?:{_EACH}|/)(?:nott[ei]|night|noche|noite|giorn[oi]|day|dia|settimana|week|semana|anno|year|ano"
    r"|kg|kilo|litro|km|m2|mq|sqm|metro|foglio|page|pagina|notti)(?![a-z])|\bnightly\b"
)
_UNIT_WHOLE = [(unit, re.compile(pattern)) for unit, pattern in _UNITS]
_UNIT_WITHIN = [(unit, re.compile(rf"(?<![a-z])(?:{pattern})(?![a-z])")) for unit, pattern in _UNITS]
_KNOWN_UNITS = "the record knows prices per session, hour, person, month and case, and percentages"
_TAX = r"(?:iva|vat|tax(?:es)?|gst|imposte|tasse|impuestos|impostos)"
_OF_TAX = rf"\s?(?:l'|la |a |o |di |de )?{_TAX}\b"
_TAX_THEN = rf"\b{_TAX}[.:]?(?: (?:al )?\d\d?(?:[.,]\d+)? ?%)? "
_TAX_IN = re.compile(
    rf"(?:\b(?:con|with|com|incl?\.?|including|inclus[ao]|compresa)|\bc/){_OF_TAX}"
    rf"|{_TAX_THEN}(?:e cassa )?(?:inclu[a-z]*|incl?\b\.?|compres[aei])|\bivat[oi]\b"
)
_TAX_APART = re.compile(
    rf"(?:\+|\b(?:piu|plus|mas|mais|oltre|esclus[aeo]|excl[a-z]*\.?|escl\.?|ex\.?|without|senza|sin|sem"
    rf"|net of|(?:no|non|nao|not) incl[a-z]*\.?)|\bs/){_OF_TAX}"
    rf"|{_TAX_THEN}(?:esclus[aeo]|escl\b|excl[a-z]*|extra|a(?: )?parte"
    r"|(?:no|non|nao|not) (?:incl[a-z]*|compres[aei]))"
)


@dataclass(frozen=True)
class Price:
    """A price as written: `low` None is on request, `high` the other end of a range, `unit` None is unsaid.

    `plain` is False for what can only be a price: it shows a currency, a percentage or says "free".
    """

    low: Decimal | None
    high: Decimal | None = None
    unit: PriceUnit | None = None
    plain: bool = False


def read_price(cell: str, currency: str) -> Price:
    """The price in a cell, for a business that counts in `currency` (ISO code). Raises Unclear."""
    if len(cell) > _MOST_CHARS:
        raise Unclear("a text, not a price")
    text = fold(cell)
    if without_tax(text):
        raise Unclear("the price is without tax: the record holds prices with tax, write those")
    text = _TAX_IN.sub("", text).strip(" ,;()*")
    if _FREE.fullmatch(text):
        return Price(Decimal("0.00"))
    if _ON_REQUEST.fullmatch(text.rstrip(".")):
        return Price(None)
    found = _PRICE.fullmatch(text)
    if found is None:
        raise Unclear("no price can be read with certainty")
    return _priced(found, currency)


def amount_of(written: str) -> Decimal:
    """A number in any convention: "1.200", "1,200.50", "1 200,5", "65,-". Raises Unclear.

    A dot or comma before exactly three digits groups thousands in every language.
    """
    found = _WHOLE.fullmatch(fold(written))
    if found is None or found["group"] == (found["point"] or "") or (found["group"] and written[0] == "0"):
        raise Unclear(f"«{written}» is no amount that can be read in one way only")
    cents = (found["cents"] or "").strip("-").ljust(2, "0")
    amount = Decimal(re.sub(r"\D", "", found["whole"]) + "." + cents)
    if amount > MOST:
        raise Unclear(f"«{written}» is more than a price can be")
    return amount


def unit_in(text: str) -> PriceUnit | None:
    """The unit a column name speaks of ("Tariffa oraria"), None where it speaks of none or of several.

    Raises Unclear for one the record does not know.
    """
    folded = fold(text)
    if _UNKNOWN_UNIT.search(folded):
        raise Unclear(f"«{text}»: {_KNOWN_UNITS}")
    found = {unit for unit, pattern in _UNIT_WITHIN if pattern.search(folded)}
    return found.pop() if len(found) == 1 else None


def unit_of(cell: str) -> PriceUnit | None:
    """The unit a cell consists of; None where it says nothing. Raises Unclear for one there is not."""
    text = fold(cell).strip(" .,()*")
    if not text:
        return None
    for unit, pattern in _UNIT_WHOLE:
        if pattern.fullmatch(text) or pattern.fullmatch(f"/{text}"):
            return unit
    raise Unclear(f"«{cell.strip()}»: {_KNOWN_UNITS}")


def without_units(text: str) -> str:
    """Folded text without what names a unit or a currency."""
    for _, pattern in _UNIT_WITHIN:
        text = pattern.sub(" ", text)
    return re.sub(_SIGN, " ", text)


def sign_in(text: str) -> str:
    """The currency sign or percent sign in a column name, such as "50' (€)"; "" where there is none."""
    found = re.search(rf"{_SIGN}|%", fold(text))
    return found[0] if found else ""


def without_tax(text: str) -> bool:
    """Whether a text says that tax comes on top of its prices."""
    return _TAX_APART.search(fold(text)) is not None


def taxless(text: str) -> str:
    """Folded text without what says whether tax is in its prices."""
    return _TAX_IN.sub(" ", _TAX_APART.sub(" ", fold(text)))


def _priced(found: re.Match[str], currency: str) -> Price:
    percent, signed = _signs(found, currency)
    unit = unit_of(found["rest"].strip())
    if percent and unit:
        raise Unclear("a percentage per unit")
    low = amount_of(found["number1"])
    if found["number2"] is None:
        _refuse_open(found)
        high = None
    else:
        high = _upper_end(found, low)
    if percent and max(low, high or low) > _MOST_PERCENT:
        raise Unclear("more than 100 %")
    return Price(low, high, "percent" if percent else unit, plain=not (signed or percent))


def _signs(found: re.Match[str], currency: str) -> tuple[bool, bool]:
    """Whether it is a percentage, and whether a currency is shown. Raises Unclear for another currency."""
    marks = {mark for name in ("before1", "after1", "before2", "after2") if (mark := found[name])}
    percent = "%" in marks
    signs = marks - {"%"}
    if percent and signs:
        raise Unclear("a percentage with a currency")
    for sign in signs:
        if currency not in _CURRENCIES[sign]:
            raise Unclear(f"in «{sign}», and the record is kept in {currency}")
    return percent, bool(signs)


def _refuse_open(found: re.Match[str]) -> None:
    if found["open"] or found["plus"]:
        raise Unclear(
            "a lowest price without a highest: the record holds a price or a range; "
            "write «from … to …» or «on request»"
        )
    if found["between"] or found["de"]:
        raise Unclear("half a range")


def _upper_end(found: re.Match[str], low: Decimal) -> Decimal:
    both = found["to"] in ("e", "and", "y")
    if both != bool(found["between"]) or found["plus"]:
        raise Unclear("two amounts that are no range")
    high = amount_of(found["number2"])
    if high <= low:
        raise Unclear("a range that ends below its start")
    return high
