"""Small neural networks on a message's embedding, whose votes are added to a linear head's.

A linear head draws one plane through the embeddings for all four languages; the networks bend it. They err on
other messages than the head does, so the sum of both is better than either (`inference.train`).
"""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.errors import ModelMissing, WeightsCorrupt


@dataclass(frozen=True)
class Networks:
    """`n` networks of one hidden layer: `into` (n, d, h), `hidden` (n, h), `out` (n, h, k), `bias` (n, k)."""

    into: NDArray[np.float32]
    hidden: NDArray[np.float32]
    out: NDArray[np.float32]
    bias: NDArray[np.float32]

    @classmethod
    def load(cls, path: Path) -> "Networks":
        """Read weights written by `inference.train`. Raises ModelMissing or WeightsCorrupt."""
        try:
            with np.load(path, allow_pickle=False) as file:
                read = cls(*(file[name].astype(np.float32) for name in ("into", "hidden", "out", "bias")))
        except FileNotFoundError as failure:
            raise ModelMissing(f"no weights at {path}: run `python -m inference.train`") from failure
        except (ValueError, KeyError, OSError, EOFError, TypeError, zipfile.BadZipFile) as failure:
            raise WeightsCorrupt(f"{path} is unreadable: run `python -m inference.train`") from failure
        if (read.into.ndim, read.out.ndim) != (3, 3) or (
            read.hidden.shape != (len(read.into), read.into.shape[2])
            or read.out.shape[:2] != read.hidden.shape
            or read.bias.shape != (len(read.into), read.out.shape[2])
        ):
            raise WeightsCorrupt(f"{path} has inconsistent shapes: run `python -m inference.train`")
        return read

    def save(self, path: Path) -> None:
        """Write them at half precision: a logit moves by less than a thousandth."""
        np.savez_compressed(
            path,
            into=self.into.astype(np.float16),
            hidden=self.hidden,
            out=self.out.astype(np.float16),
            bias=self.bias,
        )

    def logits(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """The mean of the networks' logits for embeddings (…, d); shape (…, k)."""
        flat = vectors.reshape(-1, vectors.shape[-1])
        inner = np.maximum(flat @ self.into + self.hidden[:, None, :], 0)  # (n, rows, h)
        votes = (inner @ self.out + self.bias[:, None, :]).mean(axis=0)
        return np.asarray(votes.reshape(*vectors.shape[:-1], -1), dtype=np.float32)
