"""Word documents and workbooks as people make them, and files under the wrong name."""

import io
from collections.abc import Callable
from datetime import date, datetime, time, timedelta

import docx
import pytest
from docx.document import Document as WordDocument
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from fpdf import FPDF
from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.worksheet.worksheet import Worksheet

from knowledge.readers.cell_text import written
from knowledge.readers.document import Document
from knowledge.readers.formulas import Formulas
from knowledge.readers.reading import READERS, read


def blocks(document: Document) -> list[tuple[str, str]]:
    return [(block.kind, block.text) for section in document.sections for block in section.blocks]


def paths(document: Document) -> list[tuple[str, ...]]:
    return [section.path for section in document.sections]


def word(fill: Callable[[WordDocument], None]) -> bytes:
    document = docx.Document()
    fill(document)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def workbook(fill: Callable[[Worksheet], None], language: str | None = None) -> bytes:
    book = Workbook()
    book.properties.language = language
    fill(book.worksheets[0])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def sheet_of(*rows: list[object]) -> Callable[[Worksheet], None]:
    def fill(sheet: Worksheet) -> None:
        sheet.title = "Listino"
        for row in rows:
            sheet.append(row)

    return fill


# --- Word documents


def test_word_headings_lists_and_tables_in_their_order() -> None:
    def fill(document: WordDocument) -> None:
        document.core_properties.title = "Listino copie"
        document.core_properties.language = "it-IT"
        document.sections[0].header.paragraphs[0].text = "Studio Legale"
        document.add_heading("Listino copie", 0)
        document.add_paragraph("Valido dal 1 settembre 2026.")
        document.add_heading("Copie", 1)
        table = document.add_table(rows=0, cols=3)
        for cells in (
            ("Documento", "Formato", "Prezzo"),
            ("Semplice", "A4", "0,30 €"),
            ("Autentica", "", "2,50 €"),
        ):
            for cell, text in zip(table.add_row().cells, cells, strict=True):
                cell.text = text
        document.add_paragraph("Si paga al ritiro.", style="List Bullet")
        document.add_heading("Casi particolari", 2)
        document.add_paragraph("2) Atti antichi")

    document = read(word(fill), "copie.docx")

    assert (document.title, document.metadata.language) == ("Listino copie", "it")
    assert paths(document) == [(), ("Copie",), ("Copie", "Casi particolari")]
    assert blocks(document) == [
        ("text", "Valido dal 1 settembre 2026."),
        ("row", "Documento: Semplice | Formato: A4 | Prezzo: 0,30 €"),
        ("row", "Documento: Autentica | Prezzo: 2,50 €"),
        ("item", "- Si paga al ritiro."),
        ("item", "- Atti antichi"),
    ]
    assert document.sections[1].blocks[1].cells == (("Documento", "Autentica"), ("Prezzo", "2,50 €"))


def test_word_merged_cells_are_said_once_across_and_in_every_row_down() -> None:
    def fill(document: WordDocument) -> None:
        table = document.add_table(rows=4, cols=3)
        for row, cells in enumerate(
            (("Corso", "Ore", "Prezzo"), ("Yoga", "1", "15 €"), ("", "2", "25 €"), ("Tutti", "", "40 €"))
        ):
            for column, text in enumerate(cells):
                table.cell(row, column).text = text
        table.cell(1, 0).merge(table.cell(2, 0))
        table.cell(3, 0).merge(table.cell(3, 1))

    assert blocks(read(word(fill), "corsi.docx")) == [
        ("row", "Corso: Yoga | Ore: 1 | Prezzo: 15 €"),
        ("row", "Corso: Yoga | Ore: 2 | Prezzo: 25 €"),
        ("row", "Corso: Tutti | Prezzo: 40 €"),
    ]


