"""Quality, measured on evaluation rows."""

import json
import math
import sys
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from evals.compare import compared, differences, read_run
from evals.report import Reported, report
from evals.result import Result, lines, shown
from sara import (
    evaluation,
    evaluation_corrections,
    evaluation_dates,
    evaluation_grounding,
    evaluation_injection,
    evaluation_intents,
    evaluation_journeys,
    evaluation_sensitivity,
    evaluation_voice,
)
from sara.commands.evaluate_upload import Uploads
from sara.commands.failures import CommandFailed, look
from sara.commands.loop import run
from sara.evaluation_stamp import stamped
from sara.settings import Settings, load

Suite = Callable[[Settings, Path | None, str | None], Coroutine[Any, Any, Result]]

SUITES: dict[str, Suite] = {
    "retrieval": evaluation.retrieval,
    "sensitivity": evaluation_sensitivity.sensitivity,
    "grounding": evaluation_grounding.grounding,
    "injection": evaluation_injection.injection,
    "voice": evaluation_voice.voice,
    "dates": evaluation_dates.dates,
    "intents": evaluation_intents.intents,
    "journeys": evaluation_journeys.journeys,
    "corrections": evaluation_corrections.corrections,
}
OF_THE_RECORD = ("corrections",)  # on what is kept here: only when it is named


def evaluate(
    names: Annotated[
        list[str] | None, typer.Argument(help=f"any of {', '.join(SUITES)}; all when none is named")
    ] = None,
    dataset: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="other rows, for one suite")
    ] = None,
    split: Annotated[
        Literal["test", "dev", "all"],
        typer.Option(help="rows of this split: test, dev (what thresholds were chosen on) or all"),
    ] = "test",
    model: Annotated[
        str,
        typer.Option(
            help="under attack in injection, speaking in journeys: smollm2, or one written like SARA_LLM"
        ),
    ] = "extractive",
    to_file: Annotated[Path | None, typer.Option("--json", help="write figures and misses here")] = None,
    html: Annotated[Path | None, typer.Option(help="write a self-contained report here")] = None,
    langsmith: Annotated[
        bool, typer.Option("--langsmith", help="also send rows and results to LangSmith, masked")
    ] = False,
    compare: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="a run written with --json, to compare this one with"),
    ] = None,
) -> None:
    """Quality suites; exits 1 when a gate of evals/gates.yaml does not hold."""
    unknown = [name for name in names or () if name not in SUITES]
    if unknown:
        raise typer.BadParameter(f"no suite {', '.join(unknown)}: there are {', '.join(SUITES)}")
    if dataset and len(names or ()) != 1:
        raise typer.BadParameter("--dataset goes with the name of one suite")
    for file in filter(None, (to_file, html)):
        look(file)
    other = read_run(compare) if compare else []
    settings, suites = load(llm=model, llm_fallback=None), []
    uploads = Uploads.opened() if langsmith else None
    for name in names or [name for name in SUITES if name not in OF_THE_RECORD]:
        began = datetime.now(UTC)
        ran = run(SUITES[name](settings, dataset, None if split == "all" else split), log_level="error")
        result = stamped(ran, settings)
        suites.append(Reported(result, result.gates()))
        if to_file:  # whatever may happen to what is printed, or in the next suite
            _write_run(to_file, [_plain(suite) for suite in suites])
        _say(shown(result, suites[-1].gates) + "\n")
        if uploads:
            print(uploads.send(settings, suites[-1], began, of_record=name in OF_THE_RECORD and not dataset))
    results = [_plain(suite) for suite in suites]
    found = differences(other, results)
    if found:
        _say("\n".join(["== compared with the other run", *lines(compared(found))]) + "\n")
    if html:
        about = {"suites": ", ".join(s.result.suite for s in suites), "split": split, "model": model}
        _write(html, report(suites, about=about, differences=found, other=other))
    fell = [f"{s.result.suite} {gate.figure}" for s in suites for gate in s.gates if not gate.holds]
    if fell:
        raise CommandFailed(f"gates that do not hold: {', '.join(fell)}")


def _plain(suite: Reported) -> dict[str, Any]:
    gates = [{**asdict(gate), "holds": gate.holds} for gate in suite.gates]
    # Without the rows themselves, which may hold anything.
    result = asdict(replace(suite.result, played={}))
    del result["played"]
    return {**result, "gates": gates}


def _say(text: str) -> None:
    """Prints it. Half an emoji, as a cut text leaves it, no terminal takes: it is shown as its escape."""
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding))


def _write_run(path: Path, results: list[dict[str, Any]]) -> None:
    _write(path, json.dumps(_measured(results), ensure_ascii=False, indent=1, allow_nan=False))


def _measured(value: Any) -> Any:
    """With null for what could not be measured: JSON knows no NaN."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _measured(one) for name, one in value.items()}
    return [_measured(one) for one in value] if isinstance(value, list | tuple) else value


def _write(path: Path, content: str) -> None:
    """Raises CommandFailed. Half an emoji becomes its escape, which is JSON's too."""
    try:
        path.write_text(content, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise CommandFailed(f"{path} cannot be written: {error}") from error
