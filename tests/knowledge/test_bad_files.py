"""Files that cannot be read: each is told apart quickly, in one line that says why and what to do."""

import io
import random
import re
import struct
import time
import zipfile
import zlib
from collections.abc import Callable

import docx
import pytest
from fpdf import FPDF
from fpdf.enums import EncryptionMethod
from openpyxl import Workbook
from PIL import Image

from knowledge.errors import (
    DocumentBinary,
    DocumentDamaged,
    DocumentEmpty,
    DocumentLocked,
    DocumentScanned,
    DocumentSuspect,
    DocumentTooBig,
    FormatUnknown,
    UnreadableDocument,
)
from knowledge.readers.reading import MAX_BYTES, read

SECONDS = 10.0
ADVICE = re.compile(
    r"\b(?:save|export|split|run|unpack|write|remove|open|fill|print|add)\b",
    re.IGNORECASE,
)


def refused(data: bytes, name: str, error: type[UnreadableDocument]) -> str:
    """Reads what must not be readable, checks the message's form and the time taken, and returns it."""
    start = time.monotonic()
    with pytest.raises(error) as raised:
        read(data, name)
    assert time.monotonic() - start < SECONDS
    assert type(raised.value) is error
    message = str(raised.value)
    assert "\n" not in message
    assert ADVICE.search(message), message
    return message


def outcome(data: bytes, name: str) -> str:
    """The message of whatever made it unreadable, empty when it was read after all."""
    try:
        read(data, name)
    except UnreadableDocument as error:
        return str(error)
    return ""


def pdf(*pages: str, before: Callable[[FPDF], None] = lambda _pdf: None) -> bytes:
    made = FPDF()
    before(made)
    for text in pages:
        made.add_page()
        made.set_font("helvetica", size=10)
        if text:
            made.multi_cell(0, 5, text)
    return bytes(made.output())


