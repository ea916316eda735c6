"""The soak: real processes under load that are killed and come back, and then the question what was lost."""

import asyncio
import contextlib
import logging
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from channels.simulator.app import simulator_app
from channels.simulator.simulator import Simulator
from crm import soak
from crm.errors import RecordUnavailable
from crm.record import Crm
from db import embedded
from db.embedded import Embedded
from db.migrate import migrate
from sara import seed, services
from sara.bench import campaign
from sara.local import HOST, listen, serving, simulated_world
from sara.settings import Settings
from sara.soak import gauges as gauging
from sara.soak import report as reporting
from sara.soak import required, weather
from sara.soak.checks import judged
from sara.soak.desk import Desk, hire
from sara.soak.evidence import Evidence, Recorded, got, keep, recorded, troubles, written_at
from sara.soak.gauges import Gauges
from sara.soak.people import Crowd
from sara.soak.plan import Plan
from sara.soak.processes import Installation, environment, installation
from sara.soak.report import Report

_SECRET = "soak-secret"  # noqa: S105 - of a simulated number
_TOKEN = "soak-token"  # noqa: S105 - of a simulated number
_PASSER_BY_S = 6.0
_AT_REST = 3  # looks in a row at which nothing is left
_CAMPAIGN_AT, _RECIPIENTS_PER_MINUTE, _MOST_RECIPIENTS = 0.3, 8, 200

Tell = Callable[[str], None]


@dataclass
class _Scene:
    """Everything of one run."""

    plan: Plan
    crm: Crm
    simulator: Simulator
    faults: weather.CountedFaults
    installation: Installation
    crowd: Crowd
    desk: Desk
    folder: Path
    gauges: Gauges = field(default_factory=lambda: Gauges([], [], []))
    recipients: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


async def soaked(settings: Settings, plan: Plan, folder: Path, *, tell: Tell) -> Report:
    """Runs a soak in `folder` and judges it. `tell` hears how far it is. Raises NotStarted."""
    async with _scene(settings, plan, folder) as scene:
        for name in ("uvicorn.error", "psycopg.pool"):  # connections cut by what is killed are no news here
            logging.getLogger(name).setLevel(logging.CRITICAL)
        tell("starting: database, simulator, serve, two workers")
        await scene.installation.start()
        clock, began = datetime.now(UTC), time.monotonic()
        watching = asyncio.create_task(
            gauging.watch(scene.installation, scene.gauges, began, every_s=10 if plan.long else 1)
        )
        try:
            tell(f"{plan.minutes:g} minutes of load, {len(plan.breakages())} breakages")
            await _load(scene, began, tell)
            took = time.monotonic() - began
            tell("the customers have gone; waiting until everything is at rest")
            drained, jobs = await _drained(scene)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        await scene.installation.stop()
        await scene.simulator.settle()
        return await _judged(scene, clock, took, drained, jobs)


@asynccontextmanager
async def _scene(settings: Settings, plan: Plan, folder: Path) -> AsyncIterator[_Scene]:
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(_database(folder))
        own = settings.model_copy(update=_made(folder, database.dsn))
        crm = await stack.enter_async_context(services.record(own, database.dsn))
        await seed.enter_seeds(crm)
        async with crm.as_owner() as tx:
            await soak.watch_claims(tx)
        port, listener = _free_port(), stack.enter_context(listen(0))
        world = await simulated_world(own, crm, f"http://{HOST}:{port}")
        simulator, faults = weather.simulator_of(world, plan.seed)
        await stack.enter_async_context(simulator)
        await stack.enter_async_context(serving(simulator_app(simulator), listener))
        graph_url = f"http://{HOST}:{listener.getsockname()[1]}"
        secrets = {
            "SARA_WHATSAPP_APP_SECRET": _SECRET,
            "SARA_WHATSAPP_VERIFY_TOKEN": _TOKEN,
            "SARA_WHATSAPP_ACCESS_TOKEN": _TOKEN,
        }
        given = environment(database.dsn, folder, graph_url, secrets, plan.gather_s)
        town = installation(database, crm, port, given, folder)
        stack.callback(town.kill)
        crowd = Crowd(simulator, rate=plan.rate, seed=plan.seed)
        desk = Desk(town.url, await hire(crm), seed=plan.seed)
        yield _Scene(plan, crm, simulator, faults, town, crowd, desk, folder)


def _made(folder: Path, dsn: str) -> dict[str, Any]:
    return {
        "data_dir": folder,
        "database_url": dsn,
        "whatsapp_app_secret": SecretStr(_SECRET),
        "whatsapp_access_token": SecretStr(_TOKEN),
        "whatsapp_verify_token": SecretStr(_TOKEN),
    }


@asynccontextmanager
async def _database(folder: Path) -> AsyncIterator[Embedded]:
    database = await asyncio.to_thread(embedded.start, folder)
    try:
        await migrate(database.dsn)
        yield database
    finally:
        await asyncio.to_thread(database.stop)


async def _load(scene: _Scene, began: float, tell: Tell) -> None:
    """Customers write, agents work, things break; all of it ends, and the breakages are mended."""
    plan, simulator = scene.plan, scene.simulator
    busy = [
        asyncio.create_task(one)
        for one in (
            scene.crowd.write(),
            scene.desk.work(),
            weather.storms(simulator),
            _tells(scene, began, tell),
        )
    ]
    if plan.long:
        busy.append(asyncio.create_task(_campaign(scene)))
    breaking = asyncio.create_task(weather.breakages(scene.installation, plan, began))
    try:
        while time.monotonic() - began < plan.seconds:
            await asyncio.sleep(min(0.5, plan.seconds))
            for task in (*busy, breaking):
                if task.done() and not task.cancelled() and (problem := task.exception()) is not None:
                    raise problem
        await breaking
    finally:
        for task in (*busy, breaking):
            task.cancel()
        await asyncio.gather(*busy, breaking, return_exceptions=True)


