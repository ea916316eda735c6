"""An installation over several hosts: `sara serve` and `sara worker`, each in its own network namespace."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import psycopg

from db.embedded import Embedded
from inference.weights import resolve_whisper
from tests.chaos.town import RUN_SARA, SECRETS, Process, Town, simulated, until
from tests.scale import net
from tests.scale.front import balancer
from tests.scale.ground import Ground
from tests.scale.net import Host

WORKERS, SERVES = ("a", "b", "c"), ("d", "e")
AHEAD = "c"  # whose clock is wrong …
AHEAD_S = 3600  # … by an hour

_API_PORT = 8000
# Which host took which job: finished jobs are deleted, and their worker's number says nothing of its host.
_WATCH = """
CREATE TABLE taken (host inet, worker_id bigint, task text, conversation_id bigint,
    at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE FUNCTION note_taken() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO taken (host, worker_id, task, conversation_id)
    VALUES (inet_client_addr(), NEW.worker_id, NEW.task_name, (NEW.args ->> 'conversation_id')::bigint);
    RETURN NULL;
END $$;
CREATE TRIGGER note_taken AFTER UPDATE OF status ON procrastinate_jobs FOR EACH ROW
    WHEN (NEW.status = 'doing') EXECUTE FUNCTION note_taken();
"""
_AT_WORK = """
SELECT count(*) FROM procrastinate_jobs j
WHERE j.status = 'doing' AND j.args ? 'conversation_id'
  AND j.worker_id IN (SELECT worker_id FROM taken WHERE host = %s::inet)
"""


@dataclass(frozen=True)
class Land:
    """Everything the tests act on: the town's database and customers, and its hosts by name."""

    town: Town
    hosts: dict[str, Host]
    processes: dict[str, Process]
    skewed: bool

    async def jobs_at_work(self, name: str) -> int:
        """How many turns and deliveries a host's worker has taken and not ended, as the queue knows it."""
        return int(await self.town.value(_AT_WORK, self.hosts[name].address))

    async def shares(self, task: str) -> dict[str, int]:
        """How many jobs of a task each worker's host has taken so far."""
        rows = await self.town.rows(
            "SELECT host(host) AS host, count(*) AS jobs FROM taken WHERE task = %s GROUP BY 1", task
        )
        by_address = {row["host"]: int(row["jobs"]) for row in rows}
        return {name: by_address.get(self.hosts[name].address, 0) for name in WORKERS}

    async def took_one_since(self, name: str, moment: object) -> bool:
        """Whether a host's worker has taken a job since then, by the database's clock."""
        query = "SELECT EXISTS (SELECT FROM taken WHERE host = %s::inet AND at > %s)"
        return bool(await self.town.value(query, self.hosts[name].address, moment))

    async def now(self) -> Any:
        """The database's time."""
        return await self.town.value("SELECT clock_timestamp()")


@asynccontextmanager
async def settled(ground: Ground) -> AsyncIterator[Land]:
    """The installation at work; everything is killed at the end."""
    wrong = await asyncio.to_thread(net.wrong_clock, ground.folder, AHEAD_S)
    # Put together once: the host with the wrong clock would take what another one is writing for left over.
    await asyncio.to_thread(resolve_whisper, "base", ground.folder)
    with net.network(*WORKERS, *SERVES) as network:
        dsn = ground.on_network(network.here, f"{network.here}/24")
        hosts = network.hosts
        behind = [(hosts[name].address, _API_PORT) for name in SERVES]
        async with (
            balancer(network.here, behind) as front,
            simulated(f"{front}/webhooks/whatsapp", host=network.here) as (simulator, graph_url),
        ):
            environment = {
                "PATH": os.environ.get("PATH", os.defpath),
                "HOME": str(ground.folder),
                "SARA_DATABASE_URL": dsn,
                "SARA_DATA_DIR": str(ground.folder),
                "SARA_LLM": "extractive",
                "SARA_WHATSAPP_BASE_URL": graph_url,
                "SARA_GATHER_SECONDS": "0.3",
                "SARA_LOG_LEVEL": "warning",
                **SECRETS,
            }
            processes = {}
            for name in (*SERVES, *WORKERS):
                serving = ("serve", "--host", "0.0.0.0", "--port", str(_API_PORT))
                own = environment | (wrong if name == AHEAD else {})
                processes[name] = Process(
                    serving if name in SERVES else ("worker",),
                    own,
                    ground.folder / f"{name}.log",
                    program=(*hosts[name].enter, *RUN_SARA),
                )
            town = Town(
                Embedded(dsn, ground.database.server),
                simulator,
                processes[SERVES[0]],
                processes[WORKERS[0]],
                front,
                environment,
            )
            async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as owner:
                await owner.execute(_WATCH)
            try:
                for process in processes.values():
                    process.start()
                await _all_up(town, [hosts[name] for name in SERVES])
                yield Land(town, hosts, processes, bool(wrong))
            finally:
                for process in processes.values():
                    process.kill()


async def _all_up(town: Town, serving: list[Host]) -> None:
    async with httpx.AsyncClient(timeout=2) as http:

        async def ready() -> bool:
            lanes = await town.value("SELECT count(*) FROM procrastinate_workers")
            if lanes < 2 * len(WORKERS):
                return False
            for host in serving:
                with contextlib.suppress(httpx.TransportError):
                    if (await http.get(f"http://{host.address}:{_API_PORT}/readyz")).status_code == 200:
                        continue
                return False
            return True

        await until(ready, 300, "the hosts did not start")
