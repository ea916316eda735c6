"""Another key under everything that is sealed: nothing is forgotten, nothing lost, and it can be stopped."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import pytest_asyncio
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from psycopg.rows import DictRow, dict_row

from crm import rekeying
from crm.record import Crm
from crm.rekeying import PLACES, Keys, Stock
from crm.sealing import NotOurSeal, Seal, new_key
from db.cipher import StateCipher, ThreadUnreadable
from db.pool import open_pool
from db.sealed import binary_columns
from sara import seed
from sara.audio_key import NAME, SECRETS
from sara.commands.keys import keep
from tests.db.scene import set_up
from tests.jobs.shop import own_database
from tests.sara.conftest import Cli

ROOT = Path(__file__).parents[2]
OLD, NEW, OTHER = new_key(), new_key(), new_key()
WORDS = b"what only we may read"
MANY = 7
# Digests, documents without secrets, and what LangGraph and the webhooks keep as bytes.
NOT_SEALED = {
    ("agent", "token_sha256"),
    ("agent_recovery", "digest"),
    ("agent_session", "digest"),
    ("business", "file_digest"),
    ("calendar", "feed_sha256"),
    ("checkpoint_blobs", "blob"),
    ("checkpoint_writes", "blob"),
    ("document", "content_hash"),
    ("login_challenge", "digest"),
    ("login_failure", "who"),
    ("login_flow", "digest"),
    ("stored_file", "content"),
    ("webhook_payload", "body"),
    ("webhook_payload", "digest"),
    ("webhook_unparsed", "digest"),
}


def keyring(*keys: str) -> Keys:
    return Keys({"audio": Seal(keys), "secrets": Seal(keys)})


@dataclass(frozen=True)
class Safe:
    """A database of its own with something sealed with the old key in every place there is."""

    dsn: str
    crm: Crm

    async def contents(self) -> dict[str, list[bytes]]:
        found = {}
        async with await self.owner() as owner:
            for place in PLACES:
                cursor = await owner.execute(
                    f"SELECT {place.column} AS sealed FROM {place.table} WHERE {place.column} IS NOT NULL"
                )
                rows = await cursor.fetchall()
                found[f"{place.table}.{place.column}"] = [bytes(row["sealed"]) for row in rows]
        return found

    async def owner(self) -> psycopg.AsyncConnection[DictRow]:
        return await psycopg.AsyncConnection.connect(self.dsn, autocommit=True, row_factory=dict_row)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def opened(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Safe]:
    async with own_database(tmp_path_factory.mktemp("keys")) as own:
        pool = await open_pool(own, max_size=4)
        made = Safe(own, Crm(pool))
        business = (await seed.enter_seeds(made.crm))["aurora"]
        async with await made.owner() as owner:
            await set_up(owner, business)
            await owner.execute(
                "INSERT INTO agent_factor (agent_id, sealed, made_at) SELECT agent_id, 'x', now() FROM agent"
            )
            await owner.execute(
                "INSERT INTO alert_target (business_id, name, service, sealed)"
                " SELECT %s, 'many ' || n, 'Slack', 'x' FROM generate_series(1, %s) n",
                (business, MANY),
            )
        yield made
        await pool.close()


@pytest_asyncio.fixture(loop_scope="session")
async def safe(opened: Safe) -> Safe:
    """Everything under the old key, as it was before anybody thought of another."""
    async with await opened.owner() as owner:
        for place in PLACES:
            sealed = Seal([OLD]).close(WORDS)
            await owner.execute(f"UPDATE {place.table} SET {place.column} = %s", (sealed,))
    return opened


async def test_every_column_of_bytes_is_sealed_and_rotated_or_known_not_to_be(safe: Safe) -> None:
    async with await safe.owner() as owner:
        there = await binary_columns(owner)
    assert there == NOT_SEALED | {(place.table, place.column) for place in PLACES}


async def test_everything_is_put_under_the_new_key_from_wherever_it_stopped(safe: Safe) -> None:
    before = await rekeying.stock(safe.crm, keyring(NEW, OLD))
    assert [one.place for one in before] == list(PLACES)
    assert all(one.older == one.total > 0 for one in before)

    def pulled_out(stock: Stock) -> None:
        if stock.place.table == "alert_target":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await rekeying.renew(safe.crm, keyring(NEW, OLD), batch=3, told=pulled_out)
    half = {one.place: one for one in await rekeying.stock(safe.crm, keyring(NEW, OLD))}
    targets = next(one for place, one in half.items() if place.table == "alert_target")
    assert (targets.newest, targets.older) == (3, MANY + 1 - 3)
    assert half[PLACES[-1]].newest == 0

    done = await rekeying.renew(safe.crm, keyring(NEW, OLD), batch=3)
    assert sum(one.renewed for one in done) == sum(one.older for one in half.values())
    assert all((one.older, one.lost) == (0, 0) for one in await rekeying.stock(safe.crm, keyring(NEW)))
    for place, sealed in (await safe.contents()).items():
        assert {Seal([NEW]).open(one) for one in sealed} == {WORDS}, place
        with pytest.raises(NotOurSeal):
            Seal([OLD]).open(sealed[0])
    again = await rekeying.renew(safe.crm, keyring(NEW, OLD))
    assert sum(one.renewed for one in again) == 0


async def test_what_no_known_key_opens_is_counted_and_left_alone(safe: Safe) -> None:
    before = await safe.contents()
    found = await rekeying.renew(safe.crm, keyring(NEW, OTHER))
    assert all(one.lost == one.total and not one.renewed for one in found)
    assert await safe.contents() == before
    only = await rekeying.renew(safe.crm, Keys({"secrets": Seal([NEW, OLD])}))
    assert {one.place.purpose for one in only} == {"secrets"}


async def test_what_is_closed_is_found_at_both_ends_and_without_any_key(safe: Safe) -> None:
    assert await rekeying.closed(safe.crm, keyring(NEW, OLD)) == []
    lost = {one.place: one.lost for one in await rekeying.closed(safe.crm, Keys({}))}
    assert set(lost) == set(PLACES)
    async with await safe.owner() as owner:
        for which, sealed in (("min", Seal([OTHER]).close(WORDS)), ("max", Seal([NEW]).close(WORDS))):
            await owner.execute(
                "UPDATE alert_target SET sealed = %s WHERE alert_target_id ="
                f" (SELECT {which}(alert_target_id) FROM alert_target)",
                (sealed,),
            )
    for known in ((NEW, OLD), (OTHER, OLD)):
        [one] = await rekeying.closed(safe.crm, keyring(*known), most=1)
        assert (one.place.table, one.lost) == ("alert_target", 1)


async def a_thread(safe: Safe, thread_id: str, words: str, *keys: str) -> None:
    async with await safe.owner() as owner:
        serde = EncryptedSerializer(StateCipher(keys)) if keys else JsonPlusSerializer()
        for table, row in (
            ("checkpoint_blobs", {"channel": "window", "version": "1"}),
            ("checkpoint_writes", {"checkpoint_id": "c", "task_id": "t", "idx": 0, "channel": "window"}),
        ):
            kind, blob = serde.dumps_typed([words])
            values = {"thread_id": thread_id, "type": kind, "blob": blob, **row}
            names = ", ".join(values)
            await owner.execute(
                f"INSERT INTO {table} ({names}) VALUES ({', '.join(['%s'] * len(values))})",
                list(values.values()),
            )


async def test_threads_are_put_under_the_new_key_whether_or_not_they_had_one(safe: Safe) -> None:
    async with await safe.owner() as owner:
        await owner.execute("TRUNCATE checkpoint_blobs, checkpoint_writes")
    await a_thread(safe, "1:plain", "sono incinta")
    await a_thread(safe, "1:old", "vecchia chiave", OLD)
    await a_thread(safe, "1:lost", "persa", OTHER)
    await a_thread(safe, "1:young", "nuova chiave", NEW)
    keys = Keys({}, StateCipher([NEW, OLD]))
    for one in await rekeying.stock(safe.crm, keys):
        assert (one.newest, one.older, one.lost) == (1, 2, 1)
    closed = await rekeying.closed(safe.crm, keys)
    assert [one.lost for one in closed if one.place.purpose == "state"] == [1, 1]
    for one in await rekeying.renew(safe.crm, keys, batch=1):
        assert (one.newest, one.older, one.lost, one.renewed) == (3, 0, 1, 2)
    assert [one.renewed for one in await rekeying.renew(safe.crm, keys)] == [0, 0]
    only_new = EncryptedSerializer(StateCipher([NEW]))
    async with await safe.owner() as owner:
        for table in ("checkpoint_blobs", "checkpoint_writes"):
            cursor = await owner.execute(f"SELECT thread_id, type, blob FROM {table} ORDER BY thread_id")
            rows = {row["thread_id"]: (row["type"], bytes(row["blob"])) for row in await cursor.fetchall()}
            with pytest.raises(ThreadUnreadable):
                only_new.loads_typed(rows.pop("1:lost"))
            assert {thread: only_new.loads_typed(row)[0] for thread, row in rows.items()} == {
                "1:plain": "sono incinta",
                "1:old": "vecchia chiave",
                "1:young": "nuova chiave",
            }
            assert not any(b"chiave" in blob or b"incinta" in blob for _, blob in rows.values())


def test_a_thread_in_which_a_bit_was_changed_is_not_believed() -> None:
    cipher = StateCipher([NEW])
    name, sealed = cipher.encrypt(WORDS)
    assert cipher.decrypt(name, sealed) == WORDS
    assert cipher.encrypt(WORDS)[1] != sealed
    for at in (0, 20, len(sealed) - 1):
        changed = bytearray(sealed)
        changed[at] ^= 1
        with pytest.raises(ThreadUnreadable, match="SARA_STATE_KEY"):
            cipher.decrypt(name, bytes(changed))
    with pytest.raises(ThreadUnreadable):
        StateCipher([OLD]).decrypt(name, sealed)


async def test_the_way_an_operator_goes(safe: Safe, bare: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SARA_DATABASE_URL", safe.dsn)

    async def sara(*arguments: str) -> Any:
        return await asyncio.to_thread(bare, *arguments)

    nothing = await sara("keys", "status")
    assert "SARA_AUDIO_KEY" in nothing.one_line
    monkeypatch.setenv("SARA_AUDIO_KEY", OLD)
    monkeypatch.setenv("SARA_SECRET_KEY", OLD)
    offered = (await sara("keys", "new")).out.splitlines()
    fresh = offered[0].rsplit(" ", 1)[1]
    assert "in front of SARA_AUDIO_KEY" in offered[0]
    monkeypatch.setenv("SARA_AUDIO_KEY", f"{fresh},{OLD}")
    monkeypatch.setenv("SARA_SECRET_KEY", NEW)
    rows = [json.loads(line) for line in (await sara("keys", "status", "--json")).out.splitlines()]
    assert {row["purpose"] for row in rows if row["older"]} == {"audio"}
    assert {row["purpose"] for row in rows if row["lost"]} == {"secrets"}
    half = await sara("keys", "rotate")
    assert "no longer named" in half.one_line
    monkeypatch.setenv("SARA_SECRET_KEY", f"{NEW} {OLD}")
    done = await sara("keys", "rotate", "--batch", "2", "--json")
    assert done.code == 0
    assert all(json.loads(line)["newest"] > 0 for line in done.out.splitlines())
    told = (await sara("keys", "status")).out
    assert "       0 with older ones" in told
    assert "known" not in told


def test_an_installation_of_its_own_gets_its_new_keys_in_its_folder(
    bare: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SARA_DATA_DIR", str(tmp_path))
    for number in (2, 3):
        told = bare("keys", "new").out
        assert f"a new key in {tmp_path / 'secrets.key'}" in told
        for name in ("audio.key", "secrets.key"):
            assert len((tmp_path / name).read_text().split()) == number


def test_what_is_kept_apart_from_a_backup_is_every_key_there_is() -> None:
    """Said by `sara backup` and by the page, which also says which of them have no file."""
    guide = (ROOT / "docs/deploy.md").read_text("utf-8")
    [page] = [
        line for line in guide.splitlines() if line.startswith("`backup` takes one consistent snapshot")
    ]
    for option in ("SARA_AUDIO_KEY", "SARA_SECRET_KEY", "SARA_STATE_KEY"):
        assert option in keep()
        assert f"`{option}`" in page
    for file in (NAME, SECRETS):
        assert file in keep()
        assert f"`{file}`" in page
    privacy = (ROOT / "docs/privacy.md").read_text("utf-8")
    [line] = [line for line in privacy.splitlines() if "not encrypted within the database" in line]
    assert "checkpoints only with `SARA_STATE_KEY`" in line
