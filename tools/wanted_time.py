"""The time a customer wants, gathered over messages: "venerdì", then "alle tre", then "no, sabato"."""

import re
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from inference.when import When, parse
from tools.matching import plain

# Where the parts of a day begin and end when free times are looked for.
_PARTS = {
    "morning": (time(0), time(12, 30)),
    "lunch": (time(12), time(15)),
    "afternoon": (time(13), time(19)),
    "evening": (time(17, 30), time(23, 59)),
    "night": (time(19), time(23, 59)),
}
_WORDS = re.compile(r"\w+")
# What stands around a time when nothing else is said.
_AROUND = frozenset({
    "no", "non", "si", "allora", "meglio", "facciamo", "anzi", "invece", "ok", "va", "bene", "per",
    "favore", "piuttosto", "magari", "diciamo", "e", "grazie", "scusa", "il", "lo", "la", "l", "del",
    "alle", "all", "yes", "instead", "rather", "better", "make", "it", "let", "s", "lets", "please",
    "then", "maybe", "sorry", "thanks", "how", "about", "the", "at", "on", "for", "mejor", "entonces",
    "pues", "vale", "gracias", "perdona", "hagamos", "por", "que", "tal", "sea", "el", "los", "las",
    "al", "a", "de", "nao", "sim", "melhor", "entao", "antes", "pode", "ser", "obrigado", "obrigada",
    "desculpe", "afinal", "vamos", "o", "os", "as", "na", "do", "da",
})  # fmt: skip


@dataclass(frozen=True)
class Clockwork:
    """What reading a time needs: when it was said in the location's zone, its country, its opening day."""

    now: datetime
    country: str
    opens: time
    closes: time


