"""Characters on a page put together to pieces of text and rows of pieces."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

Char = dict[str, Any]

# All gaps are in parts of the font size.
_SPACE_GAP = 0.2
_PIECE_GAP = 1.0
_SAME_ROW = 0.4
_MIN_SIZE = 2.0  # points; smaller is not meant to be read
_BOLD = re.compile(r"bold|black|heavy|demi", re.IGNORECASE)
_DINGBATS = re.compile(r"wingdings|dingbats|symbol", re.IGNORECASE)
_LEADER = re.compile(r"(?:[.·…_]\s?){4,}")
_MARKER = re.compile(r"(?:[•·●▪■◦○‣➢➤✓✔*–—-]|\d{1,2}[.)]|[a-z]\))")
_BULLET_CODES = frozenset("\uf0b7\uf0a7\uf076\uf0d8\uf0fc\x95")


@dataclass(frozen=True)
class Piece:
    """Text on one row with no wide gap in it; points from the page's top left corner."""

    text: str
    x0: float
    x1: float
    top: float
    bottom: float
    baseline: float
    size: float
    bold: bool

    @property
    def width(self) -> float:
        return self.x1 - self.x0


Row = tuple[Piece, ...]


def readable_chars(chars: Sequence[Char], width: float, height: float) -> list[Char]:
    """Upright letters on the page, without what the PDF itself marks as running head or decoration."""
    kept = [
        c
        for c in chars
        if _is_level(c) and c["size"] >= _MIN_SIZE and -1 <= c["x0"] <= width and -1 <= c["top"] <= height
    ]
    real = [c for c in kept if c.get("tag") != "Artifact"]
    return real if len(real) * 2 > len(kept) else kept


def _is_level(char: Char) -> bool:
    """Whether it stands on a level line; a watermark's letters do not."""
    return bool(char["upright"]) and abs(char["matrix"][1]) <= 0.1 * abs(char["matrix"][0])


def rows_of(chars: Sequence[Char], height: float) -> list[Row]:
    """The rows from top to bottom, each with its pieces from left to right."""
    rows: list[list[Char]] = []
    last = 0.0
    for char in sorted(chars, key=lambda c: _baseline(c, height)):
        baseline = _baseline(char, height)
        if rows and baseline - last <= _SAME_ROW * char["size"]:
            rows[-1].append(char)
        else:
            rows.append([char])
            last = baseline
    built = (_row(row, height) for row in rows)
    return [row for row in built if row]


def _baseline(char: Char, height: float) -> float:
    return height - float(char["matrix"][5])


def _row(chars: list[Char], height: float) -> Row:
    ordered = _without_leaders(sorted(chars, key=lambda c: (c["x0"], c["x1"])))
    pieces = [_piece(run, height) for run in _runs(ordered)]
    return _with_markers([piece for piece in pieces if piece.text])


def _without_leaders(chars: list[Char]) -> list[Char]:
    """Dots that lead the eye from a name to its price are a gap; dots to be written on, as in a form, are
    one sign.
    """
    text = "".join(c["text"][:1] or " " for c in chars)
    found = list(_LEADER.finditer(text))
    if not found:
        return chars
    leads = len(found) == 1 and bool(text[found[0].end() :].strip())
    kept: list[Char] = []
    at = 0
    for leader in found:
        kept += chars[at : leader.start()]
        if not leads:
            first, last = chars[leader.start()], chars[leader.end() - 1]
            kept.append({**first, "text": "…", "x1": last["x1"]})
        at = leader.end()
    return kept + chars[at:]


def _runs(chars: list[Char]) -> Iterator[list[Char]]:
    run: list[Char] = []
    right = 0.0
    for char in chars:
        if run and not char["text"].isspace() and char["x0"] - right > _PIECE_GAP * char["size"]:
            yield run
            run = []
        run.append(char)
        if not char["text"].isspace():
            right = max(right, char["x1"]) if len(run) > 1 else char["x1"]
    if run:
        yield run


def _piece(chars: list[Char], height: float) -> Piece:
    inked = [c for c in chars if not c["text"].isspace()]
    if not inked:
        return Piece("", 0, 0, 0, 0, 0, 1, False)
    text, doubled = _spelled(chars)
    letters = [c for c in inked if c["text"].isalnum()] or inked
    return Piece(
        text=text,
        x0=inked[0]["x0"],
        x1=max(c["x1"] for c in inked),
        top=min(c["top"] for c in inked),
        bottom=max(c["bottom"] for c in inked),
        baseline=median(_baseline(c, height) for c in inked),
        size=Counter(round(c["size"], 1) for c in letters).most_common(1)[0][0],
        bold=doubled or all(_BOLD.search(c["fontname"]) for c in letters),
    )


def _spelled(chars: list[Char]) -> tuple[str, bool]:
    """The text, and whether it is printed twice with a small shift, which stands for bold."""
    words: list[str] = []
    doubled = 0
    previous: Char | None = None
    space = False
    for char in chars:
        if char["text"].isspace():
            space = True
            continue
        if previous and _is_copy(char, previous):
            doubled += 1
            continue
        if previous and (space or char["x0"] - previous["x1"] > _SPACE_GAP * char["size"]):
            words.append(" ")
        words.append(_letter(char))
        previous, space = char, False
    return "".join(words).strip(), doubled * 2 > len(words) > 0


def _is_copy(char: Char, previous: Char) -> bool:
    return bool(char["text"] == previous["text"] and char["x0"] - previous["x0"] < 0.1 * char["size"])


def _letter(char: Char) -> str:
    text = str(char["text"])
    if text in _BULLET_CODES or (_DINGBATS.search(char["fontname"]) and ord(text[0]) >= 0xE000):
        return "•"
    # Ligatures are one glyph for several letters.
    return {"ﬁ": "fi", "ﬂ": "fl", "ﬀ": "ff", "ﬃ": "ffi", "ﬄ": "ffl"}.get(text, text)


def _with_markers(pieces: list[Piece]) -> Row:
    """A bullet or number set apart from its item belongs to it."""
    if len(pieces) > 1 and _MARKER.fullmatch(pieces[0].text):
        return (joined(pieces[:2]), *pieces[2:])
    return tuple(pieces)


def joined(pieces: Sequence[Piece]) -> Piece:
    """Pieces of one row as one."""
    first = max(pieces, key=lambda p: len(p.text))
    return Piece(
        text=" ".join(piece.text for piece in pieces),
        x0=pieces[0].x0,
        x1=pieces[-1].x1,
        top=min(piece.top for piece in pieces),
        bottom=max(piece.bottom for piece in pieces),
        baseline=first.baseline,
        size=first.size,
        bold=all(piece.bold for piece in pieces),
    )


def gaps(rows: Sequence[Row]) -> list[float]:
    """From each row's baseline to the next one's, in points."""
    return [below[0].baseline - row[0].baseline for row, below in pairwise(rows)]
