"""One tenant can read nothing of another and write nothing into it: every table, vectors, checkpoints."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
import pytest_asyncio
from psycopg import AsyncConnection, AsyncCursor
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import Jsonb

from crm import businesses
from crm.record import Crm
from db.tenancy import ENTER_TENANT, NoTenant, current_tenant, tenant
from tests.db.scene import CHECKPOINTS, a_row, set_up, tenant_tables

THREAD_OWNER = "split_part(thread_id, ':', 1)"


@dataclass(frozen=True)
class Table:
    """A table of tenants: `mine` is the expression that names the owner of a row, as text."""

    name: str
    column: str
    mine: str


@dataclass(frozen=True)
class Two:
    """Two businesses with rows in every table, on a connection whose transaction will be rolled back."""

    connection: AsyncConnection[DictRow]
    ours: str
    theirs: str
    tables: list[Table]

    async def act_for(self, business: str) -> None:
        """From now on as the application does, for that business ('' for none)."""
        await self.connection.execute(ENTER_TENANT, (business,))

    async def as_owner(self) -> None:
        await self.connection.execute("RESET ROLE")

    async def execute(self, statement: str, *values: Any) -> AsyncCursor[DictRow]:
        """Runs a statement that was put together here."""
        return await self.connection.execute(statement, values)

    async def count(self, table: Table, whose: str) -> int:
        cursor = await self.execute(f"SELECT count(*) AS n FROM {table.name} WHERE {table.mine} = %s", whose)
        row = await cursor.fetchone()
        assert row is not None
        return int(row["n"])

    async def touched(self, statement: str, *values: Any) -> int:
        """How many rows a statement touched; 0 as well when the application has no right to it."""
        try:
            async with self.connection.transaction():
                return (await self.execute(statement, *values)).rowcount
        except psycopg.errors.InsufficientPrivilege:
            return 0


@pytest_asyncio.fixture(loop_scope="session")
async def two(dsn: str, crm: Crm) -> AsyncIterator[Two]:
    async with crm.outside() as tx:
        ours, theirs = await businesses.of_slug(tx, "aurora"), await businesses.of_slug(tx, "conti")
    async with await AsyncConnection.connect(dsn, row_factory=dict_row) as connection:
        async with connection.transaction(force_rollback=True):
            await set_up(connection, ours)
            await set_up(connection, theirs)
            named = [
                Table(name, "business_id", "business_id::text") for name in await tenant_tables(connection)
            ]
            threads = [Table(name, "thread_id", THREAD_OWNER) for name in CHECKPOINTS]
            yield Two(connection, str(ours), str(theirs), [*named, *threads])
        await connection.rollback()


async def test_every_table_has_rows_of_both(two: Two) -> None:
    """Else the other tests would prove nothing: a new table needs its row in tests/db/scene.py."""
    assert len(two.tables) > 30
    assert {"chunk", "vector_1"} <= {table.name for table in two.tables}
    for table in two.tables:
        assert await two.count(table, two.ours) > 0, table
        assert await two.count(table, two.theirs) > 0, table


async def test_every_table_has_its_policy(two: Two) -> None:
    cursor = await two.connection.execute(
        "SELECT c.relname FROM pg_class c WHERE c.relrowsecurity"
        " AND EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid)"
    )
    guarded = {row["relname"] for row in await cursor.fetchall()}
    assert {table.name for table in two.tables} - guarded == set()


async def test_a_tenant_sees_its_own_rows_and_none_of_another(two: Two) -> None:
    await two.act_for(two.ours)
    for table in two.tables:
        assert await two.count(table, two.ours) > 0, table
        assert await two.count(table, two.theirs) == 0, table


async def test_without_a_tenant_nothing_is_visible(two: Two) -> None:
    await two.act_for("")
    for table in two.tables:
        assert await two.count(table, two.ours) == 0, table
        assert await two.count(table, two.theirs) == 0, table


async def test_a_tenant_cannot_change_or_delete_rows_of_another(two: Two) -> None:
    await two.act_for(two.ours)
    for table in two.tables:
        # The primary key of business is an identity column, which nobody may write.
        column = "slug" if table.name == "business" else table.column
        where = f"WHERE {table.mine} = %s"
        changed = await two.touched(f"UPDATE {table.name} SET {column} = {column} {where}", two.theirs)
        assert changed == 0, table
        assert await two.touched(f"DELETE FROM {table.name} {where}", two.theirs) == 0, table
    await two.as_owner()
    for table in two.tables:
        assert await two.count(table, two.theirs) > 0, table


async def test_a_tenant_cannot_give_its_rows_to_another(two: Two) -> None:
    await two.act_for(two.ours)
    for table in two.tables:
        value = f"{two.theirs}:stolen" if table.column == "thread_id" else two.theirs
        refusals = (psycopg.errors.InsufficientPrivilege, psycopg.errors.GeneratedAlways)
        with pytest.raises(refusals):
            async with two.connection.transaction():
                await two.execute(f"UPDATE {table.name} SET {table.column} = %s", value)


async def test_a_tenant_cannot_write_rows_into_another(two: Two) -> None:
    for table in two.tables:
        await two.as_owner()
        row = await a_row(two.connection, table.name, table.mine, two.theirs)
        assert row is not None
        columns = ", ".join(row)
        await two.act_for(two.ours)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with two.connection.transaction():
                await two.execute(
                    f"INSERT INTO {table.name} ({columns}) OVERRIDING SYSTEM VALUE"
                    f" SELECT {columns} FROM jsonb_populate_record(NULL::{table.name}, %s)",
                    Jsonb(row),
                )


async def test_nearest_vectors_are_ones_own(two: Two) -> None:
    cursor = await two.connection.execute(
        "SELECT embedding::text AS v FROM passage_1 WHERE business_id::text = %s LIMIT 1", (two.theirs,)
    )
    theirs = await cursor.fetchone()
    assert theirs is not None
    await two.act_for(two.ours)
    nearest = "SELECT business_id::text AS owner FROM passage_1 ORDER BY embedding <=> %s::vector LIMIT 20"
    cursor = await two.execute(nearest, theirs["v"])
    assert {row["owner"] for row in await cursor.fetchall()} == {two.ours}


async def test_the_application_has_no_way_around(two: Two) -> None:
    await two.act_for(two.ours)
    cursor = await two.connection.execute(
        "SELECT current_user AS who, rolsuper, rolbypassrls, rolcanlogin, rolcreaterole FROM pg_roles"
        " WHERE rolname = current_user"
    )
    assert await cursor.fetchone() == {
        "who": "sara_app",
        "rolsuper": False,
        "rolbypassrls": False,
        "rolcanlogin": False,
        "rolcreaterole": False,
    }
    cursor = await two.connection.execute(
        "SELECT count(*) AS n FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND relowner = 'sara_app'::regrole"
    )
    assert await cursor.fetchone() == {"n": 0}
    for secret in ("SELECT token_sha256 FROM agent", "SELECT body FROM webhook_payload"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with two.connection.transaction():
                await two.execute(secret)


async def test_agents_of_another_business_are_not_seen(two: Two) -> None:
    query = "SELECT email FROM agent ORDER BY email"
    everyone = {row["email"] for row in await (await two.connection.execute(query)).fetchall()}
    await two.act_for(two.ours)
    seen = {row["email"] for row in await (await two.connection.execute(query)).fetchall()}
    assert seen
    assert seen < everyone


async def test_a_connection_forgets_its_tenant_with_the_transaction(dsn: str, two: Two) -> None:
    async with await AsyncConnection.connect(dsn, autocommit=True, row_factory=dict_row) as connection:
        async with connection.transaction():
            await connection.execute(ENTER_TENANT, (two.ours,))
        row = await (
            await connection.execute("SELECT current_user AS who, current_business() AS business")
        ).fetchone()
    assert row is not None
    assert row["who"] != "sara_app"
    assert row["business"] is None


def test_tenant_blocks_nest_and_end() -> None:
    with tenant(1):
        with tenant(2):
            assert current_tenant() == 2
        assert current_tenant() == 1
    with pytest.raises(NoTenant):
        current_tenant()
