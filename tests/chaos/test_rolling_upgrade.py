"""Old and new side by side: migrations under load, and migrations that older code cannot bear."""

import asyncio
import random
import re
from pathlib import Path

import psycopg
import pytest

from db.errors import MigrationFailed
from db.migrate import MIGRATIONS, migrate
from tests.chaos.crowd import Crowd, assert_nothing_lost_or_doubled
from tests.chaos.town import Town, until

pytestmark = pytest.mark.chaos

FIRST = (
    "0031"  # from here on every file is held to this: versions before were upgraded with everything stopped
)

# What a process of the version before stumbles over while it still runs. A file that does it all the same is
# named here with the reason why nobody stumbles.
UNBEARABLE = {
    "drops a column": r"\bDROP\s+COLUMN\b",
    "drops a table or view": r"\bDROP\s+(MATERIALIZED\s+)?(TABLE|VIEW)\b",
    "drops a function": r"\bDROP\s+(FUNCTION|PROCEDURE)\b",
    "drops a type or schema": r"\bDROP\s+(TYPE|SCHEMA|DOMAIN)\b",
    "renames": r"\bRENAME\b",
    "changes a type": r"\bALTER\s+(COLUMN\s+)?\w+\s+(SET\s+DATA\s+)?TYPE\b",
    "forbids null": r"\bSET\s+NOT\s+NULL\b",
    "drops a default": r"\bDROP\s+DEFAULT\b",
    "takes a right away": r"\bREVOKE\b(?![^;]*\bFROM\s+PUBLIC\b)",
}
NEEDS_A_VALUE = "demands a value of rows that older code writes"
REASONS: dict[tuple[str, str], str] = {
    (
        "0035_limits_and_partitions",
        "renames",
    ): "a partitioned table of the same name and key takes its place at once",
    (
        "0035_limits_and_partitions",
        "takes a right away",
    ): "on a part, which older code does not know by its name",
}

_COMMENT = re.compile(r"--[^\n]*")
_BODY = re.compile(
    r"\bCREATE\s+(?:OR\s+REPLACE\s+)?(?:FUNCTION|PROCEDURE)\b.*?\$(\w*)\$.*?\$\1\$",
    re.IGNORECASE | re.DOTALL,
)
_NEW_TABLE = re.compile(r"\bCREATE\s+(?:UNLOGGED\s+)?TABLE\b[^;]*", re.IGNORECASE)
_NEW_COLUMN = re.compile(r"\bADD\s+COLUMN\s+(?:IF\s+NOT\s+EXISTS\s+)?([^,;]*)", re.IGNORECASE)


def offences(sql: str) -> set[str]:
    """Which of these a migration does. What it creates itself no older code knows."""
    for what in (_COMMENT, _BODY, _NEW_TABLE):
        sql = what.sub("", sql)
    found = {what for what, form in UNBEARABLE.items() if re.search(form, sql, re.IGNORECASE)}
    needs = [
        column
        for column in _NEW_COLUMN.findall(sql)
        if re.search(r"\bNOT\s+NULL\b", column, re.IGNORECASE)
        and not re.search(r"\b(DEFAULT|GENERATED)\b", column, re.IGNORECASE)
    ]
    return found | ({NEEDS_A_VALUE} if needs else set())


def new_files() -> list[Path]:
    return [file for file in sorted(MIGRATIONS.glob("[0-9]*.sql")) if file.name >= FIRST]


@pytest.mark.parametrize("file", new_files(), ids=lambda file: file.stem)
def test_older_code_can_bear_each_new_migration(file: Path) -> None:
    unexplained = {what for what in offences(file.read_text("utf-8")) if (file.stem, what) not in REASONS}
    assert unexplained == set(), (
        "the version before still runs while this is applied: add beside what there is, and take away in the "
        "version after next, or give the reason in REASONS"
    )


