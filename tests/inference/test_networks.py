"""Networks beside the linear head: learnt alike twice, read back as written, refused when damaged."""

from pathlib import Path

import numpy as np
import pytest

from inference.errors import ModelMissing, WeightsCorrupt
from inference.networks import Networks
from inference.train_networks import COUNT, fit_networks


def ring(count: int = 600) -> tuple[np.ndarray, np.ndarray]:
    """Points in three rings around one another: no plane parts them."""
    points = np.random.default_rng(3).normal(size=(count, 2)).astype(np.float32)
    return points, np.array(["inner", "middle", "outer"])[np.digitize((points**2).sum(axis=1), (0.8, 2.6))]


def test_they_learn_what_no_plane_can() -> None:
    points, labels = ring()
    votes = fit_networks(points[:400], labels[:400]).logits(points[400:])
    assert votes.shape == (200, 3)
    guessed = np.array(["inner", "middle", "outer"])[votes.argmax(axis=1)]
    assert (guessed == labels[400:]).mean() > 0.8


def test_one_message_and_many_are_judged_alike() -> None:
    points, labels = ring(200)
    networks = fit_networks(points, labels)
    assert np.allclose(networks.logits(points)[7], networks.logits(points[7]), atol=1e-5)
    assert len(networks.into) == COUNT


def test_fitting_is_deterministic_and_survives_the_file(tmp_path: Path) -> None:
    points, labels = ring(200)
    first, again = fit_networks(points, labels), fit_networks(points, labels)
    assert np.array_equal(first.into, again.into)
    first.save(tmp_path / "n.npz")
    assert np.allclose(
        Networks.load(tmp_path / "n.npz").logits(points), first.logits(points), rtol=0.02, atol=0.02
    )


def test_a_damaged_file_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "n.npz"
    with pytest.raises(ModelMissing, match=r"inference\.train"):
        Networks.load(path)
    path.write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(WeightsCorrupt, match="unreadable"):
        Networks.load(path)
    np.savez(
        path,
        into=np.zeros((2, 3, 4)),
        hidden=np.zeros((2, 5)),
        out=np.zeros((2, 4, 2)),
        bias=np.zeros((2, 2)),
    )
    with pytest.raises(WeightsCorrupt, match="inconsistent"):
        Networks.load(path)
