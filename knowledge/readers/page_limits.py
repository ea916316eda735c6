"""What an HTML page may cost: depth and repeated formatting, before it is parsed.

Parsing time grows with the square of the depth, and marks left open (`<b>`, `<font>`) are repeated in every
block after them. Bounded here: 300 elements inside each other, 3 million elements of which marks left open
would be repeated.
"""

import re

from knowledge.errors import DocumentSuspect

_MAX_DEPTH = 300
_MAX_REPEATED = 3_000_000
_TAG = re.compile(r"<(?P<end>/?)(?P<name>[a-zA-Z][a-zA-Z0-9-]*)")
_MARKS = frozenset(
    {"a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"}
)
# Closed by the parser itself when the next one begins, or never open.
_SELF_CLOSING = frozenset(
    {"p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot", "option", "optgroup", "rp", "rt"}
    | {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)


def check_page(text: str) -> None:
    """Raises DocumentSuspect for a page that would take minutes or gigabytes to parse."""
    depth = marks = repeated = 0
    for tag in _TAG.finditer(text):
        name = tag["name"].lower()
        step = -1 if tag["end"] else 1
        if name in _MARKS:
            marks = max(marks + step, 0)
        elif step > 0:
            repeated += marks
        if name not in _SELF_CLOSING:
            depth = max(depth + step, 0)
        if depth > _MAX_DEPTH or repeated > _MAX_REPEATED:
            raise DocumentSuspect(
                "its elements are nested too deeply: save the page's text in a new document"
            )
