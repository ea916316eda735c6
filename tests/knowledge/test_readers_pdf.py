"""PDFs as programs make them: paragraphs, headings, tables with and without lines, running heads."""

from collections.abc import Callable

import pytest
from fpdf import FPDF

from knowledge.readers.document import Document
from knowledge.readers.reading import read


def blocks(document: Document) -> list[tuple[str, str]]:
    return [(block.kind, block.text) for section in document.sections for block in section.blocks]


def paths(document: Document) -> list[tuple[str, ...]]:
    return [section.path for section in document.sections]


def pdf(draw: Callable[[FPDF], None], title: str | None = None) -> bytes:
    made = FPDF()
    made.core_fonts_encoding = "cp1252"
    if title:
        made.set_title(title)
    made.add_page()
    made.set_font("helvetica", size=10)
    draw(made)
    return bytes(made.output())


def test_pdf_rejoins_lines_and_cut_words_but_not_compounds() -> None:
    def draw(made: FPDF) -> None:
        for line in (
            "Il centro resta aperto anche nei giorni festivi infrasettimanali, con un ora-",
            "rio ridotto che si trova sul sito; chi vuole può fare il check-",
            "in la sera prima e ritirare la chiave alla reception del piano terreno",
            "senza aspettare.",
        ):
            made.cell(0, 5, line, new_x="LMARGIN", new_y="NEXT")
        made.ln(5)
        for line in ("Via Orti 14", "20122 Milano"):
            made.cell(0, 5, line, new_x="LMARGIN", new_y="NEXT")

    assert blocks(read(pdf(draw), "avviso.pdf")) == [
        (
            "text",
            "Il centro resta aperto anche nei giorni festivi infrasettimanali, con un orario ridotto che si "
            "trova sul sito; chi vuole può fare il check-in la sera prima e ritirare la chiave alla "
            "reception del piano terreno senza aspettare.",
        ),
        ("text", "Via Orti 14\n20122 Milano"),
    ]


def test_pdf_leaders_between_names_and_prices_are_a_table() -> None:
    def draw(made: FPDF) -> None:
        for name, price in (("Tisana ", "4,00 €"), ("Spremuta ", "5,50 €"), ("Centrifugato ", "6,00 €")):
            dots = "." * round((120 - made.get_string_width(name)) / made.get_string_width("."))
            made.cell(0, 5, f"{name}{dots} {price}", new_x="LMARGIN", new_y="NEXT")

    assert blocks(read(pdf(draw), "bar.pdf")) == [
        ("row", "Tisana | 4,00 €"),
        ("row", "Spremuta | 5,50 €"),
        ("row", "Centrifugato | 6,00 €"),
    ]


def test_pdf_open_table_with_wrapped_cells_and_a_group() -> None:
    def draw(made: FPDF) -> None:
        rows = [
            (5, "B", ("Servizio", "Note", "Prezzo")),
            (8, "B", ("Massaggi", "", "")),
            (8, "", ("Rilassante", "con olio caldo", "65,00 €")),
            (4, "", ("", "di mandorle", "")),
            (8, "", ("Sportivo", "", "70,00 €")),
            (8, "B", ("Viso", "", "")),
            (8, "", ("Pulizia", "con vapore", "48,00 €")),
        ]
        for height, style, cells in rows:
            made.set_y(made.get_y() + height)
            made.set_font("helvetica", style, 10)
            for x, text in zip((10, 70, 130), cells, strict=True):
                made.set_x(x)
                made.cell(40, 0, text)

    document = read(pdf(draw), "listino.pdf")

    assert paths(document) == [("Massaggi",), ("Viso",)]
    assert blocks(document) == [
        ("row", "Servizio: Rilassante | Note: con olio caldo di mandorle | Prezzo: 65,00 €"),
        ("row", "Servizio: Sportivo | Prezzo: 70,00 €"),
        ("row", "Servizio: Pulizia | Note: con vapore | Prezzo: 48,00 €"),
    ]


