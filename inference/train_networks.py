"""Fits the networks of `inference.networks`; `inference.train` calls it, it is no command of its own."""

import warnings

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from inference.networks import Networks

# Chosen with the linear head's strength, by grouped cross-validation over the training rows alone.
COUNT = 3
HIDDEN = 192
_EPOCHS = 18  # stopped early on purpose: more learns the rows by heart
_DECAY = 3.0
_STEP = 5e-4


def fit_networks(vectors: NDArray[np.float32], labels: NDArray[np.str_]) -> Networks:
    """Networks that differ in their seed alone; deterministic. Classes in sorted order."""
    mean, spread = vectors.mean(axis=0), np.maximum(vectors.std(axis=0), 1e-6)
    scaled = (vectors - mean) / spread
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = [
            MLPClassifier(
                (HIDDEN,),
                alpha=_DECAY,
                learning_rate_init=_STEP,
                batch_size=min(128, len(labels)),
                max_iter=_EPOCHS,
                random_state=seed,
            ).fit(scaled, labels)
            for seed in range(COUNT)
        ]
    into = np.stack([one.coefs_[0] / spread[:, None] for one in fitted])
    hidden = np.stack([one.intercepts_[0] - mean @ w for one, w in zip(fitted, into, strict=True)])
    out, bias = np.stack([one.coefs_[1] for one in fitted]), np.stack([one.intercepts_[1] for one in fitted])
    return Networks(*(part.astype(np.float32) for part in (into, hidden, out, bias)))
