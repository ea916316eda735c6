import json
import math
from pathlib import Path

import pytest

from evals.compare import Difference, RunUnreadable, compared, differences, moved, read_run
from evals.measures import sampled


def run(
    suite: str, figures: dict[str, float], samples: dict[str, dict[str, float]]
) -> list[dict[str, object]]:
    return [{"suite": suite, "figures": figures, "samples": samples}]


def rows(right: int, of: int) -> dict[str, float]:
    return {f"row {number}": float(number < right) for number in range(of)}


def test_a_difference_over_many_rows_is_beyond_chance_and_over_few_is_not() -> None:
    before = run("intents", {"right": 0.9}, {"right": rows(180, 200)})
    after = run("intents", {"right": 0.8}, {"right": rows(160, 200)})
    (found,) = differences(before, after)
    assert found.change == pytest.approx(-0.1)
    assert found.low < -0.1 < found.high < 0
    assert found.beyond_chance
    assert (len(found.fell), found.rose, found.rows) == (20, (), 200)

    (few,) = differences(
        run("intents", {"right": 1.0}, {"right": rows(10, 10)}),
        run("intents", {"right": 0.9}, {"right": rows(9, 10)}),
    )
    assert few.high == 0.0
    assert not few.beyond_chance


def test_only_rows_of_both_runs_are_compared() -> None:
    before = run("s", {"right": 1.0}, {"right": {"a": 1.0, "gone": 0.0}})
    after = run("s", {"right": 0.5}, {"right": {"a": 0.0, "new": 1.0}})
    (found,) = differences(before, after)
    assert (found.rows, found.fell) == (1, ("a",))


def test_a_run_without_rows_is_compared_by_its_figures() -> None:
    (found,) = differences([{"suite": "s", "figures": {"auc": 0.8}}], run("s", {"auc": 0.9, "new": 1.0}, {}))
    assert found.change == pytest.approx(0.1)
    assert math.isnan(found.low)
    assert not found.beyond_chance
    assert compared([found]).rows[0][-1] == "-"


def test_what_could_not_be_measured_is_compared_with_nothing() -> None:
    before = [{"suite": "s", "figures": {"right": None}, "samples": {"right": {"a": None, "b": 1.0}}}]
    for one, other in (
        (before, run("s", {"right": 1.0}, {"right": {"a": 1.0, "b": 1.0}})),
        (run("s", {"right": 1.0}, {"right": {"a": 1.0, "b": 1.0}}), before),
    ):
        (found,) = differences(one, other)
        assert math.isnan(found.change)
        assert found.rows == 1
        assert not found.beyond_chance


def test_what_is_beyond_chance_comes_first_and_moved_rows_are_named() -> None:
    calm = Difference("s", "a", 0.5, 0.5, 0.0, 0.0, 4)
    fell = Difference("s", "b", 0.9, 0.5, -0.6, -0.2, 4, fell=("x",), rose=("y",))
    assert [row[0] for row in compared([calm, fell]).rows] == ["s b", "s a"]
    assert moved([calm, fell]) == [
        {"figure": "s b", "moved": "down", "row": "x"},
        {"figure": "s b", "moved": "up", "row": "y"},
    ]


def test_another_suite_is_not_compared() -> None:
    assert differences(run("a", {"right": 1.0}, {}), run("b", {"right": 1.0}, {})) == []


def test_a_row_that_comes_twice_keeps_both_values() -> None:
    assert sampled([("a", True), ("a", False), ("b", 0.5)]) == {"a": 1.0, "a (2)": 0.0, "b": 0.5}


@pytest.mark.parametrize("content", ["", "{}", "[1]", '[{"figures": {}}]'])
def test_what_is_no_run_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "run.json"
    path.write_text(content)
    with pytest.raises(RunUnreadable, match=r"run\.json"):
        read_run(path)


def test_a_run_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text(json.dumps(run("s", {"auc": math.nan}, {})))
    (suite,) = read_run(path)
    assert suite["suite"] == "s"
    assert math.isnan(suite["figures"]["auc"])
