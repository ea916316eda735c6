"""What works on this machine, what does not, and how to mend it."""

import asyncio
import json
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Annotated

import httpx
import typer

from channels.whatsapp.errors import WhatsAppError
from crm import accounts, alerts, businesses, operating, outward
from crm.accounts import AccountRow
from crm.alerts import TargetRow
from crm.outward import SubscriptionRow
from crm.record import Crm
from crm.sealing import NotOurSeal, Seal
from db import embedded
from db.errors import DatabaseError
from db.probe import probe
from db.tenancy import tenant
from inference.errors import InferenceError
from inference.steady import SteadyEmbedder
from inference.weights import require_model, resolve_whisper
from jobs.accounts import Accounts
from knowledge.errors import KnowledgeError
from knowledge.vectors import coverage
from sara import services
from sara.commands.doctor_budgets import of_budgets
from sara.commands.doctor_connections import of_budget, of_pooler
from sara.commands.doctor_faults import answering, of_suspects, of_writing
from sara.commands.doctor_keys import ADDRESSES, closed_here, of_keys
from sara.commands.doctor_parts import of_parts
from sara.commands.doctor_work import of_the_work
from sara.commands.findings import BAD, OK, WARN, Finding
from sara.commands.loop import run
from sara.settings import Settings, load

_MOST_SKEW_S = 5.0
_LEAST_FREE_BYTES = 2 * 2**30
_FULL_BYTES = 64 * 2**20


