"""Features: one layout for training and for a turn, the same on every machine."""

import numpy as np

from inference.features import EMBEDDING, Features
from inference.lexicon import Words
from inference.ngrams import BUCKETS, hashed, pieces, runs


def test_pieces_and_runs() -> None:
    assert list(pieces(["si"])) == [" s", "si", "i ", " si", "si ", " si "]
    assert list(runs(["a", "b", "c"])) == ["a", "b", "c", "a b", "b c", "a b c"]


def test_buckets_never_change() -> None:
    """They are the columns of trained weights."""
    found, words = hashed("Sí!")
    assert found.tolist() == hashed("si")[0].tolist()
    assert words.tolist() == [24886]
    assert 0 <= found.min() <= found.max() < BUCKETS


def test_the_vector_is_what_training_saw() -> None:
    features = Features.load()
    text = "prendo l'eliquis, posso fare la sauna?"
    words = features.spotter.find(text)
    embedding = np.arange(EMBEDDING, dtype=np.float32)
    vector = features.vector(text, embedding, words)
    columns, values = features.sparse(text, words)
    assert vector.shape == (features.size,)
    assert np.array_equal(vector[:EMBEDDING], embedding)
    assert np.array_equal(np.flatnonzero(vector[EMBEDDING:]), np.sort(columns))
    assert np.array_equal(vector[EMBEDDING + columns], values)
    assert len(set(columns.tolist())) == len(columns)


def test_nothing_to_read_is_nothing() -> None:
    columns, _ = Features.load().sparse("", Words((), {}))
    assert columns.size == 0
