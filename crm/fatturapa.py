"""Italian electronic invoices: a draft as FatturaPA XML, version 1.2, for the business to check and transmit.

The format is that of the Agenzia delle Entrate's "Specifiche tecniche" for electronic invoices to private
customers (FormatoTrasmissione FPR12). Numbers in comments are those of its rejection codes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from lxml import etree

from crm import fatturapa_rules, vat
from crm.fiscal import BuyerRow, SellerRow
from crm.invoices import InvoiceLine
from crm.latin import latin
from crm.vat import RateTotal

NAMESPACE = "http://ivaservizi.agenziaentrate.gov.it/docs/xsd/fatture/v1.2"
_DOMESTIC, _ABROAD = "0000000", "XXXXXXX"  # CodiceDestinatario where none was told
_STAMP_FROM = Decimal("77.47")  # EUR without VAT; above it a stamp duty of 2 EUR is due (DPR 642/1972)
_STAMPED = ("N2.1", "N2.2", "N3.5", "N3.6", "N4")
_NO_VAT_LAW = {
    "N1": "Escluso ex art. 15 DPR 633/72",
    "N2.1": "Non soggetto IVA artt. da 7 a 7-septies DPR 633/72",
    "N2.2": "Operazione non soggetta a IVA",
    "N4": "Esente art. 10 DPR 633/72",
}


@dataclass(frozen=True)
class Electronic:
    """A written invoice: its file's name, as the Sistema di Interscambio wants it, and its bytes."""

    filename: str
    content: bytes


def write(
    seller: SellerRow,
    buyer: BuyerRow,
    lines: Sequence[InvoiceLine],
    *,
    number: str,
    on: date,
    currency: str,
) -> Electronic:
    """The invoice as XML, checked. Raises FatturaRefused naming every rule it would break."""
    fatturapa_rules.check_parties(seller, buyer)
    root = etree.Element(f"{{{NAMESPACE}}}FatturaElettronica", {"versione": "FPR12"}, {"p": NAMESPACE})
    sent = _progressive(number)
    _header(etree.SubElement(root, "FatturaElettronicaHeader"), seller, buyer, sent)
    _body(etree.SubElement(root, "FatturaElettronicaBody"), lines, number, on, currency)
    content: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    fatturapa_rules.check(content)
    return Electronic(f"IT{_sender(seller)}_{sent}.xml", content)


def _header(header: etree._Element, seller: SellerRow, buyer: BuyerRow, sent: str) -> None:
    sending = etree.SubElement(header, "DatiTrasmissione")
    _put(etree.SubElement(sending, "IdTrasmittente"), IdPaese="IT", IdCodice=_sender(seller))
    abroad = buyer.country != "IT"
    _put(
        sending,
        ProgressivoInvio=sent,
        FormatoTrasmissione="FPR12",
        CodiceDestinatario=_ABROAD if abroad else (buyer.sdi_code or _DOMESTIC),
        PECDestinatario=None if abroad or buyer.sdi_code else buyer.pec,
    )
    _seller(etree.SubElement(header, "CedentePrestatore"), seller)
    _buyer(etree.SubElement(header, "CessionarioCommittente"), buyer)


def _seller(party: etree._Element, seller: SellerRow) -> None:
    person = etree.SubElement(party, "DatiAnagrafici")
    _put(etree.SubElement(person, "IdFiscaleIVA"), IdPaese=seller.country, IdCodice=seller.vat_number)
    _put(person, CodiceFiscale=seller.tax_code)
    _put(etree.SubElement(person, "Anagrafica"), Denominazione=latin(seller.legal_name)[:80])
    _put(person, RegimeFiscale=seller.regime)
    _address(party, seller)


def _buyer(party: etree._Element, buyer: BuyerRow) -> None:
    person = etree.SubElement(party, "DatiAnagrafici")
    if buyer.vat_number:
        _put(etree.SubElement(person, "IdFiscaleIVA"), IdPaese=_vat_country(buyer), IdCodice=buyer.vat_number)
    elif buyer.country != "IT" and not buyer.tax_code:
        # A private customer from abroad has no number: seven zeros, says the guide to compiling invoices.
        _put(etree.SubElement(person, "IdFiscaleIVA"), IdPaese=buyer.country, IdCodice="0000000")
    _put(person, CodiceFiscale=buyer.tax_code)
    _put(etree.SubElement(person, "Anagrafica"), Denominazione=latin(buyer.name)[:80])
    _address(party, buyer)


