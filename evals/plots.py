"""Plots as inline SVG: drawn from a table, needing nothing from anywhere."""

import math
from collections.abc import Sequence
from html import escape

from evals.result import Table
from inference.language import LANGUAGES

_COLOURS = ("#2f6f9f", "#c8553d", "#588157", "#8d6b94", "#b08900")
_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 560, 230, 44, 34, 12
_MOST_SERIES = 5


def plot(table: Table) -> str | None:
    """An SVG element for a table that tells shares by language or a calibration; None for any other."""
    if table.title.startswith("calibration") and len(table.rows) > 1 and len(table.columns) >= 4:
        return _calibration(table)
    if {row[0] for row in table.rows} >= set(LANGUAGES):
        return _bars(table)
    return None


def _bars(table: Table) -> str | None:
    """Bars by language, one series a column of shares; intervals are left to the table."""
    lines = [row for row in table.rows if row[0] in LANGUAGES]
    columns = [at for at in range(1, len(table.columns)) if _shares([row[at] for row in lines])]
    columns = [at for at in columns if table.columns[at] not in ("95 % from", "to")][:_MOST_SERIES]
    if not columns:
        return None
    names = _told_apart(table, columns)
    slot = (_WIDTH - _LEFT) / len(lines)
    width = slot * 0.8 / len(columns)
    drawn = [_axis()]
    for number, row in enumerate(lines):
        start = _LEFT + number * slot + slot * 0.1
        drawn.append(_text(start + slot * 0.4, _HEIGHT - _BOTTOM + 14, str(row[0]), "middle"))
        for place, at in enumerate(columns):
            value = float(row[at])
            if math.isnan(value):
                continue
            top = _y(value)
            drawn.append(
                f'<rect x="{start + place * width:.1f}" y="{top:.1f}" width="{width * 0.92:.1f}" '
                f'height="{_HEIGHT - _BOTTOM - top:.1f}" fill="{_COLOURS[place]}">'
                f"<title>{escape(str(row[0]))} {escape(names[place])}: {value:.3f}</title></rect>"
            )
    return _svg(drawn, table.title, names)


def _told_apart(table: Table, columns: Sequence[int]) -> list[str]:
    """Names of columns; one that repeats (`refused` of two groups) takes that of the column before it."""
    named = []
    for at in columns:
        name = table.columns[at]
        repeated = table.columns.count(name) > 1
        named.append(f"{table.columns[at - 1]} {name}" if repeated else name)
    return named


def _shares(values: Sequence[str | float | int]) -> bool:
    """Whether a column holds shares: floats between 0 and 1, one at least that is measured."""
    floats = [value for value in values if isinstance(value, float)]
    told = [value for value in floats if not math.isnan(value)]
    return len(floats) == len(values) and bool(told) and all(0 <= value <= 1 for value in told)


def _calibration(table: Table) -> str:
    """Said against true, with the diagonal of perfect calibration; a dot's area is its number of rows.

    Columns: bin, rows, mean said, share true.
    """
    drawn = [_axis(), _line((_LEFT, _y(0)), (_WIDTH - 20, _y(1)), "4 4")]
    most = max(float(row[1]) for row in table.rows) or 1
    points = []
    for row in table.rows:
        said, true = float(row[2]), float(row[3])
        if math.isnan(said) or math.isnan(true):
            continue
        x, y = _LEFT + said * (_WIDTH - 20 - _LEFT), _y(min(1.0, max(0.0, true)))
        points.append(f"{x:.1f},{y:.1f}")
        radius = 3 + 9 * math.sqrt(float(row[1]) / most)
        drawn.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{_COLOURS[0]}" fill-opacity="0.6">'
            f"<title>{escape(str(row[0]))}: {row[1]} rows, said {said:.3f}, true {true:.3f}</title></circle>"
        )
    drawn.append(f'<polyline points="{" ".join(points)}" fill="none" stroke="{_COLOURS[0]}"/>')
    drawn += [
        _text(_LEFT + share * (_WIDTH - 20 - _LEFT), _HEIGHT - _BOTTOM + 14, f"{share:.1f}", "middle")
        for share in (0.0, 0.5, 1.0)
    ]
    return _svg(drawn, table.title, [f"{table.columns[3]} against {table.columns[2]}"])


def _y(share: float) -> float:
    return _TOP + (1 - share) * (_HEIGHT - _BOTTOM - _TOP)


def _axis() -> str:
    return "".join(
        _line((_LEFT, _y(share)), (_WIDTH, _y(share)), "")
        + _text(_LEFT - 6, _y(share) + 4, f"{share:g}", "end")
        for share in (0, 0.25, 0.5, 0.75, 1)
    )


def _line(start: tuple[float, float], end: tuple[float, float], dashes: str) -> str:
    return (
        f'<line x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}" '
        f'stroke="#999" stroke-width="{1 if dashes else 0.4}" stroke-dasharray="{dashes}"/>'
    )


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _svg(drawn: Sequence[str], title: str, names: Sequence[str]) -> str:
    legend = "".join(
        f'<rect x="{_LEFT + at * 100}" y="{_HEIGHT - 12}" width="9" height="9" fill="{_COLOURS[at]}"/>'
        + _text(_LEFT + at * 100 + 13, _HEIGHT - 4, name, "start")
        for at, name in enumerate(names)
    )
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" role="img" '
        f'aria-label="{escape(title)}">{"".join(drawn)}{legend}</svg>'
    )
