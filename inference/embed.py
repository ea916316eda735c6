"""Sentence embeddings behind one protocol: the bundled multilingual E5, Ollama or an OpenAI-like API.

Every vector is float32 and L2-normalised, so a dot product is a cosine. A *query* is what a customer writes,
a *passage* is what a document says; E5 was trained with a different prefix for each.
"""

import asyncio
import re
import threading
from collections import OrderedDict
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar, runtime_checkable

import httpx
import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from inference.errors import BadModelOutput, InferenceError, ModelMissing, ModelUnavailable

Vector = NDArray[np.float32]
T = TypeVar("T")

# A customer's message beyond this adds cost, not meaning: E5 averages 512-token windows.
MAX_QUERY_CHARS = 4000
MAX_PASSAGE_CHARS = 20_000
_UNSAFE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")


class Embedder(Protocol):
    """Turns text into unit vectors. `name` identifies the space: vectors of two names are not comparable."""

    name: str
    dimensions: int

    async def query(self, text: str) -> Vector:
        """Embed one customer message; shape (dimensions,). Raises InferenceError."""
        ...

    async def passages(self, texts: Sequence[str]) -> Vector:
        """Embed document passages; shape (len(texts), dimensions). Raises InferenceError."""
        ...


@runtime_checkable
class InProcess(Protocol):
    """An embedder that can also be asked without an event loop."""

    def query_now(self, text: str) -> Vector:
        """As `Embedder.query`, in the caller's thread."""
        ...

    def passages_now(self, texts: Sequence[str]) -> Vector:
        """As `Embedder.passages`, in the caller's thread."""
        ...


def clean(text: str, limit: int) -> str:
    """Drop what a C string or UTF-8 cannot carry (NUL, lone surrogates) and cap the length in characters."""
    return _UNSAFE.sub(" ", text)[:limit]


def unit(rows: NDArray[np.floating[Any]]) -> Vector:
    """L2-normalise the rows of an (n, d) array; a zero row stays zero."""
    norms = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.maximum(norms, 1e-12), dtype=np.float32)


class QueryCache:
    """The vectors of the last `size` queries: the nodes of one turn all ask for the same message."""

    def __init__(self, size: int = 256) -> None:
        self._size = size
        self._vectors: OrderedDict[str, Vector] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, text: str) -> Vector | None:
        """The vector of `text`, or None when it is not among the recent ones."""
        with self._lock:
            vector = self._vectors.get(text)
            if vector is not None:
                self._vectors.move_to_end(text)
            return vector

    def put(self, text: str, vector: Vector) -> None:
        """Remember a vector, read-only because callers share it, and forget the oldest beyond the size."""
        vector.setflags(write=False)
        with self._lock:
            self._vectors[text] = vector
            self._vectors.move_to_end(text)
            while len(self._vectors) > self._size:
                self._vectors.popitem(last=False)


class _RemoteEmbedder:
    """What Ollama and OpenAI share: a LangChain client, typed errors, unit vectors, recent queries."""

    def __init__(self, name: str, dimensions: int, client: Embeddings, remedy: str) -> None:
        self.name = name
        self.dimensions = dimensions
        self._client = client
        self._remedy = remedy
        self._recent = QueryCache()

    async def query(self, text: str) -> Vector:
        """Embed one customer message; shape (dimensions,). Raises ModelUnavailable or BadModelOutput."""
        text = clean(text, MAX_QUERY_CHARS)
        known = self._recent.get(text)
        if known is not None:
            return known
        vector: Vector = self._checked([await self._guarded(self._client.aembed_query(text))], 1)[0]
        self._recent.put(text, vector)
        return vector

    async def passages(self, texts: Sequence[str]) -> Vector:
        """Embed passages; shape (n, dimensions). Raises ModelUnavailable or BadModelOutput."""
        if not texts:
            return np.empty((0, self.dimensions), dtype=np.float32)
        cleaned = [clean(text, MAX_PASSAGE_CHARS) for text in texts]
        return self._checked(await self._guarded(self._client.aembed_documents(cleaned)), len(cleaned))

    async def _guarded(self, call: Coroutine[Any, Any, T]) -> T:
        try:
            return await call
        except InferenceError:
            raise
        except (httpx.HTTPError, ConnectionError, TimeoutError) as failure:
            raise ModelUnavailable(f"{self.name} does not answer: {self._remedy}") from failure
        except Exception as failure:  # each client library raises its own types for an API refusal
            raise ModelUnavailable(f"{self.name} refused ({failure}): {self._remedy}") from failure

    def _checked(self, rows: Sequence[Sequence[float]], expected: int) -> Vector:
        try:
            vectors = np.asarray(rows, dtype=np.float32)
        except (TypeError, ValueError) as failure:
            raise BadModelOutput(f"{self.name} returned vectors of unequal length") from failure
        if vectors.shape != (expected, self.dimensions) or not np.isfinite(vectors).all():
            raise BadModelOutput(
                f"{self.name} returned shape {vectors.shape}, expected ({expected}, {self.dimensions}): "
                "name the model the knowledge base was built with"
            )
        return unit(vectors)


