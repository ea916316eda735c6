"""Measures of quality, on plain sequences of numbers."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike

_RESAMPLES = 1000
_SEED = 20


def share(hits: Sequence[bool]) -> float:
    """The share of true values, 0..1; nan for none."""
    return float(np.mean(hits)) if len(hits) else float("nan")


def mean(values: Sequence[float]) -> float:
    """The mean; nan for none."""
    return float(np.mean(values)) if len(values) else float("nan")


def worst(values: Iterable[float], *, most: bool = False) -> float:
    """The lowest of what was measured, or the highest when `most` is worst; nan where nothing was.

    min() and max() alone would keep or lose a nan by its place.
    """
    measured = [value for value in values if not math.isnan(value)]
    return (max if most else min)(measured, default=float("nan"))


def interval(values: Sequence[bool] | Sequence[float]) -> tuple[float, float]:
    """The 95 % bootstrap interval of the mean (percentile method, 1000 resamples, fixed seed)."""
    if not len(values):
        return float("nan"), float("nan")
    given = np.asarray(values, dtype=float)
    random = np.random.default_rng(_SEED)
    means = given[random.integers(0, len(given), (_RESAMPLES, len(given)))].mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)


def sampled(rows: Iterable[tuple[str, bool | float]]) -> dict[str, float]:
    """Values by row. A row that comes twice keeps both, told apart by a count, so that none is lost."""
    values: dict[str, float] = {}
    times: Counter[str] = Counter()
    for name, value in rows:
        times[name] += 1
        values[name if times[name] == 1 else f"{name} ({times[name]})"] = float(value)
    return values


def auc(positive: ArrayLike, negative: ArrayLike) -> float:
    """Area under the ROC curve: the chance that a positive scores over a negative, ties counting half.

    The Mann-Whitney U statistic over the number of pairs; nan when a side is empty.
    """
    high, low = np.asarray(positive, dtype=float), np.asarray(negative, dtype=float)
    if not high.size or not low.size:
        return float("nan")
    over = (high[:, None] > low[None, :]).sum()
    equal = (high[:, None] == low[None, :]).sum()
    return float((over + 0.5 * equal) / (high.size * low.size))


def logistic(scores: ArrayLike, answers: Sequence[bool]) -> tuple[float, float]:
    """Slope and offset of the logistic curve that makes scores probabilities, by Newton's method.

    Both classes count the same, whatever their numbers. nan for a class without rows.
    """
    x, y = np.asarray(scores, dtype=float), np.asarray(answers, dtype=float)
    if not 0 < y.sum() < len(y):
        return float("nan"), float("nan")
    weight = np.where(y == 1, 0.5 / y.sum(), 0.5 / (1 - y).sum())
    design = np.stack([x, np.ones_like(x)], axis=1)
    beta = np.zeros(2)
    for _ in range(50):
        p = 1 / (1 + np.exp(-design @ beta))
        hessian = (design * (weight * p * (1 - p))[:, None]).T @ design + 1e-9 * np.eye(2)
        beta = beta + np.linalg.solve(hessian, design.T @ (weight * (y - p)))
    return float(beta[0]), float(beta[1])


def reciprocal_rank(found: Sequence[str], wanted: Sequence[str]) -> float:
    """1 / the place of the first wanted one among those found, counted from 1; 0 when none is."""
    return next((1 / place for place, name in enumerate(found, 1) if name in wanted), 0.0)