def word(*paragraphs: str) -> bytes:
    document = docx.Document()
    for text in paragraphs:
        document.add_paragraph(text)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def workbook(rows: list[list[object]]) -> bytes:
    book = Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def changed(package: bytes, member: str, change: Callable[[bytes], bytes]) -> bytes:
    """The package with one member changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(old.read(name)) if name == member else old.read(name))
    return out.getvalue()


def raw_pdf(*objects: bytes) -> bytes:
    """A PDF written by hand: catalog, one page with object 4 as its content, and the objects given."""
    held = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</XObject<</F0 5 0 R>>"
        b"/Font<</H<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>",
        *objects,
    ]
    out = b"%PDF-1.4\n"
    offsets = []
    for number, content in enumerate(held, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return (
        out
        + b"xref\n0 %d\n0000000000 65535 f \n%strailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF"
        % (
            len(held) + 1,
            table,
            len(held) + 1,
            len(out),
        )
    )


def stream(content: bytes, extra: bytes = b"") -> bytes:
    return b"<<%s/Length %d>>\nstream\n%s\nendstream" % (extra, len(content), content)


# --- PDF


def test_a_pdf_that_asks_for_a_password() -> None:
    locked = pdf("Prezzi riservati", before=lambda p: p.set_encryption("owner", "secret"))

    assert "password" in refused(locked, "listino.pdf", DocumentLocked)


@pytest.mark.parametrize("method", [EncryptionMethod.RC4, EncryptionMethod.AES_128])
def test_a_pdf_that_only_forbids_changes_is_read(method: EncryptionMethod) -> None:
    data = pdf("Prezzi per tutti", before=lambda p: p.set_encryption("owner", encryption_method=method))

    assert read(data, "listino.pdf").text == "Prezzi per tutti"


def test_a_scanned_pdf_asks_for_text_recognition() -> None:
    made = FPDF()
    for _ in range(2):
        made.add_page()
        made.image(Image.new("L", (60, 80), 200), 0, 0, 210, 297)

    message = refused(bytes(made.output()), "scansione.pdf", DocumentScanned)
    assert "no text layer" in message
    assert "OCR" in message


def test_a_pdf_with_blank_pages() -> None:
    refused(pdf("", ""), "bianco.pdf", DocumentEmpty)


@pytest.mark.parametrize("kept", [20, 200, 700])
def test_a_pdf_cut_short(kept: int) -> None:
    refused(pdf("Testo")[:kept], "monco.pdf", DocumentDamaged)


def test_a_pdf_with_noise_in_it_never_gives_another_error() -> None:
    whole = pdf("Una riga\nUn'altra riga", "Pagina due")
    chance = random.Random(7)
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(12):
            data[chance.randrange(20, len(data))] = chance.randrange(256)
        assert "\n" not in outcome(bytes(data), "rumore.pdf")


def test_a_pdf_of_too_many_pages() -> None:
    assert "300 pages" in refused(pdf(*["x"] * 301), "romanzo.pdf", DocumentTooBig)


def test_a_pdf_whose_content_unpacks_to_gigabytes() -> None:
    packed = zlib.compress(bytes(200_000_000))
    refused(raw_pdf(stream(packed, b"/Filter/FlateDecode"), stream(b"")), "bomba.pdf", DocumentSuspect)


def test_a_pdf_packed_twice_over() -> None:
    packed = zlib.compress(zlib.compress(bytes(300_000_000)))
    twice = stream(packed, b"/Filter[/FlateDecode/FlateDecode]")
    refused(raw_pdf(twice, stream(b"")), "bomba.pdf", DocumentSuspect)


def test_a_pdf_whose_forms_draw_each_other() -> None:
    forms = [
        stream(
            b"/F0 Do " * 30,
            b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</F0 %d 0 R>>>>" % (number + 1),
        )
        for number in range(5, 25)
    ]
    data = raw_pdf(stream(b"/F0 Do"), *forms, stream(b"0 0 m 9 9 l S", b"/Subtype/Form/BBox[0 0 9 9]"))
    refused(data, "specchi.pdf", DocumentTooBig)


def test_a_page_of_endless_drawing() -> None:
    refused(raw_pdf(stream(b"0 0 m 9 9 l S " * 400_000), stream(b"")), "pianta.pdf", DocumentTooBig)


def test_oddities_of_a_pdf_are_not_told_on_the_screen(capfd: pytest.CaptureFixture[str]) -> None:
    odd = raw_pdf(stream(b"BT /Q 9 Tf (x) Tj ET 1 2 nonsense /F9 Do"), stream(b""))
    assert read(odd, "strano.pdf").text == "x"
    assert capfd.readouterr() == ("", "")


# --- Packages: Word documents and workbooks


def test_packages_cut_short() -> None:
    for data, name in ((word("Testo"), "lettera.docx"), (workbook([["a", 1]]), "listino.xlsx")):
        refused(data[: len(data) // 2], name, DocumentDamaged)


def test_packages_with_a_broken_part() -> None:
    broken = changed(word("Testo"), "word/document.xml", lambda xml: xml[: len(xml) // 2])
    refused(broken, "lettera.docx", DocumentDamaged)
    broken = changed(workbook([["a", 1]]), "xl/worksheets/sheet1.xml", lambda xml: xml[: len(xml) // 2])
    refused(broken, "listino.xlsx", DocumentDamaged)


def test_a_package_with_noise_in_it_never_gives_another_error() -> None:
    chance = random.Random(11)
    for whole, name in ((word("Testo", "Altro"), "a.docx"), (workbook([["a", "b"], ["c", 1]]), "b.xlsx")):
        for _ in range(40):
            data = bytearray(whole)
            for _ in range(8):
                data[chance.randrange(4, len(data))] = chance.randrange(256)
            assert "\n" not in outcome(bytes(data), name)


def test_a_package_that_unpacks_to_an_enormous_size() -> None:
    bomb = changed(word("Testo"), "word/document.xml", lambda _xml: b" " * 90_000_000)
    refused(bomb, "bomba.docx", DocumentSuspect)


def test_a_package_that_lies_about_its_size() -> None:
    bomb = changed(word("Testo"), "word/document.xml", lambda _xml: b" " * 90_000_000)
    liar = bomb.replace(struct.pack("<I", 90_000_000), struct.pack("<I", 900))
    refused(liar, "bugia.docx", DocumentDamaged)


def test_a_package_of_very_many_files() -> None:
    out = io.BytesIO(word("Testo"))
    with zipfile.ZipFile(out, "a") as package:
        for number in range(2_500):
            package.writestr(f"word/media/{number}", b"")
    refused(out.getvalue(), "folla.docx", DocumentSuspect)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_xml_that_declares_entities(encoding: str) -> None:
    bomb = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><x>&b;</x>'.encode(
        encoding
    )
    refused(changed(word("Testo"), "word/document.xml", lambda _xml: bomb), "ridi.docx", DocumentSuspect)
    refused(
        changed(workbook([["a"]]), "xl/worksheets/sheet1.xml", lambda _xml: bomb),
        "ridi.xlsx",
        DocumentSuspect,
    )


def test_archives_and_foreign_packages() -> None:
    def package(**members: str) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as made:
            for name, content in members.items():
                made.writestr(name.replace("__", "/"), content)
        return out.getvalue()

    assert "unpack" in refused(package(listino="x"), "listino.docx", FormatUnknown)
    assert "unpack" in refused(package(), "vuoto.zip", FormatUnknown)
    odt = package(mimetype="application/vnd.oasis.opendocument.text")
    assert ".docx" in refused(odt, "testo.odt", FormatUnknown)
    ods = package(mimetype="application/vnd.oasis.opendocument.spreadsheet")
    assert ".xlsx" in refused(ods, "foglio.ods", FormatUnknown)
    assert "PDF" in refused(package(ppt__presentation="x"), "x.zip", FormatUnknown).replace("unpack", "PDF")


def test_old_office_documents_and_protected_new_ones() -> None:
    container = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)

    def holding(name: str) -> bytes:
        return container + name.encode("utf-16-le") + bytes(200)

    assert ".docx" in refused(holding("WordDocument"), "lettera.doc", FormatUnknown)
    assert ".xlsx" in refused(holding("Workbook"), "listino.xls", FormatUnknown)
    assert "PDF" in refused(holding("PowerPoint Document"), "lezione.ppt", FormatUnknown)
    assert "password" in refused(holding("EncryptedPackage"), "listino.xlsx", DocumentLocked)
    refused(container, "messaggio.msg", FormatUnknown)


def test_office_documents_without_text() -> None:
    refused(word(), "vuota.docx", DocumentEmpty)
    refused(workbook([]), "vuoto.xlsx", DocumentEmpty)


def test_a_sheet_with_a_cell_in_its_last_row_is_read_at_once() -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    for column in range(1, 6):
        sheet.cell(1, column, f"nome {'abcde'[column - 1]}")
        sheet.cell(1_048_576, column, column)
    out = io.BytesIO()
    book.save(out)
    wide = changed(
        out.getvalue(),
        "xl/worksheets/sheet1.xml",
        lambda xml: re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1:XFD1048576"', xml),
    )

    start = time.monotonic()
    assert len(read(wide, "lungo.xlsx").sections) > 0
    assert time.monotonic() - start < SECONDS


@pytest.mark.parametrize("reference", ['ref="A1:XFD1048576"', "ref = 'a1:xfd1048576'"])
def test_a_sheet_merged_all_over(reference: str) -> None:
    merged = f'</sheetData><mergeCells count="1"><mergeCell {reference}/></mergeCells>'.encode()
    data = changed(
        workbook([["a", 1]]),
        "xl/worksheets/sheet1.xml",
        lambda xml: xml.replace(b"</sheetData>", merged),
    )
    refused(data, "unito.xlsx", DocumentTooBig)


# --- Size


@pytest.mark.parametrize("name", ["listino.csv", "listino.html", "listino.md", "listino.xlsx"])
def test_a_table_of_ten_thousand_rows(name: str) -> None:
    rows = range(10_000)
    data = {
        "listino.csv": b"Nome;Prezzo\n" + b"".join(b"n%d;%d\n" % (n, n) for n in rows),
        "listino.html": b"<html><table><tr><th>Nome<th>Prezzo" + b"<tr><td>a<td>1" * 10_000,
        "listino.md": b"|Nome|Prezzo|\n|-|-|\n" + b"|a|1|\n" * 10_000,
        "listino.xlsx": workbook([["Nome", "Prezzo"], *[[f"n{n}", n] for n in rows]]),
    }[name]

    assert "5000 table rows" in refused(data, name, DocumentTooBig)


def test_files_of_too_many_bytes() -> None:
    assert "split it" in refused(b"a" * 5_000_001, "note.txt", DocumentTooBig)
    assert "split it" in refused(b"%PDF-1.7\n" + b"a" * MAX_BYTES, "catalogo.pdf", DocumentTooBig)


# --- What is no document


@pytest.mark.parametrize(
    ("data", "name", "says"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "foto.png", "picture"),
        (b"\xff\xd8\xff\xe0" + bytes(100), "listino.pdf", "picture"),
        (b"RIFF\x10\0\0\0WEBPVP8 " + bytes(100), "foto.md", "picture"),
        (b"\0\0\0\x18ftypheic" + bytes(100), "foto.html", "picture"),
        (b"\0\0\0\x18ftypmp42" + bytes(100), "video.mp4", "video"),
        (b"MZ\x90\0" + bytes(100), "programma.exe", "program"),
        (b"\x7fELF" + bytes(100), "programma.txt", "program"),
        (b"\x1f\x8b\x08" + bytes(100), "archivio.csv", "unpack"),
        (b"Rar!\x1a\x07" + bytes(100), "archivio.rar", "unpack"),
        (b"SQLite format 3\0" + bytes(100), "dati.db", ".csv"),
        (b"{\\rtf1 ciao}", "lettera.rtf", ".docx"),
        (b"BM" + bytes(100), "foto.txt", "neither text"),
    ],
)
def test_pictures_programs_and_archives(data: bytes, name: str, says: str) -> None:
    assert says in refused(data, name, DocumentBinary)


# --- Pages


@pytest.mark.parametrize(
    "page",
    [
        "<div>" * 100_000 + "testo",
        "".join(f"<font size={n}>" for n in range(200)) + "<p>x" * 200_000,
        "<table><tr><td>" * 3_000 + "x",
    ],
)
def test_pages_nested_without_end(page: str) -> None:
    refused(f"<html>{page}".encode(), "pagina.html", DocumentSuspect)


def test_spans_without_end_stay_small() -> None:
    page = "<html><table><tr><td rowspan=9999999 colspan=9999999>a<td>b<tr><td>c</table>"

    assert len(read(page.encode(), "tabella.html").text) < 1_000
