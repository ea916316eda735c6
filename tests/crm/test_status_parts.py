"""Statuses by months: the table is cut while it is written to, dropped part by part, and stays one table."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier

from crm import businesses, messages, status_parts
from crm.messages import NewMessage
from crm.record import Crm
from db.dump import dump, restore
from db.embedded import Embedded
from db.migrate import MIGRATIONS, migrate
from db.pool import open_pool
from tests.crm.conftest import Book, Clock
from tests.db.conftest import Fresh, fresh, server  # noqa: F401 - fixtures

_numbers = itertools.count(1)
JUST_BEFORE = "0034_flat_cost"


@dataclass(frozen=True)
class Months:
    """A record of its own, whose table may be cut."""

    book: Book
    conversation_id: int
    contact_id: int

    async def sent(self, count: int, *, days_ago: int = 0) -> list[int]:
        """Messages of ours with two statuses each."""
        made = []
        async with self.book.crm.transaction(self.book.business_id) as tx:
            for _ in range(count):
                wamid = f"wamid.part.{next(_numbers)}"
                new = NewMessage(
                    self.conversation_id, self.contact_id, "bot", "text", tx.now, body="ciao", wamid=wamid
                )
                made.append(await messages.add(tx, new) or 0)
        for message_id in made:
            await self.book.rows(
                "INSERT INTO message_status (business_id, message_id, status, at)"
                " SELECT business_id, message_id, s, now() FROM message, unnest(ARRAY['sent', 'read']) s"
                " WHERE message_id = %s",
                message_id,
            )
        await self.book.rows(
            "UPDATE message SET created_at = now() - %s * interval '1 day' WHERE message_id = ANY (%s)",
            days_ago,
            made,
        )
        return made

    async def cut(self, month: int) -> str | None:
        """As the job does it."""
        when = self.book.clock.now.date().replace(month=month, day=1)
        async with self.book.crm.outside() as tx:
            if not await status_parts.cut_begin(tx, when, least=1):
                return None
        async with self.book.crm.outside() as tx:
            await status_parts.cut_look(tx)
        async with self.book.crm.outside() as tx:
            return await status_parts.cut_end(tx, when)

    async def parts(self) -> list[status_parts.PartRow]:
        async with self.book.crm.outside() as tx:
            return await status_parts.parts(tx)

    async def skip_to(self, message_id: int) -> None:
        """As if so many messages had come in between."""
        await self.book.rows("SELECT setval(pg_get_serial_sequence('message', 'message_id'), %s)", message_id)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pattern(fresh: Fresh) -> str:  # noqa: F811
    """A migrated database that the others are copies of."""
    dsn = await fresh()
    await migrate(dsn)
    return dsn


@pytest_asyncio.fixture(loop_scope="session")
async def months(pattern: str, server: Embedded) -> AsyncIterator[Months]:  # noqa: F811
    name = f"months{next(_numbers)}"
    async with await psycopg.AsyncConnection.connect(server.dsn, autocommit=True) as owner:
        template = str(conninfo_to_dict(pattern)["dbname"])
        await owner.execute(
            SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(name), Identifier(template))
        )
    dsn = make_conninfo(server.dsn, dbname=name)
    pool = await open_pool(dsn, max_size=6, name=name)
    try:
        yield await _opened(dsn, Crm(pool, Clock()))
    finally:
        await pool.close()


async def _opened(dsn: str, crm: Crm) -> Months:
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True, row_factory=dict_row) as owner:
        await owner.execute(
            "INSERT INTO business (slug, name, vertical, country, time_zone, currency, languages)"
            " VALUES ('months', 'Months', 'wellness', 'IT', 'Europe/Rome', 'EUR', '{it}')"
        )
        await owner.execute("INSERT INTO business_number SELECT 'n1', business_id, NULL FROM business")
    async with crm.outside() as tx:
        business_id = await businesses.of_slug(tx, "months")
    clock = crm.clock
    assert isinstance(clock, Clock)
    book = Book(dsn, crm, clock, business_id, "n1")
    contact_id, conversation_id = await book.customer()
    return Months(book, conversation_id, contact_id)


async def test_rows_of_several_months_stay_one_table(months: Months) -> None:
    first = await months.sent(3)
    assert await months.cut(1) == "message_status_2026_01"
    assert await months.cut(1) is None
    [before, january] = await months.parts()
    assert (before.lower_id, before.upper_id) == (None, january.lower_id)
    assert january.lower_id is not None
    assert january.lower_id > max(first)
    second = await months.sent(2)  # tomorrow has not come: still in the first part
    await months.skip_to(january.lower_id)
    third = await months.sent(2)
    assert await months.cut(2) == "message_status_2026_02"
    [*_, february] = await months.parts()
    await months.skip_to(february.lower_id or 0)
    fourth = await months.sent(1)
    rows = await months.book.rows(
        "SELECT tableoid::regclass::text AS part, array_agg(DISTINCT message_id ORDER BY message_id) AS ids"
        " FROM message_status GROUP BY 1 ORDER BY 1"
    )
    assert {row["part"]: row["ids"] for row in rows} == {
        "message_status_first": first + second,
        "message_status_2026_01": third,
        "message_status_2026_02": fourth,
    }


async def test_a_status_that_comes_twice_is_one_whichever_part_it_is_in(months: Months) -> None:
    [old] = await months.sent(1)
    await months.cut(1)
    [_, january] = await months.parts()
    await months.skip_to(january.lower_id or 0)
    [new] = await months.sent(1)
    named = await months.book.rows("SELECT wamid FROM message WHERE message_id IN (%s, %s)", old, new)
    async with months.book.crm.transaction(months.book.business_id) as tx:
        for row in named:
            await tx.together([messages.status(wamid=row["wamid"], outbox_id=None, status="read", at=tx.now)])
    assert await months.book.rows("SELECT count(*) AS n FROM message_status") == [{"n": 4}]


async def test_the_application_reaches_parts_through_the_whole_alone(months: Months) -> None:
    await months.sent(1)
    await months.cut(1)
    for part in ("message_status_first", "message_status_rest", "message_status_2026_01"):
        async with months.book.crm.transaction(months.book.business_id) as tx:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await tx.connection.execute(f"SELECT * FROM {part}")
            await tx.connection.rollback()
    async with months.book.crm.transaction(months.book.business_id + 1) as tx:
        cursor = await tx.connection.execute("SELECT count(*) AS n FROM message_status")
        assert await cursor.fetchone() == {"n": 0}


async def test_only_parts_whose_messages_are_all_old_are_dropped(months: Months) -> None:
    old = await months.sent(2, days_ago=500)
    await months.cut(1)
    [_, january] = await months.parts()
    await months.skip_to(january.lower_id or 0)
    young = await months.sent(1)
    await months.cut(2)

    async def drop(days: int) -> str | None:
        async with months.book.crm.outside() as tx:
            return await status_parts.drop(tx, timedelta(days=days))

    assert await drop(501) is None
    assert await drop(400) == "message_status_first"
    assert await drop(400) is None
    left = await months.book.rows("SELECT DISTINCT message_id FROM message_status")
    assert [row["message_id"] for row in left] == young
    # A status of a message whose part is gone falls into the net; the message itself is still there.
    await months.book.rows(
        "INSERT INTO message_status (business_id, message_id, status, at)"
        " SELECT business_id, message_id, 'failed', now() FROM message WHERE message_id = %s",
        old[0],
    )
    [row] = await months.book.rows(
        "SELECT tableoid::regclass::text AS part FROM message_status WHERE message_id = %s", old[0]
    )
    assert row["part"] == "message_status_rest"


async def test_a_cut_that_was_interrupted_is_gone_on_with(months: Months) -> None:
    await months.sent(1)
    month = months.book.clock.now.date().replace(day=1)
    async with months.book.crm.outside() as tx:
        assert await status_parts.cut_begin(tx, month, least=1)
    [part] = await months.parts()
    assert part.cut_id is not None
    await months.sent(2)  # nobody is kept from writing
    assert await months.cut(month.month) == f"message_status_{month:%Y_%m}"
    assert [part.cut_id for part in await months.parts()] == [None, None]


async def test_writers_go_on_while_it_is_cut(months: Months) -> None:
    await months.sent(1)
    done = asyncio.Event()

    async def writing() -> int:
        written = 0
        while not done.is_set():
            written += len(await months.sent(1))
        return written

    writers = [asyncio.create_task(writing()) for _ in range(3)]
    await asyncio.sleep(0)
    for month in (1, 2, 3):
        assert await months.cut(month) is not None
        [*_, last] = await months.parts()
        await months.skip_to(last.lower_id or 0)
        await months.sent(1)
    done.set()
    written = sum(await asyncio.gather(*writers)) + 3
    assert await months.book.rows("SELECT count(*) AS n FROM message_status") == [{"n": 2 * (written + 1)}]


async def test_erasing_a_message_reaches_every_part_and_a_backup_brings_the_parts_back(
    months: Months,
    fresh: Fresh,  # noqa: F811
    tmp_path: Path,
) -> None:
    [old] = await months.sent(1)
    await months.cut(1)
    [_, january] = await months.parts()
    await months.skip_to(january.lower_id or 0)
    [new] = await months.sent(1)
    file = tmp_path / "backup"
    await dump(months.book.dsn, file)
    other = await fresh()
    await restore(other, file)
    async with await psycopg.AsyncConnection.connect(other, autocommit=True, row_factory=dict_row) as owner:
        cursor = await owner.execute("SELECT * FROM status_parts()")
        assert [row["part"] for row in await cursor.fetchall()] == [
            part.part for part in await months.parts()
        ]
        cursor = await owner.execute("SELECT count(*) AS n FROM message_status")
        assert await cursor.fetchone() == {"n": 4}
    await months.book.rows("DELETE FROM message WHERE message_id = ANY (%s)", [old, new])
    assert await months.book.rows("SELECT count(*) AS n FROM message_status") == [{"n": 0}]


async def test_a_table_with_rows_becomes_the_first_part_as_it_stands(fresh: Fresh, tmp_path: Path) -> None:  # noqa: F811
    """The version before, with its rows and its connections open."""
    files = sorted(MIGRATIONS.glob("[0-9]*.sql"))
    for file in files:
        if file.stem <= JUST_BEFORE:
            (tmp_path / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    dsn = await fresh()
    await migrate(dsn, tmp_path)
    pool = await open_pool(dsn, max_size=3, name="before")
    try:
        before = await _opened(dsn, Crm(pool, Clock()))
        made = await before.sent(3)
        [was] = await before.book.rows("SELECT 'message_status'::regclass::oid AS oid")
        assert (await migrate(dsn))[-1] >= "0035"
        [part] = await before.parts()
        assert part == status_parts.PartRow("message_status_first", None, None, None)
        [now] = await before.book.rows("SELECT 'message_status_first'::regclass::oid AS oid")
        assert now == was  # renamed, not copied
        more = await before.sent(1)  # over connections that knew the table under its old oid
        rows = await before.book.rows("SELECT DISTINCT message_id FROM message_status ORDER BY 1")
        assert [row["message_id"] for row in rows] == made + more
    finally:
        await pool.close()
