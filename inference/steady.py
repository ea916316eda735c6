"""An embedder that fails in one way and in time: what a turn can fall back from.

Engines hang, packages raise what they like, and a vector of NaN makes every comparison false: a message that
is embedded so would never be found sensitive.
"""

import asyncio
import time
from collections.abc import Sequence

import numpy as np

from inference.embed import Embedder, Vector
from inference.errors import BadModelOutput, InferenceError, ModelUnavailable

PATIENCE_S = 10.0  # for one message; the bundled encoders take milliseconds
_ALONE_S = 20.0  # an engine that hung is left alone for so long: each question would hold up a turn


class SteadyEmbedder:
    """The same vectors; every failure is an InferenceError, and none takes longer than `patience_s`."""

    def __init__(self, embedder: Embedder, *, patience_s: float = PATIENCE_S) -> None:
        self._embedder = embedder
        self._patience_s = patience_s
        self._alone_until = float("-inf")
        self.name = embedder.name
        self.dimensions = embedder.dimensions

    async def query(self, text: str) -> Vector:
        """As the embedder's own. Raises InferenceError."""
        if time.monotonic() < self._alone_until:
            raise ModelUnavailable(f"{self.name} did not answer a moment ago")
        try:
            async with asyncio.timeout(self._patience_s):
                vector = await self._embedder.query(text)
        except InferenceError:
            raise
        except TimeoutError as error:
            self._alone_until = time.monotonic() + _ALONE_S
            raise ModelUnavailable(f"{self.name} did not answer within {self._patience_s:g} s") from error
        except Exception as error:
            raise ModelUnavailable(f"{self.name} failed ({type(error).__name__}: {error})") from error
        return self._checked(vector, (self.dimensions,))

    async def passages(self, texts: Sequence[str]) -> Vector:
        """As the embedder's own, for as long as it takes: nobody waits. Raises InferenceError."""
        try:
            vectors = await self._embedder.passages(texts)
        except InferenceError:
            raise
        except Exception as error:
            raise ModelUnavailable(f"{self.name} failed ({type(error).__name__}: {error})") from error
        return self._checked(vectors, (len(texts), self.dimensions))

    def _checked(self, vectors: Vector, shape: tuple[int, ...]) -> Vector:
        if vectors.shape != shape or not np.isfinite(vectors).all():
            raise BadModelOutput(f"{self.name} returned no vectors of {self.dimensions} finite numbers")
        return vectors
