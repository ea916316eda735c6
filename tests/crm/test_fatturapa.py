"""Electronic invoices: what is written passes, read by another program too, and what is wrong is named."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from a38.fattura import auto_from_etree
from a38.validation import Validation
from hypothesis import given, settings
from hypothesis import strategies as st

from crm import fatturapa, vat
from crm.fatturapa_rules import FatturaRefused, check
from crm.fiscal import BuyerRow, SellerRow
from crm.invoices import InvoiceLine

SELLER = SellerRow(
    "Aurora S.r.l.", "09876540155", None, "RF01", "Via Orti 14", "20122", "Milano", "MI", "IT",
    Decimal("22.00"), None, 30, None, "Europe/Rome", None, None,
)  # fmt: skip
BUYER = BuyerRow("Manuela Riccò", None, "RCCMNL83S18D969H", "Via Torino 5", "20123", "Milano", "MI", "IT")
LINE = InvoiceLine("Massaggio", Decimal("4.00"), Decimal("75.00"), Decimal("22.00"), None)
EXEMPT = InvoiceLine("Visita", Decimal("1.00"), Decimal("90.00"), Decimal("0.00"), "N4")
# Rule 00426 is read too widely there: consumers without PEC have seven zeros, say the specifications.
_OTHERS_OPINION = ("00426",)


def written(
    *lines: InvoiceLine, buyer: BuyerRow = BUYER, seller: SellerRow = SELLER, number: str = "2026/7"
) -> str:
    return fatturapa.write(
        seller, buyer, lines or (LINE,), number=number, on=date(2026, 11, 18), currency="EUR"
    ).content.decode()


def opinions(xml: str) -> list[str]:
    """What another program finds wrong."""
    validation = Validation()
    auto_from_etree(ET.fromstring(xml.encode())).validate(validation)
    return [f"{e.code} {e.msg}" for e in validation.errors if e.code not in _OTHERS_OPINION]


@pytest.mark.parametrize(
    "buyer",
    [
        BUYER,
        replace(BUYER, tax_code=None, vat_number="07643520567", sdi_code="M5UXCR1"),
        replace(BUYER, pec="manuela@pec.example"),
        BuyerRow("Owen Price", None, None, "221B Baker Street", "NW1 6XE", "London", None, "GB"),
        BuyerRow("Casa Lda", "509876544", None, "Rua A 1", "1200-669", "Lisboa", None, "PT"),
        replace(BUYER, name="Łukasz Żółć 🌸 Иванов", street="«Große Straße» 5"),
    ],
)
def test_what_is_written_is_right_and_another_program_reads_it(buyer: BuyerRow) -> None:
    assert opinions(written(LINE, EXEMPT, buyer=buyer)) == []


def test_totals_are_those_the_customer_was_told() -> None:
    xml = written(LINE, EXEMPT)
    assert "<ImportoTotaleDocumento>390.00</ImportoTotaleDocumento>" in xml
    assert "<ImponibileImporto>245.90</ImponibileImporto>" in xml
    assert "<Imposta>54.10</Imposta>" in xml
    assert "<ImportoBollo>2.00</ImportoBollo>" in xml  # more than 77.47 EUR without VAT
    assert "Bollo" not in written(LINE)


def test_abroad_has_seven_x_and_five_zeros() -> None:
    xml = written(buyer=BuyerRow("Owen Price", None, None, "221B Baker St", "NW1 6XE", "London", None, "GB"))
    assert "<CodiceDestinatario>XXXXXXX</CodiceDestinatario>" in xml
    assert "<CAP>00000</CAP>" in xml
    assert "<IdCodice>0000000</IdCodice>" in xml


def test_every_number_of_a_year_has_its_own_file() -> None:
    names = {
        fatturapa.write(
            SELLER, BUYER, [LINE], number=f"{year}/{n}", on=date(year, 1, 9), currency="EUR"
        ).filename
        for year in (2026, 2027)
        for n in (1, 35, 36, 1295, 1296)
    }
    assert len(names) == 10
    assert all(re.fullmatch(r"IT09876540155_[0-9A-Z]{5}\.xml", name) for name in names)


@pytest.mark.parametrize(
    ("seller", "buyer", "rule"),
    [
        (replace(SELLER, vat_number="09876540156"), BUYER, "00301"),
        (replace(SELLER, tax_code="RCCMNL83S18D969X"), BUYER, "00302"),
        (SELLER, replace(BUYER, tax_code=None), "00417"),
        (SELLER, replace(BUYER, tax_code=None, vat_number="12345678901"), "00305"),
        (SELLER, replace(BUYER, tax_code="RCCMNL83S18D969X"), "00306"),
        (SELLER, replace(BUYER, street=None), "address"),
        (SELLER, replace(BUYER, postal_code="2012"), "00200"),
        (SELLER, replace(BUYER, province="Milano"), "00200"),
        (SELLER, replace(BUYER, country="ZZ", tax_code=None), "no country"),
        (replace(SELLER, regime="RF99"), BUYER, "00200"),
    ],
)
def test_parties_that_would_be_refused(seller: SellerRow, buyer: BuyerRow, rule: str) -> None:
    with pytest.raises(FatturaRefused, match=rule):
        written(seller=seller, buyer=buyer)


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        (replace(EXEMPT, vat_nature=None), "00400"),
        (replace(EXEMPT, vat_nature="N9"), "00200"),
        (replace(LINE, vat_rate=Decimal("0.22")), "00424"),
    ],
)
def test_lines_that_would_be_refused(line: InvoiceLine, rule: str) -> None:
    with pytest.raises(FatturaRefused, match=rule):
        written(line)


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("<Imposta>54.10", "<Imposta>54.20", "00421"),
        ("<ImponibileImporto>245.90", "<ImponibileImporto>345.90", "00422"),
        ("<PrezzoTotale>245.90163934", "<PrezzoTotale>345.90", "00423"),
        ("<Data>2026-11-18", "<Data>18-11-2026", "00200"),
        ("<Data>2026-11-18", "<Data>2026-02-30", "00200"),
        ("<Data>2026-11-18", "<Data>1969-12-31", "1970"),
        ("<Numero>2026/7", "<Numero>seven", "00425"),
        ("22.00</AliquotaIVA>\n      </Dett", "10.00</AliquotaIVA>\n      </Dett", "00419"),
        ("<ImportoTotaleDocumento>300.00", "<ImportoTotaleDocumento>301.00", "total"),
        ("<NumeroLinea>1</NumeroLinea>", "", "00200"),
        ("<Divisa>EUR", "<Divisa>euro", "00200"),
        ("<CodiceFiscale>RCCMNL83S18D969H</CodiceFiscale>", "", "00417"),
        ("</p:FatturaElettronica>", "", "00106"),
        ("<Descrizione>Massaggio", "<Descrizione>&xxe;", "00106"),
    ],
)  # fmt: skip
def test_a_changed_invoice_is_refused_by_its_rule(old: str, new: str, rule: str) -> None:
    xml = written()
    assert old in xml
    with pytest.raises(FatturaRefused, match=rule):
        check(xml.replace(old, new, 1).encode())


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.builds(
            InvoiceLine,
            st.text(min_size=1, max_size=60),
            st.decimals("0.01", "9999.99", places=2),
            st.decimals("0.00", "99999.99", places=2),
            st.sampled_from([Decimal("22.00"), Decimal("10.00"), Decimal("5.00"), Decimal("4.00")]),
            st.none(),
        ),
        min_size=1,
        max_size=8,
    ),
)
def test_any_lines_make_an_invoice_that_adds_up(lines: list[InvoiceLine]) -> None:
    """Whatever the amounts and the letters, the total is the sum of the prices as they were said."""
    xml = written(*lines)
    total = sum((vat.gross_of(line) for line in lines), Decimal(0))
    assert f"<ImportoTotaleDocumento>{total:.2f}</ImportoTotaleDocumento>" in xml
