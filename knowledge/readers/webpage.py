"""HTML pages: their text by heading, lists and tables; scripts, hidden parts and navigation are left out.

What a page may cost to parse is bounded in `page_limits`.
"""

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from knowledge.errors import DocumentSuspect
from knowledge.readers.amount import states_price
from knowledge.readers.document import Document, SectionBuilder
from knowledge.readers.elements import FLOW, HEADINGS
from knowledge.readers.metadata import marked_language, metadata_of
from knowledge.readers.page_limits import check_page
from knowledge.readers.table import squeeze
from knowledge.readers.webpage_table import add_page_table, is_layout

_SILENT = frozenset(
    {"script", "style", "noscript", "template", "svg", "nav", "iframe", "object", "select", "head", "math"}
    | {"canvas", "video", "audio", "textarea", "datalist", "title"}
)
_BLOCKS = FLOW | frozenset(
    {"body", "html", "fieldset", "legend", "td", "th", "dialog", "hgroup", "search", "menu"}
)
_SILENT_ROLES = frozenset({"navigation", "search", "menubar"})
_NEVER_A_BANNER = frozenset({"html", "body", "main", "article"} | set(HEADINGS))
_METADATA = frozenset({"title", "language", "valid_from", "valid_until"})
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
# A bakery has cookies too: the word alone is a banner's name only over words about privacy.
_CONSENT = re.compile(
    r"consent|gdpr|cookie-?bot|cookies?[-_ ]?(?:banner|bar(?![a-z])|notice|law|pop-?up|policy|compliance"
    r"|message|alert|disclaimer|choice|eu[-_])",
    re.IGNORECASE,
)
_COOKIES = re.compile("cookie", re.IGNORECASE)
# "Accetti", but not "accettiamo le carte", which a shop says of itself.
_PRIVACY = re.compile(
    r"privacy|consen[st]|browser|navega|naviga|gdpr|tracking|analytics|third part|terze parti|tercer|terceir"
    r"|\b(?:us|utili[sz]+)[a-z]* (?:i |the |las |os )?(?:\w+ )?cookies?\b"
    r"|\baccett(?!iamo|ano)|\bacept(?!amos|an)|\baceit(?!amos|am)|\baccept(?!ed| (?:card|cash|pay|order))",
    re.IGNORECASE,
)
_PROSE_NAME = re.compile(r"polic|informativa|pol[ií]tica|privacy", re.IGNORECASE)
_MENU = re.compile(r"(?:^|[\s_-])(?:nav|navbar|navigation|menu|breadcrumbs?)(?:$|[\s_-])", re.IGNORECASE)
_MAX_BANNER = 1_500  # characters; a longer text about cookies is a policy, not a banner
_MAX_BOLD_HEADING = 90
_CONTACT = ("tel:", "mailto:")
# A line break the author made, told from the line ends of the source.
_BREAK = "\r"


def read_webpage(text: str, name: str) -> Document:
    """Sections by h1…h6. `<meta name="valid_until" content="2026-12-31">` and the like describe the page,
    as do `<title>` and `<html lang>`; a `lang` further in gives its section that language.

    Raises BadMetadata, DocumentSuspect.
    """
    check_page(text)
    parser = LexborHTMLParser(text)
    page = _Page(has_headings=bool(parser.css("h1, h2, h3, h4, h5, h6")))
    try:
        if parser.root is not None:
            page.walk(parser.root)
    except RecursionError as error:
        raise DocumentSuspect(
            "its elements are nested too deeply: save its text in a new document"
        ) from error
    return page.into.document(metadata_of(_described(parser)), name)


def _described(parser: LexborHTMLParser) -> dict[str, str]:
    described: dict[str, str] = {}
    title = parser.css_first("title")
    if title is not None:
        described["title"] = squeeze(title.text())
    # Often left as the page builder set it: a wrong code here is no reason to refuse the page.
    language = marked_language(_attribute(parser.root, "lang")) if parser.root is not None else None
    if language:
        described["language"] = language
    for meta in parser.css("meta[name]"):
        key = _attribute(meta, "name").lower().replace("-", "_")
        if key in _METADATA:
            described[key] = _attribute(meta, "content")
    return described


