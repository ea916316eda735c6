"""The judge's trees: what they see of an answer, and how they are read."""

from dataclasses import replace

import numpy as np
import pytest

from inference.grounding_features import ANSWER, CLAUSE, VALUE, WORD, WORD_SCALARS, Instances, instances
from inference.grounding_judge import judge
from inference.grounding_lexis import lexis
from inference.grounding_trees import WIDTH, Trees, overview

SOURCES = ["Relaxing massage: 60 minutes, 65 €. Dogs are welcome in the garden."]


def small() -> Trees:
    """Column 0 at most 1: +2, else column 1 at most 3 (or lost): -1, else +5; and a tree of one leaf."""
    return Trees(
        roots=np.array([0, 5], np.int32),
        column=np.array([0, 0, 1, 0, 0, 0], np.int16),
        least=np.array([1.0, 0, 3.0, 0, 0, 0]),
        lost_left=np.array([False, False, True, False, False, False]),
        left=np.array([1, 1, 3, 3, 4, 5], np.int32),
        right=np.array([2, 1, 4, 3, 4, 5], np.int32),
        value=np.array([0, 2, 0, -1, 5, 0.5], np.float32),
        base=-0.25,
    )


@pytest.mark.parametrize(
    ("row", "score"),
    [((1, 9), 2), ((1.5, 3), -1), ((2, 4), 5), ((np.nan, 4), 5), ((np.nan, np.nan), -1)],
)
def test_each_tree_adds_the_leaf_that_a_row_comes_to(row: tuple[float, float], score: float) -> None:
    assert small().score(np.array(row, np.float32)) == score + 0.5 - 0.25


def test_they_are_grown_as_scikit_learn_reads_them() -> None:
    from sklearn.ensemble import HistGradientBoostingClassifier

    from inference.train_trees import RECIPE, grown

    random = np.random.default_rng(1)
    rows = [
        Instances(
            random.normal(size=(n % 3, WORD)).astype(np.float32),
            random.normal(size=(n % 2, CLAUSE)).astype(np.float32),
            random.normal(size=(n % 4, VALUE)).astype(np.float32),
            random.normal(size=ANSWER).astype(np.float32),
            (),
        )
        for n in range(200)
    ]
    seen = np.stack([overview(one) for one in rows])
    labels = (seen[:, 0] > 0).astype(np.float32)
    trees = grown(rows, labels)
    theirs = HistGradientBoostingClassifier(**RECIPE).fit(seen, labels).decision_function(seen)
    assert trees.whole()
    assert np.allclose([trees.score(row) for row in seen], theirs, atol=1e-4)


def test_an_answer_without_values_has_none() -> None:
    told = instances("Dogs are welcome.", "en", SOURCES, [], lexis())
    seen = overview(told)
    assert seen.shape == (WIDTH,)
    values = seen[ANSWER + 4 * (WORD_SCALARS + CLAUSE) :][: 4 * VALUE]
    assert np.isnan(values).all()
    assert not np.isnan(seen[:ANSWER]).any()
    assert np.isfinite(judge().judge(told).score)


@pytest.mark.parametrize(
    "damage",
    [
        {"left": np.array([0, 1, 0, 3, 4, 5], np.int32)},  # leads back: would be walked for ever
        {"right": np.array([2, 1, 9, 3, 4, 5], np.int32)},
        {"column": np.array([WIDTH, 0, 1, 0, 0, 0], np.int16)},
        {"column": np.array([-1, 0, 1, 0, 0, 0], np.int16)},
        {"roots": np.array([-1], np.int32)},
        {"roots": np.empty(0, np.int32)},
        {"value": np.zeros(2, np.float32)},
        {"least": np.zeros(2)},
    ],
)
def test_damaged_nodes_are_seen(damage: dict[str, np.ndarray]) -> None:
    assert small().whole()
    assert not replace(small(), **damage).whole()
