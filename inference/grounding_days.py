"""Days and their hours: "Monday to Thursday 9:00-17:30, Friday 9:00-16:30" has two groups."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from inference.claims import Fact
from inference.grounding_rows import Clause, Parsed, agree

DAYS = frozenset(f"#{day}" for day in range(7))
"""The days of the week among the stems of a clause."""
_OPEN = "#open"


@dataclass(frozen=True)
class Hours:
    """The hours of some days ("0" Monday to "6"); no days where none are named."""

    days: frozenset[str]
    hours: tuple[Fact, ...]


def groups(found: Iterable[Fact]) -> Iterator[Hours]:
    """The hours of a sentence with their days, whichever of the two it names first."""
    told = sorted((f for f in found if f.kind in ("weekday", "hour")), key=lambda f: (f.start, f.end))
    first = told[0].kind if told else ""
    days: set[str] = set()
    hours: list[Fact] = []
    for before, fact in zip([None, *told], told, strict=False):
        if before is not None and fact.kind == first != before.kind:
            yield Hours(frozenset(days), tuple(hours))
            days, hours = set(), []
        if fact.kind == "hour":
            hours.append(fact)
        else:
            days |= fact.values
    if told:
        yield Hours(frozenset(days), tuple(hours))


def of_other_days(fact: Fact, found: Sequence[Fact], sources: Sequence[Parsed]) -> bool:
    """Whether the sources have other hours for the days a sentence names beside this one, and this one for
    other days alone."""
    beside = next((one.days for one in groups(found) if fact in one.hours), frozenset())
    if not beside:
        return False
    told = [one for parsed in sources for row in parsed.rows for one in groups(row.facts) if one.hours]
    theirs = [one for one in told if beside <= one.days]
    held = [one for one in told if any(agree(fact, hour) for hour in one.hours)]
    return bool(theirs) and bool(held) and all(one.days and not beside & one.days for one in held)


def opened_otherwise(said: Iterable[Clause], sources: Sequence[Parsed]) -> bool:
    """Whether a clause calls a day closed that the sources only call open, or the other way round."""
    told = [own for parsed in sources for own in parsed.clauses if _OPEN in own.stems]
    for clause in said:
        if _OPEN not in clause.stems or clause.limited:
            continue
        for day in clause.stems & DAYS:
            verdicts = {own.affirms for own in told if day in own.stems}
            if verdicts == {not clause.affirms}:
                return True
    return False


def opened_on_a_date(said: Iterable[Clause], dates: Iterable[str], sources: Sequence[Parsed]) -> bool:
    """The same of a day of the year, "MM-DD", that a sentence names anywhere: "open, yes: on 28 December"."""
    told = [own for parsed in sources for own in parsed.clauses if _OPEN in own.stems]
    verdicts = [{own.affirms for own in told if on in own.dates} for on in dates]
    return any(
        {not clause.affirms} in verdicts for clause in said if _OPEN in clause.stems and not clause.limited
    )