def _vat_country(buyer: BuyerRow) -> str:
    return "EL" if buyer.country == "GR" else buyer.country


def _address(party: etree._Element, of: SellerRow | BuyerRow) -> None:
    _put(
        etree.SubElement(party, "Sede"),
        Indirizzo=latin(of.street or "")[:60],
        CAP=of.postal_code if of.country == "IT" else "00000",
        Comune=latin(of.city or "")[:60],
        Provincia=of.province if of.country == "IT" else None,
        Nazione=of.country,
    )


def _body(body: etree._Element, lines: Sequence[InvoiceLine], number: str, on: date, currency: str) -> None:
    total = vat.totals(lines)
    general = etree.SubElement(etree.SubElement(body, "DatiGenerali"), "DatiGeneraliDocumento")
    _put(general, TipoDocumento="TD01", Divisa=currency, Data=on.isoformat(), Numero=number)
    exempt = sum((rate.net for rate in total.rates if rate.nature in _STAMPED), Decimal(0))
    if exempt > _STAMP_FROM:
        _put(etree.SubElement(general, "DatiBollo"), BolloVirtuale="SI", ImportoBollo="2.00")
    _put(general, ImportoTotaleDocumento=_money(total.gross))
    goods = etree.SubElement(body, "DatiBeniServizi")
    for place, line in enumerate(lines, start=1):
        _line(etree.SubElement(goods, "DettaglioLinee"), place, line)
    for rate in total.rates:
        _summary(etree.SubElement(goods, "DatiRiepilogo"), rate)


def _line(row: etree._Element, place: int, line: InvoiceLine) -> None:
    # Prices of the record hold VAT. Without it they are written to eight decimals, the most there may be,
    # so that price times quantity is the total to less than a cent (00423).
    unit = vat.net_of(line.unit_price, line.vat_rate)
    _put(
        row,
        NumeroLinea=str(place),
        Descrizione=latin(line.description)[:1000] or "-",
        Quantita=f"{line.quantity:.2f}",
        UnitaMisura="PZ",
        PrezzoUnitario=_fine(unit),
        PrezzoTotale=_fine(unit * line.quantity),
        AliquotaIVA=f"{line.vat_rate:.2f}",
        Natura=line.vat_nature if line.vat_rate == 0 else None,
    )


def _summary(row: etree._Element, rate: RateTotal) -> None:
    nature = rate.nature if rate.rate == 0 else None
    _put(
        row,
        AliquotaIVA=f"{rate.rate:.2f}",
        Natura=nature,
        ImponibileImporto=_money(rate.net),
        Imposta=_money(rate.vat),
        EsigibilitaIVA=None if nature else "I",
        RiferimentoNormativo=_NO_VAT_LAW.get(nature or "", "Operazione senza IVA") if nature else None,
    )


def _put(parent: etree._Element, **texts: str | None) -> None:
    """Adds children in the order given; the schema is a sequence. What is None is left out."""
    for name, text in texts.items():
        if text is not None:
            etree.SubElement(parent, name).text = text


def _money(amount: Decimal) -> str:
    return f"{vat.cents(amount):.2f}"


def _fine(amount: Decimal) -> str:
    text = f"{amount:.8f}".rstrip("0")
    whole, _, part = text.partition(".")
    return f"{whole}.{part:0<2}"


def _sender(seller: SellerRow) -> str:
    return seller.tax_code or seller.vat_number


def _progressive(number: str) -> str:
    """Five letters or digits that no other invoice of the business has: its year and number in base 36."""
    year, _, place = number.partition("/")
    value, digits = int(year) % 36 * 36**4 + int(place), ""
    while value:
        value, rest = divmod(value, 36)
        digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[rest] + digits
    return digits.rjust(5, "0")