class _Page:
    """Walks the tree once; `_words` is the block being read, which ends where the next one begins."""

    def __init__(self, *, has_headings: bool) -> None:
        self.into = SectionBuilder()
        self._has_headings = has_headings
        self._words: list[str] = []
        self._level = 0
        self._in_item = False

    def walk(self, node: LexborNode) -> None:
        """Reads the node and all under it."""
        if node.is_text_node:
            self._words.append((node.text_content or "").replace(_BREAK, " "))
        elif node.tag == "br":
            self._words.append(_BREAK)
        elif node.is_element_node and _is_seen(node):
            self._element(node)

    def _element(self, node: LexborNode) -> None:
        tag = node.tag or ""
        if tag in _BLOCKS:
            self._flush()
        before = self._language_of(node)
        if tag in HEADINGS:
            self._heading_element(node)
        elif tag == "table" and not is_layout(node):
            add_page_table(self.into, node, _text, _is_seen, self._level + 1)
        elif tag == "dl":
            self._definitions(node)
        elif tag == "details":
            self._details(node)
        elif tag in ("header", "footer"):
            self._margin(node)
        elif tag in _BLOCKS and self._reads_as_heading(node):
            self._heading(1, _text(node))
        else:
            self._children(node)
        if tag in _BLOCKS:
            self._flush()
        if before is not None:
            self.into.language(before or None)

    def _children(self, node: LexborNode) -> None:
        is_item = node.tag == "li"
        self._in_item = self._in_item or is_item
        for child in node.iter(include_text=True):
            self.walk(child)
        if node.tag == "a":
            self._words.append(_address(node))
        if is_item:
            self._flush()
            self._in_item = False

    def _language_of(self, node: LexborNode) -> str | None:
        """Marks what follows with the node's own language; returns the one to go back to, None for no change.

        The page's `lang`, which is often wrong, is the document's language and not the sections'.
        """
        own = marked_language(_attribute(node, "lang")) if node.tag != "html" else None
        if own is None or node.tag not in _BLOCKS:
            return None
        before = self.into.marked or ""
        self.into.language(own)
        return before

    def _heading_element(self, node: LexborNode) -> None:
        """A heading that was never closed holds all that follows: it ends where its first block begins."""
        children = list(node.iter(include_text=True))
        blocks = [n for n, child in enumerate(children) if child.tag in _BLOCKS]
        if not blocks or blocks[0] == 0:
            self._heading(HEADINGS[node.tag or ""], _text(node))
            return
        words = "".join(
            (child.text_content or "") if child.is_text_node else _text(child)
            for child in children[: blocks[0]]
        )
        self._heading(HEADINGS[node.tag or ""], words)
        for child in children[blocks[0] :]:
            self.walk(child)

    def _heading(self, level: int, text: str) -> None:
        self._level = level
        self.into.heading(level, text)

    def _reads_as_heading(self, node: LexborNode) -> bool:
        """On a page without headings: a short block all in bold, as pages laid out by tables have them."""
        if self._has_headings or node.tag not in ("p", "div", "td", "center"):
            return False
        text = squeeze(_text(node))
        if not text or len(text) > _MAX_BOLD_HEADING or text.endswith((".", ",", ";")) or node.css("table"):
            return False
        return squeeze(" ".join(_text(mark) for mark in node.css("b, strong"))) == text

    def _details(self, node: LexborNode) -> None:
        """What folds out under its summary is read as a section under that heading."""
        before = self._level
        for child in node.iter(include_text=True):
            if child.tag == "summary" and _is_seen(child):
                self._heading(min(before + 1, 7), _text(child))
            else:
                self.walk(child)
        self._flush()
        self.into.leave(before + 1)
        self._level = before

    def _definitions(self, node: LexborNode) -> None:
        """Each term with its definitions is one item."""
        terms: list[str] = []
        meanings: list[str] = []
        for part in [*_definition_parts(node), None]:
            if part is None or (part.tag == "dt" and meanings):
                self._definition(terms, meanings)
                terms, meanings = [], []
            if part is not None:
                (terms if part.tag == "dt" else meanings).append(squeeze(_text(part)))

    def _definition(self, terms: list[str], meanings: list[str]) -> None:
        term, meaning = ", ".join(filter(None, terms)), "; ".join(filter(None, meanings))
        joint = " " if term.endswith((":", "?", "!", ".")) else ": "
        self.into.block("item", f"- {joint.join(filter(None, (term, meaning)))}" if term or meaning else "")

    def _margin(self, node: LexborNode) -> None:
        """A page's head or foot: its words stay, what is only links to other pages goes."""
        for block in node.css("p, li, div, ul, ol, span"):
            if _is_only_links(block) and not block.css("h1, h2, h3"):
                block.decompose()
        if not _is_only_links(node):
            self._children(node)

    def _flush(self) -> None:
        """Ends the block being read."""
        lines = [squeeze(line) for line in "".join(self._words).split(_BREAK)]
        self._words = []
        if not any(lines):
            return
        if self._in_item:
            self.into.block("item", f"- {' '.join(filter(None, lines))}")
        else:
            self.into.block("text", "\n".join(filter(None, lines)))
        self._in_item = False


