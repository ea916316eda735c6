"""Plots of the dashboard as SVG, drawn here: no script, no style of their own, every point with its words."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from itertools import count

from markupsafe import Markup

_WIDTH, _HEIGHT = 360, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 50, 14, 16, 24
_MOST_TICKS = 5
_BAR, _GAP = 8, 30  # the height of a bar, and from one to the next
_DAYS_NAMED = 4  # below the axis
_CLOCK = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)

Point = tuple[date, float | None]


@dataclass(frozen=True)
class Words:
    """What a plot says: `key` tells its ids from those of other plots; title and description are for those
    who do not see it; `amount` writes a value, `tick` a value of the axis, `day` a date, `short_day` one
    below the axis."""

    key: str
    title: str
    description: str
    amount: Callable[[float], str]
    tick: Callable[[float], str]
    day: Callable[[date], str]
    short_day: Callable[[date], str]


def line(points: Sequence[Point], unit: str, words: Words, published: float | None = None) -> Markup | None:
    """Values over days, a gap where there was nothing to measure; `published` is a dotted line.

    None where there is no value at all.
    """
    values = [value for _, value in points if value is not None]
    if not values:
        return None
    marks = ticks([*values, *([] if published is None else [published])], unit)
    scale = _Scale(marks[0], marks[-1], len(points))
    drawn = [*_axis(marks, scale, words), *_days(points, scale, words)]
    if published is not None:
        drawn.append(_across("published", scale.y(published)))
    drawn += [f'<polyline class="course" points="{run}"/>' for run in _runs(points, scale)]
    radius = 2.5 if len(points) <= 31 else 1.4
    drawn += [
        f'<circle class="dot" cx="{scale.x(at):.1f}" cy="{scale.y(value):.1f}" r="{radius}">'
        f"<title>{escape(words.day(day))}: {escape(words.amount(value))}</title></circle>"
        for at, (day, value) in enumerate(points)
        if value is not None
    ]
    return _svg(drawn, _HEIGHT, words)


def bars(rows: Sequence[tuple[str, int]], words: Words) -> Markup | None:
    """Counts by name, the most first as they come; None where there is none."""
    most = max((counted for _, counted in rows), default=0)
    if most <= 0:
        return None
    room = _WIDTH - 2 * _RIGHT
    drawn = []
    for at, (name, counted) in enumerate(rows):
        top = at * _GAP + 14
        shown = escape(words.amount(counted))
        drawn.append(f'<text x="{_RIGHT}" y="{top}">{escape(_short(name))}</text>')
        drawn.append(f'<text class="end" x="{_WIDTH - _RIGHT}" y="{top}">{shown}</text>')
        wide = room * counted / most
        drawn.append(f'<rect class="bar" x="{_RIGHT}" y="{top + 4}" width="{wide:.1f}" height="{_BAR}">')
        drawn.append(f"<title>{escape(name)}: {shown}</title></rect>")
    return _svg(drawn, len(rows) * _GAP + 4, words)


def ticks(values: Sequence[float], unit: str) -> list[float]:
    """Round values of an axis that holds all of `values` and zero: two at least, the lowest first."""
    low, high = min(0.0, *values), max(0.0, *values)
    if high == low:
        high = 1.0
    for step in _steps(unit):
        first, last = math.floor(low / step), math.ceil(high / step)
        if last - first < _MOST_TICKS:
            return [round(number * step, 6) for number in range(first, last + 1)]
    raise AssertionError("steps never end")


def _steps(unit: str) -> Iterator[float]:
    """Ever longer steps: those of a clock for seconds, whole ones where things are counted."""
    if unit == "seconds":
        yield from _CLOCK
    least = {"seconds": 5, "share": -2, "points": 1}.get(unit, 0)
    for power in count(least):
        yield from (factor * 10.0**power for factor in (1, 2, 5))


@dataclass(frozen=True)
class _Scale:
    low: float
    high: float
    days: int

    def x(self, at: int) -> float:
        room = _WIDTH - _LEFT - _RIGHT
        return _LEFT + (room / 2 if self.days == 1 else room * at / (self.days - 1))

    def y(self, value: float) -> float:
        room = _HEIGHT - _TOP - _BOTTOM
        return _TOP + room * (self.high - value) / (self.high - self.low)


def _axis(marks: Sequence[float], scale: _Scale, words: Words) -> Iterator[str]:
    for mark in marks:
        y = scale.y(mark)
        yield _across("zero" if mark == 0 else "rule", y)
        yield f'<text class="end" x="{_LEFT - 6}" y="{y + 4:.1f}">{escape(words.tick(mark))}</text>'


def _across(kind: str, y: float) -> str:
    return f'<line class="{kind}" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'


def _days(points: Sequence[Point], scale: _Scale, words: Words) -> Iterator[str]:
    last = len(points) - 1
    named = sorted({round(last * part / (_DAYS_NAMED - 1)) for part in range(_DAYS_NAMED)})
    for at in named:
        side = "end" if at == last and last else "start" if at == 0 and last else "middle"
        label = escape(words.short_day(points[at][0]))
        yield f'<text class="{side}" x="{scale.x(at):.1f}" y="{_HEIGHT - 6}">{label}</text>'


def _runs(points: Sequence[Point], scale: _Scale) -> Iterator[str]:
    """Stretches of days that each have a value."""
    run: list[str] = []
    for at, (_, value) in enumerate(points):
        if value is not None:
            run.append(f"{scale.x(at):.1f},{scale.y(value):.1f}")
        if run and (value is None or at == len(points) - 1):
            if len(run) > 1:
                yield " ".join(run)
            run = []


def _short(name: str) -> str:
    return name if len(name) <= 40 else f"{name[:39]}…"


def _svg(drawn: Sequence[str], height: int, words: Words) -> Markup:
    key = escape(words.key)
    inside = (
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-labelledby="{key}-title {key}-desc">'
        f'<title id="{key}-title">{escape(words.title)}</title>'
        f'<desc id="{key}-desc">{escape(words.description)}</desc>{"".join(drawn)}</svg>'
    )
    return Markup(inside)  # noqa: S704 every word in it is escaped above
