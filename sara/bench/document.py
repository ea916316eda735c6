"""A run of benchmarks as a document: every figure, what it is wanted to be, what misses it."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from babel.dates import format_datetime

from sara.bench.result import Figure, Measured, Report, Target

_HEAD = ("figure", "median or value", "p95", "p99", "times", "wanted", "ratio", "")
_BUSY = 0.5  # of its cores: such a machine was not left to the benchmark


def document(report: Report) -> str:
    """The whole document in Markdown. The same report gives the same words."""
    return (
        "\n\n".join([*_preamble(report), *(part for one in report.benches for part in _section(one))]) + "\n"
    )


def _preamble(report: Report) -> Iterator[str]:
    machine = report.machine
    yield "# Performance"
    yield (
        "Written by `sara bench --report docs/performance.json --to docs/performance.md`, from what "
        f"`sara bench{' --quick' if report.quick else ''} --json docs/performance.json` measured: run both "
        "again instead of editing this. What counts are the ratios; milliseconds are those of one machine."
    )
    when = format_datetime(datetime.fromisoformat(report.when), "d MMMM y, HH:mm", locale="en")
    yield _table(
        ("", "the machine"),
        [
            ("processor", f"{machine.processor}, {machine.cores} cores, {machine.ram_gb:g} GB"),
            ("software", f"{machine.system}, Python {machine.python}, PostgreSQL {machine.postgresql}"),
            ("load average", f"{machine.load_before:g} before, {machine.load_after:g} after"),
            ("measured", f"{when} UTC, at commit {report.commit}"),
        ],
    )
    if machine.load_before > _BUSY * machine.cores:
        yield "**Others were using the machine when the run began: times are longer than they need to be.**"
    if report.quick:
        yield "**A quick run: fewer rounds, so that high percentiles rest on few values.**"
    yield from _verdict(report)


def _verdict(report: Report) -> Iterator[str]:
    aims = [
        (one, figure, target) for one in report.benches for figure in one.figures for target in figure.targets
    ]
    met = sum(target.holds is True for _, _, target in aims)
    yield "## Targets"
    yield f"{met} of {len(aims)} targets hold."
    rows = [
        (f"[{one.name}](#{one.name})", figure.name, _measured(figure, target), _limit(figure, target))
        for one, figure, target in aims
        if target.holds is not True
    ]
    rows += [
        (f"[{one.name}](#{one.name})", "all of it", one.failed, "") for one in report.benches if one.failed
    ]
    if rows:
        yield "What misses its target, or was not measured:"
        yield _table(("benchmark", "figure", "measured", "wanted"), rows)


def _section(one: Measured) -> Iterator[str]:
    yield f"## {one.name}"
    if one.about:
        yield one.about
    yield f"```bash\n{one.command}    # {one.seconds:.0f} s\n```"
    if one.failed:
        yield f"**Failed:** {one.failed}"
    if one.skipped:
        yield f"**Left out:** {one.skipped}"
    if one.figures:
        yield _table(_HEAD, [_row(figure) for figure in one.figures])


def _row(figure: Figure) -> tuple[str, ...]:
    middle = figure.median if figure.median is not None else figure.value
    return (
        figure.name,
        _with_unit(middle, figure.unit),
        _number(figure.p95),
        _number(figure.p99),
        "" if figure.n is None else str(figure.n),
        "; ".join(_limit(figure, target) for target in figure.targets),
        f"{figure.ratio:g} × {figure.ratio_to}" if figure.ratio is not None else "",
        _status(figure),
    )


def _status(figure: Figure) -> str:
    if not figure.targets:
        return ""
    return {True: "holds", False: "**missed**", None: "**not measured**"}[figure.holds]


def _measured(figure: Figure, target: Target) -> str:
    value: float | None = getattr(figure, target.of)
    if value is None:
        return "not measured"
    return f"{value:g} × {figure.ratio_to}" if target.of == "ratio" else _with_unit(value, figure.unit)


def _limit(figure: Figure, target: Target) -> str:
    op, of = {"<=": "≤", ">=": "≥"}[target.op], {"value": "", "ratio": ""}.get(target.of, f"{target.of} ")
    if target.of == "ratio":
        return f"{op} {target.limit:g} × {figure.ratio_to or 'the baseline'}"
    return f"{of}{op} {_with_unit(target.limit, figure.unit)}"


def _with_unit(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    return f"{_number(value)} a second" if unit == "1/s" else f"{_number(value)} {unit}".rstrip()


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}".replace(",", " ") if abs(value) >= 1000 else f"{value:.4g}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
