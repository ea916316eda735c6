"""How many connections a process opens, and how soon a dead one is noticed."""

import asyncio

import psycopg
import pytest

from crm.operating import Operating
from db.address import GONE_S, watchful
from sara import connections, services
from sara.commands.doctor_connections import of_budget
from sara.settings import load
from tests.scale.ground import Ground

URL = "postgresql://sara_owner:secret@db.internal:6432/sara?options=-c%20search_path%3Dpublic"


def test_what_the_address_says_itself_stays() -> None:
    made = psycopg.conninfo.conninfo_to_dict(watchful(URL + "&keepalives_idle=60"))
    assert (made["host"], made["port"], made["password"]) == ("db.internal", "6432", "secret")
    assert made["keepalives_idle"] == "60"
    assert made["tcp_user_timeout"] == str(GONE_S * 1000)
    assert str(made["options"]).endswith("-c search_path=public")
    assert "tcp_keepalives_idle" in str(made["options"])


def test_a_pooler_is_sent_nothing_that_it_would_refuse() -> None:
    made = psycopg.conninfo.conninfo_to_dict(watchful("postgresql://u@pooler/sara", pooled=True))
    assert "options" not in made
    assert made["keepalives"] == "1"


async def test_the_server_asks_after_silent_clients(soil: Ground) -> None:
    """Over a network the settings are those of the session; on a local socket the server knows none."""
    async with await psycopg.AsyncConnection.connect(watchful(soil.database.dsn)) as connection:
        row = await (await connection.execute("SHOW client_connection_check_interval")).fetchone()
    assert row == (f"{GONE_S}s",)


def of(figures: dict[str, float]) -> Operating:
    return Operating({(name, ""): value for name, value in figures.items()}, 0.0)


@pytest.mark.parametrize(
    ("workers", "pooled", "state"), [(1, False, "ok"), (2, False, "warning"), (20, True, "ok")]
)
def test_the_doctor_counts_what_could_be_opened(workers: int, pooled: bool, state: str) -> None:
    settings = load(database_url="postgresql://db/sara", database_direct_url="x" if pooled else None)
    figures = {"serving": 1.0, "lanes": 2.0 * workers, "database_connections_most": 100.0}
    finding = of_budget(settings, of(figures))
    assert finding.state == state, finding.detail
    if state != "ok":
        serve, worker = connections.of_serve(settings), connections.of_worker(settings)
        assert f"max_connections = {serve.whole + workers * worker.whole + 10} " in finding.mend


async def test_no_process_opens_more_than_it_may(soil: Ground) -> None:
    """A worker and an API at rest, and the record under as many transactions as it is asked for."""
    own = load(data_dir=soil.folder, database_url=soil.database.dsn, llm="extractive", database_connections=5)
    async with services.database(own) as dsn, services.record(own, dsn, jobs=False) as crm:
        before = await sessions(soil)

        async def one() -> None:
            async with crm.outside():
                await asyncio.sleep(0.2)

        await asyncio.gather(*(one() for _ in range(20)))
        assert await sessions(soil) - before <= 5 - 2  # two are open from the beginning
    assert connections.of_record(own, jobs=False) == 5
    assert connections.of_record(own, jobs=True) == own.worker_concurrency + own.worker_deliveries + 4


async def sessions(soil: Ground) -> int:
    async with await psycopg.AsyncConnection.connect(soil.database.dsn) as owner:
        row = await (
            await owner.execute("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")
        ).fetchone()
    assert row is not None
    return int(row[0])
