"""Speed and size, measured on this machine."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from sara.bench import (
    analytics,
    booking,
    campaign,
    channel,
    console,
    flat,
    judgment,
    load,
    prefix,
    search,
    start,
    turn,
    voice,
)
from sara.bench.document import document
from sara.bench.machine import commit, load_average, machine
from sara.bench.processes import NotStarted
from sara.bench.result import Measured, NoReport, Report, read, written
from sara.bench.suite import Bench, Order, each, measured
from sara.commands.failures import CommandFailed
from sara.commands.loop import run
from sara.settings import load as load_settings

# In the order in which all of them run: what many look at first, what takes longest last.
BENCHES = {
    "turn": Bench(turn.measure, turn.table, 60, 30),
    "load": Bench(load.measure, load.table, 30, 10),
    "start": Bench(start.measure, start.table, 5, 3),
    "channel": Bench(channel.measure, channel.table, 10, 5),
    "booking": Bench(booking.measure, booking.table, 60, 20),
    "judgment": Bench(judgment.measure, judgment.table, 300, 100),
    "search": Bench(search.measure, search.table, 200, 60),
    "voice": Bench(voice.measure, voice.table, 10, 5),
    "prefix": Bench(prefix.measure, prefix.table, 12, 12),
    "console": Bench(console.measure, console.table, 20, 10),
    "campaign": Bench(campaign.measure, campaign.table, 5000, 1000),
    "campaign-bad": Bench(campaign.measure_bad, campaign.table, 10_000, 1000),
    "analytics": Bench(analytics.measure, analytics.table, 20, 5),
    "flat": Bench(flat.measure, flat.table, flat.ROUNDS, 10),
}
MINUTES, QUICK_MINUTES = 40, 15


def bench(
    names: Annotated[
        list[str] | None, typer.Argument(help=f"any of {', '.join(BENCHES)}; all when none is named")
    ] = None,
    rounds: Annotated[
        int | None, typer.Option(min=5, help="what is measured so many times, after a warm-up")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="fewer rounds of each")] = False,
    minutes: Annotated[
        int | None,
        typer.Option(min=1, help=f"for all of them; {MINUTES}, or {QUICK_MINUTES} when quick, if not said"),
    ] = None,
    to_file: Annotated[Path | None, typer.Option("--json", help="write the figures here too")] = None,
    report: Annotated[
        Path | None, typer.Option("--report", help="measure nothing: make a document of this file's figures")
    ] = None,
    document_to: Annotated[
        Path | None, typer.Option("--to", help="where --report writes it; standard output when not said")
    ] = None,
) -> None:
    """Speed and size benchmarks, each in a database of its own, without a language model."""
    if report is not None:
        try:
            words = document(read(report))
        except NoReport as error:
            raise CommandFailed(str(error)) from error
        if document_to is not None:
            _write(document_to, words)
        else:
            print(words, end="")
        return
    unknown = [name for name in names or () if name not in BENCHES]
    if unknown:
        raise typer.BadParameter(f"no benchmark {', '.join(unknown)}: there are {', '.join(BENCHES)}")
    orders = [Order(name, rounds or BENCHES[name].times(quick=quick)) for name in names or BENCHES]
    within = minutes or (QUICK_MINUTES if quick else MINUTES)
    before, code, began, done = load_average(), commit(), datetime.now(UTC), list[Measured]()
    for one in [_here(orders[0])] if len(orders) == 1 else each(orders, within_s=60 * within):
        done.append(one)
        if one.failed:
            print(f"{one.name}\nfailed: {one.failed}\n", flush=True)
        if to_file:  # after each of them, so that an interrupted run leaves what it has
            kept = Report(
                commit=code,
                when=began.isoformat(timespec="seconds"),
                quick=quick,
                machine=machine(load_before=before),
                benches=tuple(done),
            )
            _write(to_file, written(kept))
    _conclude(done)


def _here(order: Order) -> Measured:
    one, began = BENCHES[order.name], time.monotonic()
    settings = load_settings(llm="extractive", llm_fallback=None)
    try:
        found = run(one.measure(settings, order.rounds), log_level="error")
    except NotStarted as error:
        raise CommandFailed(f"{order.name}: {error}") from error
    print(f"{order.name}\n{one.table(found)}\n", flush=True)
    return measured(order, found, time.monotonic() - began)


def _conclude(done: Sequence[Measured]) -> None:
    """What misses its target. Raises CommandFailed when a benchmark has no figures."""
    for one in done:
        for figure in one.figures:
            if figure.targets and not figure.holds:
                state = "not measured" if figure.holds is None else "missed"
                print(f"{state}: {one.name}, {figure.name}")
    failed = [one.name for one in done if one.failed]
    if failed:
        raise CommandFailed(f"{len(failed)} of {len(done)} benchmarks failed: {', '.join(failed)}")


def _write(path: Path, words: str) -> None:
    try:
        path.write_text(words, encoding="utf-8")
    except OSError as error:
        raise CommandFailed(f"{path} cannot be written: {error}") from error
