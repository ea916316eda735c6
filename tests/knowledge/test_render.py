"""The demo businesses' office documents: what their sources say comes back through the readers."""

import re
from pathlib import Path

import pytest

from knowledge.readers.document import Block, Document
from knowledge.readers.reading import read
from knowledge.sources import render as rendering
from knowledge.sources.render import main, render, sources, target
from knowledge.sources.source import BadSource, Part, Source, load_source
from knowledge.sources.workbook import typed

SOURCES = list(sources())
PAGE_NUMBER = re.compile(r"(?:Pagina|Página|Page) \d+ (?:di|de|of) \d+")


def _name(source: Source) -> str:
    return f"{source.path.parent.name}/{source.path.stem}"


def _words(text: str) -> str:
    """The text as readers keep it: dots to write on are one sign in a PDF."""
    return " ".join(re.sub(r"[.…]{4,}", "…", text).replace(">", "›").split())


class _Read:
    """A document as read, easy to ask."""

    def __init__(self, document: Document) -> None:
        self.headings = {_words(part) for section in document.sections for part in section.path}
        self.headings.add(document.title)
        self.blocks: list[Block] = [block for section in document.sections for block in section.blocks]
        self.texts = [_words(re.sub(r"…\\s*", "… ", block.text)) for block in self.blocks]
        self.rows = [block.cells for block in self.blocks if block.cells]

    def says(self, text: str) -> bool:
        wanted = re.sub(r"\s*…\s*", "…", _words(text))
        return any(wanted in re.sub(r"\s*…\s*", "…", held) for held in (*self.texts, *self.headings))


def _missing(part: Part, kind: str, held: _Read) -> list[object]:
    """What of the part did not come back."""
    if part.kind != "table":
        texts = part.text.split("\n") if part.kind == "text" else [part.text]
        name = part.text[:31] if kind == ".xlsx" and part.kind == "heading" else None
        return [text for text in texts if not held.says(name or text)]
    lost: list[object] = []
    for row in part.table.rows:
        if len([cell for cell in row if cell]) == 1 < len(row):
            lost += [row] if not held.says(row[0]) else []
        elif kind == ".xlsx":
            names = tuple(name for name, cell in zip(part.table.header, row, strict=True) if cell)
            found = [
                cells for cells in held.rows if cells[0][1] == row[0] and tuple(n for n, _ in cells) == names
            ]
            lost += [row] if not found else []
        else:
            wanted = tuple((name, cell) for name, cell in zip(part.table.header, row, strict=True) if cell)
            lost += [wanted] if wanted not in held.rows else []
    return lost


@pytest.mark.parametrize("source", SOURCES, ids=_name)
def test_headings_rows_and_sentences_come_back(source: Source) -> None:
    held = _Read(read(render(source), source.path.stem))

    assert [lost for part in source.body for lost in _missing(part, source.kind, held)] == []
    if source.layout != "letter":
        assert source.business not in held.texts
    assert not [text for text in held.texts if PAGE_NUMBER.fullmatch(text)]


@pytest.mark.parametrize("source", SOURCES, ids=_name)
def test_documents_are_as_their_sources_render_them(source: Source) -> None:
    assert target(source).read_bytes() == render(source), "run `python -m knowledge.sources.render`"


PRICE_LIST = """---
title: Listino prodotti
language: it
layout: {layout}
---
# Listino prodotti

Valido dal 1 settembre 2026 al 31 agosto 2027.

## Oli

| Prodotto | Formato | Prezzo |
|---|---|---|
| **Da massaggio** | | |
{rows}

## Ordini

- Si ordina entro mezzogiorno.
"""


def _source(folder: Path, layout: str, rows: int, ending: str = ".pdf") -> Source:
    path = folder / f"listino{ending}.md"
    lines = "\n".join(f"| Olio {n} | {n} ml | {n},50 € |" for n in range(1, rows + 1))
    path.write_text(PRICE_LIST.format(layout=layout, rows=lines), encoding="utf-8")
    return load_source(path, "Centro Benessere")