@dataclass(frozen=True)
class Wanted:
    """As much of a time as is known. `start` without `end` is an exact time, with `end` a range.
    `end` alone is the midnight that begins the last day of a span of days.

    `part` without `day` is kept until a day is named. `options` are readings to choose from (ISO local
    times or date~part); `problem` is "past", "impossible_date" or "impossible_time".
    """

    day: date | None = None
    part: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    options: tuple[str, ...] = ()
    problem: str | None = None

    @property
    def is_exact(self) -> bool:
        """Whether one instant is meant."""
        return self.start is not None and self.end is None

    @property
    def last_day(self) -> date | None:
        """The last day of a span of days ("dal 23 al 27 novembre"); None of everything else."""
        if self.day is None or self.start is not None or self.end is None:
            return None
        last = self.end.date()
        return last if last > self.day else None

    @property
    def is_whole(self) -> bool:
        """Whether it is one span from its beginning to its end, and not a part of each of several days."""
        return self.last_day is None or self.part is None

    def window(self, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
        """The span free times are looked for in; None when no day is known or one instant is meant."""
        if self.start is not None:
            return None if self.end is None else (self.start, self.end)
        if self.day is None:
            return None
        first, last = _part_hours(self.part)
        last_day = self.last_day or self.day
        midnight = datetime.combine(last_day + timedelta(days=1), time(0), zone)
        ends = datetime.combine(last_day, last, zone) if last else midnight
        return datetime.combine(self.day, first, zone), ends

    def fits(self, local: datetime) -> bool:
        """Whether a time of the window is wanted: on every day of a span only the part of the day is."""
        first, last = _part_hours(self.part)
        clock = local.time()
        return self.last_day is None or (first <= clock and (last is None or clock < last))

    def to_slot(self) -> dict[str, Any]:
        """As plain JSON. Times are kept as the clock on the wall: the place may be named after the hour."""
        return {
            "day": self.day.isoformat() if self.day else None,
            "part": self.part,
            "start": self.start.replace(tzinfo=None).isoformat() if self.start else None,
            "end": self.end.replace(tzinfo=None).isoformat() if self.end else None,
            "options": list(self.options),
            "problem": self.problem,
        }

    @classmethod
    def from_slot(cls, slot: dict[str, Any] | None, zone: ZoneInfo) -> "Wanted | None":
        """From plain JSON; its wall-clock times are taken to be in `zone`."""
        if not slot:
            return None

        def moment(text: str | None) -> datetime | None:
            return datetime.fromisoformat(text).replace(tzinfo=zone) if text else None

        return cls(
            day=date.fromisoformat(slot["day"]) if slot.get("day") else None,
            part=slot.get("part"),
            start=moment(slot.get("start")),
            end=moment(slot.get("end")),
            options=tuple(slot.get("options") or ()),
            problem=slot.get("problem"),
        )


def _part_hours(part: str | None) -> tuple[time, time | None]:
    return _PARTS.get(part or "day", (time(0), None))


def at(start: datetime) -> Wanted:
    """Exactly this local time."""
    return Wanted(day=start.date(), start=start)


def of_option(value: str, zone: ZoneInfo) -> Wanted | None:
    """A reading the customer chose: an ISO local time or date~part. None when it is neither."""
    day, _, part = value.partition("~")
    try:
        if part:
            return Wanted(day=date.fromisoformat(day), part=None if part == "day" else part)
        return at(datetime.fromisoformat(value).replace(tzinfo=zone))
    except ValueError:
        return None


def read(text: str, language: str, clockwork: Clockwork, before: Wanted | None) -> Wanted | None:
    """What a text says about time, put together with what was known; None when it says nothing."""
    said = _parse(text, language, clockwork, clockwork.now)
    if said.problem:
        return Wanted(problem=said.problem)
    if said.value is None and not said.candidates and said.part is None:
        return None
    known_day = before.day if before else None
    if known_day and said.start and _names_no_day(text, language, clockwork, said, known_day):
        said = _parse(text, language, clockwork, _midnight(known_day, clockwork.now))
    if said.date is None and said.part and said.start is None:
        return _part_alone(said, before, known_day)
    if said.value is None:
        return Wanted(options=said.candidates)
    wanted = Wanted(said.date, _part(said), said.start, said.end)
    return _with_known_hour(wanted, before)


def only_time(text: str, language: str, now: datetime) -> bool:
    """Whether a text says nothing but when: "no, alle 15", "meglio venerdì". `now` is aware."""
    said = parse(text, language=language, now=now)
    if not said.span or (said.value is None and not said.candidates and said.part is None):
        return False
    left = plain(text.replace(said.span, " ")) if said.span in text else plain(text)
    return all(word in _AROUND for word in _WORDS.findall(left))


def _with_known_hour(wanted: Wanted, before: Wanted | None) -> Wanted:
    """A new day alone keeps the hour, the span or the part of the day that was said for the old one."""
    if before is None or wanted.day is None or wanted.start is not None or wanted.part is not None:
        return wanted
    if wanted.last_day is not None:
        return replace(wanted, part=before.part)  # an hour on one of several days says not on which
    if before.is_exact and before.start is not None:
        # Wall-clock arithmetic: the same hour on another day, whatever summer time does in between.
        start = datetime.combine(wanted.day, before.start.timetz())
        return replace(wanted, start=start)
    if before.start is not None and before.end is not None and before.end - before.start < timedelta(days=1):
        later = before.end.date() - before.start.date()
        start = datetime.combine(wanted.day, before.start.timetz())
        return replace(wanted, start=start, end=datetime.combine(wanted.day + later, before.end.timetz()))
    return replace(wanted, part=before.part)


def _part_alone(said: When, before: Wanted | None, known_day: date | None) -> Wanted:
    if known_day is not None:
        return Wanted(day=known_day, part=said.part, end=before.end if before and before.last_day else None)
    options = () if before and before.options else said.candidates
    return Wanted(part=said.part, options=options)


def _part(said: When) -> str | None:
    return None if said.part == "day" else said.part


def _names_no_day(text: str, language: str, clockwork: Clockwork, said: When, known_day: date) -> bool:
    """Whether a text names an hour but no day.

    Read from the midnight that begins the known day and from the minute before it, only an hour on its
    own comes out on that same day both times: "oggi" and "domani" move with the present.
    """
    midnight = _midnight(known_day, clockwork.now)
    days = {
        _parse(text, language, clockwork, now).date for now in (midnight, midnight - timedelta(minutes=1))
    }
    return said.date != known_day and days == {known_day}


def _midnight(day: date, like: datetime) -> datetime:
    return datetime.combine(day, time(0), like.tzinfo)


def _parse(text: str, language: str, clockwork: Clockwork, now: datetime) -> When:
    return parse(
        text,
        language=language,
        now=now,
        country=clockwork.country,
        opens=clockwork.opens,
        closes=clockwork.closes,
    )
