"""A campaign to thousands of simulated customers while others chat: what it costs the chats, what it loses.

`sara serve` and `sara worker` are processes of their own; Meta, the recipients and the chatting customers are
simulated in this one.
"""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from channels.simulator.simulator import Simulator
from crm import businesses, campaigns, consent, contacts, governor, outbox, template_book
from crm.campaign_rows import Audience, Manner, Variant
from crm.quiet import quiet_until
from crm.record import Crm
from crm.template_book import KnownTemplate
from sara.bench.channel import NUMBER, RATE, at_work, fullest, installed
from sara.bench.figures import row, spread
from sara.settings import Settings

CHATS_PER_S = 1.0
"""Customers who begin a chat each second, each with a question of their own."""
TIER_SHARE = 0.4
BAD_SHARE = 0.05
_TEMPLATE = KnownTemplate(
    "autumn", "it", "MARKETING", "APPROVED", None, None, "Ciao {{1}}, ti aspetta {{2}}!", 2, True, []
)
_BODY = ({"type": "BODY", "text": _TEMPLATE.body},)
# Countries all around the globe: somewhere it is always day, and no Sunday is quiet.
_AROUND = ("91987", "81901", "61212", "44770", "12125", "18085")
_LOOK_S = 0.5


async def measure(settings: Settings, rounds: int) -> dict[str, Any]:
    """`rounds` recipients at a tier of two fifths of them, with a pause on the way; at the tier's end Meta
    raises it. Customers chat all the while."""
    tier = max(1, int(rounds * TIER_SHARE))
    async with installed(settings) as (own, dsn, crm), at_work(own, dsn, crm) as (simulator, _, _):
        made = await prepared(crm, simulator, rounds, tier)
        chatting = asyncio.create_task(_chat(simulator))
        try:
            await _reaches(made, simulator, tier // 2)
            paused = await _pause(made, crm, simulator)
            await _reaches(made, simulator, tier)
            await asyncio.sleep(5.0)
            at_tier = len(_reached(simulator, made.people))
            simulator.quotas.tier = None
            simulator.account.promote(NUMBER, "TIER_10K")
            await _finished(made, crm, rounds)
        finally:
            chatting.cancel()
        figures = await _figures(made, crm, simulator)
    return figures | {"tier": tier, "reached_at_tier": at_tier, "sent_while_paused": paused}


async def measure_bad(settings: Settings, rounds: int) -> dict[str, Any]:
    """`rounds` recipients of whom one in twenty has no WhatsApp: half of those are refused at once, half are
    taken and then fail."""
    async with installed(settings) as (own, dsn, crm), at_work(own, dsn, crm) as (simulator, _, _):
        made = await prepared(crm, simulator, rounds, None)
        bad = made.people[:: int(1 / BAD_SHARE)]
        for wa_id in bad[::2]:
            simulator.faults.refuses(wa_id, 131026)
        simulator.settings = simulator.settings.model_copy(update={"unreachable": frozenset(bad[1::2])})
        await _finished(made, crm, rounds)
        await simulator.settle()
        figures = await _figures(made, crm, simulator)
    return figures | {"bad": len(bad)}


@dataclass(frozen=True)
class Made:
    """A campaign that was started, and whom it is for."""

    business_id: int
    campaign_id: int
    people: Sequence[str]


async def prepared(crm: Crm, simulator: Simulator, count: int, tier: int | None) -> Made:
    """The template, the recipients with their consent, the limits, and the campaign started."""
    people = awake(count)
    async with crm.outside() as tx:
        business_id = await businesses.of_slug(tx, "aurora")
    waba_id = simulator.world.numbers[NUMBER].waba_id
    simulator.account.submit(
        waba_id, _TEMPLATE.name, "it", category="MARKETING", components=_BODY, status="APPROVED"
    )
    simulator.quotas.tier, simulator.quotas.throughput_per_s = tier, RATE
    async with crm.transaction(business_id) as tx:
        await template_book.put(tx, _TEMPLATE)
        await governor.set_limits(tx, NUMBER, tier=tier or governor.UNLIMITED)
        for wa_id in people:
            contact_id = await contacts.entered(tx, wa_id=wa_id, name="Anna")
            await consent.changed(tx, contact_id, given=True, source="import", evidence="form")
        said = [Variant("a", _TEMPLATE.name, ["{name}", "{business}"])]
        manner = Manner(first_wave=0)
        campaign_id = await campaigns.create(tx, "autumn", NUMBER, said, Audience(), manner)
        await campaigns.start(tx, campaign_id)
    return Made(business_id, campaign_id, people)


def awake(count: int) -> list[str]:
    """Phone numbers of a place where it is day."""
    for start in _AROUND:
        found = [f"{start}{number:06d}" for number in range(count)]
        if quiet_until(found[0], datetime.now(UTC), home="Europe/Rome") is None:
            return found
    raise RuntimeError("it is night everywhere")


def _reached(simulator: Simulator, people: Sequence[str]) -> Counter[str]:
    known = set(people)
    return Counter(m.customer for m in simulator.world.all_sent() if m.customer in known)


async def _reaches(made: Made, simulator: Simulator, count: int) -> None:
    ends = time.monotonic() + 60 + count
    while time.monotonic() < ends:
        if len(_reached(simulator, made.people)) >= count:
            return
        await asyncio.sleep(_LOOK_S)


async def _pause(made: Made, crm: Crm, simulator: Simulator) -> int:
    """Pauses for a while; how many messages went out although it was paused for a second."""
    async with crm.transaction(made.business_id) as tx:
        await campaigns.pause(tx, made.campaign_id)
    await asyncio.sleep(1.0)  # what a sender had in its hands
    before = _reached(simulator, made.people).total()
    await asyncio.sleep(4.0)
    after = _reached(simulator, made.people).total()
    async with crm.transaction(made.business_id) as tx:
        await campaigns.resume(tx, made.campaign_id)
    return after - before


async def _finished(made: Made, crm: Crm, count: int) -> None:
    ends = time.monotonic() + 120 + count
    while time.monotonic() < ends:
        async with crm.transaction(made.business_id) as tx:
            if (await campaigns.get(tx, made.campaign_id)).state in ("finished", "paused"):
                return
        await asyncio.sleep(_LOOK_S)


async def _chat(simulator: Simulator) -> None:
    for number in itertools.count():
        await simulator.customer_sends(NUMBER, f"39377{number:07d}", text="Quanto costa un massaggio?")
        await asyncio.sleep(1 / CHATS_PER_S)


async def _figures(made: Made, crm: Crm, simulator: Simulator) -> dict[str, Any]:
    reached = _reached(simulator, made.people)
    moments = sorted(m.at for m in simulator.world.all_sent())
    async with crm.transaction(made.business_id) as tx:
        state = await campaigns.get(tx, made.campaign_id)
        counts: Counter[str] = Counter()
        for count in await campaigns.counts(tx, made.campaign_id):
            counts[count.state] += count.people
        delays = await outbox.delays(tx)
    began = state.started_at or state.created_at
    return {
        "recipients": len(made.people),
        "state": state.state,
        "reached": len(reached),
        "twice": sum(times - 1 for times in reached.values()),
        "counts": dict(counts),
        "seconds": round((datetime.now(UTC) - began).total_seconds(), 1),
        "fullest_second": fullest(moments),
        "refused": dict(simulator.refused),
        "replies": len(delays),
        "reply_queue_delay_s": spread(delays) if delays else {"median": 0.0, "p95": 0.0},
    }


def table(figures: Mapping[str, Any]) -> str:
    """The figures for a person."""
    delay, counts = figures["reply_queue_delay_s"], figures["counts"]
    lines = [
        row("recipients, reached, twice", figures["recipients"], figures["reached"], figures["twice"]),
        row("… as the campaign counts them", *(f"{n} {state}" for state, n in sorted(counts.items()))),
        row("seconds, messages in the fullest", figures["seconds"], figures["fullest_second"]),
        row("refused by Meta", *([f"{n} x {code}" for code, n in figures["refused"].items()] or ["0"])),
    ]
    if figures["replies"]:
        lines += [
            row("tier, reached when it was used up", figures["tier"], figures["reached_at_tier"]),
            row("sent while it was paused", figures["sent_while_paused"]),
            row("replies, s in the outbox: median, p95", figures["replies"], delay["median"], delay["p95"]),
        ]
    return "\n".join(lines)