@pytest.mark.parametrize("layout", ["ruled", "open", "columns", "letter"])
def test_a_table_over_several_pages_is_one(tmp_path: Path, layout: str) -> None:
    data = render(_source(tmp_path, layout, rows=95))
    document = read(data, "listino.pdf")

    table = next(section for section in document.sections if section.path == ("Oli", "Da massaggio"))
    assert [block.text for block in table.blocks] == [
        f"Prodotto: Olio {n} | Formato: {n} ml | Prezzo: {n},50 €" for n in range(1, 96)
    ]
    assert document.sections[-1].path == ("Ordini",)
    assert data.count(b"/Type /Page\n") >= 3


@pytest.mark.parametrize("ending", [".pdf", ".docx", ".xlsx"])
def test_the_same_source_gives_the_same_bytes(tmp_path: Path, ending: str) -> None:
    source = _source(tmp_path, "ruled", rows=3, ending=ending)

    assert render(source) == render(source)


def test_formulas_are_saved_with_their_values(tmp_path: Path) -> None:
    path = tmp_path / "tariffe.xlsx.md"
    table = "| Nome | Prezzo | Doppio |\n|-|-|-|\n| A | 65,00 € | =B2*2 |\n"
    path.write_text(f"---\ntitle: Tariffe\nlanguage: it\n---\n## Prezzi\n\n{table}", encoding="utf-8")

    held = _Read(read(render(load_source(path, "Centro")), "tariffe.xlsx"))
    assert held.rows == [(("Nome", "A"), ("Prezzo", "65,00 €"), ("Doppio", "130,00 €"))]

    path.write_text(path.read_text(encoding="utf-8").replace("=B2*2", "=NOW()"), encoding="utf-8")
    with pytest.raises(BadSource, match="NOW"):
        render(load_source(path, "Centro"))


@pytest.mark.parametrize(
    ("text", "language", "value", "number_format"),
    [
        ("65,00 €", "it", 65, "#,##0.00 [$€-410]"),
        ("1.120,50 €", "es", 1120.5, "#,##0.00 [$€-40A]"),
        ("€65.00", "en", 65, "[$€-809]#,##0.00"),
        ("10%", "it", 0.1, "0%"),
        ("50 min", "it", "50 min", None),
        ("da 30,00 €", "it", "da 30,00 €", None),
        ("+39 02 5550 1470", "it", "+39 02 5550 1470", None),
        ("12", "it", 12, None),
        ("0123", "it", "0123", None),
    ],
)
def test_cells_hold_what_a_person_would_have_typed(
    text: str, language: str, value: object, number_format: str | None
) -> None:
    assert typed(text, language) == (value, number_format)


def test_check_tells_what_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "sources" / "aurora"
    folder.mkdir(parents=True)
    _source(folder, "ruled", rows=2)
    monkeypatch.setattr(rendering, "SOURCES", tmp_path / "sources")
    monkeypatch.setattr(rendering, "DOCUMENTS", tmp_path / "documents")

    assert main(["--check"]) == 1
    assert "listino.pdf" in capsys.readouterr().out
    assert main([]) == 0
    assert main(["--check"]) == 0
    (tmp_path / "documents" / "aurora" / "listino.pdf").write_bytes(b"%PDF-1.4 old")
    assert main(["--check"]) == 1
    assert main(["--dry-run"]) == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("# Senza front matter", "begin it with title"),
        ("---\ntitle: x\n---\n", "name language"),
        ("---\ntitle: x\nlanguage: it\nlayout: poster\n---\n", "a layout of"),
        ("---\ntitle: x\nlanguage: it\n---\n| a | b |\n|-|-|\n| 1 | 2 | 3 |\n", "3 cells, not 2"),
        ("---\ntitle: x\nlanguage: it\n---\nda → a\n", "the fonts lack '→'"),
    ],
)
def test_wrong_sources_are_named(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "x.pdf.md"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(BadSource, match=re.escape(says)):
        render(load_source(path, "Centro"))
