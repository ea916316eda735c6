"""When a customer wants to come: dates and times in Italian, English, Spanish and Portuguese.

A message is read as words of known kinds (`when_lexer`, one vocabulary per language), the days
(`when_days`) and hours (`when_clock`) in it are found, and this file puts them together. Pure: the
present comes in as an argument.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.core import get_global

from inference.errors import InferenceError
from inference.when_calendar import Anchor, local
from inference.when_clock import TimeMention, find_times, readings
from inference.when_days import DayMention, find_days
from inference.when_lexer import Line, Token, fold, read_line

OPENS, CLOSES = time(8), time(20)
_LEFT_OUT = re.compile(
    r"\b(?:ma non|che non sia(?:no)?|tranne|eccetto|escluso|invece (?:di|che)"
    r"|but not|that (?:is not|isn'?t|isn t)|that's not|except|other than|apart from|any day but|instead of"
    r"|pero no|que no sean?|menos|excepto|salvo|en (?:vez|lugar) de"
    r"|mas nao|que nao seja|exceto|em vez d[aeo])\b[^,.;?!]{0,12}$"
)
Day = date  # the field `When.date` hides the type's own name inside the class


class BadWhenRow(InferenceError):
    """A row lacks `text`, or its `now` or time zone cannot be read: mend that row and run again."""


@dataclass(frozen=True, slots=True)
class When:
    """What a message says about time.

    `value` is an ISO local time without offset ("2026-11-20T15:00:00"), or a date and a part of day
    ("2026-11-19~morning"; "day" when only the date is known), or None when nothing is said, when it is
    truly ambiguous (`candidates` then holds the readings, in the same form) or when there is a `problem`:
    "impossible_date", "impossible_time" or "past". `start` and `end` are aware; `end` is set for ranges, and
    a range of today that is not over keeps its `start` also once it has begun.
    `part` is morning, lunch, afternoon, evening, night ("noche" and "noite" begin in the evening) or day.
    `candidates` beside a value are other readings worth a question. `span` is the text that was used.
    """

    value: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    date: Day | None = None
    part: str | None = None
    candidates: tuple[str, ...] = ()
    span: str = ""
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class _Reading:
    """Everything one message says, before it is put together."""

    line: Line
    days: tuple[DayMention, ...]
    times: tuple[TimeMention, ...]
    parts: tuple[str, ...]
    anchor: Anchor
    opens: time
    closes: time

    def only_part(self) -> str | None:
        named = {day.part for day in self.days if day.part} | set(self.parts)
        return next(iter(named)) if len(named) == 1 else None


def parse(
    text: str,
    *,
    language: str,
    now: datetime,
    country: str | None = None,
    opens: time = OPENS,
    closes: time = CLOSES,
) -> When:
    """Read the day and hour a customer means.

    `language` is it, en, es or pt (a region may follow); with any other the best-fitting vocabulary is
    used. `now` is aware and in the zone of the business. `country` (ISO 3166) decides public holidays and
    the order of numeric dates. `opens` and `closes` decide what "alle tre" means. Raises ValueError if
    `now` is naive; never for any text.
    """
    if now.tzinfo is None:
        raise ValueError("`now` must be aware: give it the time zone of the business")
    line = read_line(text, language)
    anchor = Anchor(now, line.language, country)
    try:
        return _together(_read(line, anchor, opens, closes))
    except OverflowError:  # the calendar ends with the year 9999
        return When(span=line.text.strip(), problem="impossible_date")


def when_row(row: Mapping[str, object], *, now: datetime, time_zone: str) -> dict[str, object]:
    """`row` {text, language?, now?, country?} with `value`, `candidates` and `problem` added.

    The row's own ISO `now` wins; without an offset it is local time in `time_zone`, and so is `now`.
    Raises BadWhenRow.
    """
    text, language, own = row.get("text"), row.get("language"), row.get("now")
    if not isinstance(text, str):
        raise BadWhenRow("each row needs a `text` that is a string")
    try:
        zone = ZoneInfo(time_zone)
        moment = datetime.fromisoformat(own) if isinstance(own, str) and own else now
    except (ValueError, OSError, ZoneInfoNotFoundError) as error:
        raise BadWhenRow(f"`now` must be an ISO time and the time zone an IANA name: {error}") from error
    moment = moment.astimezone(zone) if moment.tzinfo else moment.replace(tzinfo=zone)
    given = row.get("country")
    country = given if isinstance(given, str) and given else get_global("zone_territories").get(time_zone)
    when = parse(text, language=str(language or ""), now=moment, country=country)
    return {**row, "value": when.value, "candidates": list(when.candidates), "problem": when.problem}


def _read(line: Line, anchor: Anchor, opens: time, closes: time) -> _Reading:
    found, rest = find_days(line, anchor)
    times, rest = find_times(rest, dated=bool(found))
    days = tuple(_wanted_days(line, found))
    parts = tuple(
        dict.fromkeys(t.name for t, kind in zip(rest.tokens, rest.kinds, strict=True) if kind == "P")
    )
    return _Reading(line, days, tuple(_wanted_times(line, times)), parts, anchor, opens, closes)


def _wanted_days(line: Line, days: list[DayMention]) -> list[DayMention]:
    """Without the days the customer excludes, corrects, moves away from or tells about."""
    kept = [day for day in days if not _negated(line, day.start, day.end)]
    if not kept and "?" in line.text:  # "why not tomorrow?", but not "anything that isn't Friday?"
        kept = [day for day in days if not _excluded(line, day.start)]
    kept = [day for day in kept if day.problem != "past"] or kept[-1:]
    exact = [day for day in kept if not day.options]
    kept = exact or kept
    if len(kept) > 1 and _corrected(line, kept[0].end, kept[-1].start):
        kept = kept[-1:]
    if len(kept) == 2 and kept[0].day and kept[1].day and _ranged(line, kept[0], kept[1]):
        return [replace(kept[0], last=kept[1].day, end=kept[1].end)]
    unique: dict[tuple[object, ...], DayMention] = {}
    for day in kept:
        unique.setdefault((day.day, day.moment, day.options, day.problem), day)
    return list(unique.values())


def _wanted_times(line: Line, times: list[TimeMention]) -> list[TimeMention]:
    kept = [mention for mention in times if not _negated(line, mention.start, mention.end)] or times
    if len(kept) > 1 and _corrected(line, kept[0].end, kept[-1].start):
        return kept[-1:]
    unique = {(mention.first, mention.last, mention.bound): mention for mention in reversed(kept)}
    return sorted(unique.values(), key=lambda mention: mention.start)


def _negated(line: Line, start: int, end: int) -> bool:
    """ "Not tomorrow", or with the negation behind: "mañana no, …", "domani non posso"."""
    before = line.kinds[:start].rstrip("LlfGAKT")
    if before.endswith("n") or line.kinds[end:].startswith(("n,", "n.")):
        return True
    refused = line.kinds[end : end + 1] == "n" and " " in line.tokens[end].text
    return refused and line.kinds[end + 1 : end + 2] in ("", ",", ".", "w", "v")


def _excluded(line: Line, start: int) -> bool:
    """Whether a day is left out in so many words, which a question does not turn round."""
    return _LEFT_OUT.search(fold(line.text[: line.tokens[start].start])) is not None


def _corrected(line: Line, first_end: int, last_start: int) -> bool:
    """A word of moving anywhere before the last mention, or of correction between the two."""
    return "v" in line.kinds[:last_start] and "r" not in line.kinds[first_end:last_start]


def _ranged(line: Line, first: DayMention, second: DayMention) -> bool:
    between = line.kinds[first.end : second.start]
    return (
        bool(re.fullmatch("[KAs-][Ll]?|L", between))
        and first.start > 0
        and line.kinds[first.start - 1] in "fG"
    )


def _together(reading: _Reading) -> When:
    days, times = reading.days, reading.times
    span = _span(reading)
    broken = next((day.problem for day in days if day.problem), None)
    if broken:
        return When(span=span, problem=broken)
    if any(mention.impossible for mention in times):
        return When(span=span, problem="impossible_time")
    if not days and not times:
        return _part_alone(reading, span)
    if len(days) <= 1 and len(times) <= 1 and not (days and days[0].options):
        return replace(_single(reading, days[0] if days else None, times[0] if times else None), span=span)
    return _several(reading, span)


def _single(reading: _Reading, day: DayMention | None, mention: TimeMention | None) -> When:
    if day is None and mention is not None:
        return _next_time(reading, mention)
    if day is None or day.day is None:
        return When()
    if day.moment is not None and mention is None:
        return When(_iso(day.moment), day.moment, date=day.day)
    if mention is None:
        return _day_alone(reading, day, day.day)
    return _at(reading, day, day.day, mention)


def _day_alone(reading: _Reading, mention: DayMention, day: date) -> When:
    part = mention.part or reading.only_part()
    parts = [mention.part] if mention.part else list(reading.parts)
    if len(parts) > 1:
        return When(date=day, candidates=tuple(f"{day}~{name}" for name in parts))
    if part and day == reading.anchor.today and reading.anchor.now.time() >= _part_ends()[part]:
        return When(date=day, part=part, problem="past")
    also = tuple(f"{other}~{part or 'day'}" for other in mention.also)
    value = f"{day}~{part or 'day'}"
    end = local(mention.last, time(0), reading.anchor.now) if mention.last else None
    return When(value, None, end, day, part or "day", (value, *also) if also else ())


def _at(reading: _Reading, mention: DayMention, day: date, said: TimeMention) -> When:
    part = mention.part or reading.only_part()
    now = reading.anchor.now
    options = _moments(reading, day, said, part)
    future = [m for m in options if m > now or _goes_on(reading, said, m)]
    if not future and day == reading.anchor.today and not said.first.fixed and not (said.first.part or part):
        evening = [m for m in _other_half(reading, day, said) if m > now]
        future = evening
    closing = _closing(reading, day, min(options).time() if options else time(0))
    if said.bound == "after" and closing > now and not any(m < closing for m in future):
        future = [max(options)]  # "today after three" at four: what is left of the opening day
    if not future:
        return When(date=day, problem="past")
    others = [m for other in mention.also for m in _moments(reading, other, said, part)[:1]]
    return _timed(reading, said, future, others)


def _goes_on(reading: _Reading, said: TimeMention, start: datetime) -> bool:
    """Whether a span has begun and is not over: "today from nine to twelve" at ten."""
    end = _range_end(reading, said, start) if said.last is not None else None
    return end is not None and end > reading.anchor.now


def _other_half(reading: _Reading, day: date, said: TimeMention) -> list[datetime]:
    """The afternoon hour of "today at 8" once eight in the morning is past."""
    if said.first.hour >= 12:
        return []
    later_clock = replace(said.first, hour=said.first.hour + 12, fixed=True)
    return _moments(reading, day, replace(said, first=later_clock), None)


def _moments(reading: _Reading, day: date, said: TimeMention, part: str | None) -> list[datetime]:
    return [
        local(day + timedelta(days=shift), clock, reading.anchor.now)
        for clock, shift in readings(said.first, part, reading.opens, reading.closes)
    ]


def _next_time(reading: _Reading, said: TimeMention) -> When:
    """An hour without a day: its next occurrence, today or tomorrow."""
    now, today, part = reading.anchor.now, reading.anchor.today, reading.only_part()
    both = _moments(reading, today, said, part) + _moments(reading, today + timedelta(days=1), said, part)
    return _timed(reading, said, [moment for moment in both if moment > now][:1], [])


def _timed(reading: _Reading, said: TimeMention, options: list[datetime], others: list[datetime]) -> When:
    start = options[0]
    alternatives = tuple(dict.fromkeys(_iso(moment) for moment in (*options, *others)))
    candidates = alternatives if len(alternatives) > 1 else ()
    day = start.date()
    if said.bound == "before":
        part = "morning" if start.time() <= time(13) and start.time() > time(0) else "day"
        opening = local(day, reading.opens, start)
        return When(f"{day}~{part}", opening if opening < start else None, start, day, part)
    end = None
    if said.bound == "after":
        closing = _closing(reading, day, start.time())
        end = closing if closing > start else None
    elif said.last is not None:
        end = _range_end(reading, said, start)
    return When(_iso(start), start, end, day, None, candidates)


def _closing(reading: _Reading, day: date, clock: time) -> datetime:
    """When a business closes that is open at a time of a day; perhaps after midnight."""
    tonight = reading.closes <= reading.opens and clock >= reading.closes
    return local(day + timedelta(days=int(tonight)), reading.closes, reading.anchor.now)


def _range_end(reading: _Reading, said: TimeMention, start: datetime) -> datetime | None:
    if said.last is None:
        return None
    ends = _moments(reading, start.date(), replace(said, first=said.last), said.first.part)
    if not said.last.fixed and said.last.hour < 12:
        ends += _moments(
            reading,
            start.date(),
            replace(said, first=replace(said.last, hour=said.last.hour + 12, fixed=True)),
            None,
        )
    late = local(start.date() + timedelta(days=1), time(said.last.hour % 24, said.last.minute), start)
    if late <= _closing(reading, start.date(), start.time()):
        ends.append(late)  # "dalle 22 alle 2" where it is open so late
    return next((end for end in ends if end > start), None)


def _several(reading: _Reading, span: str) -> When:
    """Two days or two hours: candidates to ask about, in the order they were said."""
    values: list[str] = []
    for day, mention in _pairs(reading):
        dates: tuple[date | None, ...] = (
            day.options if day is not None and day.options else (day.day if day else None,)
        )
        for one in dates:
            bare = replace(day, day=one, options=()) if day is not None else None
            when = _single(reading, bare, mention)
            values += [when.value] if when.value else list(when.candidates)
    unique = tuple(dict.fromkeys(values))
    return When(None, candidates=unique, span=span, problem=None if unique else "past")


def _pairs(reading: _Reading) -> list[tuple[DayMention | None, TimeMention | None]]:
    days, times = reading.days, reading.times
    if len(days) == len(times):
        return list(zip(days, times, strict=True))
    if not times:
        return [(day, None) for day in days]
    if not days:
        return [(None, mention) for mention in times]
    return [(day, mention) for day in days for mention in times]


def _part_alone(reading: _Reading, span: str) -> When:
    part = reading.only_part()
    if part is None:
        return When()
    today = reading.anchor.today
    first = today if reading.anchor.now.time() < _part_ends()[part] else today + timedelta(days=1)
    return When(part=part, candidates=(f"{first}~{part}", f"{first + timedelta(days=1)}~{part}"), span=span)


@cache
def _part_ends() -> dict[str, time]:
    return {
        "morning": time(12), "lunch": time(15), "afternoon": time(19), "evening": time(23, 30),
        "night": time(23, 59), "day": time.max,
    }  # fmt: skip


def _span(reading: _Reading) -> str:
    mentions: list[DayMention | TimeMention] = [*reading.days, *reading.times]
    tokens: list[Token] = [
        t for mention in mentions for t in reading.line.tokens[mention.start : mention.end]
    ]
    tokens += [t for t in reading.line.tokens if t.kind == "P"]
    if not tokens:
        return ""
    return reading.line.text[min(t.start for t in tokens) : max(t.end for t in tokens)]


def _iso(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat(timespec="seconds")
