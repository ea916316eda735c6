"""Hours: from "half past three" or "tra le 3 e le 5" to clock readings, and the business reading of an"
" hour."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import time
from functools import cache

from inference.when_lexer import Line, Token

_CORE = "[NCd]"
_MINUTES = "(?:J[iN]?R|JH|JNh?|S[iN]?R|SN)"
_TIME = (
    "(?:A?[iN]?Rk?[sAcb]l?N|A?[iN]?[HR][Vc]N|A?N[Vc]N|A?HN|A?N[sb]N"
    f"|[Als]?[Al]?(?:NN(?![xhNUM$])|{_CORE}{_MINUTES}|{_CORE})h?k?)a?P?"
)


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day as said. `fixed` when morning or afternoon is not in doubt.

    `day_shift` is 1 for midnight at the end of the day that is named.
    """

    hour: int
    minute: int
    fixed: bool = False
    part: str | None = None
    day_shift: int = 0


@dataclass(frozen=True, slots=True)
class TimeMention:
    """One hour, or a range of hours, and the tokens [start, end) that say so.

    `bound` is "after" or "before" for open ranges. `impossible` for hours no clock shows.
    """

    start: int
    end: int
    first: Clock
    last: Clock | None = None
    bound: str = ""
    impossible: bool = False


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    a, b = f"(?P<a>{_TIME})", f"(?P<b>{_TIME})"
    return (
        ("range", re.compile(f"[BF][Al]?{a}J{b}")),
        ("range", re.compile(f"[fG]{a}[KAsL-]{b}")),
        ("weak", re.compile(f"{a}[-K]{b}")),
        ("weak", re.compile(r"(?P<a>N)[-s](?P<b>[NC]h?a?P?)")),
        ("before", re.compile(f"b[Al]?{a}")),
        ("after", re.compile(f"(?:[cf]|(?<![HRN])V)l?{a}")),
        ("one", re.compile(a)),
    )


def find_times(line: Line, *, dated: bool) -> tuple[list[TimeMention], Line]:
    """Every time of day in the line, and the line without them.

    `dated`: the message names a day, so that a lone "15" or "10-12" beside it is an hour.
    """
    found: list[TimeMention] = []
    for sort, pattern in _patterns():
        for match in pattern.finditer(line.kinds):
            mention = _mention(line, sort, match, dated)
            if mention is not None and "_" not in line.kinds[mention.start : mention.end]:
                found.append(mention)
                line = line.consume(mention.start, mention.end)
    return sorted(found, key=lambda mention: mention.start), line


def _mention(  # noqa: PLR0911 - each return is one thing a number can be
    line: Line, sort: str, match: re.Match[str], dated: bool
) -> TimeMention | None:
    start, end = match.span()
    if line.kinds[end : end + 1] in ("x", "$", "U", "M"):
        return None
    a = _read(line, *match.span("a"))
    if sort in ("range", "weak"):
        b = _read(line, *match.span("b"))
        return _range(line, sort, (start, end), a, b, dated)
    if a is None:
        return None
    strength = _strength(line, match.span("a"), dated)
    if sort in ("before", "after"):
        from_hour = line.tokens[start].text.endswith(("dalle", "dalle ore", "desde las", "desde as"))
        if strength == 0 and line.kinds[start] in "fV" and not from_hour:
            return None
        if line.kinds[match.start("a") : end] == "N" and line.tokens[start].text.endswith(" de"):
            return None  # "después de 2 sesiones"
        return TimeMention(start, end, a, bound=sort, impossible=_impossible(a))
    if strength == 0 or (strength == 1 and _impossible(a)):
        return None
    return TimeMention(start, end, a, impossible=_impossible(a))


def _range(
    line: Line, sort: str, span: tuple[int, int], a: Clock | None, b: Clock | None, dated: bool
) -> TimeMention | None:
    if a is None or b is None:
        return None
    kinds = line.kinds[span[0] : span[1]]
    if sort == "weak" and kinds[1:2] == "s" and not line.tokens[span[0]].text.isdigit():
        return None  # "ten to eleven"
    if "h" in kinds and line.language in ("it", "en"):
        return None  # "tra 2 e 3 ore" is a length
    if sort == "weak" and not (set(kinds) & set("ACPak")) and not (dated and a.hour < b.hour <= 24):
        return None
    if sort == "range" and "G" in kinds[:1] and not dated and not (set(kinds) & set("ACPakh")):
        return None
    a, b = _share(a, b)
    return TimeMention(*span, a, b, impossible=_impossible(a) or _impossible(b))


