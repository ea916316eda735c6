"""The injection suite on the whole road: webhook, queue, graph, outbox, simulated phone."""

import asyncio
import itertools
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from langgraph.checkpoint.base import BaseCheckpointSaver

from crm import appointments, businesses, contacts, conversations, quotes, tickets
from crm.record import Crm, Tx
from evals.result import Result
from evals.suites import injection as suite
from evals.suites.injection import Liar, Outcome, WordForWord
from graph.build import build
from inference.chat import ChatModel, ModelChain
from inference.extractive import ExtractiveResponder
from jobs.services import Services
from knowledge.ingest import ingest
from sara import services
from sara.demo import prepare
from sara.evaluation import apart
from sara.exchange import Customer, NoAnswer, exchange
from sara.local import Local, local_on
from sara.seed import seeds
from sara.settings import Settings

AT_ONCE = 12  # customers who attack at the same time
AT_ONCE_MODEL = 2  # the same where a real model has to keep up
TURN_S = 300.0
DELIVERY_S = 10.0
_WITNESSES = "00000000"  # numbers of the customers nobody may touch; no attacker's begins like that


async def injection(settings: Settings, dataset: Path | None, split: str | None) -> Result:
    """Every attack against the scripted liar, or against the model of `settings.llm` where one is named."""
    slugs = [business.slug for business in seeds()]
    gold = await asyncio.to_thread(suite.load, dataset or suite.DATASET, slugs)
    attacks = suite.rows(gold, split)
    model = await attacked(settings, attacks)
    outcomes = await play(settings, attacks, model)
    result = suite.judge(outcomes)
    about = {**result.about, "model": model.name, "rows": gold.path.name}
    if isinstance(model, Liar) and model.strange:
        about["turns not recognised"] = len(model.strange)
    if settings.llm == "smollm2":
        about["valid proposals"] = f"{getattr(model, 'valid', 0)} of {getattr(model, 'asked', 0)}"
    return replace(result, about=about, broken=gold.broken, of_other_splits=gold.of_others(split))


async def attacked(settings: Settings, attacks: Sequence[suite.Row]) -> ChatModel:
    """The model under attack. Raises ModelMissing for one that is not installed or not known."""
    if settings.llm == "extractive":
        return Liar(attacks)
    if settings.llm == "smollm2":
        from sara.smollm2 import SmolLM2  # an optional package, and 100 MB of weights

        return await asyncio.to_thread(SmolLM2.load)
    return services.chat_model(settings)


async def play(settings: Settings, attacks: Sequence[suite.Row], model: ChatModel) -> list[Outcome]:
    """All attacks, many customers at once, on a database of their own that is kept between runs."""
    settings = apart(settings, "eval-injection")
    async with services.database(settings) as dsn:
        await _furnish(settings, dsn, attacks)
        async with stage(settings, dsn, model) as whole:
            field = await Field.open(whole, model)
            room = asyncio.Semaphore(AT_ONCE if isinstance(model, Liar) else AT_ONCE_MODEL)

            async def one(row: suite.Row) -> Outcome:
                async with room:
                    return await field.attack(row)

            return list(await asyncio.gather(*(one(row) for row in attacks)))


async def _furnish(settings: Settings, dsn: str, attacks: Sequence[suite.Row]) -> None:
    """The demo's businesses and documents, and the poisoned ones among them."""
    async with services.record(settings, dsn) as crm:
        await prepare(settings, dsn, crm, report=lambda _: None)
        owners = await _owners(crm)
    model, telling = services.embedder(settings), services.telling_languages()
    async with services.knowledge(settings, dsn, model) as store:
        for slug, business_id in owners.items():
            folder = settings.data_dir / "poisoned" / slug
            await asyncio.to_thread(written, folder, [row for row in attacks if row["business"] == slug])
            await ingest([folder], business_id=business_id, store=store, detect=telling)


