"""The report in the eyes of whoever opens it: everything there, nothing fetched, nothing carried out."""

import math
import re
from html.parser import HTMLParser

import lxml.etree
import pytest

from evals.compare import differences
from evals.plots import plot
from evals.report import Reported, report
from evals.result import Gate, Result, Table

EVIL = '<script>alert(1)</script><img src=https://example.com/x.png> & "quoted"'
LANGUAGES = Table(
    "by language",
    ("", "n", "right", "95 % from", "to"),
    (
        ("it", 3, 0.5, 0.2, 0.8),
        ("en", 4, 1.0, 0.9, 1.0),
        ("es", 0, math.nan, math.nan, math.nan),
        ("pt", 2, 0.0, 0.0, 0.1),
    ),
)
CALIBRATION = Table(
    "calibration of confidence",
    ("confidence", "n", "mean confidence", "right"),
    (("0.0-0.5", 4, 0.3, 0.25), ("0.5-1.0", 16, 0.9, 1.0)),
)
RESULT = Result(
    "intents",
    {"right": 0.5, "unmeasured": math.nan},
    (LANGUAGES, CALIBRATION, Table("other", ("", "n"), (("x", 1),))),
    tuple({"message": f"{EVIL} {number}", "why": "two\nlines"} for number in range(60)),
    {"model": "extractive", "prompt": "0123456789ab", "weights sha256": "ba9876543210"},
    ("intents.jsonl:7: text is missing",),
    {"right": {"a": 1.0, "b": 0.0}},
)
GATES = [Gate("right", 0.5, 0.9, None), Gate("wrong", 0.0, None, 0.1)]


class Seen(HTMLParser):
    """What a browser would make of a page: its tags, its addresses, its words."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.words = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [str(v) for name, v in attrs if name in ("src", "href", "action", "xlink:href")]

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.fixture(scope="module")
def page() -> str:
    return report([Reported(RESULT, GATES)], about={"split": "test"})


def test_nothing_is_fetched_and_nothing_runs(page: str) -> None:
    seen = Seen(page)
    assert not {"script", "img", "link", "iframe", "object"} & set(seen.tags)
    assert all(address.startswith("#") for address in seen.addresses)
    assert not re.search(r"url\(|@import", page)
    assert "default-src 'none'" in page


def test_every_failure_broken_row_gate_and_hash_is_readable(page: str) -> None:
    words = Seen(page).words
    assert [f"{EVIL} {number}" in words for number in range(60)] == [True] * 60
    assert "60 failures" in words
    assert "intents.jsonl:7: text is missing" in words
    assert "0123456789ab" in words
    assert "ba9876543210" in words
    assert "does not hold" in words
    assert "≥ 0.9" in words


def test_languages_and_calibration_are_drawn(page: str) -> None:
    assert Seen(page).tags.count("svg") == 2


def test_bars_are_as_high_as_their_shares() -> None:
    drawn = plot(LANGUAGES)
    assert drawn is not None
    bars = {
        str(bar.findtext("title")): float(str(bar.get("height")))
        for bar in lxml.etree.fromstring(drawn).iter("rect")
        if bar.find("title") is not None
    }
    # What could not be measured has no bar, and an interval is no series.
    assert set(bars) == {"it right: 0.500", "en right: 1.000", "pt right: 0.000"}
    assert bars["it right: 0.500"] == pytest.approx(bars["en right: 1.000"] / 2)
    assert bars["pt right: 0.000"] == 0


def test_a_calibration_that_is_perfect_lies_on_the_diagonal() -> None:
    table = Table("calibration", CALIBRATION.columns, (("a", 1, 0.2, 0.2), ("b", 1, 0.7, 0.7)))
    picture = lxml.etree.fromstring(plot(table) or "")
    (diagonal,) = [line for line in picture.iter("line") if line.get("stroke-dasharray")]
    x1, y1, x2, y2 = (float(str(diagonal.get(name))) for name in ("x1", "y1", "x2", "y2"))
    for dot in picture.iter("circle"):
        x, y = float(str(dot.get("cx"))), float(str(dot.get("cy")))
        assert y == pytest.approx(y1 + (x - x1) / (x2 - x1) * (y2 - y1), abs=0.2)


def test_a_comparison_shows_runs_intervals_and_moved_rows() -> None:
    before = [
        {
            "suite": "intents",
            "figures": {"right": 1.0},
            "samples": {"right": {"a": 1.0, "b": 1.0}},
            "about": {"model": "smollm2", "prompt": "0123456789ab"},
        }
    ]
    after = [{"suite": "intents", "figures": RESULT.figures, "samples": RESULT.samples}]
    found = differences(before, after)
    words = Seen(report([Reported(RESULT, GATES)], about={}, differences=found, other=before)).words
    assert "Compared with the other run" in words
    assert "-0.500" in words
    assert "smollm2" in words
    assert "1 rows answered differently" in words
