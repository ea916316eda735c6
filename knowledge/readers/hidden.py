"""What a page keeps from its readers: an element that no eye sees must not become an answer."""

import re
from collections.abc import Mapping

SILENT = frozenset(
    {"script", "style", "noscript", "template", "svg", "iframe", "object", "head", "math", "canvas"}
    | {"video", "audio", "textarea", "datalist", "title", "select"}
)
_NUMBER = r"-?(?:\d+\.?\d*|\.\d+)"
_GONE = re.compile(
    r"""(?:^|;)\s*(?:
        display\s*:\s*none
      | visibility\s*:\s*(?:hidden|collapse)
      | content-visibility\s*:\s*hidden
      | (?:opacity|zoom)\s*:\s*0*\.?0*(?:0[0-9]*|[0-4]%)?\s*(?:!important)?\s*(?:;|$)
      | (?:max-)?(?:width|height)\s*:\s*[01](?:\.0*)?(?:px|em|rem|pt|%)?\s*(?:!important)?\s*(?:;|$)
      | font-size\s*:\s*(?:[0-3](?:\.\d+)?(?:px|pt)?|0?\.[0-2]\d*(?:em|rem)|\d(?:\.\d+)?%)
        \s*(?:!important)?\s*(?:;|$)
      | (?:left|right|top|bottom|text-indent|margin(?:-\w+)?)\s*:\s*-\d{3,}
      | transform\s*:[^;]*scale\(\s*0
      | clip(?:-path)?\s*:\s*(?:rect\(\s*[01](?:px)?[\s,]|inset\(\s*(?:50|[5-9]\d|100)%|circle\(\s*0)
      | color\s*:\s*transparent
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_FONT = re.compile(r"(?:^|;)\s*font\s*:[^;]*?(?<![\d.])0(?:px|pt|em|rem)?\s*[/\s]", re.IGNORECASE)
_COLOUR = re.compile(r"(?:^|;)\s*color\s*:\s*(?P<value>[^;!]+)", re.IGNORECASE)
_GROUND = re.compile(r"(?:^|;)\s*background(?:-color)?\s*:\s*(?P<value>[^;!]+)", re.IGNORECASE)
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_CSS_ESCAPE = re.compile(r"\\([0-9a-fA-F]{1,6})\s?")
_CHANNEL = re.compile(rf"{_NUMBER}%?")
_NEARLY_WHITE = 238  # of 255, in every channel: on white paper nobody reads it
_FAINT = 0.1  # alpha
_WHITES = frozenset(
    {"white", "snow", "ivory", "ghostwhite", "floralwhite", "mintcream", "azure", "whitesmoke"}
)
_TINY_FONT = re.compile(r"\s*0+\s*")


def is_hidden(tag: str, attributes: Mapping[str, str | None]) -> bool:
    """Whether an element keeps its words from whoever reads the page: by its kind, its attributes or its
    inline style (not shown, no size, no opacity, off the page, or in the colour of the paper)."""
    if tag in SILENT or "hidden" in attributes:
        return True
    if (attributes.get("aria-hidden") or "").strip().lower() == "true":
        return True
    if tag == "font":
        size, colour = attributes.get("size"), attributes.get("color")
        if (size is not None and _TINY_FONT.fullmatch(size)) or (colour and _is_paper(colour)):
            return True
    return _style_hides(attributes.get("style") or "")


def _style_hides(style: str) -> bool:
    style = _CSS_ESCAPE.sub(lambda m: chr(min(int(m[1], 16), 0x10FFFF)), _COMMENT.sub("", style))
    if _GONE.search(style) or _FONT.search(f"{style} "):
        return True
    colour, ground = _COLOUR.search(style), _GROUND.search(style)
    if not colour:
        return False
    if ground and not _is_paper(ground["value"]):
        return _plain(colour["value"]) == _plain(ground["value"])
    return _is_paper(colour["value"])


def _is_paper(colour: str) -> bool:
    """White or nearly, or so faint that nothing is seen."""
    named = _plain(colour)
    if named in _WHITES or named == "transparent":
        return True
    if named.startswith("#"):
        return _hex_is_paper(named[1:])
    if named.startswith("rgb"):
        channels = _CHANNEL.findall(named)
        values = [float(c.rstrip("%")) * (2.55 if c.endswith("%") else 1) for c in channels[:3]]
        faint = len(channels) > 3 and _share(channels[3]) < _FAINT
        return faint or (len(values) == 3 and min(values) >= _NEARLY_WHITE)
    if named.startswith("hsl"):
        channels = _CHANNEL.findall(named)
        faint = len(channels) > 3 and _share(channels[3]) < _FAINT
        return faint or (len(channels) > 2 and _share(channels[2]) > _NEARLY_WHITE / 255)
    return False


def _hex_is_paper(digits: str) -> bool:
    if not re.fullmatch(r"[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8}", digits):
        return False
    whole = digits if len(digits) > 4 else "".join(2 * digit for digit in digits)
    values = [int(whole[at : at + 2], 16) for at in range(0, len(whole), 2)]
    faint = len(values) == 4 and values[3] < _FAINT * 255
    return faint or min(values[:3]) >= _NEARLY_WHITE


def _share(channel: str) -> float:
    return float(channel.rstrip("%")) / 100 if channel.endswith("%") else float(channel)


def _plain(colour: str) -> str:
    return "".join(colour.lower().split())