def test_word_reads_what_is_seen_and_nothing_else() -> None:
    def fill(document: WordDocument) -> None:
        paragraph = document.add_paragraph("Costa ")
        for xml in (
            f"<w:del {nsdecls('w')}><w:r><w:delText>50</w:delText></w:r></w:del>",
            f"<w:ins {nsdecls('w')}><w:r><w:t>60</w:t></w:r></w:ins>",
            f"<w:r {nsdecls('w')}><w:rPr><w:vanish/></w:rPr><w:t> segreto</w:t></w:r>",
            f"<w:r {nsdecls('w')}><w:instrText>PAGE</w:instrText></w:r>",
            f"<w:r {nsdecls('w')}><w:t xml:space='preserve'> euro</w:t><w:br/><w:t>IVA compresa</w:t></w:r>",
        ):
            paragraph._p.append(parse_xml(xml))
        control = parse_xml(
            f"<w:sdt {nsdecls('w')}><w:sdtContent><w:p><w:r><w:t>Dentro un controllo</w:t></w:r></w:p>"
            "</w:sdtContent></w:sdt>"
        )
        paragraph._p.addnext(control)

    assert blocks(read(word(fill), "prezzo.docx")) == [
        ("text", "Costa 60 euro\nIVA compresa"),
        ("text", "Dentro un controllo"),
    ]


def test_word_text_boxes_are_read_once() -> None:
    def fill(document: WordDocument) -> None:
        box = "<w:txbxContent><w:p><w:r><w:t>Chiuso il lunedì</w:t></w:r></w:p></w:txbxContent>"
        mc = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
        document.add_paragraph("Orari")._p.append(
            parse_xml(
                f"<w:r {nsdecls('w')} {mc}><mc:AlternateContent><mc:Choice Requires='wps'>{box}</mc:Choice>"
                f"<mc:Fallback>{box}</mc:Fallback></mc:AlternateContent></w:r>"
            )
        )

    assert blocks(read(word(fill), "orari.docx")) == [("text", "Orari"), ("text", "Chiuso il lunedì")]


@pytest.mark.parametrize("name", ["Titolo 1", "Título 1", "Encabezado 1", "Cabeçalho 1"])
def test_word_heading_styles_of_other_languages(name: str) -> None:
    def fill(document: WordDocument) -> None:
        document.styles.add_style(name, 1)
        document.add_paragraph("Orari", style=name)
        document.add_paragraph("Dalle 9 alle 18")

    assert read(word(fill), "x.docx").title == "Orari"


def test_word_without_styles_takes_short_bold_lines_as_headings() -> None:
    def fill(document: WordDocument) -> None:
        for heading, text in (("Orari", "Dalle 9 alle 18."), ("Prezzi", "Su preventivo.")):
            document.add_paragraph().add_run(heading).bold = True
            document.add_paragraph(text)

    document = read(word(fill), "avviso.docx")

    assert paths(document) == [("Orari",), ("Prezzi",)]
    assert blocks(document) == [("text", "Dalle 9 alle 18."), ("text", "Su preventivo.")]


# --- Workbooks


def test_workbook_captions_amounts_groups_and_notes() -> None:
    def fill(sheet: Worksheet) -> None:
        sheet_of(
            ["Tariffe per aziende"],
            ["Valido dal 1 settembre 2026 al 31 agosto 2027."],
            ["Pacchetto", "Persone", "Prezzo"],
            ["Piccolo", 5, 65],
            ["Grandi"],
            ["Medio", 10, 1060.5],
            [],
            ["Prezzi IVA compresa."],
        )(sheet)
        for row in (4, 6):
            sheet.cell(row, 3).number_format = '#,##0.00 "€"'

    document = read(workbook(fill, "it"), "tariffe.xlsx")

    assert document.metadata.language == "it"
    assert paths(document) == [
        ("Tariffe per aziende",),
        ("Tariffe per aziende", "Grandi"),
        (),
    ]
    assert document.title == "Listino"
    assert blocks(document) == [
        ("text", "Valido dal 1 settembre 2026 al 31 agosto 2027."),
        ("row", "Pacchetto: Piccolo | Persone: 5 | Prezzo: 65,00 €"),
        ("row", "Pacchetto: Medio | Persone: 10 | Prezzo: 1060,50 €"),
        ("text", "Prezzi IVA compresa."),
    ]


