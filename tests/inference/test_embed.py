"""Embeddings: unit vectors, shared recent queries, hostile text, and the remote models' errors."""

import asyncio

import numpy as np
import pytest
from aiohttp import web

from inference.e5 import E5Embedder
from inference.embed import LangChainEmbeddings, OllamaEmbedder, OpenAIEmbedder
from inference.embedders import build_embedder
from inference.errors import BadModelOutput, ModelMissing, ModelUnavailable


@pytest.fixture(scope="module")
def e5() -> E5Embedder:
    return E5Embedder(threads=1)


async def test_vectors_are_unit_and_near_what_they_mean(e5: E5Embedder) -> None:
    await e5.warm_up()
    passages = await e5.passages(["Il massaggio rilassante costa 65 euro.", "La caparra è di due mesi."])
    query = await e5.query("how much is the relaxing massage?")
    assert passages.shape == (2, 384)
    assert passages.dtype == np.float32
    assert np.allclose(np.linalg.norm(passages, axis=1), 1, atol=1e-4)
    scores = passages @ query
    assert scores[0] > scores[1]


async def test_a_message_is_embedded_once(e5: E5Embedder) -> None:
    first = await e5.query("una domanda sola")
    assert await e5.query("una domanda sola") is first
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 1


async def test_recent_queries_are_few() -> None:
    small = E5Embedder(cache_size=1)
    first = await small.query("a")
    await small.query("b")
    assert await small.query("a") is not first


@pytest.mark.parametrize("text", ["", "\x00", "a\x00b", "\ud800", "😀" * 50, "x" * 30_000, "\u200f\u200b"])
async def test_any_text_has_a_finite_vector(e5: E5Embedder, text: str) -> None:
    vector = await e5.query(text)
    assert vector.shape == (384,)
    assert np.isfinite(vector).all()


async def test_no_passages_is_an_empty_array(e5: E5Embedder) -> None:
    assert (await e5.passages([])).shape == (0, 384)


async def test_the_loop_runs_while_embedding(e5: E5Embedder) -> None:
    work = asyncio.gather(*(e5.query(f"una frase diversa numero {i} " * 20) for i in range(6)))
    beats = 0
    while not work.done():
        await asyncio.sleep(0.002)
        beats += 1
    assert beats > 2
    assert len(await work) == 6


async def test_langchain_adapter_gives_the_same_vectors(e5: E5Embedder) -> None:
    adapter = LangChainEmbeddings(e5)
    assert adapter.embed_query("ciao") == await adapter.aembed_query("ciao")
    assert np.allclose(adapter.embed_documents(["a b"]), await adapter.aembed_documents(["a b"]))


async def test_remote_models_over_http() -> None:
    async def answer(request: web.Request) -> web.Response:
        body = await request.json()
        texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
        if request.path.endswith("/api/embed"):
            return web.json_response({"model": body["model"], "embeddings": [[3.0, 4.0] for _ in texts]})
        rows = [{"object": "embedding", "index": i, "embedding": [3.0, 4.0]} for i in range(len(texts))]
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        return web.json_response({"object": "list", "data": rows, "model": body["model"], "usage": usage})

    app = web.Application()
    app.router.add_post("/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        for embedder in (
            OllamaEmbedder("bge-m3", base_url=base, dimensions=2),
            OpenAIEmbedder("m", base_url=base + "/v1", api_key=None, dimensions=2),
        ):
            assert np.allclose(await embedder.query("ciao"), [0.6, 0.8])
            assert np.allclose(await embedder.passages(["a", "b"]), [[0.6, 0.8]] * 2)
        with pytest.raises(BadModelOutput, match="knowledge base"):
            await OllamaEmbedder("bge-m3", base_url=base).query("ciao")
        adapter = LangChainEmbeddings(OllamaEmbedder("bge-m3", base_url=base, dimensions=2))
        assert np.allclose(await asyncio.to_thread(adapter.embed_query, "x"), [0.6, 0.8])
    finally:
        await runner.cleanup()


async def test_an_absent_ollama_is_retryable_and_says_what_to_do() -> None:
    embedder = OllamaEmbedder("bge-m3", base_url="http://127.0.0.1:1")
    with pytest.raises(ModelUnavailable, match="ollama pull bge-m3") as failure:
        await embedder.query("ciao")
    assert failure.value.retryable


def test_specs() -> None:
    def build(spec: str) -> str:
        return build_embedder(
            spec, ollama_base_url="http://127.0.0.1:1", openai_base_url=None, openai_api_key="k"
        ).name

    assert [build(s) for s in ("e5t", "ollama:bge-m3", "openai:text-embedding-3-small")] == [
        "e5t",
        "ollama:bge-m3",
        "openai:text-embedding-3-small",
    ]
    for wrong in ("", "e6", "ollama:", "openai:unheard-of"):
        with pytest.raises(ModelMissing):
            build(wrong)
