"""What a process needs, opened in order and closed in reverse. The only place that composes."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta

import httpx
from procrastinate import App

from api.library import Library, Opened
from api.live import Live
from api.metrics import Metrics
from api.state import ApiServices
from channels.outward import post
from channels.whatsapp.client import WhatsAppClient
from crm.record import Crm, utc_now
from crm.sealing import Seal
from db import embedded
from db.checkpoints import TenantSaver
from db.cipher import StateCipher
from db.migrate import migrate, require_current
from db.pool import open_pool
from db.tenancy import tenant
from graph.build import Machine, build
from graph.context import Context, Tuning
from graph.history import Explained, explained
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
from jobs.accounts import Accounts
from jobs.app import build_app
from jobs.media import ChannelMedia
from jobs.services import Attention, Keeping, Outward, Patience, Services
from jobs.telling import Bell
from jobs.watching import Watching
from knowledge.ingest import Detect
from knowledge.phrases import Phrases
from knowledge.search import KnowledgeSearch
from knowledge.store import KnowledgeStore, open_store
from knowledge.vertical import load_vertical
from sara import contact_export, seed
from sara.audio_key import SECRETS, own_keys
from sara.calendar_opener import calendar_opener
from sara.langsmith import traced
from sara.memory import give_back
from sara.metered import MeteredChat, MeteredEmbedder, MeteredTranscriber
from sara.settings import Settings, langsmith, split_keys

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
    most = max(
        settings.database_connections,
        settings.worker_concurrency + settings.worker_deliveries + SPARE_CONNECTIONS,
    )
    pool = await open_pool(dsn, max_size=most, min_size=2)
    try:
        yield await asyncio.to_thread(Crm, pool, utc_now)  # reads its queries' files
    finally:
        await pool.close()


def api_services(settings: Settings, crm: Crm, watching: Watching | None = None) -> ApiServices:
    """What the HTTP layer works with."""
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
    )


@asynccontextmanager
async def api(
    settings: Settings, dsn: str, crm: Crm, watching: Watching | None = None
) -> AsyncIterator[ApiServices]:
    """The same with what the console needs: live updates, the threads' checkpoints, customers' files."""
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(whatsapp(settings))
        saver = await stack.enter_async_context(checkpoints(settings, dsn))
        machine = build(saver)

        async def explain(business_id: int, thread_id: str, turn_id: str) -> Explained | None:
            with tenant(business_id):
                return await explained(machine, thread_id, turn_id)

        live = Live(dsn)
        listening = asyncio.create_task(live.run())
        stack.push_async_callback(_ended, listening)
        yield replace(
            await asyncio.to_thread(api_services, settings, crm, watching),  # may make a key's file
            live=live,
            explain=explain,
            export=lambda *whom: contact_export.zipped(crm, saver, seal(settings), *whom),
            pack_of=lambda name: seed.pack_of(load_vertical(name)),
            secrets=await asyncio.to_thread(secrets_seal, settings),
            library=Library(crm, lambda: reading(settings, dsn, crm, client), stack),
            media=ChannelMedia(client, most_bytes=settings.media_most_bytes).fetch,
        )


@asynccontextmanager
async def checkpoints(settings: Settings, dsn: str) -> AsyncIterator[TenantSaver]:
    """What threads remember, for reading."""
    pool = await open_pool(dsn, max_size=4, name="history")
    try:
        yield TenantSaver(pool, state_cipher(settings))
    finally:
        await pool.close()


@asynccontextmanager
async def history(settings: Settings, dsn: str) -> AsyncIterator[Machine]:
    """The machine for reading what threads remember; it has no services to run with."""
    async with checkpoints(settings, dsn) as saver:
        yield build(saver)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


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
    """Whisper, loaded by `warm_up` or at the first voice note. Raises ModelMissing, WeightsCorrupt."""
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
    return StateCipher(split_keys(settings.state_key)) if settings.state_key is not None else None


def chat_model(settings: Settings, watching: Watching | None = None) -> ModelChain:
    """The chain of SARA_LLM, SARA_LLM_FALLBACK and the extractive responder."""
    specs = [spec for spec in (settings.llm, settings.llm_fallback) if spec and spec != "extractive"]
    models = [*(_chat(spec, settings) for spec in specs), ExtractiveResponder()]
    return ModelChain([MeteredChat(model, watching) for model in models] if watching else models)


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


def tuning(settings: Settings) -> Tuning:
    """The thresholds of a turn."""
    return Tuning(
        abstain_below=settings.abstain_below,
        confidence_below=settings.confidence_below,
        voice_seconds=settings.voice_most_seconds,
    )


@asynccontextmanager
async def reading(settings: Settings, dsn: str, crm: Crm, client: WhatsAppClient) -> AsyncIterator[Opened]:
    """What takes documents in and tries questions out."""
    async with thinking(settings, dsn, crm, client, listening=False) as context:
        model = context.embedder if context.one_embedder else embedder(settings)
        async with knowledge(settings, dsn, model, create=True) as store:
            yield Opened(store, context, telling_languages())


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
    model = embedder(settings)
    # The sensitivity and intent heads read the bundled encoders, whatever the passages are embedded with.
    reader = model if isinstance(model, DuetEmbedder) else DuetEmbedder()
    languages = LanguageIdentifier()
    async with knowledge(settings, dsn, model) as store:
        hearing = await asyncio.to_thread(transcriber, settings)
        try:
            await reader.warm_up()
            if listening:
                await asyncio.gather(languages.warm_up(), hearing.warm_up())
            search = await searching(store, model)
            phrases = await asyncio.to_thread(Phrases.load)
            yield Context(
                crm=crm,
                search=search,
                chat=chat_model(settings, watching),
                last_resort=ExtractiveResponder(),
                embedder=MeteredEmbedder(reader, watching) if watching else reader,
                one_embedder=reader is model,
                intents=await asyncio.to_thread(IntentClassifier.load),
                sensitivity=await asyncio.to_thread(SensitivityScorer.load),
                languages=languages,
                transcriber=MeteredTranscriber(hearing, watching) if watching else hearing,
                media=ChannelMedia(
                    client,
                    most_bytes=settings.media_most_bytes,
                    accounts=Accounts(client, crm, await asyncio.to_thread(secrets_seal, settings)),
                ),
                phrases=phrases,
                clock=crm.clock,
                tuning=tuning(settings),
                seal=await asyncio.to_thread(seal, settings),
                notify=Bell(crm, phrases, settings.public_url),
                watch=watching.step if watching else None,
            )
        finally:
            hearing.close()


@dataclass(frozen=True)
class Worker:
    """A worker's queue and services."""

    app: App
    services: Services


