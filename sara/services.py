"""What a process needs, opened in order and closed in reverse. This and sara/worker.py alone compose.

What is imported where it is opened is not carried by processes that do not open it: `sara serve` has no
models and no graph (tests/api/test_light.py), `sara worker` no HTTP application.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import httpx

from channels.whatsapp.client import WhatsAppClient
from channels.whatsapp.transport import prompt_or_not_at_all
from crm.record import Crm
from crm.sealing import Seal
from db import embedded
from db.address import watchful
from db.clock import DatabaseClock
from db.migrate import migrate, require_current
from db.pool import open_pool
from jobs.accounts import Accounts
from jobs.media import ChannelMedia
from jobs.watching import Watching
from knowledge.phrases import Phrases
from knowledge.vertical import load_vertical
from sara import connections, seed
from sara.audio_key import SECRETS, own_keys
from sara.memory import give_back
from sara.past import Past
from sara.settings import Settings, split_keys
from sara.sign_on import provider_of

if TYPE_CHECKING:
    from api.library import Opened
    from api.state import ApiServices
    from db.checkpoints import TenantSaver
    from db.cipher import StateCipher
    from graph.context import Context, Tuning
    from inference.chat import ChatModel, ModelChain
    from inference.duet import DuetEmbedder
    from inference.embed import Embedder
    from inference.speech import WhisperTranscriber
    from knowledge.ingest import Detect
    from knowledge.search import KnowledgeSearch
    from knowledge.store import KnowledgeStore


@asynccontextmanager
async def database(settings: Settings) -> AsyncIterator[str]:
    """The connection string: the given server's, or an embedded one's for as long as the block lasts.

    The embedded one is migrated by whoever opens it; a given one by `sara migrate`, on purpose.
    Raises DatabaseUnavailable, MigrationFailed, SchemaOutdated.
    """
    if settings.database_url:
        dsn = watchful(settings.database_url, pooled=settings.pooled)
        await require_current(dsn)
        yield dsn
        return
    server = await asyncio.to_thread(embedded.start, settings.data_dir.resolve())
    try:
        await migrate(server.dsn)
        yield server.dsn
    finally:
        await asyncio.to_thread(server.stop)


@asynccontextmanager
async def record(settings: Settings, dsn: str, *, jobs: bool = True) -> AsyncIterator[Crm]:
    """The book of record on a pool of its own, with connections for a worker's `jobs` at once."""
    most = connections.of_record(settings, jobs=jobs)
    pool = await open_pool(dsn, max_size=most, min_size=2, pooled=settings.pooled)
    try:
        yield await asyncio.to_thread(Crm, pool, DatabaseClock())  # reads its queries' files
    finally:
        await pool.close()


def api_services(settings: Settings, crm: Crm, watching: Watching | None = None) -> ApiServices:
    """What the HTTP layer works with."""
    from api.limits import Limits
    from api.metrics import Metrics
    from api.state import ApiServices

    watching = watching or Watching()
    watching.exposition.pools["record"] = crm.pool_stats
    return ApiServices(
        crm=crm,
        app_secret=settings.whatsapp_app_secret.get_secret_value(),
        verify_token=settings.whatsapp_verify_token.get_secret_value(),
        gather_seconds=settings.gather_seconds,
        metrics=Metrics(watching.exposition),
        spans=watching.spans,
        seal=seal(settings),
        limits=Limits(settings.limit_caller, settings.limit_address),
        sign_on=provider_of(settings),
        public_url=settings.public_url,
    )


@asynccontextmanager
async def api(
    settings: Settings, dsn: str, crm: Crm, watching: Watching | None = None
) -> AsyncIterator[ApiServices]:
    """The same with what the console needs: live updates, the threads' checkpoints, customers' files."""
    from api.library import Library
    from api.live import Live

    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(whatsapp(settings))
        past = Past(crm, lambda: checkpoints(settings, dsn), stack)
        live = Live(connections.listening_at(settings, dsn))
        listening = asyncio.create_task(live.run())
        stack.push_async_callback(_ended, listening)
        library = Library(crm, lambda: reading(settings, dsn, crm, client), give_back=give_back)
        stack.push_async_callback(library.close)
        yield replace(
            await asyncio.to_thread(api_services, settings, crm, watching),  # may make a key's file
            live=live,
            explain=past.explain,
            export=lambda *whom: past.export(seal(settings), *whom),
            pack_of=lambda name: seed.pack_of(load_vertical(name)),
            secrets=await asyncio.to_thread(secrets_seal, settings),
            library=library,
            media=(await _media(settings, crm, client)).fetch,
        )