# Vector lengths as published on each model's card.
KNOWN_DIMENSIONS = {
    "bge-m3": 1024,
    "nomic-embed-text": 768,
    "mxbai-embed-large": 1024,
    "all-minilm": 384,
    "snowflake-arctic-embed2": 1024,
    "text-embedding-3-small": 1536,
    "text-embedding-3-large": 3072,
    "text-embedding-ada-002": 1536,
}


def _known_dimensions(model: str) -> int:
    dimensions = KNOWN_DIMENSIONS.get(model.split(":", maxsplit=1)[0])
    if dimensions is None:
        raise ModelMissing(
            f"the vector length of {model!r} is unknown: pass `dimensions`, or take one of "
            + ", ".join(sorted(KNOWN_DIMENSIONS))
        )
    return dimensions


class OllamaEmbedder(_RemoteEmbedder):
    """An embedding model served by Ollama, such as bge-m3. Raises ModelMissing for an unknown length."""

    def __init__(self, model: str, *, base_url: str, dimensions: int | None = None) -> None:
        from langchain_ollama import OllamaEmbeddings

        timeout = httpx.Timeout(60, connect=1)
        client = OllamaEmbeddings(model=model, base_url=base_url, client_kwargs={"timeout": timeout})
        super().__init__(
            f"ollama:{model}",
            dimensions or _known_dimensions(model),
            client,
            f"start Ollama at {base_url} and `ollama pull {model}`",
        )


class OpenAIEmbedder(_RemoteEmbedder):
    """An embedding model behind an OpenAI-compatible API. Raises ModelMissing for an unknown length."""

    def __init__(
        self, model: str, *, base_url: str | None, api_key: str | None, dimensions: int | None = None
    ) -> None:
        from langchain_openai import OpenAIEmbeddings
        from pydantic import SecretStr

        # Compatible servers take strings, not OpenAI's token ids; some key is mandatory in the client.
        client = OpenAIEmbeddings(
            model=model,
            openai_api_base=base_url,
            openai_api_key=SecretStr(api_key or "none"),
            check_embedding_ctx_length=base_url is None,
            request_timeout=60,
            max_retries=1,
        )
        where = base_url or "the OpenAI API"
        super().__init__(
            f"openai:{model}", dimensions or _known_dimensions(model), client, f"check {where} and its key"
        )


class LangChainEmbeddings(Embeddings):
    """An Embedder as LangChain's `Embeddings`, for PGVectorStore. Synchronous methods need no event loop."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        """Passages as lists of floats, one per text."""
        return _lists(await self._embedder.passages(texts))

    async def aembed_query(self, text: str) -> list[float]:
        """A query as a list of floats."""
        return _lists((await self._embedder.query(text))[None, :])[0]

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Passages as lists of floats, from synchronous code."""
        if isinstance(self._embedder, InProcess):
            return _lists(self._embedder.passages_now(texts))
        return _run_apart(self.aembed_documents(texts))

    def embed_query(self, text: str) -> list[float]:
        """A query as a list of floats, from synchronous code."""
        if isinstance(self._embedder, InProcess):
            return _lists(self._embedder.query_now(text)[None, :])[0]
        return _run_apart(self.aembed_query(text))


def _lists(rows: Vector) -> list[list[float]]:
    return [[float(x) for x in row] for row in rows]


def _run_apart(call: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in its own thread: the caller may be inside an event loop, not re-entrant."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, call).result()
