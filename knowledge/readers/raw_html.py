"""Markdown as a browser would show it: raw HTML resolved, and everything that is written but never shown
taken out (comments, hidden elements, link definitions, the text that stands for a picture)."""

import re
from collections import Counter
from collections.abc import Callable

from knowledge.readers.elements import FLOW
from knowledge.readers.hidden import SILENT, is_hidden

_VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "wbr"})
_INLINE = frozenset(
    {"a", "abbr", "b", "bdi", "bdo", "big", "cite", "code", "del", "dfn", "em", "font", "i", "ins", "kbd"}
    | {"label", "mark", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "time", "tt"}
    | {"u", "var", "nobr"}
)
_BLOCKS = FLOW | frozenset({"nav"})
_CELLS = frozenset({"td", "th"})
_KNOWN = _VOID | _INLINE | _BLOCKS | _CELLS | SILENT
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_MOST_DEEP = 256  # visible elements deeper than that are not told apart from their neighbours
_MOST_OF_LINE = 2_000  # characters looked at on either side
_ADDRESSES = ("http://", "https://", "mailto:", "tel:")

# Every repetition that can fail is bounded, and none is tried again in other pieces (the trailing +): many
# openings that nothing closes must not take time that grows with the square of their number.
_INNER = r"""(?:"[^"]{0,2000}+"|'[^']{0,2000}+'|[^'"<>]{1,2000}+){0,60}+"""
_LABEL = r"(?:[^\[\]\\]{1,500}+|\\.|\[[^\[\]]{0,300}+\]){0,20}+"
_TITLE = r"""(?:"[^"]{0,2000}+"|'[^']{0,2000}+'|\([^()]{0,2000}+\))"""
_TOKEN = re.compile(
    rf"""(?P<literal>\\[!-/:-@\[-`{{-~]|(?<!`)`[^`\n]{{1,2000}}`(?!`))
    |(?P<fence>^\ {{0,3}}(?P<mark>`{{3,}}|~{{3,}})[^`\n]*\n(?:[^\n]*\n)*?
        (?:\ {{0,3}}(?P=mark)[^\n]*(?:\n|\Z)|[^\n]*\Z))
    |(?P<unseen><!--.*?(?:-->|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)|<[!?][a-zA-Z][^>]{{0,2000}}>
        |^\ {{0,3}}\[(?!\^){_LABEL}\]:[ \t]*(?:\#|<>)[ \t]*(?:[^ \t\n][^\n]*)?$
        |!\[{_LABEL}\](?:\([^)]{{0,2000}}\)|\[[^\]]{{0,300}}\])?)
    |(?P<definition>^\ {{0,3}}\[(?P<label>(?!\^)[^\[\]]{{1,300}})\]:[ \t]*\n?
        [ \t]*(?P<url><[^<>\n]*>|[^\s<]\S*)(?:[ \t]*\n?[ \t]*{_TITLE})?[ \t]*$)
    |<(?P<end>/?)(?P<tag>[a-zA-Z][\w-]*)(?=[\s/>])(?P<inner>{_INNER})>""",
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
_ATTRIBUTE = re.compile(
    r"""(?P<name>[^\s"'<>/=]+)(?:\s*=\s*(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[^\s"'<>]+)))?"""
)
_REFERENCE = re.compile(r"(?<!!)\[(?P<text>[^\[\]\n]{1,500})\]\[(?P<label>[^\[\]\n]{0,300})\](?![(:])")


def shown(text: str) -> str:
    """What a reader of the page sees, still as Markdown; code stays as written.

    An element that nothing closes goes on to the end, as in a browser.
    """
    reader = _Reader(text)
    return _resolved(reader.read(), reader.addresses)


def _resolved(text: str, addresses: dict[str, str]) -> str:
    """Links by label as links with their address, since their definitions have gone."""

    def link(found: re.Match[str]) -> str:
        url = addresses.get(_label(found["label"] or found["text"]))
        return f"[{found['text']}]({url})" if url else found.group()

    return _REFERENCE.sub(link, text) if addresses else text


def _label(words: str) -> str:
    return " ".join(words.casefold().split())


class _Reader:
    """Walks the tokens once with the open elements on a stack."""

    def __init__(self, text: str) -> None:
        self.addresses: dict[str, str] = {}
        self._text = text
        self._out: list[str] = []
        self._open: list[tuple[str, bool]] = []  # tag, whether it is hidden by itself
        self._counts: Counter[str] = Counter()
        self._hidden = 0
        self._links: list[tuple[int, str]] = []  # where each link's words begin in `_out`, and its address

    def read(self) -> str:
        at = 0
        for token in _TOKEN.finditer(self._text):
            self._keep(self._text[at : token.start()])
            self._token(token)
            at = token.end()
        self._keep(self._text[at:])
        return "".join(self._out)

    def _token(self, token: re.Match[str]) -> None:
        if token["literal"] or token["fence"]:
            self._keep(token.group())
        elif token["definition"]:
            self.addresses.setdefault(_label(token["label"]), token["url"].strip("<>"))
        elif token["tag"]:
            handle: Callable[[str, re.Match[str]], None] = self._end if token["end"] else self._start
            handle(token["tag"].lower(), token)

    def _start(self, tag: str, token: re.Match[str]) -> None:
        attributes = {
            found["name"].lower(): found["double"] or found["single"] or found["bare"]
            for found in _ATTRIBUTE.finditer(token["inner"])
        }
        if tag in _BLOCKS and self._open and self._open[-1][0] == "p":
            self._pop()  # a paragraph ends where the next block begins
        hides = is_hidden(tag, attributes)
        if tag not in _KNOWN and not attributes and not self._hidden:
            self._keep(token.group())  # <name> stands for something to fill in
            return
        if not self._hidden and not hides:
            self._gap(tag, token.start())
            if tag == "a":
                self._links.append((len(self._out), attributes.get("href") or ""))
        if tag not in _VOID and (hides or self._hidden or len(self._open) < _MOST_DEEP):
            self._open.append((tag, hides))
            self._counts[tag] += 1
            self._hidden += hides

    def _end(self, tag: str, token: re.Match[str]) -> None:
        was_hidden = self._hidden
        if self._counts[tag]:
            while self._pop() != tag:
                pass
        elif tag not in _KNOWN:
            self._keep(token.group())
        if was_hidden:
            return
        if tag == "a" and self._links:
            self._end_link()
        elif tag not in _HEADINGS or "|" in self._line(token.start()):
            self._gap(tag, token.start(), closing=True)
        else:
            self._out.append("\n\n")

    def _pop(self) -> str:
        tag, hides = self._open.pop()
        self._counts[tag] -= 1
        self._hidden -= hides
        return tag

    def _keep(self, text: str) -> None:
        if not self._hidden:
            self._out.append(text)

    def _gap(self, tag: str, at: int, *, closing: bool = False) -> None:
        """Words of different blocks do not touch; in a table's row they stay on its line."""
        if tag not in _BLOCKS and tag not in _CELLS and tag != "br":
            return
        if tag in _CELLS or "|" in self._line(at):
            self._out.append(" ")
        elif tag == "br":
            self._out.append("\\\n")
        else:
            mark = f"{'#' * _HEADINGS[tag]} " if tag in _HEADINGS else "- " if tag == "li" else ""
            self._out.append("\n\n" if closing else f"\n\n{mark}")

    def _line(self, at: int) -> str:
        first, last = max(0, at - _MOST_OF_LINE), min(len(self._text), at + _MOST_OF_LINE)
        end = self._text.find("\n", at, last)
        start = self._text.rfind("\n", first, at)
        return self._text[start + 1 if start >= 0 else first : end if end >= 0 else last]

    def _end_link(self) -> None:
        start, url = self._links.pop()
        words = "".join(self._out[start:])
        address = url.removeprefix("mailto:").removeprefix("tel:")
        if words.strip() and url.startswith(_ADDRESSES) and address not in words:
            self._out.append(f" ({address})")