def doctor(as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Looks at database, work, models, Meta's token, secrets, clock and disk; exits 1 when one is broken."""
    found = run(_examine(load()), log_level="error")
    if as_json:
        print(json.dumps([asdict(finding) for finding in found], ensure_ascii=False))
    else:
        marks = {OK: "✓", WARN: "!", BAD: "✗"}
        for finding in found:
            print(f"{marks[finding.state]} {finding.name:<14} {finding.detail}")
            if finding.mend:
                print(f"  {'':<14} → {finding.mend}")
    if any(finding.state == BAD for finding in found):
        raise typer.Exit(1)


async def _examine(settings: Settings) -> list[Finding]:
    looks: list[Callable[[Settings], Awaitable[list[Finding]]]] = [
        _database,
        _models,
        _knowledge,
        _engines,
        of_budgets,
        of_keys,
        _whatsapp,
        _outward,
        _disk,
    ]
    return [finding for look in looks for finding in await look(settings)]


async def _database(settings: Settings) -> list[Finding]:
    where = await asyncio.to_thread(_where, settings)
    try:
        async with services.database(settings) as dsn:
            return await _inside(settings, dsn, where)
    except DatabaseError as error:
        return [Finding("database", BAD, str(error), "start PostgreSQL, or run `sara migrate`")]


def _where(settings: Settings) -> str:
    """Whose server it is, before it is opened: opening makes the embedded one."""
    if settings.database_url:
        return "given server"
    place = f"embedded in {settings.data_dir}"
    return place if embedded.exists(settings.data_dir) else f"a new one, {place} (SARA_DATABASE_URL: unset)"


async def _inside(settings: Settings, dsn: str, where: str) -> list[Finding]:
    seen = await probe(dsn)
    async with services.record(settings, dsn) as crm:
        async with crm.outside() as tx:
            count = len(await businesses.directory(tx))
        figures = await operating.read(crm)
        faults = [*await of_suspects(crm), *await of_writing(dsn), *await of_parts(crm)]
    work = [*of_the_work(figures), *faults, of_budget(settings, figures), *await of_pooler(settings, dsn)]
    found = [Finding("database", OK, f"PostgreSQL {seen.version}, {where}")]
    found.append(
        Finding("pgvector", OK, seen.vector)
        if seen.vector
        else Finding("pgvector", BAD, "the extension is missing", "install pgvector, then run `sara migrate`")
    )
    if seen.skew_s > _MOST_SKEW_S:
        mend = "synchronise this machine's clock (NTP): windows and reminders depend on it"
        found.append(Finding("clock", BAD, f"{seen.skew_s:.0f} s away from the database's", mend))
    else:
        found.append(Finding("clock", OK, f"{seen.skew_s * 1000:.0f} ms from the database's"))
    empty = "no business yet"
    found.append(
        Finding("businesses", OK, str(count))
        if count
        else Finding("businesses", WARN, empty, "`sara business add FILE`, or `sara demo`")
    )
    return found + work


async def _models(settings: Settings) -> list[Finding]:
    found = []
    try:
        vector = await SteadyEmbedder(services.embedder(settings)).query("hello")
        found.append(Finding("embeddings", OK, f"{settings.embeddings}, {len(vector)} dimensions"))
    except InferenceError as error:
        mend = "check SARA_EMBEDDINGS and its engine; until then passages are found by their words alone"
        found.append(Finding("embeddings", BAD, str(error), mend))
    try:
        folder = require_model(resolve_whisper(settings.whisper_model, settings.data_dir))
        found.append(Finding("whisper", OK, str(folder)))
        found.append(_recordings(settings))
    except InferenceError as error:
        found.append(Finding("whisper", BAD, str(error), "set SARA_WHISPER_MODEL to a local model"))
    return found


def _recordings(settings: Settings) -> Finding:
    """Whether people can listen to what SARA did not understand."""
    if services.seal(settings) is not None:
        return Finding("recordings", OK, f"voice notes are kept {settings.audio_days:g} days, encrypted")
    if not settings.audio_days:
        return Finding("recordings", OK, "the sound of voice notes is not kept")
    mend = "set SARA_AUDIO_KEY, the same on every machine: `openssl rand -base64 32` makes one"
    return Finding("recordings", WARN, "no key: the sound of voice notes is not kept", mend)


async def _knowledge(settings: Settings) -> list[Finding]:
    """Whether every passage has a vector of the model in use."""
    passages, embedded = 0, 0
    try:
        async with services.database(settings) as dsn, services.record(settings, dsn) as crm:
            async with crm.outside() as tx:
                directory = await businesses.directory(tx)
            async with services.knowledge(settings, dsn, services.embedder(settings)) as store:
                for entry in directory:
                    with tenant(entry.business_id):
                        held, done = await coverage(store, entry.business_id)
                    passages, embedded = passages + held, embedded + done
    except KnowledgeError as error:
        return [Finding("knowledge", BAD, str(error), "`sara reindex`")]
    except (DatabaseError, InferenceError):
        return []  # already among the findings
    detail = f"{embedded} of {passages} passages embedded with {settings.embeddings}"
    if embedded < passages:
        return [Finding("knowledge", WARN, detail, "`sara reindex`: the rest is not found until then")]
    return [Finding("knowledge", OK, detail)]


async def _engines(settings: Settings) -> list[Finding]:
    try:
        chain = services.chat_model(settings)
    except InferenceError as error:
        return [Finding("model chain", BAD, str(error), "correct SARA_LLM")]
    found = [Finding("model chain", OK, chain.name)]
    if settings.llm.startswith("ollama:"):
        wanted = settings.llm.partition(":")[2]
        mend = "`ollama serve` and `ollama pull " + wanted + "`; until then answers are quoted, not worded"
        try:
            async with httpx.AsyncClient(timeout=3) as http:
                tags = (await http.get(f"{settings.ollama_base_url}/api/tags")).json()
            names = [str(model["name"]) for model in tags.get("models", [])]
            if {wanted, f"{wanted}:latest"} & set(names):
                found.append(await answering(settings, Finding("ollama", OK, wanted)))
            else:
                others = [name for name in names if name.split(":")[0] == wanted]
                instead = f": write {' or '.join(f'ollama:{name}' for name in others)}" if others else ""
                found.append(Finding("ollama", WARN, f"{wanted} is not pulled{instead}", mend))
        except (httpx.HTTPError, ValueError, KeyError) as error:
            detail = f"{settings.ollama_base_url} does not answer ({type(error).__name__})"
            found.append(Finding("ollama", WARN, detail, mend))
    elif settings.llm.startswith("openai:"):
        found.append(await answering(settings, await _engine(settings)))
    return found


async def _engine(settings: Settings) -> Finding:
    """Whether an OpenAI-compatible engine answers, and has the model.

    https://platform.openai.com/docs/api-reference/models/list
    """
    wanted, base = settings.llm.partition(":")[2], settings.llm_base_url or "https://api.openai.com/v1"
    key = settings.llm_api_key.get_secret_value() if settings.llm_api_key else "none"
    mend = "start it, or correct SARA_LLM_BASE_URL; until then answers are quoted, not worded"
    try:
        async with httpx.AsyncClient(timeout=3, headers={"Authorization": f"Bearer {key}"}) as http:
            answer = (await http.get(f"{base.rstrip('/')}/models")).raise_for_status().json()
        names = [str(model["id"]) for model in answer["data"]]
    except httpx.HTTPStatusError as error:
        status = error.response.status_code
        key_mend = "correct SARA_LLM_API_KEY" if status in (401, 403) else mend
        return Finding("engine", WARN, f"{base} answers {status}", key_mend)
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        return Finding("engine", WARN, f"{base} does not answer ({type(error).__name__})", mend)
    if wanted not in names:
        return Finding("engine", WARN, f"{base} has no model {wanted}", f"it has: {', '.join(names[:5])}")
    return Finding("engine", OK, wanted)


async def _whatsapp(settings: Settings) -> list[Finding]:
    """The app's secrets, and every number asked of Meta with the token it uses."""
    missing = [
        name
        for name in ("whatsapp_app_secret", "whatsapp_verify_token")
        if not getattr(settings, name).get_secret_value()
    ]
    general = bool(settings.whatsapp_access_token.get_secret_value())
    try:
        async with services.database(settings) as dsn, services.record(settings, dsn) as crm:
            numbers = await _numbers(crm)
            wanted = not general and not (numbers and all(account.own_token for _, account in numbers))
            unset = _unset([*missing, *(["whatsapp_access_token"] if wanted else [])])
            if missing:
                return unset
            asked = [one for one in numbers if general or one[1].own_token]
            sealed = any(account.own_token for _, account in asked)
            seal = await asyncio.to_thread(services.secrets_seal, settings) if sealed else None
            async with services.whatsapp(settings) as client:
                own = Accounts(client, crm, seal)
                return unset + [await _number(own, *one, seal) for one in asked]
    except DatabaseError:
        return _unset(missing)  # the database is already among the findings


def _unset(missing: list[str]) -> list[Finding]:
    if not missing:
        return []
    mend = "set them from Meta's app dashboard; the demo makes its own"
    return [Finding("whatsapp", WARN, f"not set: {', '.join(f'SARA_{m.upper()}' for m in missing)}", mend)]


async def _number(own: Accounts, business_id: int, account: AccountRow, seal: Seal | None) -> Finding:
    name = account.phone_number_id
    if account.own_token and seal is None:
        mend = "set SARA_SECRET_KEY as it was when the token was given, the same on every machine"
        return Finding("whatsapp", BAD, f"{name}: no key opens its own token", mend)
    try:
        number = await (await own.of(business_id, name)).phone_number(name)
    except WhatsAppError as error:
        return Finding("whatsapp", BAD, f"{name}: {error}", error.advice)
    except NotOurSeal as error:
        return Finding(
            "whatsapp", BAD, f"{name}: {error}", "or give it its token again: `sara whatsapp token`"
        )
    token = ", with its own token" if account.own_token else ""
    detail = f"{name}: {number.verified_name} {number.display_phone_number}"
    return Finding("whatsapp", OK, f"{detail}, quality {number.quality_rating}{token}")


async def _numbers(crm: Crm) -> list[tuple[int, AccountRow]]:
    """Every number, with its business."""
    numbers: list[tuple[int, AccountRow]] = []
    async with crm.outside() as tx:
        directory = await businesses.directory(tx)
    for entry in directory:
        async with crm.transaction(entry.business_id) as tx:
            numbers += [(entry.business_id, account) for account in await accounts.listed(tx)]
    return numbers


async def _outward(settings: Settings) -> list[Finding]:
    """Whether the team and other systems hear of what they want to hear."""
    found: list[Finding] = []
    places, receivers = 0, 0
    try:
        async with services.database(settings) as dsn, services.record(settings, dsn) as crm:
            async with crm.outside() as tx:
                directory = await businesses.directory(tx)
            for entry in directory:
                async with crm.transaction(entry.business_id) as tx:
                    told, posted = await alerts.targets(tx), await outward.subscriptions(tx)
                places, receivers = places + len(told), receivers + len(posted)
                found += _undelivered(entry.slug, told, posted)
            closed = await closed_here(settings, crm)
    except DatabaseError:
        return []  # already among the findings
    if any(one.place.table in ADDRESSES for one in closed):
        mend = "they need the key they were added with, the same on every machine: see keys"
        found.append(Finding("alerts", BAD, "no key opens the addresses of alerts and webhooks", mend))
    if not places:
        mend = "`sara alerts add`: nobody is told of hand-overs outside of `sara handoff list`"
        found.append(Finding("alerts", WARN, "no place of the team is told", mend))
    return found or [Finding("alerts", OK, f"{places} places of the team, {receivers} other systems")]


def _undelivered(slug: str, told: list[TargetRow], posted: list[SubscriptionRow]) -> list[Finding]:
    """What was given up, and who takes nothing at the moment."""
    found = []
    for place in told:
        if place.dead or place.failures:
            detail = f"{slug}, {place.name} ({place.service}): {place.dead} given up, {place.queued} waiting"
            mend = f"`sara alerts test --business {slug} {place.name}`, then `sara alerts dead --retry`"
            found.append(Finding("alerts", WARN, detail, mend))
    for receiver in posted:
        if receiver.dead or receiver.failures or receiver.stopped:
            number = receiver.webhook_subscription_id
            why = f", stopped: {receiver.stopped}" if receiver.stopped else ""
            detail = f"{slug}, {receiver.host}: {receiver.dead} given up, {receiver.queued} waiting{why}"
            mend = f"mend it, then `sara webhooks replay --business {slug} --to {number} --dead`"
            found.append(Finding("webhooks", WARN, detail, mend))
    return found


async def _disk(settings: Settings) -> list[Finding]:
    whole = settings.data_dir.absolute()
    try:
        folder = next(path for path in (whole, *whole.parents) if path.exists())  # it may be made later
        free = shutil.disk_usage(folder).free
    except OSError as error:
        mend = "run `sara doctor` as the user that runs the service, or mend the folder's permissions"
        return [Finding("disk", WARN, f"{whole} cannot be looked at: {error.strerror}", mend)]
    detail = f"{free / 2**30:.1f} GiB free at {folder}"
    if free < _FULL_BYTES:
        mend = "make room now: what WhatsApp could not deliver comes again, for days"
        return [Finding("disk", BAD, f"{free / 2**20:.0f} MiB free at {folder}", mend)]
    if free < _LEAST_FREE_BYTES:
        return [Finding("disk", WARN, detail, "free some space: PostgreSQL stops when the disk is full")]
    return [Finding("disk", OK, detail)]