def test_workbook_leaves_out_what_is_hidden() -> None:
    def fill(sheet: Worksheet) -> None:
        sheet_of(["Nome", "Costo", "Prezzo"], ["A", 1, 10], ["B", 2, 20])(sheet)
        sheet.column_dimensions["B"].hidden = True
        sheet.row_dimensions[3].hidden = True
        secret = sheet.parent.create_sheet("Margini")
        secret["A1"] = "segreto"
        secret.sheet_state = "hidden"

    assert blocks(read(workbook(fill), "x.xlsx")) == [("row", "Nome: A | Prezzo: 10")]


def test_workbook_tables_under_and_beside_each_other() -> None:
    fill = sheet_of(
        ["Nome", "Prezzo", None, "Sala", "Posti"],
        ["Tè", 3, None, "Blu", 12],
        ["Caffè", 2, None, "Rossa", 8],
        [],
        ["Giorno", "Ore", None, None, None],
        ["lunedì", 4],
    )

    assert blocks(read(workbook(fill), "x.xlsx")) == [
        ("row", "Nome: Tè | Prezzo: 3"),
        ("row", "Nome: Caffè | Prezzo: 2"),
        ("row", "Sala: Blu | Posti: 12"),
        ("row", "Sala: Rossa | Posti: 8"),
        ("row", "Giorno: lunedì | Ore: 4"),
    ]


def test_workbook_merged_cells_speak_in_every_row() -> None:
    def fill(sheet: Worksheet) -> None:
        sheet_of(["Corso", "Ore", "Prezzo"], ["Yoga", 1, 15], [None, 2, 25])(sheet)
        sheet.merge_cells("A2:A3")

    assert blocks(read(workbook(fill), "x.xlsx")) == [
        ("row", "Corso: Yoga | Ore: 1 | Prezzo: 15"),
        ("row", "Corso: Yoga | Ore: 2 | Prezzo: 25"),
    ]


def test_workbook_formulas_show_values_or_nothing() -> None:
    fill = sheet_of(
        ["Nome", "Prezzo", "Doppio"],
        ["A", 10, "=B2*2"],
        ["B", 20, "=VLOOKUP(A3,A1:B9,2)"],
        ["Totale", "=SUM(B2:B3)", "=C2"],
    )

    assert blocks(read(workbook(fill), "x.xlsx")) == [
        ("row", "Nome: A | Prezzo: 10 | Doppio: 20"),
        ("row", "Nome: B | Prezzo: 20"),
        ("row", "Nome: Totale | Prezzo: 30 | Doppio: 20"),
    ]


def test_workbook_column_names_in_bold_without_numbers_below() -> None:
    def fill(sheet: Worksheet) -> None:
        sheet_of(["Sede", "Referente"], ["Milano", "Anna"], ["Roma", "Luca"])(sheet)
        for cell in sheet[1]:
            cell.font = Font(bold=True)

    assert blocks(read(workbook(fill), "x.xlsx"))[0] == ("row", "Sede: Milano | Referente: Anna")


