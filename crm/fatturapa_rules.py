"""What an electronic invoice must obey: the schema's structure, and the rules that bind its fields together.

Structure is in fatturapa.xsd, written after the Agenzia delle Entrate's public schema 1.2 for the elements
used here. The rest are checks the Sistema di Interscambio makes on arrival, under its rejection codes.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

from babel import Locale
from lxml import etree

from crm import tax_ids
from crm.errors import RecordError
from crm.fiscal import BuyerRow, SellerRow

SCHEMA = Path(__file__).with_name("fatturapa.xsd")
_CENT = Decimal("0.01")
_EURO = Decimal(1)
_NO_COUNTRY = {"ZZ", "EU", "UN", "EZ", "QO", "XA", "XB"}  # codes of regions that are no country
_MORE_COUNTRIES = {"EL"}  # Greece, as VAT numbers name it
_EARLIEST = date(1970, 1, 1)


class FatturaRefused(RecordError):
    """The Sistema di Interscambio would refuse this invoice; `problems` says why, by rule."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def check_parties(seller: SellerRow, buyer: BuyerRow) -> None:
    """Raises FatturaRefused unless both sides can be named: numbers with right check digits, an address."""
    problems = [f"buyer: {what} is missing" for what in buyer.missing if what != "tax_id"]
    if "tax_id" in buyer.missing and buyer.country == "IT":
        problems.append("00417: the buyer has neither VAT number nor codice fiscale")
    if not tax_ids.vat_is_valid(seller.country, seller.vat_number):
        problems.append("00301: the seller's VAT number is not valid")
    if seller.tax_code and not tax_ids.tax_code_is_valid(seller.tax_code):
        problems.append("00302: the seller's codice fiscale is not valid")
    if buyer.country == "IT" and buyer.vat_number and not tax_ids.vat_is_valid("IT", buyer.vat_number):
        problems.append("00305: the buyer's VAT number is not valid")
    if buyer.tax_code and not tax_ids.tax_code_is_valid(buyer.tax_code):
        problems.append("00306: the buyer's codice fiscale is not valid")
    if problems:
        raise FatturaRefused(tuple(problems))


def check(content: bytes) -> None:
    """Raises FatturaRefused with everything that is wrong with an invoice's XML."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise FatturaRefused((f"00106: not XML: {error}",)) from error
    schema = _schema()
    if not schema.validate(root):
        raise FatturaRefused(tuple(f"00200: {entry.message}" for entry in schema.error_log))
    if problems := tuple(_problems(root)):
        raise FatturaRefused(problems)


@cache
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(SCHEMA))


def _problems(root: etree._Element) -> Iterator[str]:
    yield from _identities(root)
    yield from _countries(root)
    yield from _dates(root)
    yield from _lines(root)
    yield from _sums(root)


def _identities(root: etree._Element) -> Iterator[str]:
    buyer = root.find(".//CessionarioCommittente/DatiAnagrafici")
    if buyer is not None and buyer.find("IdFiscaleIVA") is None and buyer.find("CodiceFiscale") is None:
        yield "00417: the buyer has neither VAT number nor codice fiscale"
    for tag in root.iter("IdFiscaleIVA"):
        country, number = _text(tag, "IdPaese"), _text(tag, "IdCodice")
        if country == "IT" and not tax_ids.vat_is_valid("IT", number):
            yield f"00301/00305: {number} is not a valid VAT number"
    for tag in root.iter("CodiceFiscale"):
        if not tax_ids.tax_code_is_valid(tag.text or ""):
            yield f"00302/00306: {tag.text} is not a valid codice fiscale"


def _countries(root: etree._Element) -> Iterator[str]:
    known = (set(Locale("en").territories) - _NO_COUNTRY) | _MORE_COUNTRIES
    for name in ("IdPaese", "Nazione"):
        for tag in root.iter(name):
            if tag.text not in known:
                yield f"{name}: {tag.text} is no country of ISO 3166-1"


def _dates(root: etree._Element) -> Iterator[str]:
    for tag in root.iter("Data"):
        if date.fromisoformat(tag.text or "") < _EARLIEST:
            yield f"Data: {tag.text} is before 1970"
    number = root.findtext(".//Numero") or ""
    if not any(char.isdigit() for char in number):
        yield "00425: the invoice's number has no digit"


def _lines(root: etree._Element) -> Iterator[str]:
    for line in root.iter("DettaglioLinee"):
        where = f"line {_text(line, 'NumeroLinea')}"
        quantity = Decimal(_text(line, "Quantita") or "1")
        unit, total = Decimal(_text(line, "PrezzoUnitario")), Decimal(_text(line, "PrezzoTotale"))
        if abs(unit * quantity - total) > _CENT:
            yield f"00423: {where}: price times quantity is not the total"
        yield from _nature(line, where, ("00400", "00401"))
    for row in root.iter("DatiRiepilogo"):
        yield from _nature(row, "summary", ("00429", "00430"))


def _nature(row: etree._Element, where: str, codes: tuple[str, str]) -> Iterator[str]:
    rate, nature = Decimal(_text(row, "AliquotaIVA")), _text(row, "Natura")
    if rate == 0 and not nature:
        yield f"{codes[0]}: {where}: no VAT, and Natura does not say why"
    if rate != 0 and nature:
        yield f"{codes[1]}: {where}: Natura stands beside VAT"
    if 0 < rate < 1:
        yield f"00424: {where}: the VAT rate is not in percent"


def _sums(root: etree._Element) -> Iterator[str]:
    lines: dict[tuple[Decimal, str], Decimal] = {}
    for line in root.iter("DettaglioLinee"):
        key = Decimal(_text(line, "AliquotaIVA")), _text(line, "Natura")
        lines[key] = lines.get(key, Decimal(0)) + Decimal(_text(line, "PrezzoTotale"))
    rows: dict[tuple[Decimal, str], Decimal] = {}
    whole = Decimal(0)
    for row in root.iter("DatiRiepilogo"):
        rate, net, tax = (Decimal(_text(row, n)) for n in ("AliquotaIVA", "ImponibileImporto", "Imposta"))
        rows[rate, _text(row, "Natura")] = net
        whole += net + tax
        if abs(net * rate / 100 - tax) > _CENT:
            yield f"00421: the VAT at {rate} % is not that of {net}"
    if lines.keys() != rows.keys():
        yield "00419: lines and summaries are not of the same rates"
    for key in lines.keys() & rows.keys():
        if abs(lines[key] - rows[key]) > _EURO:
            yield f"00422: the lines at {key[0]} % do not add up to their summary"
    total = Decimal(root.findtext(".//ImportoTotaleDocumento") or "0")
    if total != whole:
        yield f"the total {total} is not what the summaries add up to, {whole}"


def _text(parent: etree._Element, name: str) -> str:
    return parent.findtext(name) or ""