@asynccontextmanager
async def worker(
    settings: Settings, dsn: str, crm: Crm, watching: Watching | None = None
) -> AsyncIterator[Worker]:
    """Everything that runs turns and deliveries."""
    watching = (watching or Watching()).at_work()
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(whatsapp(settings))
        context = await stack.enter_async_context(thinking(settings, dsn, crm, client, watching=watching))
        await asyncio.to_thread(give_back)
        checkpoints = await open_pool(dsn, max_size=settings.worker_concurrency + 2, name="checkpoints")
        stack.push_async_callback(checkpoints.close)
        watching.exposition.pools |= {"record": crm.pool_stats, "checkpoints": checkpoints.get_stats}
        app = build_app(dsn)
        await stack.enter_async_context(app.open_async())
        saver = TenantSaver(checkpoints, state_cipher(settings))
        key = await asyncio.to_thread(secrets_seal, settings)
        poster = await stack.enter_async_context(post.opened(allow_private=settings.webhooks_allow_private))
        services = Services(
            crm=crm,
            machine=await stack.enter_async_context(traced(build(saver), langsmith())),
            context=context,
            client=client,
            patience=Patience(
                unknown_grace_s=settings.unknown_grace_s, unknown_hold_s=settings.unknown_hold_s
            ),
            clock=crm.clock,
            keep_audio=timedelta(days=settings.audio_days),
            keeping=Keeping(
                webhooks=timedelta(days=settings.webhook_days),
                threads=timedelta(days=settings.thread_days),
                contacts=timedelta(days=settings.contact_days) if settings.contact_days else None,
            ),
            outward=Outward(seal=key, post=poster, public_url=settings.public_url),
            calendars=await stack.enter_async_context(calendar_opener(settings, key)),
            accounts=Accounts(client, crm, key),
            watching=watching,
            attention=Attention(
                apologise_after=settings.handoff_apology_minutes, idle_after=settings.handoff_idle_minutes
            ),
        )
        yield Worker(app, services)
