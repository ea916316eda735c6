"""HTML pages: their text by heading, lists and tables; scripts, styles and hidden parts are left out."""

from html.parser import HTMLParser

from knowledge.readers.document import Document, SectionBuilder
from knowledge.readers.metadata import metadata_of
from knowledge.readers.table import Row, add_table, squeeze

_SILENT = frozenset({"script", "style", "noscript", "template", "svg", "nav", "iframe", "object", "select"})
# Their end tags may be left out, so that nothing would say where a hidden one ends.
_OPEN_ENDED = frozenset({"p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot", "html", "body"})
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BREAKS = frozenset(
    {
        "p",
        "div",
        "section",
        "article",
        "main",
        "header",
        "footer",
        "aside",
        "ul",
        "ol",
        "dl",
        "dt",
        "dd",
        "li",
    }
    | {"blockquote", "pre", "address", "details", "summary", "figure", "figcaption", "hr", "body", "caption"}
)
_METADATA = frozenset({"title", "language", "valid_from", "valid_until"})
_MAX_SPAN = 50  # a forged colspan must not fill the memory


def read_webpage(text: str, name: str) -> Document:
    """Sections by h1…h6. `<meta name="valid_until" content="2026-12-31">` and the like describe the page,
    as do `<title>` and `<html lang>`. Raises BadMetadata.
    """
    page = _Page()
    page.feed(text)
    page.close()
    page.flush()
    return page.into.document(metadata_of(page.described), name)


class _Page(HTMLParser):
    """Forgiving of unclosed tags: a block ends where the next one begins."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.into = SectionBuilder()
        self.described: dict[str, str] = {}
        self._words: list[str] = []
        self._silent: list[str] = []  # open elements from the first silent one inwards
        self._heading = 0
        self._level = 0
        self._in_title = False
        self._in_item = False
        self._link: str | None = None
        self._tables: list[_Table] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        hidden = "hidden" in values and tag not in _OPEN_ENDED
        if self._silent or tag in _SILENT or hidden:
            if tag not in _VOID:
                self._silent.append(tag)
            return
        if tag in _HEADINGS:
            self.flush()
            self._heading = _HEADINGS[tag]
        elif tag in _BREAKS and not self._tables:
            self.flush()
            self._in_item = tag == "li"
        self._open(tag, values)

    def _open(self, tag: str, values: dict[str, str | None]) -> None:
        match tag:
            case "html":
                # Often left as the page builder set it: a wrong code here is no reason to refuse the page.
                code = (values.get("lang") or "")[:2]
                if len(code) == 2 and code.isascii() and code.isalpha():
                    self.described.setdefault("language", code)
            case "meta":
                key = (values.get("name") or "").lower().replace("-", "_")
                if key in _METADATA:
                    self.described[key] = values.get("content") or ""
            case "title":
                self._in_title = True
            case "br":
                self._words.append("\n")
            case "a":
                self._link = values.get("href")
            case "table":
                self.flush()
                self._tables.append(_Table())
            case "tr" if self._tables:
                self._tables[-1].row()
            case "td" | "th" if self._tables:
                self._tables[-1].cell(is_name=tag == "th", span=values.get("colspan"))

    def handle_endtag(self, tag: str) -> None:
        if self._silent:
            if tag in self._silent:
                del self._silent[len(self._silent) - 1 - self._silent[::-1].index(tag) :]
            return
        if tag in _HEADINGS or (tag in _BREAKS and not self._tables):
            self.flush()
        match tag:
            case "title":
                self._in_title = False
            case "a":
                self._close_link()
            case "table" if self._tables:
                self._close_table()

    def handle_data(self, data: str) -> None:
        if self._silent:
            return
        if self._in_title:
            self.described.setdefault("title", squeeze(data))
        elif self._tables:
            self._tables[-1].words(data)
        else:
            self._words.append(data)

    def flush(self) -> None:
        """Ends the block being read."""
        lines = [squeeze(line) for line in "".join(self._words).split("\n")] if self._in_item else None
        words = " ".join(lines) if lines else _lines(self._words)
        self._words = []
        if self._heading:
            self._level = self._heading
            self.into.heading(self._heading, words)
        elif self._in_item and words.strip():
            self.into.block("item", f"- {words.strip()}")
        else:
            self.into.block("text", words)
        self._heading, self._in_item = 0, False

    def _close_link(self) -> None:
        url, self._link = self._link or "", None
        shown = self._tables[-1].last_words() if self._tables else "".join(self._words)
        if url.startswith(("http://", "https://")) and url not in shown:
            self.handle_data(f" ({url})")

    def _close_table(self) -> None:
        table = self._tables.pop()
        if self._tables:  # a table laid out inside a cell: its rows are that cell's words
            self._tables[-1].words(" ".join(" ".join(row) for row in table.rows()))
            return
        header, rows = table.split()
        add_table(self.into, rows, header=header, group_level=self._level + 1)


def _lines(words: list[str]) -> str:
    """Running text: source line breaks are spaces, `br` (a lone newline piece) is a line break."""
    joined = "".join("\r" if word == "\n" else word for word in words)
    return "\n".join(squeeze(line) for line in joined.split("\r") if line.strip())


class _Table:
    """The cells of one table while it is read."""

    def __init__(self) -> None:
        self._rows: list[list[str]] = []
        self._names: list[list[bool]] = []
        self._spans = 0  # empty cells behind the last one

    def row(self) -> None:
        self._rows.append([])
        self._names.append([])

    def cell(self, *, is_name: bool, span: str | None) -> None:
        if not self._rows:
            self.row()
        width = min(int(span), _MAX_SPAN) if span and span.isdecimal() else 1
        # The words go into the first cell of a span; the rest keep the columns aligned.
        self._spans = max(width - 1, 0)
        self._rows[-1].extend([""] * (1 + self._spans))
        self._names[-1].extend([is_name] * (1 + self._spans))

    def words(self, data: str) -> None:
        if self._rows and self._rows[-1]:
            self._rows[-1][-1 - self._spans] += data

    def last_words(self) -> str:
        return self._rows[-1][-1 - self._spans] if self._rows and self._rows[-1] else ""

    def rows(self) -> list[Row]:
        return [[squeeze(cell) for cell in row] for row in self._rows if any(cell.strip() for cell in row)]

    def split(self) -> tuple[Row | None, list[Row]]:
        """Column names (the first row, when all its cells are `th`) and the data rows."""
        filled = [(r, n) for r, n in zip(self._rows, self._names, strict=True) if any(c.strip() for c in r)]
        rows = self.rows()
        if filled and all(filled[0][1]) and len(filled) > 1:
            return rows[0], rows[1:]
        return None, rows
