"""Plots and sheets: drawn and written by themselves, without a database."""

import csv
import io
import xml.etree.ElementTree as ET
from datetime import date, timedelta

import pytest

from api.console import plots
from api.console.plots import Words, ticks
from api.console.sheets import cell, sheet
from crm.measures import change

NASTY = '<script>alert(1)</script> & "co"'


def words(title: str = "Conversations") -> Words:
    return Words(
        key="plot-x",
        title=title,
        description="up and down",
        amount=lambda value: f"{value:g} things",
        tick=lambda value: f"{value:g}",
        day=lambda day: day.isoformat(),
        short_day=lambda day: f"{day.day}.{day.month}.",
    )


def drawn(text: str | None) -> ET.Element:
    assert text is not None
    return ET.fromstring(str(text))


def days(*values: float | None) -> list[plots.Point]:
    return [(date(2026, 10, 20) + timedelta(days=at), value) for at, value in enumerate(values)]


def test_a_line_has_its_words_its_gaps_and_what_is_published() -> None:
    picture = drawn(plots.line(days(1, 2, None, 4, None, 3, 5), "count", words(), 4.5))
    assert [picture.find(name).text for name in ("title", "desc")] == ["Conversations", "up and down"]
    assert picture.get("aria-labelledby") == "plot-x-title plot-x-desc"
    runs = [one.get("points").split() for one in picture.iter("polyline")]
    assert [len(run) for run in runs] == [2, 2]  # the day between two gaps is a dot by itself
    dots = [one.find("title").text for one in picture.iter("circle")]
    assert dots == [f"2026-10-{day}: {n} things" for day, n in ((20, 1), (21, 2), (23, 4), (25, 3), (26, 5))]
    [published] = [one for one in picture.iter("line") if one.get("class") == "published"]
    heights = {one.find("title").text: float(one.get("cy")) for one in picture.iter("circle")}
    assert heights["2026-10-26: 5 things"] < float(published.get("y1")) < heights["2026-10-23: 4 things"]


def test_points_are_where_their_values_are() -> None:
    picture = drawn(plots.line(days(0, 10, 5), "count", words()))
    low, high, middle = [float(one.get("cy")) for one in picture.iter("circle")]
    assert middle == pytest.approx((low + high) / 2)
    assert low > high
    across = [float(one.get("cx")) for one in picture.iter("circle")]
    assert across[1] == pytest.approx((across[0] + across[2]) / 2)


@pytest.mark.parametrize("values", [(), (None,), (None, None)])
def test_nothing_measured_is_not_drawn(values: tuple[float | None, ...]) -> None:
    assert plots.line(days(*values), "share", words(), 0.12) is None
    assert plots.bars([], words()) is None


def test_one_day_and_only_zeros_are_drawn() -> None:
    assert len(list(drawn(plots.line(days(7), "count", words())).iter("circle"))) == 1
    assert len(list(drawn(plots.line(days(0, 0), "count", words())).iter("circle"))) == 2


def test_names_are_no_markup() -> None:
    picture = drawn(plots.bars([(NASTY, 3), ("b", 1)], words(NASTY)))
    assert picture.find("title").text == NASTY
    assert list(picture.iter("script")) == []
    wide = [float(one.get("width")) for one in picture.iter("rect")]
    assert wide[0] == pytest.approx(3 * wide[1], rel=0.01)


@pytest.mark.parametrize("unit", ["seconds", "share", "count", "points", "tokens"])
@pytest.mark.parametrize("values", [[0], [0.004], [0.9, 0.1], [3, 17], [-35, 60], [86_399], [1e9], [4e5, 1]])
def test_ticks_hold_every_value_and_are_few(unit: str, values: list[float]) -> None:
    marks = ticks(values, unit)
    assert marks[0] <= min(0, *values)
    assert marks[-1] >= max(values)
    assert 2 <= len(marks) <= 5
    assert marks == sorted(marks)


def test_clock_ticks_are_those_of_a_clock() -> None:
    assert ticks([4000], "seconds") == [0, 1800, 3600, 5400]
    assert ticks([200], "seconds") == [0, 60, 120, 180, 240]


@pytest.mark.parametrize("text", ["=1+1", "+39", "-2", "@SUM(A1)", "\tx", "\r=1", "  =HYPERLINK(1)", "＝1"])
def test_no_text_in_a_sheet_is_a_formula(text: str) -> None:
    assert cell(text) == f"'{text}"


def test_a_sheet_holds_what_it_was_given() -> None:
    rows = [("plain, with a comma", -2.5, 3, None), ("=cmd|' /C calc'!A0", 0.1 + 0.2, 0, 'Perché?\n"ok"')]
    answer = sheet("mine", ("name", "value", "of", "said"), rows)
    assert answer.headers["content-disposition"] == 'attachment; filename="mine.csv"'
    read = list(csv.reader(io.StringIO(bytes(answer.body).decode("utf-8-sig"), newline="")))
    assert read == [
        ["name", "value", "of", "said"],
        ["plain, with a comma", "-2.5", "3", ""],
        ["'=cmd|' /C calc'!A0", "0.3", "0", 'Perché?\n"ok"'],
    ]


def test_more_is_not_always_better() -> None:
    def verdict(name: str, now: float | None, before: float | None) -> str | None:
        found = change(name, now, before)
        return found.verdict if found else None

    assert verdict("containment", 0.9, 0.8) == "better"
    assert verdict("escalation", 0.2, 0.1) == "worse"
    assert verdict("response_median", 3, 4) == "better"
    assert verdict("conversations", 3, 4) == "neither"
    assert verdict("nps", 3, 3) == "same"
    assert verdict("nps", None, 3) is verdict("nps", 3, None) is None
