"""The sheet a paper is printed on (fpdf2)."""

from decimal import Decimal

from fpdf import FPDF
from fpdf.enums import XPos, YPos
from fpdf.fonts import FontFace

from crm import vat
from crm.fiscal import BuyerRow, SellerRow
from crm.latin import latin
from jobs.paper import Item, Paper
from knowledge.phrases import Say
from tools.wording import money, number

_MARGIN = 18
_LINE = 5.2  # millimetres between the lines of running text


class Sheet(FPDF):
    """An A4 sheet of one paper, part by part from the top."""

    def __init__(self, paper: Paper, say: Say) -> None:
        super().__init__(format="A4", unit="mm")
        self._paper, self._say = paper, say
        self.core_fonts_encoding = "cp1252"
        self.set_creation_date(paper.written_at)
        self.set_title(_printable(paper.title))
        self.set_author(_printable(paper.seller.legal_name))
        self.set_lang(paper.language)
        self.set_margins(_MARGIN, _MARGIN)
        self.set_auto_page_break(auto=True, margin=22)

    def footer(self) -> None:
        """Who sells, on every page; fpdf2 puts the number of pages in the place of `{nb}` at the end."""
        seller = self._paper.seller
        self.set_y(-14)
        self.set_font("helvetica", size=8)
        reach = [seller.legal_name, seller.email, seller.phone, f"{self.page_no()}/{{nb}}"]
        self.cell(0, 5, _printable(" - ".join(filter(None, reach))), align="C")

    def parties(self) -> None:
        seller, buyer, say = self._paper.seller, self._paper.buyer, self._say
        self.set_font("helvetica", "B", 14)
        self._write(seller.legal_name)
        self.set_font("helvetica", size=9)
        self._write(_address(seller))
        self._write(say("VAT number: {number}", number=f"{seller.country}{seller.vat_number}"))
        if seller.tax_code:
            self._write(say("Tax code: {number}", number=seller.tax_code))
        self.ln(8)
        self._write(say("For"))
        self.set_font("helvetica", "B", 10)
        self._write(buyer.name)
        self.set_font("helvetica", size=9)
        if buyer.street:
            self._write(_address(buyer))
        if buyer.vat_number:
            self._write(say("VAT number: {number}", number=f"{buyer.country}{buyer.vat_number}"))
        if buyer.tax_code:
            self._write(say("Tax code: {number}", number=buyer.tax_code))
        self.ln(8)

    def heading(self) -> None:
        self.set_font("helvetica", "B", 16)
        self._write(self._paper.title, height=8)
        self.set_font("helvetica", size=10)
        for line in self._paper.about:
            self._write(line)
        self.ln(5)

    def items(self) -> None:
        say = self._say
        heads = (say("Description"), say("Quantity"), say("Unit price"), say("VAT"), say("Amount"))
        bold = FontFace(emphasis="BOLD", fill_color=(235, 235, 235))
        self.set_font("helvetica", size=9)
        with self.table(
            col_widths=(50, 11, 16, 9, 16),
            text_align=("LEFT", "RIGHT", "RIGHT", "RIGHT", "RIGHT"),
            headings_style=bold,
            line_height=_LINE + 1,
            borders_layout="HORIZONTAL_LINES",
        ) as table:
            table.row([_printable(head) for head in heads])
            for line in self._paper.lines:
                table.row([_printable(cell) for cell in self._cells(line)])
        self.ln(4)

    def _cells(self, line: Item) -> tuple[str, ...]:
        return (
            line.description,
            number(line.quantity, self._paper.language, self._paper.seller.country),
            self._money(line.unit_price),
            _rate(line.vat_rate, line.vat_nature, self._paper),
            self._money(vat.gross_of(line)),
        )

    def sums(self) -> None:
        say, totals = self._say, vat.totals(self._paper.lines)
        rows = []
        for rate in totals.rates:
            shown = _rate(rate.rate, rate.nature, self._paper)
            rows.append((say("Net at {rate}", rate=shown), self._money(rate.net)))
            rows.append((say("VAT at {rate}", rate=shown), self._money(rate.vat)))
        for name, amount in rows:
            self._sum(name, amount)
        self.set_font("helvetica", "B", 11)
        self._sum(say("Total"), self._money(totals.gross))

    def closing(self) -> None:
        self.ln(6)
        self.set_font("helvetica", size=9)
        self._write(self._paper.note)

    def _sum(self, name: str, amount: str) -> None:
        self.cell(self.epw - 35, _LINE + 1, _printable(name), align="R")
        self.cell(35, _LINE + 1, _printable(amount), align="R", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _write(self, text: str, height: float = _LINE) -> None:
        self.multi_cell(0, height, _printable(text), new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _money(self, amount: Decimal) -> str:
        return money(amount, self._paper.currency, self._paper.language, self._paper.seller.country)


def _rate(rate: Decimal, nature: str | None, paper: Paper) -> str:
    shown = f"{number(rate, paper.language, paper.seller.country) if rate else 0} %"
    return f"{shown} ({nature})" if nature and not rate else shown


def _address(party: SellerRow | BuyerRow) -> str:
    town = " ".join(filter(None, [party.postal_code, party.city]))
    place = f"{town} ({party.province})" if party.province else town
    return ", ".join(filter(None, [party.street, place, party.country]))


def _printable(text: str) -> str:
    """A text in the letters of the standard fonts, which have the euro sign beside Latin-1."""
    return latin(text.replace("€", "¤")).replace("¤", "€")
