"""HTML elements by what they do to the text around them."""

HEADINGS = {f"h{level}": level for level in range(1, 7)}
# Those that begin a piece of text of their own in any page.
FLOW = frozenset(
    [
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
        "blockquote",
        "pre",
        "address",
        "details",
        "summary",
        "figure",
        "figcaption",
        "hr",
        "form",
        "center",
        "table",
        "caption",
        "tbody",
        "thead",
        "tfoot",
        "tr",
    ]
) | frozenset(HEADINGS)
