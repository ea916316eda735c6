"""Which embedder a setting names."""

from pathlib import Path

from inference.duet import DuetEmbedder, SentenceEncoder
from inference.embed import E5Embedder, Embedder, OllamaEmbedder, OpenAIEmbedder
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
    """The embedder named by `spec`: "e5+use", "e5", "ollama:MODEL" or "openai:MODEL".

    `workers` texts are embedded at once by those in process; `keep_in` is a folder for what is better read
    from a file than held in memory (SentenceEncoder). Raises ModelMissing for any other spec.
    """
    kind, _, model = spec.partition(":")
    if kind == DuetEmbedder.name and not model:
        return DuetEmbedder(E5Embedder(workers=workers), SentenceEncoder(keep_in))
    if kind == E5Embedder.name and not model:
        return E5Embedder(workers=workers)
    if kind == "ollama" and model:
        return OllamaEmbedder(model, base_url=ollama_base_url)
    if kind == "openai" and model:
        return OpenAIEmbedder(model, base_url=openai_base_url, api_key=openai_api_key)
    raise ModelMissing(
        f"unknown embedding model {spec!r}: set SARA_EMBEDDINGS to e5+use, e5, ollama:MODEL or openai:MODEL"
    )
