"""What a process needs, opened in order and closed in reverse. The only place that composes."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import httpx
from procrastinate import App

from api.metrics import Metrics
from api.state import ApiServices
from channels.whatsapp.client import WhatsAppClient
from crm.record import Crm, utc_now
from db import embedded
from db.checkpoints import TenantSaver
from db.migrate import migrate, require_current
from db.pool import open_pool
from graph.build import build
from graph.context import Context, Tuning
from inference.chat import ChatModel, ModelChain, ollama_chat, openai_chat
from inference.classify import IntentClassifier
from inference.compass import take_compass
from inference.duet import DuetEmbedder
from inference.embed import Embedder, LangChainEmbeddings
from inference.embedders import build_embedder
from inference.errors import ModelMissing
from inference.extractive import ExtractiveResponder
from inference.language import LANGUAGES, LanguageIdentifier
from inference.sensitivity import SensitivityScorer
from inference.speech import WhisperTranscriber
from inference.weights import resolve_whisper
from jobs.app import build_app
from jobs.media import ChannelMedia
from jobs.services import Patience, Services
from knowledge.ingest import Detect
from knowledge.phrases import Phrases
from knowledge.search import KnowledgeSearch
from knowledge.store import KnowledgeStore, open_store
from sara.settings import Settings

SPARE_CONNECTIONS = 4


@asynccontextmanager
async def database(settings: Settings) -> AsyncIterator[str]:
    """The connection string: the given server's, or an embedded one's for as long as the block lasts.

    The embedded one is migrated by whoever opens it; a given one by `sara migrate`, on purpose.
    Raises DatabaseUnavailable, MigrationFailed, SchemaOutdated.
    """
    if settings.database_url:
        await require_current(settings.database_url)
        yield settings.database_url
        return
    server = await asyncio.to_thread(embedded.start, settings.data_dir.resolve())
    try:
        await migrate(server.dsn)
        yield server.dsn
    finally:
        await asyncio.to_thread(server.stop)


@asynccontextmanager
async def record(settings: Settings, dsn: str) -> AsyncIterator[Crm]:
    """The book of record on a pool of its own."""
    # Every job at work holds its conversation on a connection of its own, and needs another to work with.
    most = max(settings.database_connections, settings.worker_concurrency + SPARE_CONNECTIONS)
    pool = await open_pool(dsn, max_size=most, min_size=2)
    try:
        yield await asyncio.to_thread(Crm, pool, utc_now)  # reads its queries' files
    finally:
        await pool.close()


def api_services(settings: Settings, crm: Crm) -> ApiServices:
    """What the HTTP layer works with."""
    return ApiServices(
        crm=crm,
        app_secret=settings.whatsapp_app_secret.get_secret_value(),
        verify_token=settings.whatsapp_verify_token.get_secret_value(),
        gather_seconds=settings.gather_seconds,
        metrics=Metrics(),
    )


@asynccontextmanager
async def whatsapp(settings: Settings) -> AsyncIterator[WhatsAppClient]:
    """The Graph API's client."""
    limits = httpx.Limits(max_connections=64, max_keepalive_connections=32)
    async with httpx.AsyncClient(limits=limits, timeout=httpx.Timeout(30, connect=5)) as http:
        yield WhatsAppClient(
            http,
            base_url=settings.whatsapp_base_url,
            version=settings.whatsapp_api_version,
            access_token=settings.whatsapp_access_token.get_secret_value(),
        )


def embedder(settings: Settings) -> Embedder:
    """The embedding model of SARA_EMBEDDINGS."""
    return build_embedder(
        settings.embeddings,
        ollama_base_url=settings.ollama_base_url,
        openai_base_url=settings.llm_base_url,
        openai_api_key=settings.llm_api_key.get_secret_value() if settings.llm_api_key else None,
        workers=max(2, os.cpu_count() or 1),
    )


@asynccontextmanager
async def knowledge(
    settings: Settings, dsn: str, model: Embedder, *, create: bool = False
) -> AsyncIterator[KnowledgeStore]:
    """The passages, embedded with `model`; `create` makes room for its vectors where there is none yet."""
    store = await open_store(dsn, model, LangChainEmbeddings(model), create=create)
    try:
        yield store
    finally:
        await store.close()