@asynccontextmanager
async def checkpoints(settings: Settings, dsn: str) -> AsyncIterator[TenantSaver]:
    """What threads remember, for reading."""
    from db.checkpoints import TenantSaver

    pool = await open_pool(dsn, max_size=connections.HISTORY, name="history", pooled=settings.pooled)
    try:
        yield TenantSaver(pool, state_cipher(settings))
    finally:
        await pool.close()


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@asynccontextmanager
async def whatsapp(settings: Settings) -> AsyncIterator[WhatsAppClient]:
    """The Graph API's client."""
    limits = httpx.Limits(max_connections=64, max_keepalive_connections=32)
    async with httpx.AsyncClient(
        limits=limits, timeout=httpx.Timeout(30, connect=5), transport=prompt_or_not_at_all()
    ) as http:
        yield WhatsAppClient(
            http,
            base_url=settings.whatsapp_base_url,
            version=settings.whatsapp_api_version,
            access_token=settings.whatsapp_access_token.get_secret_value(),
        )


def embedder(settings: Settings) -> Embedder:
    """The embedding model of SARA_EMBEDDINGS."""
    from inference.embedders import build_embedder

    return build_embedder(
        settings.embeddings,
        ollama_base_url=settings.ollama_base_url,
        openai_base_url=settings.llm_base_url,
        openai_api_key=settings.llm_api_key.get_secret_value() if settings.llm_api_key else None,
        workers=max(2, os.cpu_count() or 1),
        keep_in=settings.data_dir / "models",
    )


@asynccontextmanager
async def knowledge(
    settings: Settings, dsn: str, model: Embedder, *, create: bool = False
) -> AsyncIterator[KnowledgeStore]:
    """The passages, embedded with `model`; `create` makes room for its vectors where there is none yet."""
    from inference.embed import LangChainEmbeddings
    from knowledge.store import open_store

    store = await open_store(
        dsn,
        model,
        LangChainEmbeddings(model),
        pool_size=connections.PASSAGES,
        create=create,
        pooled=settings.pooled,
    )
    try:
        yield store
    finally:
        await store.close()


async def _search_of(store: KnowledgeStore, model: Embedder, reader: DuetEmbedder) -> KnowledgeSearch:
    await reader.warm_up()
    return await searching(store, model)


async def searching(store: KnowledgeStore, model: Embedder) -> KnowledgeSearch:
    """Search over the store, with the bearings of its model. Raises what the embedder raises."""
    from inference.compass import take_compass
    from knowledge.search import KnowledgeSearch

    return KnowledgeSearch(store, await take_compass(model))


def telling_languages() -> Detect:
    """Tells the language of a document's section; loads its models at the first question."""
    from inference.language import LANGUAGES, LanguageIdentifier

    identifier = LanguageIdentifier()
    return lambda words, otherwise: identifier.detect(words, allowed=LANGUAGES, prior=otherwise).language


def transcriber(settings: Settings) -> WhisperTranscriber:
    """Whisper, loaded by `warm_up` or at the first voice note. Raises ModelMissing, WeightsCorrupt."""
    from inference.speech import WhisperTranscriber
    from inference.weights import resolve_whisper

    return WhisperTranscriber(
        resolve_whisper(settings.whisper_model, settings.data_dir),
        compute_type=settings.whisper_compute_type,
        num_workers=settings.whisper_workers,
        cpu_threads=settings.whisper_threads,
        max_seconds=settings.voice_most_seconds,
        max_bytes=settings.media_most_bytes,
    )


def seal(settings: Settings) -> Seal | None:
    """What encrypts the sound of voice notes; None when none is to be kept, or it cannot be done safely.

    An installation with its own database gets a key of its own beside it. One that shares a database among
    machines needs SARA_AUDIO_KEY: a key made here could not be read there.
    """
    if not settings.audio_days:
        return None
    if settings.audio_key is not None:
        return Seal(split_keys(settings.audio_key))
    if settings.database_url is not None:
        return None
    return Seal(own_keys(settings.data_dir))


def secrets_seal(settings: Settings) -> Seal | None:
    """What encrypts alert targets and webhook secrets; None where SARA_SECRET_KEY is needed and missing.

    As with recordings: a key made here could not be read on the other machines of a shared database.
    """
    if settings.secret_key is not None:
        return Seal(split_keys(settings.secret_key))
    if settings.database_url is not None:
        return None
    return Seal(own_keys(settings.data_dir, SECRETS))


def state_cipher(settings: Settings) -> StateCipher | None:
    """What encrypts the threads' checkpoints; None without SARA_STATE_KEY: they are readable then."""
    if settings.state_key is None:
        return None
    from db.cipher import StateCipher

    return StateCipher(split_keys(settings.state_key))


