"""Quality, measured on evaluation rows."""

import json
from collections.abc import Callable, Coroutine
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from evals.result import Result, shown
from sara import evaluation, evaluation_grounding, evaluation_injection, evaluation_sensitivity
from sara.commands.failures import CommandFailed
from sara.commands.loop import run
from sara.settings import Settings, load

Suite = Callable[[Settings, Path | None, str | None], Coroutine[Any, Any, Result]]

SUITES: dict[str, Suite] = {
    "retrieval": evaluation.retrieval,
    "sensitivity": evaluation_sensitivity.sensitivity,
    "grounding": evaluation_grounding.grounding,
    "injection": evaluation_injection.injection,
}


def evaluate(
    names: Annotated[
        list[str] | None, typer.Argument(help=f"any of {', '.join(SUITES)}; all when none is named")
    ] = None,
    dataset: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="other rows, for one suite")
    ] = None,
    split: Annotated[
        str, typer.Option(help="rows of this split: test, dev (what thresholds were chosen on) or all")
    ] = "test",
    model: Annotated[
        str, typer.Option(help="under attack in injection: smollm2, or a model written like SARA_LLM")
    ] = "extractive",
    to_file: Annotated[Path | None, typer.Option("--json", help="write figures and misses here")] = None,
) -> None:
    """Quality suites; exits 1 when a gate of evals/gates.yaml does not hold."""
    unknown = [name for name in names or () if name not in SUITES]
    if unknown:
        raise typer.BadParameter(f"no suite {', '.join(unknown)}: there are {', '.join(SUITES)}")
    if dataset and len(names or ()) != 1:
        raise typer.BadParameter("--dataset goes with the name of one suite")
    settings, results, fell = load(llm=model, llm_fallback=None), [], []
    for name in names or SUITES:
        result = run(SUITES[name](settings, dataset, None if split == "all" else split), log_level="error")
        gates = result.gates()
        print(shown(result, gates) + "\n")
        results.append({**asdict(result), "gates": [{**asdict(gate), "holds": gate.holds} for gate in gates]})
        fell += [f"{name} {gate.figure}" for gate in gates if not gate.holds]
    if to_file:
        _write(to_file, results)
    if fell:
        raise CommandFailed(f"gates that do not hold: {', '.join(fell)}")


def _write(path: Path, results: list[dict[str, Any]]) -> None:
    try:
        path.write_text(json.dumps(results, ensure_ascii=False, indent=1), encoding="utf-8")
    except OSError as error:
        raise CommandFailed(f"{path} cannot be written: {error}") from error
