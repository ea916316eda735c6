"""Are voice notes understood in every language, and is whatever cannot be understood said to be so?

Rows: {file, text, language, kind?, noise?, voice?, split?, make?}. `file` is absolute or relative to their
folder. `kind` "note" holds `text` spoken in `language`; every other kind is junk, and none of it may come
back `ok`. Without a kind, a row with text in a language of the product is a note. `make` names a way of
evals.suites.voice_made to make the bytes out of the file, for notes too large to keep.

Whatever the verdict, what Whisper wrote counts against what was said; a note that was rejected has lost all
its words. Word error rates are pooled: errors of all notes over words of all notes.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

from evals.dataset import DATASETS, Dataset, read
from evals.measures import mean, sampled, share
from evals.result import Result, Table, played
from evals.suites.voice_made import MADE
from evals.wer import Errors, errors, pooled
from inference.codes import base_code
from inference.language import LANGUAGES
from inference.speech import Transcript

DATASET = DATASETS / "voice.jsonl"
FIELDS = {"file": str}
CLEAN = "none"
_CONFIDENCES = (0.0, 0.3, 0.45, 0.55, 0.64, 0.7, 0.75, 0.8, 0.85, 0.9, 1.01)
Cell = str | float | int


@dataclass(frozen=True)
class Heard:
    """A row with what was heard in it."""

    row: Mapping[str, Any]
    found: Transcript

    @property
    def language(self) -> str:
        """The language it is spoken in, as "pt"; "" for what is no speech."""
        return base_language(self.row)

    @property
    def junk(self) -> bool:
        """Whether it must not come back `ok`."""
        return is_junk(self.row)

    @property
    def kind(self) -> str:
        """What it is."""
        return str(self.row.get("kind") or ("junk" if self.junk else "note"))

    @property
    def clean(self) -> bool:
        """A note without noise; rows that say nothing of noise are taken to be clean."""
        return str(self.row.get("noise") or CLEAN) == CLEAN

    @cached_property
    def errors(self) -> Errors:
        """Words misheard of words said."""
        return errors(str(self.row["text"]), self.found.text, self.language)

    @property
    def right_language(self) -> bool:
        """Whether the language was found."""
        return self.found.language == self.language


def base_language(row: Mapping[str, Any]) -> str:
    """ "pt" for a row in "pt-BR"."""
    return base_code(str(row.get("language") or ""))


def is_junk(row: Mapping[str, Any]) -> bool:
    """Whether the row must not come back `ok`."""
    if row.get("kind"):
        return str(row["kind"]).casefold() != "note"
    return not row.get("text") or base_language(row) not in LANGUAGES


def load(path: Path = DATASET) -> Dataset:
    """The rows; one whose file is not there, or a note without words or language, is broken.

    Raises DatasetMissing.
    """

    def ready(row: dict[str, Any]) -> dict[str, Any]:
        if wrong := _wrong(row, path.parent):
            raise ValueError(f"{row['file']!r:.80}: {wrong}")
        return row

    return read(path, FIELDS, ready)


def _wrong(row: Mapping[str, Any], folder: Path) -> str | None:
    try:
        there = (folder / row["file"]).is_file()
    except OSError as error:
        return str(error.strerror)
    if not there:
        return "no such file"
    if row.get("make") and (not isinstance(row["make"], str) or row["make"] not in MADE):
        return f"no way to make {row['make']!r:.80}: there are {', '.join(MADE)}"
    if not is_junk(row):
        if not isinstance(row.get("text"), str) or not row["text"].strip():
            return "a note without text"
        if base_language(row) not in LANGUAGES:
            return f"a note in {row.get('language')!r}, which is not one of {', '.join(LANGUAGES)}"
    return None


def rows(dataset: Dataset, split: str | None = None) -> list[dict[str, Any]]:
    """The rows of a split; all for None."""
    return dataset.of_split(split)


def audio(dataset: Dataset, row: Mapping[str, Any]) -> bytes:
    """The bytes of a row, as a customer would send them. Raises OSError."""
    content = (dataset.path.parent / row["file"]).read_bytes()
    return MADE[row["make"]](content) if row.get("make") else content


def judge(heard: Sequence[Heard]) -> Result:
    """The figures, the tables and every file that went wrong, the worst first."""
    notes = [one for one in heard if not one.junk]
    junk = [one for one in heard if one.junk]
    return Result(
        suite="voice",
        figures=_figures(notes, junk),
        tables=(
            _by("language, without noise", [one for one in notes if one.clean], lambda one: one.language),
            _by("language, in noise", [one for one in notes if not one.clean], lambda one: one.language),
            _by("noise", notes, lambda one: str(one.row.get("noise") or CLEAN)),
            _verdicts(notes),
            _calibration(notes),
            _junk(junk),
        ),
        failures=tuple(_failures(notes, junk)),
        about={"notes": len(notes), "minutes": round(_minutes(notes), 1), "junk files": len(junk)},
        samples={
            "language": sampled((str(one.row["file"]), one.right_language) for one in notes),
            "understood_clean": sampled(
                (str(one.row["file"]), one.found.status == "ok") for one in notes if one.clean
            ),
            "understood_noisy": sampled(
                (str(one.row["file"]), one.found.status == "ok") for one in notes if not one.clean
            ),
        },
        played=played(
            (
                (
                    str(one.row["file"]),
                    one.row,
                    {"text": one.found.text, "language": one.found.language, "status": one.found.status},
                )
                for one in heard
            ),
            ("text", "language"),
        ),
    )


def _minutes(heard: Iterable[Heard]) -> float:
    return sum(one.found.duration_s for one in heard) / 60


def _rate(some: Iterable[Heard]) -> float:
    return pooled([one.errors for one in some])


def _ok(some: Iterable[Heard]) -> float:
    return share([one.found.status == "ok" for one in some])


def _right(some: Iterable[Heard]) -> float:
    return share([one.right_language for one in some])


def _figures(notes: Sequence[Heard], junk: Sequence[Heard]) -> dict[str, float]:
    """Worst figures are over the languages that the rows have."""
    spoken = [code for code in LANGUAGES if any(one.language == code for one in notes)]
    clean = {code: [one for one in notes if one.clean and one.language == code] for code in spoken}
    clean = {code: some for code, some in clean.items() if some}
    noisy = [one for one in notes if not one.clean]
    each = {code: [one for one in notes if one.language == code] for code in spoken}
    statuses = [one.found.status for one in junk]
    trusted = [one for one in notes if one.found.status == "ok"]
    nan = float("nan")
    return {
        **{f"wer_clean_{code}": _rate(some) for code, some in clean.items()},
        "wer_clean": _rate([one for one in notes if one.clean]),
        "wer_clean_worst_language": max((_rate(some) for some in clean.values()), default=nan),
        "wer_noisy": _rate(noisy),
        **{f"language_{code}": _right(some) for code, some in each.items()},
        "language": _right(notes),
        "language_worst": min((_right(some) for some in each.values()), default=nan),
        "understood_clean": _ok([one for one in notes if one.clean]),
        "understood_noisy": _ok(noisy),
        "wer_ok": _rate(trusted),
        "wer_ok_not_low": _rate([one for one in trusted if not one.found.low]),
        "wer_ok_low": _rate([one for one in trusted if one.found.low]),
        "wer_unclear": _rate([one for one in notes if one.found.status == "unclear"]),
        "junk_ok": statuses.count("ok"),
        "junk_unclear": share([status == "unclear" for status in statuses]),
        "junk_rejected": share([status == "rejected" for status in statuses]),
        "seconds_per_note": mean([one.found.seconds for one in notes]),
    }


def _by(title: str, notes: Sequence[Heard], key: Callable[[Heard], str]) -> Table:
    groups = {name: [one for one in notes if key(one) == name] for name in sorted({key(o) for o in notes})}
    groups["all"] = list(notes)
    columns = (
        "",
        "notes",
        "words",
        "wer",
        "language",
        "ok",
        "of these low",
        "unclear",
        "rejected",
        "wer of ok",
    )
    return Table(f"by {title}", columns, tuple(_line(name, some) for name, some in groups.items()))


def _line(name: str, some: Sequence[Heard]) -> tuple[Cell, ...]:
    trusted = [one for one in some if one.found.status == "ok"]
    counts = [sum(one.found.status == status for one in some) for status in ("unclear", "rejected")]
    low = sum(one.found.low for one in trusted)
    words = sum(one.errors.said for one in some)
    return (name, len(some), words, _rate(some), _right(some), _ok(some), low, *counts, _rate(trusted))


def _verdicts(notes: Sequence[Heard]) -> Table:
    """A verdict is worth something when what it trusts is right and what it does not is wrong."""
    groups = {
        "ok": [one for one in notes if one.found.status == "ok" and not one.found.low],
        "ok, low: echoed first": [one for one in notes if one.found.status == "ok" and one.found.low],
        "unclear": [one for one in notes if one.found.status == "unclear"],
        "rejected": [one for one in notes if one.found.status == "rejected"],
    }
    lines = tuple(
        (name, len(some), _rate(some), share([one.errors.wrong == 0 for one in some]))
        for name, some in groups.items()
    )
    return Table("verdicts on notes", ("", "notes", "wer", "without error"), lines)


def _calibration(notes: Sequence[Heard]) -> Table:
    """Confidence against the share of words that are right (1 - wer)."""
    lines: list[tuple[Cell, ...]] = []
    told = [one for one in notes if one.found.text]
    for low, high in pairwise(_CONFIDENCES):
        inside = [one for one in told if low <= one.found.confidence < high]
        if inside:
            sure = mean([one.found.confidence for one in inside])
            lines.append((f"{low:.2f}-{min(high, 1):.2f}", len(inside), sure, 1 - _rate(inside)))
    columns = ("confidence", "notes", "mean confidence", "words right")
    return Table("calibration of confidence", columns, tuple(lines))


def _junk(junk: Sequence[Heard]) -> Table:
    lines: list[tuple[Cell, ...]] = []
    for kind in sorted({one.kind for one in junk}):
        found = [one.found for one in junk if one.kind == kind]
        statuses = [one.status for one in found]
        reasons = ", ".join(sorted({one.reason for one in found if one.reason}))
        counts = [statuses.count(status) for status in ("rejected", "unclear", "ok")]
        lines.append((kind, len(found), *counts, reasons))
    return Table("junk by kind", ("", "files", "rejected", "unclear", "ok", "reasons"), tuple(lines))


def _failures(notes: Sequence[Heard], junk: Sequence[Heard]) -> list[dict[str, Any]]:
    """Junk taken for a message, then notes with an error, in the wrong language or not understood."""
    missed = [one for one in notes if one.errors.wrong or not one.right_language or one.found.status != "ok"]
    worst = sorted(missed, key=lambda one: (one.right_language, -one.errors.rate))
    taken = [one for one in junk if one.found.status == "ok"]
    return [_failure(one) for one in (*taken, *worst)]


def _failure(one: Heard) -> dict[str, Any]:
    wer = "junk" if one.junk else f"wer {one.errors.rate:.2f}"
    return {
        "file": one.row["file"],
        "wer": wer,
        "verdict": one.found.status + (f" {one.found.reason}" if one.found.reason else ""),
        "language": f"{one.language or '-'} heard as {one.found.language or '-'}",
        "confidence": f"{one.found.confidence:.2f}",
        "said": one.row.get("text") or "",
        "heard": one.found.text,
    }