def chat_model(settings: Settings, watching: Watching | None = None) -> ModelChain:
    """The chain of SARA_LLM, SARA_LLM_FALLBACK and the extractive responder."""
    from inference.chat import ModelChain
    from inference.extractive import ExtractiveResponder
    from sara.engines import Gates
    from sara.metered import MeteredChat

    gates = Gates(settings)
    specs = [spec for spec in (settings.llm, settings.llm_fallback) if spec and spec != "extractive"]
    models = [*(gates.limit(_chat(spec, settings)) for spec in specs), ExtractiveResponder()]
    return ModelChain([MeteredChat(model, watching) for model in models] if watching else models)


def _chat(spec: str, settings: Settings) -> ChatModel:
    from inference.chat import ollama_chat, openai_chat
    from inference.errors import ModelMissing

    kind, _, name = spec.partition(":")
    if kind == "ollama" and name:
        return ollama_chat(name, base_url=settings.ollama_base_url, timeout_s=settings.llm_timeout_s)
    if kind == "openai" and name:
        key = settings.llm_api_key.get_secret_value() if settings.llm_api_key else None
        return openai_chat(
            name, base_url=settings.llm_base_url, api_key=key, timeout_s=settings.llm_timeout_s
        )
    raise ModelMissing(f"SARA_LLM={spec!r} is not known: write ollama:NAME, openai:NAME or extractive")


def tuning(settings: Settings) -> Tuning:
    """The thresholds of a turn."""
    from graph.context import Tuning

    return Tuning(
        abstain_below=settings.abstain_below,
        confidence_below=settings.confidence_below,
        voice_seconds=settings.voice_most_seconds,
    )


@asynccontextmanager
async def reading(settings: Settings, dsn: str, crm: Crm, client: WhatsAppClient) -> AsyncIterator[Opened]:
    """What takes documents in and tries questions out."""
    from api.library import Opened

    async with thinking(settings, dsn, crm, client, listening=False) as context:
        model = context.embedder if context.one_embedder else embedder(settings)
        async with knowledge(settings, dsn, model, create=True) as store:
            yield Opened(store, context, telling_languages())


def _encoders(settings: Settings) -> tuple[Embedder, DuetEmbedder]:
    """What passages are embedded with, and the bundled encoders: the heads for intents and sensitivity read
    these, whatever the others are."""
    from inference.duet import DuetEmbedder

    model = embedder(settings)
    if isinstance(model, DuetEmbedder):
        return model, model
    return model, DuetEmbedder(settings.data_dir / "models")


async def _media(settings: Settings, crm: Crm, client: WhatsAppClient) -> ChannelMedia:
    accounts = Accounts(client, crm, await asyncio.to_thread(secrets_seal, settings))
    return ChannelMedia(client, most_bytes=settings.media_most_bytes, accounts=accounts)


@asynccontextmanager
async def thinking(
    settings: Settings,
    dsn: str,
    crm: Crm,
    client: WhatsAppClient,
    *,
    listening: bool = True,
    watching: Watching | None = None,
) -> AsyncIterator[Context]:
    """The Context of the graph's nodes, its small models warm; without `listening` Whisper is not loaded."""
    from graph.context import Context
    from inference.classify import IntentClassifier
    from inference.extractive import ExtractiveResponder
    from inference.grounding_reader import Reader
    from inference.language import LanguageIdentifier
    from inference.sensitivity import SensitivityScorer
    from inference.steady import SteadyEmbedder
    from jobs.telling import Bell
    from sara.engines import within_budget
    from sara.metered import MeteredEmbedder, MeteredTranscriber

    model, reader = _encoders(settings)
    steady = SteadyEmbedder(reader)
    languages = LanguageIdentifier()
    async with knowledge(settings, dsn, SteadyEmbedder(model)) as store:
        hearing = await asyncio.to_thread(transcriber, settings)
        try:
            # All at once: each leaves the interpreter to the others for most of its time.
            search, intents, sensitivity, phrases, *_ = await asyncio.gather(
                _search_of(store, model, reader),
                asyncio.to_thread(IntentClassifier.load),
                asyncio.to_thread(SensitivityScorer.load),
                asyncio.to_thread(Phrases.load),
                *((languages.warm_up(), hearing.warm_up()) if listening else ()),
            )
            yield Context(
                crm=crm,
                search=search,
                chat=within_budget(chat_model(settings, watching), crm, settings, watching),
                last_resort=ExtractiveResponder(),
                embedder=MeteredEmbedder(steady, watching) if watching else steady,
                one_embedder=reader is model,
                intents=intents,
                sensitivity=sensitivity,
                languages=languages,
                transcriber=MeteredTranscriber(hearing, watching) if watching else hearing,
                media=await _media(settings, crm, client),
                phrases=phrases,
                clock=crm.clock,
                tuning=tuning(settings),
                seal=await asyncio.to_thread(seal, settings),
                reader=Reader(settings.data_dir / "models"),
                notify=Bell(crm, phrases, settings.public_url),
                watch=watching.step if watching else None,
            )
        finally:
            hearing.close()
            reader.close()
