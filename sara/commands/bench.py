"""Speed and size, measured on this machine."""

import json
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from sara.bench import analytics, booking, campaign, channel, console, judgment, search, turn, voice
from sara.commands.failures import CommandFailed
from sara.commands.loop import run
from sara.settings import Settings, load


@dataclass(frozen=True)
class Bench:
    """A benchmark: `measure(settings, rounds)` gives its figures, `table` shows them to a person."""

    measure: Callable[[Settings, int], Coroutine[Any, Any, dict[str, Any]]]
    table: Callable[[Mapping[str, Any]], str]
    rounds: int


BENCHES = {
    "booking": Bench(booking.measure, booking.table, 60),
    "turn": Bench(turn.measure, turn.table, 60),
    "search": Bench(search.measure, search.table, 200),
    "voice": Bench(voice.measure, voice.table, 10),
    "channel": Bench(channel.measure, channel.table, 10),
    "campaign": Bench(campaign.measure, campaign.table, 5000),
    "campaign-bad": Bench(campaign.measure_bad, campaign.table, 10_000),
    "console": Bench(console.measure, console.table, 20),
    "judgment": Bench(judgment.measure, judgment.table, 300),
    "analytics": Bench(analytics.measure, analytics.table, 20),
}


def bench(
    names: Annotated[
        list[str] | None, typer.Argument(help=f"any of {', '.join(BENCHES)}; all when none is named")
    ] = None,
    rounds: Annotated[
        int | None, typer.Option(min=5, help="what is measured so many times, after a warm-up")
    ] = None,
    to_file: Annotated[Path | None, typer.Option("--json", help="write the figures here too")] = None,
) -> None:
    """Speed and size benchmarks, each in a database of its own, without a language model."""
    unknown = [name for name in names or () if name not in BENCHES]
    if unknown:
        raise typer.BadParameter(f"no benchmark {', '.join(unknown)}: there are {', '.join(BENCHES)}")
    settings, figures = load(llm="extractive", llm_fallback=None), {}
    for name in names or BENCHES:
        one = BENCHES[name]
        figures[name] = run(one.measure(settings, rounds or one.rounds), log_level="error")
        print(f"{name}\n{one.table(figures[name])}\n")
    if to_file:
        try:
            to_file.write_text(json.dumps(figures, indent=1), encoding="utf-8")
        except OSError as error:
            raise CommandFailed(f"{to_file} cannot be written: {error}") from error
