"""Numbers the tax office knows people and companies by, checked by their own check digits."""

import re
from dataclasses import dataclass

import stdnum
from stdnum.exceptions import ValidationError
from stdnum.it import codicefiscale, iva

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9.\-]{6,19}")
_ABROAD = ("ES", "PT", "FR", "DE", "GB", "AT", "BE", "NL", "IE", "CH")


@dataclass(frozen=True)
class TaxId:
    """A checked number: a VAT number (without the country's letters), a personal tax code, or both."""

    country: str
    vat_number: str | None = None
    tax_code: str | None = None

    @property
    def shown(self) -> str:
        """As it is written on a document."""
        return self.tax_code or f"{self.country}{self.vat_number}"


def in_text(text: str) -> TaxId | None:
    """The first valid number a text holds; Italian ones may stand alone, others begin with their country."""
    squeezed = re.sub(r"(?<=\d)\s(?=\d)|(?<=\b[A-Za-z]{2})\s(?=\d)", "", text)
    for word in _WORD.findall(squeezed):
        found = read(word)
        if found is not None:
            return found
    return None


def read(word: str) -> TaxId | None:
    """One number; None when its check digits are wrong."""
    compact = re.sub(r"[^A-Z0-9]", "", word.upper())
    bare = compact.removeprefix("IT")
    if bare.isdigit() and iva.is_valid(bare):
        return TaxId("IT", vat_number=bare)
    if len(compact) == 16 and codicefiscale.is_valid(compact):
        return TaxId("IT", tax_code=compact)
    country, rest = compact[:2], compact[2:]
    return TaxId(country, vat_number=rest) if country in _ABROAD and vat_is_valid(country, rest) else None


def vat_is_valid(country: str, number: str) -> bool:
    """Whether a VAT number is one of that country; False where its rules are not known."""
    if country == "IT":
        return bool(iva.is_valid(number))
    try:
        module = stdnum.get_cc_module(country.lower(), "vat")
        return module is not None and bool(module.validate(number))
    except ValidationError:
        return False


def tax_code_is_valid(code: str) -> bool:
    """Whether an Italian codice fiscale is right: a person's 16 characters, or a company's 11 digits."""
    return bool(codicefiscale.is_valid(code) or iva.is_valid(code))
