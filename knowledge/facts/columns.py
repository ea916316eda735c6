"""What a column of a table holds, told by its name."""

import re
from typing import Literal

from knowledge.facts.duration import is_length
from knowledge.facts.money import sign_in, taxless, without_tax, without_units
from knowledge.facts.words import fold

Role = Literal["name", "duration", "price", "unit", "group", "code", "not a price", "other"]

_DURATION = re.compile(r"\b(?:durat\w*|duration|duracion|duracao|minut\w*|min|length|tempo|tiempo|time)\b")
_PRICE = re.compile(
    r"\b(?:prezz\w+|costo|costi|tariff\w+|import[oi]|onorari[oi]?|compens[oi]|quota"
    r"|prices?|fees?|rates?|costs?|charges?|precios?|tarifas?|importes?|coste|honorarios"
    r"|precos?|valor(?:es)?|custos?)\b"
)
_NAME = re.compile(
    r"\b(?:servizi?o?|trattament[oi]|prodott[oi]|prestazion[ei]|voce|articol[oi]|descrizione|nome|attivita"
    r"|services?|treatments?|items?|products?|description|name|servicios?|tratamientos?|productos?"
    r"|descripcion|nombre|concepto|articulos?|servicos?|tratamentos?|produtos?|descricao|artigos?)\b"
)
# A shop's own numbers: "Codice articolo" names nothing that a customer would.
_CODE = re.compile(
    r"\b(?:cod(?:ice|ici|igos?)?|codes?|ref|rif|sku|ean|id)\b|\b(?:item|product|service|article|articolo|art)\W+"
    r"(?:no|nr|num(?:ber|ero)?|n)\b"
)
_UNIT = re.compile(r"^(?:unita(?: di misura)?|units?|unidad(?:es)?|unidades?|u\.?m\.?)$")
_GROUP = re.compile(
    r"^(?:categori[ae]s?|category|categories|repart[oi]|sezione|section|seccion|secao|linea|line|linha)$"
)
# What stands among prices and is none: discounts, deposits, tax and what is without it, the price of before.
_NOT_A_PRICE = re.compile(
    r"\b(?:scont\w+|discount\w*|descuento|desconto|promo\w*|offert[ae]|offer|oferta|saldo|sale|rebaja\w*"
    r"|acconto|caparra|anticipo|deposit[oi]?|sinal|penal\w+|risparmi\w+|savings?"
    r"|vecchi\w*|precedente|old|was|antiguo|anterior|antigo"
    r"|imponibil[ei]|nett[oi]|net|base imponible|neto|base tributavel|liquido)\b"
    r"|^(?:iva|vat|tax|imposte)\W*(?:\d{1,2}(?:[.,]\d+)?\W*)?$"
)
_NET = re.compile(
    r"\b(?:(?:al |base )?imponibil[ei]|(?:al )?nett[oi]|net|base imponible|neto|base tributavel|liquido)\b"
)
_DETAILS = re.compile(
    r"\b(?:not[ae]s?|notes|remarks|observaciones|observacoes|dettagli|details|detalles|detalhes)\b"
)
# In this order: "Costo del servizio" is a price, "Durata del trattamento" a length, "Cod. servizio" a code.
_ROLES: tuple[tuple[Role, re.Pattern[str]], ...] = (
    ("not a price", _NOT_A_PRICE),
    ("price", _PRICE),
    ("duration", _DURATION),
    ("unit", _UNIT),
    ("group", _GROUP),
    ("code", _CODE),
    ("name", _NAME),
)
# Rows of a table about something else that has a price: deadlines, places, dates.
_NO_SERVICES = re.compile(
    r"\b(?:preavviso|disdetta|cancellazion\w+|notice|cancellations?|preaviso|cancelacion\w*|cancelamento\w*"
    r"|distan\w+|comune|data|date|fecha|giorno|giorni|day|days|dia|dias|scaglion\w+|from|da|dal|when|quando|cuando|rat[ae]|scadenz[ae]|instal?lments?|plazos?)\b"
)
_NEUTRAL = re.compile(
    r"\b(?:con|with|com|d[ieao]l?|dell[ao]|degli|dei|per|in|of|the|for|a|al|ao|para|por|le|il|la|un|una"
    r"|listino|pien[oa]|finale|unitari[oa]|pubblico|normale|ordinari[oa]|standard|base|totale"
    r"|list|full|regular|retail|total|final|unit|completo|normal|publico|unitario|inteir[oa]|cheio"
    r"|tax(?:es)?|iva|vat|inclus[ao]|included?|incl|incluid[oa]|compresa|20\d\d)\b"
)
_TELLING = re.compile(
    r"\b(?:non|no|nao|soci[oa]?s?|tesserati|iscritti|abbonati|members?|socios|miembros|membros|residenti|residents?"
    r"|student\w*|estudiantes?|estudantes?|bambin[oi]|ragazzi|adult\w*|children|child|kids|ninos?|criancas?|senior\w*|over|under"
    r"|ridott[oa]|reduced|reducid[oa]|reduzid[oa]|festiv[oi]|weekend|feriali?|stagione|season|temporada|epoca"
    r"|uomo|donna|men|women|hombre|mujer|homem|mulher)\b"
)


def role_of(column: str) -> Role:
    """What a named column holds, by its name alone; "other" where the name does not tell."""
    name = fold(column)
    for role, pattern in _ROLES:
        if pattern.search(name):
            return role
    return "price" if sign_in(name) else "other"


def could_name_services(column: str) -> bool:
    """Whether a first column of no known name may hold services: "Massaggi", but not "Preavviso"."""
    name = fold(column)
    return not (_NO_SERVICES.search(name) or _DETAILS.search(name)) and role_of(column) in ("other", "name")


def speaks_of_names(column: str) -> bool:
    """Whether a column's name has a word for what is offered, whatever else it has."""
    return _NAME.search(fold(column)) is not None


def speaks_of_price(column: str) -> bool:
    """Whether a column's name has a word for prices, whatever else it has."""
    return _PRICE.search(fold(column)) is not None


def is_net(column: str) -> bool:
    """Whether a column is by its name without tax: "Prezzo + IVA", "Imponibile", also "Peso netto"."""
    return without_tax(column) or _NET.search(fold(column)) is not None


def gross_name(column: str) -> str:
    """A column's name, folded, without what says whether tax is in it."""
    return _NET.sub(" ", taxless(column))


def distinction(column: str, *, alone: bool) -> str:
    """What a column of prices stands for among others, in its own words: "soci" of "Prezzo soci", or "".

    A column that is `alone` is told apart only by a length of time and by words that restrict it to some
    customers or days.
    """
    name = fold(column) if without_tax(column) else taxless(column)
    words = _NEUTRAL.sub(" ", _NAME.sub(" ", _PRICE.sub(" ", without_units(name))))
    left = [word for word in re.split(r"[^\w'+<>-]+", words) if word.strip("-'")]
    if not left or (alone and not (_TELLING.search(" ".join(left)) or is_length(" ".join(left)))):
        return ""
    written = [word for word in re.split(r"[^\w'’+<>-]+", column) if fold(word) in left]
    return " ".join(written) or " ".join(left)