def test_pdf_ruled_table_with_spans() -> None:
    def draw(made: FPDF) -> None:
        with made.table() as table:
            table.row(("Corso", "Ore", "Prezzo"))
            first = table.row()
            first.cell("Yoga", rowspan=2)
            first.cell("1")
            first.cell("15,00 €")
            table.row(("2", "25,00 €"))
            last = table.row()
            last.cell("Tutti i corsi", colspan=2)
            last.cell("40,00 €")

    assert blocks(read(pdf(draw), "corsi.pdf")) == [
        ("row", "Corso: Yoga | Ore: 1 | Prezzo: 15,00 €"),
        ("row", "Corso: Yoga | Ore: 2 | Prezzo: 25,00 €"),
        ("row", "Corso: Tutti i corsi | Prezzo: 40,00 €"),
    ]


def test_pdf_table_with_lines_only_around_and_cells_in_the_middle() -> None:
    def draw(made: FPDF) -> None:
        with made.table(borders_layout="MINIMAL", width=100, line_height=5, text_align="LEFT") as table:
            table.row(("Prodotto", "Formato", "Prezzo"))
            table.row(("Olio di mandorle spremuto a freddo", "200 ml", "18,50 €"))
            table.row(("Crema", "75 ml", "14,00 €"))

    assert blocks(read(pdf(draw), "prodotti.pdf")) == [
        ("row", "Prodotto: Olio di mandorle spremuto a freddo | Formato: 200 ml | Prezzo: 18,50 €"),
        ("row", "Prodotto: Crema | Formato: 75 ml | Prezzo: 14,00 €"),
    ]


def test_pdf_open_table_with_cells_in_the_middle_of_their_row() -> None:
    def draw(made: FPDF) -> None:
        with made.table(
            borders_layout="NONE", width=120, line_height=5, text_align=("LEFT", "LEFT", "RIGHT")
        ) as table:
            table.row(("Prodotto", "Formato", "Prezzo"))
            table.row(("Olio di mandorle spremuto a freddo", "200 ml", "18,50 €"))
            table.row(("Crema", "75 ml", "14,00 €"))
            table.row(("Sapone", "", "6,00 €"))

    assert blocks(read(pdf(draw), "prodotti.pdf")) == [
        ("row", "Prodotto: Olio di mandorle spremuto a freddo | Formato: 200 ml | Prezzo: 18,50 €"),
        ("row", "Prodotto: Crema | Formato: 75 ml | Prezzo: 14,00 €"),
        ("row", "Prodotto: Sapone | Prezzo: 6,00 €"),
    ]


class _WithHeads(FPDF):
    def header(self) -> None:
        self.set_font("helvetica", size=9)
        self.cell(0, 5, "Studio Legale - Condizioni")
        self.ln(15)

    def footer(self) -> None:
        self.set_y(-15)
        self.cell(0, 5, f"Via Orti 14, Milano    {self.page_no() + 4}", align="C")


def test_pdf_running_heads_go_and_rows_that_only_look_alike_stay() -> None:
    made = _WithHeads()
    made.set_auto_page_break(True, 20)
    for start in range(0, 120, 40):
        made.add_page()
        with made.rotation(45, 100, 150):
            made.set_font("times", "B", 60)
            made.text(60, 150, "BOZZA")
        made.set_font("helvetica", size=10)
        for n in range(start, start + 40):
            made.cell(0, 6, f"Articolo {n}, comma 1.", new_x="LMARGIN", new_y="NEXT")

    text = read(bytes(made.output()), "condizioni.pdf").text
    assert [int(line.split()[1][:-1]) for line in text.split("\n")] == list(range(120))


def test_pdf_frame_around_text_is_no_table() -> None:
    def draw(made: FPDF) -> None:
        made.multi_cell(0, 5, "Avviso importante: il giovedì si chiude alle 17.", border=1)

    assert blocks(read(pdf(draw), "avviso.pdf")) == [
        ("text", "Avviso importante: il giovedì si chiude alle 17.")
    ]


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("Guida all'ospite", "Guida all'ospite"),
        ("Microsoft Word - def2.docx", "Benvenuti"),
        (None, "Benvenuti"),
    ],
)
def test_pdf_title_is_the_documents_own_where_it_makes_sense(title: str | None, shown: str) -> None:
    def draw(made: FPDF) -> None:
        made.set_font("helvetica", "B", 20)
        made.cell(0, 10, "Benvenuti", new_x="LMARGIN", new_y="NEXT")
        made.set_font("helvetica", size=10)
        made.multi_cell(0, 5, "La casa si trova al secondo piano, a destra delle scale. " * 3)

    assert read(pdf(draw, title), "guida.pdf").title == shown
