"""Which embedder a setting names."""

from pathlib import Path

from inference.duet import DuetEmbedder
from inference.e5 import E5Embedder
from inference.embed import Embedder, OllamaEmbedder, OpenAIEmbedder
from inference.errors import ModelMissing


def build_embedder(
    spec: str,
    *,
    ollama_base_url: str,
    openai_base_url: str | None,
    openai_api_key: str | None,
    workers: int = 2,
    keep_in: Path | None = None,
) -> Embedder:
    """The embedder named by `spec`: "e5t+use", "e5t", "ollama:MODEL" or "openai:MODEL".

    `workers` texts are embedded at once by those in process; `keep_in` is the folder they lay their
    weights out in (E5Embedder, SentenceEncoder). Raises ModelMissing for any other spec.
    """
    kind, _, model = spec.partition(":")
    if kind == DuetEmbedder.name and not model:
        return DuetEmbedder(keep_in, workers=workers)
    if kind == E5Embedder.name and not model:
        return E5Embedder(keep_in, workers=workers)
    if kind == "ollama" and model:
        return OllamaEmbedder(model, base_url=ollama_base_url)
    if kind == "openai" and model:
        return OpenAIEmbedder(model, base_url=openai_base_url, api_key=openai_api_key)
    raise ModelMissing(
        f"unknown embedding model {spec!r}: set SARA_EMBEDDINGS to e5t+use, e5t, ollama:MODEL or openai:MODEL"
    )
