import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.measures import auc, interval, logistic, mean, reciprocal_rank, share

scores = st.lists(st.floats(-5, 5), min_size=1, max_size=30)


def test_auc_counts_pairs() -> None:
    assert auc([3, 2], [1, 0]) == 1
    assert auc([1], [2]) == 0
    assert auc([1, 1], [1]) == 0.5
    assert auc([2, 0], [1]) == 0.5
    assert math.isnan(auc([], [1]))


@given(scores, scores)
def test_auc_turns_round_with_the_sides(high: list[float], low: list[float]) -> None:
    assert auc(high, low) == pytest.approx(1 - auc(low, high))


def test_reciprocal_rank_is_of_the_first_wanted() -> None:
    assert reciprocal_rank(["a", "b", "c"], ["c", "b"]) == 0.5
    assert reciprocal_rank(["a"], ["b"]) == 0
    assert reciprocal_rank([], ["b"]) == 0


def test_nothing_measured_is_no_number() -> None:
    assert math.isnan(share([]))
    assert math.isnan(mean([]))
    assert all(math.isnan(edge) for edge in interval([]))


def test_the_interval_holds_the_mean_and_narrows_with_rows() -> None:
    few, many = [True, False] * 5, [True, False] * 200
    for rows in (few, many):
        low, high = interval(rows)
        assert low < 0.5 < high
    assert interval(many)[1] - interval(many)[0] < interval(few)[1] - interval(few)[0]
    assert interval(few) == interval(few)


def test_logistic_finds_the_curve_scores_came_from() -> None:
    random = np.random.default_rng(1)
    x = random.uniform(-3, 3, 20_000)
    y = random.random(x.size) < 1 / (1 + np.exp(-(2 * x)))
    slope, offset = logistic(x, list(y))
    assert slope == pytest.approx(2, abs=0.1)
    assert offset == pytest.approx(0, abs=0.1)
    assert all(math.isnan(value) for value in logistic([1.0, 2.0], [True, True]))