def _is_seen(node: LexborNode) -> bool:
    """Whether a reader of the page sees the element, and it is part of what the page says."""
    tag, held = node.tag or "", node.attributes
    if tag in _SILENT or "hidden" in held or _HIDDEN_STYLE.search(held.get("style") or ""):
        return False
    if (tag == "dialog" and "open" not in held) or (held.get("role") or "").lower() in _SILENT_ROLES:
        return False
    names = f"{held.get('id') or ''} {held.get('class') or ''}"
    if len(names) < 2 or tag in _NEVER_A_BANNER:
        return True
    is_about_the_page = _is_banner(node, names) or (_MENU.search(names) and _is_only_links(node))
    return not is_about_the_page or states_price(node.text(separator=" "))


def _is_banner(node: LexborNode, names: str) -> bool:
    """Whether an element of these names asks for consent."""
    if not (_CONSENT.search(names) or _COOKIES.search(names)) or _PROSE_NAME.search(names):
        return False
    words = node.text()
    return len(words) <= _MAX_BANNER and bool(_CONSENT.search(names) or _PRIVACY.search(words))


def _is_only_links(node: LexborNode) -> bool:
    """Whether all its words are links to pages; a telephone number or an address to write to is more."""
    links = node.css("a")
    if any(_attribute(link, "href").startswith(_CONTACT) for link in links):
        return False
    words = re.sub(r"[\W_]+", "", node.text())
    linked = re.sub(r"[\W_]+", "", "".join(link.text() for link in links if link.mem_id != node.mem_id))
    return words == linked


def _definition_parts(node: LexborNode) -> Iterator[LexborNode]:
    """Its terms and definitions, also those grouped in `div`s."""
    for child in node.iter():
        if child.tag in ("dt", "dd") and _is_seen(child):
            yield child
        elif child.tag == "div" and _is_seen(child):
            yield from _definition_parts(child)


def _text(node: LexborNode) -> str:
    """The words of the node with its inner elements, on one line."""
    return squeeze("".join(_words(node)))


def _words(node: LexborNode) -> Iterator[str]:
    for child in node.iter(include_text=True):
        if child.is_text_node:
            yield child.text_content or ""
        elif child.is_element_node and _is_seen(child):
            space = " " if child.tag in _BLOCKS or child.tag == "br" else ""
            yield space
            yield from _words(child)
            yield _address(child) if child.tag == "a" else space


def _address(link: LexborNode) -> str:
    """A link to another place keeps its address behind its words, since an answer may quote it."""
    url = _attribute(link, "href").strip()
    return f" ({url})" if url.startswith(("http://", "https://")) and url not in link.text() else ""


def _attribute(node: LexborNode, name: str) -> str:
    return node.attributes.get(name) or ""
