"""A table of an HTML page: its cells by row and column, spans included."""

from collections.abc import Callable, Iterator

from selectolax.lexbor import LexborNode

from knowledge.readers.document import MAX_ROWS, SectionBuilder
from knowledge.readers.table import Row, add_grid, add_table, squeeze

_MAX_SPAN = 50  # a forged span must not fill the memory
_MAX_CELL = 600  # characters
_BLOCKS = "table, h1, h2, h3, h4, h5, h6, ul, ol, dl, p + p, div + div"

Words = Callable[[LexborNode], str]


def is_layout(table: LexborNode) -> bool:
    """Whether the table only lays out the page: a cell holds another table, headings, lists, paragraphs or
    long text, or there is but one column.
    """
    if (table.attributes.get("role") or "") in ("presentation", "none"):
        return True
    if any(_own(cell, table) for cell in table.css("th")):
        return False
    if any(node.mem_id != table.mem_id for node in table.css(_BLOCKS)):
        return True
    rows = [list(cells_of(row)) for row in rows_of(table)]
    if any(len(cell.text()) > _MAX_CELL for cells in rows for cell in cells):
        return True
    return len(rows) > 1 and all(len(cells) < 2 for cells in rows)


def _own(node: LexborNode, table: LexborNode) -> bool:
    above = node.parent
    while above is not None and above.tag != "table":
        above = above.parent
    return above is not None and above.mem_id == table.mem_id


def rows_of(table: LexborNode) -> Iterator[LexborNode]:
    """The rows of this table, not those of tables inside it."""
    for part in table.iter():
        if part.tag == "tr":
            yield part
        elif part.tag in ("thead", "tbody", "tfoot"):
            yield from (row for row in part.iter() if row.tag == "tr")


def cells_of(row: LexborNode) -> Iterator[LexborNode]:
    """The cells of the row."""
    return (cell for cell in row.iter() if cell.tag in ("td", "th"))


def add_page_table(
    into: SectionBuilder, table: LexborNode, words: Words, is_seen: Callable[[LexborNode], bool], level: int
) -> None:
    """Adds the table; `words` gives a cell's text."""
    rows: list[list[str]] = []
    names: list[bool] = []
    bold: list[bool] = []
    open_spans: dict[int, tuple[int, str]] = {}  # column -> rows still to fill, text
    for row in rows_of(table):
        if len(rows) > MAX_ROWS + 2:
            break  # enough to be refused
        if not is_seen(row):
            continue
        cells = [cell for cell in cells_of(row) if is_seen(cell)]
        texts = _spread(cells, open_spans, words)
        if any(texts):
            rows.append(texts)
            names.append(bool(cells) and all(cell.tag == "th" for cell in cells))
            bold.append(bool(cells) and all(_is_bold(cell, words) for cell in cells))
    caption = next((node for node in table.iter() if node.tag == "caption"), None)
    if caption is not None and is_seen(caption):
        into.block("text", words(caption))
    if len(rows) > 1 and names[0]:
        header, data = _two_row_header(rows, names)
        add_table(into, data, header=header, group_level=level)
    else:
        add_grid(into, rows, bold=bold, group_level=level)


def _spread(cells: list[LexborNode], open_spans: dict[int, tuple[int, str]], words: Words) -> list[str]:
    """The row's texts by column: a cell over several columns speaks in the first, one over several rows in
    each of them.
    """
    texts: list[str] = []

    def fill_from_above() -> None:
        while len(texts) in open_spans:
            column = len(texts)
            left, text = open_spans.pop(column)
            if left > 1:
                open_spans[column] = (left - 1, text)
            texts.append(text)

    for cell in cells:
        fill_from_above()
        text = squeeze(words(cell))
        height = _span(cell, "rowspan")
        for offset in range(_span(cell, "colspan")):
            if height > 1:
                open_spans[len(texts)] = (height - 1, text if offset == 0 else "")
            texts.append(text if offset == 0 else "")
    fill_from_above()
    return texts


def _two_row_header(rows: list[list[str]], names: list[bool]) -> tuple[Row, list[list[str]]]:
    """The column names; those of a second row of names are put behind the ones they stand under."""
    header = rows[0]
    if len(rows) < 3 or not names[1] or len(rows[1]) != len(header):
        return header, rows[1:]
    upper = ""
    joined: list[str] = []
    for above, below in zip(header, rows[1], strict=True):
        upper = above or upper
        joined.append(below if below == upper else f"{upper} {below}".strip())
    return joined, rows[2:]


def _span(cell: LexborNode, name: str) -> int:
    value = (cell.attributes.get(name) or "").strip()
    return min(int(value), _MAX_SPAN) or 1 if value.isascii() and value.isdecimal() else 1


def _is_bold(cell: LexborNode, words: Words) -> bool:
    text = squeeze(words(cell))
    return bool(text) and squeeze(" ".join(words(mark) for mark in cell.css("b, strong"))) == text