@pytest.mark.parametrize(
    ("value", "number_format", "language", "text"),
    [
        (65, '#,##0.00 "€"', "it", "65,00 €"),
        (65, '#,##0.00 "€"', "en", "65.00 €"),
        (65, '#,##0.00 "€"', None, "65.00 €"),
        (65, "[$€-410] #,##0.00", None, "€ 65,00"),
        (65.5, '_-* #,##0.00 [$€-410]_-;-* #,##0.00 [$€-410]_-;_-* "-"?? [$€-410]_-;_-@_-', None, "65,50 €"),
        (-65.5, '#,##0.00 "€";[Red]-#,##0.00 "€"', "it", "-65,50 €"),
        (49.999, "0.00", "en", "50.00"),
        (25.875, "#,##0.00", "it", "25,88"),
        (25.875, "#,##0.00;[Red]-#,##0.00", "it", "25,88"),
        (0.12345, "0.00%", "it", "12,345%"),
        (25.875, "0.0", "it", "25,875"),
        (25.8755, "0.000", "en", "25.8755"),
        (65.5, '[>=1000]#,##0\\ "€";#,##0.00\\ "€"', "it", "65,5 €"),
        (1.3, '[>=1000]#,##0\\ "€";#,##0.00\\ "€"', "it", "1,3 €"),
        (21.666666666666668, "0.00", "it", "21,67"),
        (25.875, '#,##0.00 "€"', "it", "25,88 €"),
        (43.125, "[$€-410] #,##0.00", None, "€ 43,13"),
        (-43.125, '#,##0.00 "€";[Red]-#,##0.00 "€"', "it", "-43,13 €"),
        (1234.125, "$#,##0.00", "en", "$1234.13"),
        (25.875, '#,##0 "EUR"', "es", "26 EUR"),
        (12.125, '0.0## "€"', "it", "12,125 €"),
        (1e30, '0.00 "€"', "it", "1" + "0" * 30 + ",00 €"),
        (0.1 + 0.2, "General", None, "0.3"),
        (0.125, "0%", "es", "12,5%"),
        (50, '0" min"', "it", "50 min"),
        (162, "00000", None, "00162"),
        (date(2026, 12, 1), "dd/mm/yyyy", None, "2026-12-01"),
        (datetime(2026, 12, 1, 9, 30), "dd/mm/yyyy hh:mm", None, "2026-12-01 09:30"),
        (time(9, 30), "h:mm", None, "09:30"),
        (timedelta(hours=26, minutes=5), "[h]:mm", None, "26:05"),
        (True, "General", "pt", "sim"),
        ("due\nrighe", "@", None, "due righe"),
        (None, "General", None, ""),
    ],
)
def test_cells_are_written_as_they_show(
    value: object, number_format: str, language: str | None, text: str
) -> None:
    assert written(value, number_format, language) == text


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("=A1+2*(3-1)/4", 11),
        ("='Altro foglio'!B2", "sì"),
        ("=SUM(A1:A2,5)%", 0.45),
        ("=-A1", -10),
        ("=C9", None),
        ("=A1/0", None),
        ("=B1", None),
        ("=SUM(A1:A999999)", None),
        ("=A1&B1", None),
        ("=SUM(A1:", None),
    ],
)
def test_simple_formulas_are_computed(formula: str, value: object) -> None:
    cells: dict[tuple[str, int, int], object] = {
        ("Foglio", 1, 1): 10,
        ("Foglio", 2, 1): 30,
        ("Foglio", 1, 2): "=B1",  # a circle
        ("Altro foglio", 2, 2): "sì",
        ("Foglio", 5, 5): formula,
    }
    told = Formulas(cells).value(("Foglio", 5, 5))
    assert told == value or float(str(told)) == value


# --- Content before name


def pdf(text: str) -> bytes:
    made = FPDF()
    made.add_page()
    made.set_font("helvetica", size=10)
    made.cell(0, 5, text)
    return bytes(made.output())


def test_files_are_read_by_what_they_are() -> None:
    as_pdf = pdf("Testo")
    as_word = word(lambda document: document.add_paragraph("Testo"))
    as_workbook = workbook(sheet_of(["Testo"]))
    page = b"<!DOCTYPE html><html><body><p>Testo</body></html>"
    for data, name in (
        (as_pdf, "a.txt"),
        (b"\n \n" + as_pdf, "a.pdf"),
        (as_word, "a.pdf"),
        (as_word, "senza ending"),
        (as_workbook, "a.csv"),
        (page, "a.md"),
        (page, "a.doc"),
        (b"<?xml version='1.0'?>\n<!-- saved -->" + page, "a.txt"),
        (b"Testo", "a.pdf"),
        (b"Testo", "a.docx"),
    ):
        assert read(data, name).text == "Testo", name


def test_text_exported_under_a_workbooks_name_is_a_table() -> None:
    assert blocks(read(b"Nome\tPrezzo\nA\t1,50\n", "export.xls")) == [("row", "Nome: A | Prezzo: 1,50")]


def test_readable_endings() -> None:
    assert {".pdf", ".docx", ".xlsx", ".md", ".html", ".csv", ".txt"} <= READERS
