"""The judge's trees, grown by scikit-learn; called by `inference.train_grounding`."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from inference.grounding_features import Instances
from inference.grounding_trees import Trees, overview

# Chosen out of fold among four.
RECIPE: dict[str, Any] = {
    "max_iter": 400,
    "learning_rate": 0.05,
    "max_leaf_nodes": 15,
    "min_samples_leaf": 30,
    "l2_regularization": 5.0,
    "max_features": 0.1,
    "random_state": 0,
}


def grown(rows: Sequence[Instances], labels: NDArray[np.float32]) -> Trees:
    """Trees grown on answers of which 1 are lies; deterministic."""
    model = HistGradientBoostingClassifier(**RECIPE).fit(np.stack([overview(one) for one in rows]), labels)
    # No public way leads to the nodes (scikit-learn's TreePredictor).
    nodes = [each[0].nodes for each in model._predictors]
    first = np.cumsum([0, *(len(some) for some in nodes[:-1])])
    every = np.concatenate(nodes)
    offset = np.repeat(first, [len(some) for some in nodes])
    leaf, itself = every["is_leaf"].astype(bool), np.arange(len(every))
    return Trees(
        roots=first.astype(np.int32),
        column=np.where(leaf, 0, every["feature_idx"]).astype(np.int16),
        least=np.where(leaf, 0, every["num_threshold"]).astype(np.float64),
        lost_left=every["missing_go_to_left"].astype(bool),
        left=np.where(leaf, itself, every["left"] + offset).astype(np.int32),
        right=np.where(leaf, itself, every["right"] + offset).astype(np.int32),
        value=np.where(leaf, every["value"], 0).astype(np.float32),
        base=float(np.ravel(model._baseline_prediction)[0]),
    )
