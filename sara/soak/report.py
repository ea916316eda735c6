"""What a soak came to, for a terminal, as Markdown and as JSON."""

import statistics
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from crm.soak import HandedRow
from sara.bench.figures import spread
from sara.soak.checks import Finding, with_a_person
from sara.soak.evidence import Evidence
from sara.soak.gauges import MOST_GROWTH_MB_PER_MIN, Life
from sara.soak.plan import Plan


@dataclass(frozen=True)
class Minute:
    """One minute of the run: messages of customers, and seconds until SARA answered them."""

    minute: int
    written: int
    answered: int
    median_s: float | None
    p95_s: float | None


@dataclass(frozen=True)
class Report:
    """The result. `took_s` is the run without starting up, `drained_s` how long it took to come to rest;
    `broken` what was broken on purpose, and when; `troubles` what the processes' logs say."""

    plan: Plan
    began: datetime
    took_s: float
    drained_s: float | None
    findings: Sequence[Finding]
    done: Mapping[str, int]
    minutes: Sequence[Minute]
    lives: Sequence[Life]
    connections: tuple[int, int]
    database_mb: tuple[float, float]
    broken: Sequence[tuple[float, str]]
    troubles: Mapping[str, int]

    @property
    def passed(self) -> bool:
        """Whether every invariant held."""
        return not any(finding.broken for finding in self.findings)

    @property
    def drift(self) -> float | None:
        """The median reply time of the last third of the minutes over the first's; None for short runs."""
        medians = [one.median_s for one in self.minutes if one.median_s]
        third = len(medians) // 3
        if not third:
            return None
        return round(statistics.median(medians[-third:]) / statistics.median(medians[:third]), 2)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            **asdict(self),
            "began": self.began.isoformat(),
            "passed": self.passed,
            "drift": self.drift,
            "flat_is_at_most_mb_per_min": MOST_GROWTH_MB_PER_MIN,
        }


def minutes(evidence: Evidence, began: datetime) -> list[Minute]:
    """Reply times by the minute in which a message was written, without those a person had a hand in."""
    people: dict[int, list[HandedRow]] = defaultdict(list)
    for handed in evidence.handed:
        people[handed.conversation_id].append(handed)
    of_people = {
        heard.wamid
        for heard in evidence.heard
        if any(with_a_person(heard, handed) for handed in people[heard.conversation_id])
    }
    answered: dict[str, datetime] = {}
    for one in evidence.got:
        if one.answers:  # the latest of a burst: the one whose answer is waited for
            answered.setdefault(one.answers[-1], one.at)
    written: dict[int, int] = defaultdict(int)
    times: dict[int, list[float]] = defaultdict(list)
    for wamid, at in evidence.sent_at.items():
        minute = int((at - began).total_seconds() // 60)
        written[minute] += 1
        if wamid in answered and wamid not in of_people:
            times[minute].append((answered[wamid] - at).total_seconds())
    return [_minute(number, written[number], times[number]) for number in sorted(written)]


def _minute(number: int, written: int, times: Sequence[float]) -> Minute:
    found = spread(times) if times else None
    return Minute(
        number, written, len(times), found["median"] if found else None, found["p95"] if found else None
    )


def terminal(report: Report) -> str:
    """For a person at a terminal."""
    return "\n".join(_plain(line) for line in _lines(report))


def markdown(report: Report) -> str:
    """The same as a document."""
    return "\n".join(_lines(report)) + "\n"


def _plain(line: str) -> str:
    """A line of Markdown without its marks; cells of a table in columns."""
    if line.startswith("|---"):
        return ""
    if line.startswith("| "):
        first, *cells = (cell.strip() for cell in line.strip("|").split("|"))
        return f"  {first:<58}" + "".join(f"{cell:>12}" for cell in cells)
    return line.lstrip("# ")


def _lines(report: Report) -> Iterator[str]:
    plan = report.plan
    yield "# Soak: " + ("everything held" if report.passed else "NOT everything held")
    yield ""
    drained = report.drained_s
    rest = "did not come to rest" if drained is None else f"came to rest in {drained:.0f} s"
    yield (
        f"{plan.minutes:g} minutes at {plan.rate:g} messages a second, seed {plan.seed}, begun"
        f" {report.began:%Y-%m-%d %H:%M} UTC; took {report.took_s:.0f} s, {rest}."
    )
    yield from _of_findings(report.findings)
    yield from _of_lives(report)
    yield from _of_minutes(report)
    yield from _of_counts("What was done", report.done)
    yield from ("", "## What was broken on purpose", "", "| what | at second |", "|---|---|")
    yield from (f"| {what} | {at:.0f} |" for at, what in report.broken)
    yield from _of_counts("What the logs say", report.troubles)


def _of_findings(findings: Sequence[Finding]) -> Iterator[str]:
    yield from ("", "## Invariants", "", "| invariant | broken |", "|---|---|")
    for finding in findings:
        yield f"| {finding.name} | {finding.broken} |"
    for finding in findings:
        if finding.broken:
            yield ""
            yield f"{finding.name}: broken {finding.broken} times, such as"
            yield from (f"- {example}" for example in finding.examples)


def _of_lives(report: Report) -> Iterator[str]:
    yield from ("", "## Memory, MB", "")
    yield "| process | lived, s | first | last | most | MB/min |"
    yield "|---|---|---|---|---|---|"
    for life in report.lives:
        slope = "short" if life.slope is None else f"{life.slope:+.2f}"
        yield (
            f"| {life.process}, start {life.incarnation} | {life.seconds:.0f} | {life.first_mb:.0f}"
            f" | {life.last_mb:.0f} | {life.most_mb:.0f} | {slope} |"
        )
    first, last = report.database_mb
    yield f"| database with all its processes | | {first:.0f} | {last:.0f} | | |"
    most, left = report.connections
    yield f"| connections to the database: most, last | | | {left} | {most} | |"


def _of_minutes(report: Report) -> Iterator[str]:
    yield from ("", "## Reply times, seconds, gathering included", "")
    yield "| minute | written | answered | median | p95 |"
    yield "|---|---|---|---|---|"
    for one in report.minutes:
        median = "" if one.median_s is None else f"{one.median_s:.2f}"
        p95 = "" if one.p95_s is None else f"{one.p95_s:.2f}"
        yield f"| {one.minute} | {one.written} | {one.answered} | {median} | {p95} |"
    if report.drift is not None:
        yield f"| last third over first third | | | {report.drift:g} | |"


def _of_counts(title: str, counts: Mapping[str, int]) -> Iterator[str]:
    yield from ("", f"## {title}", "", "| what | how often |", "|---|---|")
    yield from (f"| {name} | {number} |" for name, number in sorted(counts.items()))
