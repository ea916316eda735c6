"""What the dashboard shows: figures with what they were before, and plots with the tables behind them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from babel.dates import format_date
from markupsafe import Markup

from api.console import figure_words, plots
from crm.analytics import Figure
from crm.health import Health
from crm.measures import PUBLISHED, Verdict, change
from knowledge.phrases import Say
from tools.figures import written, written_difference
from tools.wording import locale_of


@dataclass(frozen=True)
class Card:
    """A figure in words. `change` is None where there is nothing to compare with."""

    name: str
    title: str
    value: str
    measured: bool
    basis: str
    before: str
    change: str | None
    verdict: Verdict | None
    published: str | None


@dataclass(frozen=True)
class Plot:
    """A plot with the table behind it; `svg` is None where nothing was measured."""

    key: str
    title: str
    head: tuple[str, str]
    rows: list[tuple[str, str]]
    svg: Markup | None
    published: str | None


@dataclass(frozen=True)
class Part:
    """A part of the account's health in words; `judged` is False where too little happened to tell."""

    name: str
    title: str
    value: str
    judged: bool
    points: str
    full: str
    nothing: str


class Teller:
    """Puts measured figures into the words of a language."""

    def __init__(self, say: Say, language: str) -> None:
        self._say = say
        self._language = language

    def card(self, now: Figure, before: Figure | None) -> Card:
        """A figure beside the same of the period before."""
        earlier = before.value if before else None
        moved = change(now.name, now.value, earlier)
        difference = None
        if moved is not None:
            difference = written_difference(moved.difference, now.unit, self._language)
            if now.unit == "count" and moved.before > 0:
                part = written_difference(moved.difference / moved.before * 100, "count", self._language)
                difference += f" ({part} %)"
        basis = figure_words.measured_on(self._say, now.name, written(now.of, "count", self._language))
        return Card(
            name=now.name,
            title=figure_words.title(self._say, now.name),
            value=written(now.value, now.unit, self._language),
            measured=now.value is not None,
            basis=basis if now.value is not None else "",
            before=written(earlier, now.unit, self._language),
            change=difference,
            verdict=moved.verdict if moved else None,
            published=self.published(now.name, now.unit),
        )

    def part(self, figure: Figure, value: float | None) -> str:
        """What a single conversation adds to a figure; to a score in points, an answer from 0 to 10."""
        say = self._say
        if figure.unit == "share" and value in (0, 1):
            return say("Yes") if value else say("No")
        if figure.unit == "points" and value is not None:
            return f"{written(value, 'count', self._language)}/10"
        return written(value, figure.unit, self._language)

    def published(self, name: str, unit: str) -> str | None:
        """What a comparable system reports, in words; None where there is no such figure."""
        return written(PUBLISHED[name], unit, self._language) if name in PUBLISHED else None

    def all_published(self) -> dict[str, str]:
        """Every such figure in words, by name."""
        units = {"response_median": "seconds", "nps": "points"}
        return {
            name: written(value, units.get(name, "share"), self._language)
            for name, value in PUBLISHED.items()
        }

    def cards(self, now: Mapping[str, Figure], before: Mapping[str, Figure], group: str) -> list[Card]:
        """The cards of a group."""
        return [self.card(now[name], before.get(name)) for name in figure_words.GROUPS[group] if name in now]

    def course(self, name: str, unit: str, points: Sequence[plots.Point], *, weekly: bool = False) -> Plot:
        """A figure day by day, or week by week."""
        say, title = self._say, figure_words.title(self._say, name)
        words = self._words(f"plot-{name}", title, self._course_in_words(unit, points), unit)
        return Plot(
            key=name,
            title=title,
            head=(say("Week from") if weekly else say("Day"), title),
            rows=[(self.day(day), written(value, unit, self._language)) for day, value in points],
            svg=plots.line(points, unit, words, PUBLISHED.get(name)),
            published=self.published(name, unit),
        )

    def split(self, key: str, title: str, what: str, rows: Sequence[tuple[str, int]]) -> Plot:
        """Counts by name; `what` heads the names."""
        say, whole = self._say, sum(n for _, n in rows)
        name, most = max(rows, key=lambda row: row[1], default=("", 0))
        counted = [written(number, "count", self._language) for number in (most, whole)]
        told = say("Most often: {name}, {n} of {all}.", name=name, n=counted[0], all=counted[1])
        words = self._words(f"plot-{key}", title, told, "count")
        return Plot(
            key=key,
            title=title,
            head=(what, say("How many")),
            rows=[(label, written(n, "count", self._language)) for label, n in rows],
            svg=plots.bars(rows, words),
            published=None,
        )

    def parts(self, health: Health) -> list[Part]:
        """What the account's health is made of."""
        return [
            Part(
                name=one.name,
                title=figure_words.part(self._say, one.name),
                value=written(one.value, one.unit, self._language),
                judged=one.why != "too_few",
                points=written(one.points, "count", self._language),
                full=written(one.full, one.unit, self._language),
                nothing=written(one.nothing, one.unit, self._language),
            )
            for one in health.components
        ]

    def day(self, day: date) -> str:
        """A day with its year."""
        return format_date(day, "EEE d MMM y", locale=locale_of(self._language))

    def _course_in_words(self, unit: str, points: Sequence[plots.Point]) -> str:
        known = [(value, day) for day, value in points if value is not None]
        if not known:
            return ""
        say, (low, low_day), (high, high_day) = self._say, min(known), max(known)
        return say(
            "Lowest {low} on {low_day}, highest {high} on {high_day}.",
            low=written(low, unit, self._language),
            low_day=self.day(low_day),
            high=written(high, unit, self._language),
            high_day=self.day(high_day),
        )

    def _words(self, key: str, title: str, description: str, unit: str) -> plots.Words:
        return plots.Words(
            key=key,
            title=title,
            description=description,
            amount=lambda value: written(value, unit, self._language),
            tick=lambda value: written(value, unit, self._language),
            day=self.day,
            short_day=lambda day: format_date(day, "d MMM", locale=locale_of(self._language)),
        )