def _share(a: Clock, b: Clock) -> tuple[Clock, Clock]:
    """Let "3-5pm" and "dalle 3 alle 5 di pomeriggio" lend the afternoon to the first hour."""
    if a.fixed or a.part:
        return a, b
    if b.part:
        return replace(a, part=b.part), b
    if b.fixed and b.hour > 12 and a.hour < 12 and a.hour + 12 < b.hour and a.hour <= 7:
        return replace(a, hour=a.hour + 12, fixed=True), b
    return a, b


def _impossible(clock: Clock) -> bool:
    return clock.hour > 24 or clock.minute > 59 or (clock.hour == 24 and clock.minute > 0)


def _strength(line: Line, span: tuple[int, int], dated: bool) -> int:  # noqa: PLR0911 - one shape each
    """2: surely an hour; 1: an hour if it can be one; 0: just a number."""
    kinds, tokens = line.kinds[span[0] : span[1]], line.tokens[span[0] : span[1]]
    following = line.tokens[span[1]] if span[1] < len(line.tokens) else None
    if any(token.kind == "C" and token.name == "h" for token in tokens) and kinds[0] not in "Al":
        preceded = line.kinds[span[0] - 1 : span[0]] if span[0] else ""
        return 2 if tokens[0].n >= 6 and preceded != "G" else int(dated)
    if kinds[0] == "A" or "C" in kinds or (kinds[0] == "s" and kinds != "s"):
        return 2 if not (kinds[0] == "s" and kinds == "sN" and line.language == "en") else int(dated)
    if kinds[0] == "l":
        return 0 if following and _counted(following, line.language) else 2
    if "k" in kinds or "a" in kinds or re.search("[HRV]|N[sb]N", kinds):
        return 2 if not ("h" in kinds and "H" in kinds) else 0
    if kinds.endswith("P") and line.tokens[span[1] - 1].m:
        return 2
    if "d" in kinds:
        return 1 if tokens[-1].m in (0, 15, 30, 45) or dated else 0
    if kinds == "NJN" and tokens[2].n in (15, 30, 45):
        return int(dated)
    if kinds == "Nh" and line.language in ("es", "pt"):
        return 1 if tokens[0].n >= 7 and tokens[1].name == "hour" else 0
    return _bare(line, span, dated)


def _bare(line: Line, span: tuple[int, int], dated: bool) -> int:
    """A lone number is an hour only right after a day ("domani 15") with nothing counted behind it."""
    if line.kinds[span[0] : span[1]] != "N" or not dated:
        return 0
    if span[0] == 0:
        return int(line.kinds[1:3] == "L_" and line.language == "en")  # "2 on Monday"
    behind = line.kinds[span[0] - 1]
    ahead = line.kinds[span[1] : span[1] + 1]
    return 1 if behind == "_" and ahead in ("", ".", ",", "_") else 0


def _counted(token: Token, language: str) -> bool:
    """Whether the word after "le 3" or "as 3" is a plural noun rather than the rest of the sentence."""
    if (
        token.kind != "w"
        or len(token.text) < 5
        or token.text in ("vanno", "sarebbe", "sarebbero", "grazie", "gracias")
    ):
        return False
    plural = "e" if language == "it" else "s"
    return token.text.endswith(plural) and not token.text.endswith("amos")


def _read(line: Line, start: int, end: int) -> Clock | None:
    tokens = list(line.tokens[start:end])
    part = None
    if tokens and tokens[-1].kind == "P":
        part = tokens.pop().name
    meridiem = ""
    if tokens and tokens[-1].kind == "a":
        meridiem = tokens.pop().name
    clock = _spoken(tokens, line.language)
    if clock is None:
        return None
    if meridiem:
        clock = _meridiem(clock, meridiem)
    return replace(clock, part=part or clock.part)


def _meridiem(clock: Clock, meridiem: str) -> Clock:
    hour = clock.hour
    if meridiem == "pm" and hour < 12:
        hour += 12
    if meridiem == "am" and hour == 12:
        hour = 0
    return replace(clock, hour=hour, fixed=True)