async def _tells(scene: _Scene, began: float, tell: Tell) -> None:
    while True:
        await asyncio.sleep(60)
        minutes = (time.monotonic() - began) / 60
        tell(
            f"minute {minutes:.0f}: {len(scene.crowd.written)} messages of customers,"
            f" {len(scene.simulator.world.all_sent())} to them, {len(scene.installation.broken)} breakages"
        )


async def _campaign(scene: _Scene) -> None:
    """Advertising to people elsewhere, in the middle of it all."""
    await asyncio.sleep(scene.plan.seconds * _CAMPAIGN_AT)
    count = min(_MOST_RECIPIENTS, round(scene.plan.minutes * _RECIPIENTS_PER_MINUTE))
    while not scene.recipients:
        with contextlib.suppress(RecordUnavailable):  # a restart of the database: nothing was kept
            made = await campaign.prepared(scene.crm, scene.simulator, count, None)
            scene.recipients.extend(made.people)


async def _drained(scene: _Scene) -> tuple[float | None, dict[str, int]]:
    """Waits until nothing is on its way any more; the seconds it took, None when it does not come to rest,
    and the jobs that are left.

    An unknown delivery is settled by statuses of later messages, so passers-by write now and then.
    """
    began, seen, passer_by = time.monotonic(), 0, 0
    jobs: dict[str, int] = {}
    while time.monotonic() - began < scene.plan.drain_s:
        await asyncio.sleep(1.0)
        with contextlib.suppress(RecordUnavailable):
            found = await recorded(scene.crm)
            async with scene.crm.as_owner() as tx:
                jobs = await soak.jobs_left(tx)
            seen = seen + 1 if _rests(scene, found) and not jobs else 0
            if seen >= _AT_REST:
                return round(time.monotonic() - began, 1), {}
            unknown = any(row.state == "unknown" for row in found.said)
            if unknown and time.monotonic() - began > _PASSER_BY_S * (passer_by + 1):
                passer_by += 1
                await scene.crowd.passer_by()
    return None, jobs


def _rests(scene: _Scene, found: Recorded) -> bool:
    known = {row.wamid for row in found.heard if row.done_at is not None}
    return (
        not scene.simulator.courier.pending
        and all(row.state not in ("queued", "sending", "unknown") for row in found.said)
        and all(one.wamid in known for one in scene.crowd.written)
    )


async def _judged(
    scene: _Scene, clock: datetime, took: float, drained: float | None, jobs: dict[str, int]
) -> Report:
    plan, simulator = scene.plan, scene.simulator
    found = await recorded(scene.crm)
    async with scene.crm.as_owner() as tx:
        jobs = jobs or {
            name: count for name, count in (await soak.jobs_left(tx)).items() if name.endswith("doing")
        }
        locks = await soak.locks_left(tx)
    phones = got(simulator)
    lives = gauging.lives(scene.gauges.samples)
    evidence = Evidence(
        written=scene.crowd.written,
        got=phones,
        heard=found.heard,
        said=found.said,
        claims=found.claims,
        handed=found.handed,
        sent_at=written_at(simulator, scene.crowd.written),
        jobs=jobs,
        locks=locks,
        refused=dict(simulator.refused),
        given_up=simulator.courier.given_up,
        answers=dict(scene.desk.answers),
        failures=[one for process in scene.installation.processes for one in process.failures],
        recipients=scene.recipients,
        lives=lives,
        done=_done(scene, found, len(phones)),
    )
    await asyncio.to_thread(keep, evidence, scene.folder / "evidence.json")
    connections = [count for _, count in scene.gauges.connections] or [0]
    memory = [mb for _, mb in scene.gauges.database_mb] or [0.0]
    return Report(
        plan=plan,
        began=clock,
        took_s=round(took, 1),
        drained_s=drained,
        findings=judged(evidence, plan),
        done=evidence.done,
        minutes=reporting.minutes(evidence, clock),
        lives=lives,
        connections=(max(connections), connections[-1]),
        database_mb=(memory[0], memory[-1]),
        broken=scene.installation.broken,
        troubles=dict(troubles(process.log for process in scene.installation.processes)),
    )


def _done(scene: _Scene, found: Recorded, sent: int) -> dict[str, int]:
    """Counts of everything that was done, in customers' and agents' hands, at Meta and in the record."""
    done: Counter[str] = Counter(found.done)
    done.update({f"customers: {name}": number for name, number in scene.crowd.acts.items()})
    done.update({f"agents: {name}": number for name, number in scene.desk.acts.items()})
    done.update({f"agents were answered {code or 'nothing'}": n for code, n in scene.desk.answers.items()})
    done.update({f"faults: {fault}": number for fault, number in scene.faults.met.items()})
    done.update(what for _, what in scene.installation.broken)
    done[required.MESSAGES] = len(scene.crowd.written)
    done[required.REPLIES] = sent
    done[required.CAMPAIGN] = len(scene.recipients)
    done["webhooks posted twice"] = scene.simulator.courier.doubled
    return dict(done)


def _free_port() -> int:
    """A port of loopback that nobody listens on now; the API comes back on it after each restart."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