def test_every_reason_is_still_needed() -> None:
    found = {(file.stem, what) for file in new_files() for what in offences(file.read_text("utf-8"))}
    assert set(REASONS) <= found
    assert all(len(reason) > 20 for reason in REASONS.values())


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("ALTER TABLE message DROP COLUMN body", "drops a column"),
        ("ALTER TABLE a RENAME COLUMN b TO c", "renames"),
        ("DROP TABLE message", "drops a table or view"),
        ("ALTER TABLE a ALTER COLUMN b TYPE bigint", "changes a type"),
        ("ALTER TABLE a ALTER b SET DATA TYPE bigint", "changes a type"),
        ("ALTER TABLE a ADD COLUMN b int NOT NULL", NEEDS_A_VALUE),
        (
            "ALTER TABLE a ADD COLUMN b int NOT NULL DEFAULT 0, ADD COLUMN c int NOT NULL",
            NEEDS_A_VALUE,
        ),
        ("ALTER TABLE a ALTER COLUMN b SET NOT NULL", "forbids null"),
        ("DROP FUNCTION session_of(bytea)", "drops a function"),
        ("REVOKE INSERT ON a FROM sara_app", "takes a right away"),
    ],
)
def test_what_older_code_cannot_bear_is_found(sql: str, what: str) -> None:
    assert offences(sql) == {what}


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE a (b int NOT NULL, c text NOT NULL)",
        "CREATE TABLE a (b int NOT NULL); CREATE INDEX ON a (b);",
        "ALTER TABLE a ADD COLUMN b int; ALTER TABLE a ADD COLUMN c int NOT NULL DEFAULT 0",
        "ALTER TABLE a ADD COLUMN b bigint GENERATED ALWAYS AS IDENTITY NOT NULL",
        "-- DROP TABLE message is for later\nSELECT 1",
        "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ DROP TABLE a $$",
        "REVOKE ALL ON FUNCTION f() FROM PUBLIC",
    ],
)
def test_what_older_code_does_not_notice_is_left_alone(sql: str) -> None:
    assert offences(sql) == set()


async def test_a_migration_waits_for_its_lock_without_holding_up_webhooks(
    town: Town, tmp_path: Path, chaos_seed: int
) -> None:
    """Somebody reads for long; the migration wants the table for itself; all others go on meanwhile."""
    crowd = Crowd(town, random.Random(chaos_seed + 9), prefix="39364", customers=8)
    folder = tmp_path / "migrations"
    folder.mkdir()
    for file in MIGRATIONS.glob("[0-9]*.sql"):
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "9001_column.sql").write_text("ALTER TABLE message ADD COLUMN chaos int;", "utf-8")
    (folder / "9002_index.sql").write_text("CREATE INDEX ON message (chaos);", "utf-8")
    await town.light_at_work()
    writing = asyncio.create_task(crowd.write(every_s=0.2))
    try:
        async with await psycopg.AsyncConnection.connect(town.dsn) as reader:
            await reader.execute("SELECT count(*) FROM message")  # and its transaction stays open
            applying = asyncio.create_task(migrate(town.dsn, folder))
            await asyncio.sleep(1.0)
            before = len(crowd.wamids)
            answered = len(await _events(town))

            async def both_go_on() -> bool:
                return len(crowd.wamids) > before + 5 and len(await _events(town)) > answered + 2

            await asyncio.sleep(3.0)  # longer than it waits for its lock
            await until(both_go_on, 60, "webhooks or turns stand still behind the migration")
            assert not applying.done(), "the lock was not needed, and nothing is shown"
            await reader.rollback()
        assert await asyncio.wait_for(applying, 60) == ["9001_column", "9002_index"]
        await asyncio.sleep(0.5)
        writing.cancel()
        await town.all_done(60)
        await town.simulator.settle()
        await assert_nothing_lost_or_doubled(town, crowd)
    finally:
        writing.cancel()
        await town.rows("ALTER TABLE message DROP COLUMN IF EXISTS chaos")
        await town.rows("DELETE FROM sara_migration WHERE name LIKE '9%%'")


async def _events(town: Town) -> list[object]:
    return [*await town.rows("SELECT event_id FROM inbox_event WHERE done_at IS NOT NULL")]


async def test_a_migration_that_never_gets_its_lock_says_so(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.migrate._TRIES", 2)
    monkeypatch.setattr("db.migrate._WAIT_NO_LONGER", "SET lock_timeout = '50ms'")
    monkeypatch.setattr("db.migrate._LET_PASS_S", 0.01)
    await town.rows("CREATE TABLE IF NOT EXISTS chaos_held ()")
    (tmp_path / "9003_held.sql").write_text("ALTER TABLE chaos_held ADD COLUMN a int;", "utf-8")
    try:
        async with await psycopg.AsyncConnection.connect(town.dsn) as holder:
            await holder.execute("LOCK TABLE chaos_held")
            with pytest.raises(MigrationFailed, match=r"9003_held.*lock timeout"):
                await migrate(town.dsn, tmp_path)
        assert await migrate(town.dsn, tmp_path) == ["9003_held"]
    finally:
        await town.rows("DROP TABLE chaos_held")
        await town.rows("DELETE FROM sara_migration WHERE name LIKE '9%%'")