async def searching(store: KnowledgeStore, model: Embedder) -> KnowledgeSearch:
    """Search over the store, with the bearings of its model. Raises what the embedder raises."""
    return KnowledgeSearch(store, await take_compass(model))


def telling_languages() -> Detect:
    """Tells the language of a document's section; loads its models at the first question."""
    identifier = LanguageIdentifier()
    return lambda words, otherwise: identifier.detect(words, allowed=LANGUAGES, prior=otherwise).language


def transcriber(settings: Settings) -> WhisperTranscriber:
    """Whisper, loaded at the first voice note. Raises ModelMissing, WeightsCorrupt."""
    return WhisperTranscriber(
        resolve_whisper(settings.whisper_model, settings.data_dir),
        compute_type=settings.whisper_compute_type,
        num_workers=settings.whisper_workers,
        max_bytes=settings.media_most_bytes,
    )


def chat_model(settings: Settings) -> ModelChain:
    """The chain of SARA_LLM, SARA_LLM_FALLBACK and the extractive responder."""
    specs = [spec for spec in (settings.llm, settings.llm_fallback) if spec and spec != "extractive"]
    return ModelChain([*(_chat(spec, settings) for spec in specs), ExtractiveResponder()])


def _chat(spec: str, settings: Settings) -> ChatModel:
    kind, _, name = spec.partition(":")
    if kind == "ollama" and name:
        return ollama_chat(name, base_url=settings.ollama_base_url, timeout_s=settings.llm_timeout_s)
    if kind == "openai" and name:
        key = settings.llm_api_key.get_secret_value() if settings.llm_api_key else None
        return openai_chat(
            name, base_url=settings.llm_base_url, api_key=key, timeout_s=settings.llm_timeout_s
        )
    raise ModelMissing(f"SARA_LLM={spec!r} is not known: write ollama:NAME, openai:NAME or extractive")


@asynccontextmanager
async def thinking(settings: Settings, dsn: str, crm: Crm, client: WhatsAppClient) -> AsyncIterator[Context]:
    """The Context of the graph's nodes, its small models warm."""
    model = embedder(settings)
    # The sensitivity and intent heads read the bundled encoders, whatever the passages are embedded with.
    reader = model if isinstance(model, DuetEmbedder) else DuetEmbedder()
    languages = LanguageIdentifier()
    async with knowledge(settings, dsn, model) as store:
        await asyncio.gather(languages.warm_up(), reader.warm_up())
        search = await searching(store, model)
        hearing = await asyncio.to_thread(transcriber, settings)
        try:
            yield Context(
                crm=crm,
                search=search,
                chat=chat_model(settings),
                last_resort=ExtractiveResponder(),
                embedder=reader,
                one_embedder=reader is model,
                intents=await asyncio.to_thread(IntentClassifier.load),
                sensitivity=await asyncio.to_thread(SensitivityScorer.load),
                languages=languages,
                transcriber=hearing,
                media=ChannelMedia(client, most_bytes=settings.media_most_bytes),
                phrases=await asyncio.to_thread(Phrases.load),
                clock=crm.clock,
                tuning=Tuning(abstain_below=settings.abstain_below),
            )
        finally:
            hearing.close()


@dataclass(frozen=True)
class Worker:
    """A worker's queue and services."""

    app: App
    services: Services


@asynccontextmanager
async def worker(settings: Settings, dsn: str, crm: Crm) -> AsyncIterator[Worker]:
    """Everything that runs turns and deliveries."""
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(whatsapp(settings))
        context = await stack.enter_async_context(thinking(settings, dsn, crm, client))
        checkpoints = await open_pool(dsn, max_size=settings.worker_concurrency + 2, name="checkpoints")
        stack.push_async_callback(checkpoints.close)
        app = build_app(dsn)
        await stack.enter_async_context(app.open_async())
        services = Services(
            crm=crm,
            machine=build(TenantSaver(checkpoints)),
            context=context,
            client=client,
            patience=Patience(
                unknown_grace_s=settings.unknown_grace_s, unknown_hold_s=settings.unknown_hold_s
            ),
            clock=crm.clock,
        )
        yield Worker(app, services)