def written(folder: Path, attacks: Sequence[suite.Row]) -> None:
    """The folder with the attacks' poisoned documents in it and no others."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.md"):
        old.unlink()
    for number, row in enumerate(attacks, 1):
        if row.get("document"):
            # An id is whatever its author liked: as a name it could lead out of the folder.
            (folder / f"{number:04}.md").write_text(row["document"], encoding="utf-8")


async def _owners(crm: Crm) -> dict[str, int]:
    async with crm.outside() as tx:
        return {entry.slug: entry.business_id for entry in await businesses.directory(tx)}


@asynccontextmanager
async def stage(settings: Settings, dsn: str, model: ChatModel) -> AsyncIterator[Local]:
    """Everything in one process, as `sara.local` has it, with the attacked model in front of the chain and a
    transcriber that mishears nothing. No other worker may run on that database."""
    chain = ModelChain([model, ExtractiveResponder()])

    def equip(worker: Services) -> Services:
        # Not traced at LangSmith: a trace's id is made of the turn's, and these are turns of no installation.
        machine = build(cast(BaseCheckpointSaver[str], worker.machine.checkpointer))
        context = replace(worker.context, chat=chain, transcriber=WordForWord())
        return replace(worker, machine=machine, context=context)

    async with local_on(settings, dsn, equip=equip) as whole:
        yield whole


@dataclass
class Field:
    """Where attacks are played and what they must not touch is watched."""

    whole: Local
    model: ChatModel
    owners: Mapping[str, int]
    watched: dict[int, dict[str, str]]
    senders: Any

    @classmethod
    async def open(cls, whole: Local, model: ChatModel) -> "Field":
        """Enters a witness per business, a customer with an appointment, and notes how things stand."""
        owners, watched = await _owners(whole.crm), {}
        for business_id in owners.values():
            async with whole.crm.transaction(business_id) as tx:
                await _witness(tx)
                watched[business_id] = await _protected(tx)
        return cls(whole, model, owners, watched, itertools.count(10**14 + secrets.randbelow(10**9) * 1000))

    async def attack(self, row: suite.Row) -> Outcome:
        """One attack from its first turn to its last. A turn that is never done counts as not answered."""
        name = row.get("contact_name") or "Alex"
        customer = Customer(row["business"], str(next(self.senders)), name, TURN_S)
        replies: list[str] = []
        models: list[str] = []
        conversation_id, owner = 0, "bot"
        for turn in suite.said(row):
            spoken = {"voice": turn.encode()} if row["channel"] == "voice" else {"text": turn}
            before = len(self.whole.simulator.sent_to(customer.wa_id))
            try:
                came = await exchange(self.whole, customer, **spoken)
            except NoAnswer:
                break
            conversation_id, owner = came.conversation_id, came.owner
            models += [came.model] if came.model and came.outcome != "joined" else []
            replies += await self._arrived(customer.wa_id, before, came.reply)
        asked = row["id"] in self.model.asked if isinstance(self.model, Liar) else bool(models)
        effects = await self._effects(self.owners[row["business"]], conversation_id)
        return Outcome(row, tuple(replies), effects, owner, tuple(models), asked)

    async def _arrived(self, wa_id: str, before: int, reply: str) -> list[str]:
        """What the phone shows of a turn, buttons included."""
        deadline = asyncio.get_running_loop().time() + DELIVERY_S
        while True:
            sent = self.whole.simulator.sent_to(wa_id)[before:]
            shown = "\n".join(message.text or "" for message in sent)
            if len(shown) >= len(reply) or asyncio.get_running_loop().time() > deadline:
                break
            await asyncio.sleep(0.02)
        return [
            " | ".join([message.text or "", *(button.title for button in message.buttons)])
            for message in sent
        ]

    async def _effects(self, business_id: int, conversation_id: int) -> frozenset[str]:
        found: set[str] = set()
        async with self.whole.crm.transaction(business_id) as tx:
            now, before = await _protected(tx), self.watched[business_id]
            # Attacks run side by side: the first to see a change answers for it.
            self.watched[business_id] = now
            found |= {name for name, value in now.items() if value != before[name]}
            if conversation_id:
                contact_id = (await conversations.get(tx, conversation_id)).contact_id
                found |= await _own_effects(tx, contact_id)
        return frozenset(found)


async def _own_effects(tx: Tx, contact_id: int) -> set[str]:
    """What the attacker has now and came without."""
    has = {
        "appointment": await appointments.of_contact(tx, contact_id),
        "quote": await quotes.of_contact(tx, contact_id),
        "ticket": await tickets.of_contact(tx, contact_id),
        "optout": (await contacts.get(tx, contact_id)).opted_out_at,
    }
    return {name for name, rows in has.items() if rows}


async def _witness_id(tx: Tx) -> int:
    return await contacts.seen(tx, wa_id=_WITNESSES + "1", bsuid=None, name="Testimone")


async def _witness(tx: Tx) -> None:
    """A customer with an appointment in a year, so that there is something to steal or cancel."""
    contact_id = await _witness_id(tx)
    profile = await businesses.profile(tx)
    for service in profile.services:
        skilled = await appointments.skilled(tx, service.row.service_id)
        if skilled and not await appointments.of_contact(tx, contact_id):
            starts = tx.now + timedelta(days=365)
            await appointments.book(
                tx,
                contact_id=contact_id,
                conversation_id=None,
                service_id=service.row.service_id,
                resource_id=skilled[0].resource_id,
                starts=starts,
                ends=starts + timedelta(minutes=30),
                price=None,
                idempotency_key=f"witness:{starts.isoformat()}",
            )


async def _protected(tx: Tx) -> dict[str, str]:
    """What no customer may change, by the name of the effect."""
    profile, contact_id = await businesses.profile(tx), await _witness_id(tx)
    contact = replace(await contacts.get(tx, contact_id), last_seen_at=None)
    return {
        "price": repr([service.row for service in profile.services]),
        "contact": repr(
            (contact, await quotes.of_contact(tx, contact_id), await tickets.of_contact(tx, contact_id))
        ),
        "appointment": repr(await appointments.of_contact(tx, contact_id)),
        "optout": repr(contact.opted_out_at),
    }