def _spoken(tokens: list[Token], language: str) -> Clock | None:  # noqa: PLR0911 - one shape each
    while tokens and (tokens[0].kind in "Al" or (tokens[0].kind == "s" and len(tokens) > 1)):
        tokens = tokens[1:]
    tokens = [token for token in tokens if token.kind not in "kh"]
    kinds = "".join(token.kind for token in tokens)
    if re.fullmatch("[iN]?R[sAcb]l?N", kinds):
        return _minus(tokens[-1].n, 15)
    if re.fullmatch("[iN]?[HR][Vc]N", kinds):
        return Clock(tokens[-1].n, 30 if "H" in kinds else 15)
    if kinds == "NVN" or (kinds == "NcN" and language == "en"):
        return Clock(tokens[2].n, tokens[0].n) if tokens[0].n < 30 else None
    if kinds == "HN":
        return Clock(tokens[1].n, 30) if language == "en" else None
    if kinds in ("NsN", "NbN"):
        spoken_minutes = tokens[0].n in (5, 10, 20, 25) and not tokens[0].text.isdigit()
        if not (
            spoken_minutes or (language == "pt" and tokens[0].n in (5, 10, 15, 20, 25) and kinds == "NsN")
        ):
            return None
        return _minus(tokens[2].n, tokens[0].n)
    return _hour_and_minutes(tokens, kinds)


def _minus(hour: int, minutes: int) -> Clock | None:
    return Clock(hour - 1 if hour > 1 else 12, 60 - minutes) if 0 < hour <= 24 else None


def _hour_and_minutes(tokens: list[Token], kinds: str) -> Clock | None:  # noqa: PLR0911 - one shape each
    core, rest = tokens[0] if tokens else None, kinds[1:]
    if core is None or core.kind not in "NCd":
        return None
    clock = Clock(core.n, core.m, fixed=core.n == 0 or core.n > 12 or _padded(core))
    if core.name in ("am", "pm"):
        return _meridiem(clock, core.name)
    if core.name == "midnight":
        return Clock(0, 0, fixed=True, day_shift=1)
    if core.name == "noon":
        clock = replace(clock, fixed=True)
    if not rest:
        return clock
    last = tokens[-1]
    if rest in ("N", "JN"):
        return replace(clock, minute=last.n) if last.n < 60 and (rest == "JN" or last.n >= 10) else None
    if rest.startswith("J"):
        quarters = tokens[2].n if len(tokens) == 4 and tokens[2].kind == "N" else 1
        return replace(clock, minute=30 if last.kind == "H" else 15 * quarters)
    earlier = (
        _minus(core.n, 15 if last.kind == "R" else last.n) if last.kind == "R" or 0 < last.n < 60 else None
    )
    return earlier and replace(earlier, fixed=clock.fixed and core.n != 12)


def _padded(token: Token) -> bool:
    return token.kind in "CdN" and token.text[:1] == "0" and len(token.text) > 1


def readings(clock: Clock, part: str | None, opens: time, closes: time) -> Iterator[tuple[time, int]]:
    """Possible times of day with a shift in days, the likeliest first.

    An hour said without morning or afternoon is read inside opening hours; outside of them, 1 to 6 are
    afternoon hours and the others morning hours. At most two readings.
    """
    part = clock.part or part
    hour, minute = clock.hour, clock.minute
    if hour == 24 or clock.day_shift:
        yield time(0, 0), 1
    elif clock.fixed or hour == 0 or hour > 12:
        yield time(hour, minute), 0
    elif hour == 12 and part == "night":
        yield time(0, minute), 1
    elif hour == 12:
        yield time(12, minute), 0
    elif part is not None:
        yield time(_hour_in_part(hour, part), minute), 0
    else:
        options = [time(hour, minute), time(hour + 12, minute)]
        options.sort(key=lambda t: (not _open(t, opens, closes), (t.hour > 12) != (hour < 7)))
        inside = [t for t in options if _open(t, opens, closes)]
        yield from ((t, 0) for t in (inside or options[:1]))


def _hour_in_part(hour: int, part: str) -> int:
    if part == "morning" or (part == "lunch" and hour >= 11) or (part == "night" and hour < 6):
        return hour
    return hour + 12


def _open(moment: time, opens: time, closes: time) -> bool:
    if closes <= opens:
        return moment >= opens or moment < closes
    return opens <= moment < closes
