"""A backup, an empty machine, and a customer who was waiting for a person all the while."""

import asyncio
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

from crm import desk, restored
from db import dump, embedded
from db.migrate import migrate
from sara.audio_key import SECRETS, own_keys
from sara.commands.doctor import _outward
from sara.commands.doctor_keys import of_keys
from sara.commands.loop import run
from sara.settings import load
from tests.jobs.shop import QUICK, Shop, opened

PHONE = "393471112233"


async def _human_wanted(shop: Shop) -> tuple[int, int]:
    """A conversation that waits for a human: its id and its hand-over's."""
    conversation_id = await shop.open_conversation(PHONE)
    await shop.customer_writes(conversation_id, "Vorrei parlare con una persona, per favore")
    query = "SELECT handoff_id FROM handoff WHERE conversation_id = %s"

    async def is_open() -> bool:
        return bool(await shop.rows(query, conversation_id))

    await shop.work_until(is_open, 60)
    [row] = await shop.rows(query, conversation_id)
    return conversation_id, row["handoff_id"]


async def test_a_paused_hand_over_is_given_back_after_a_restore(tmp_path: Path) -> None:
    file = tmp_path / "sara.dump"
    (tmp_path / "first").mkdir()
    async with opened(tmp_path / "first") as shop:
        conversation_id, handoff_id = await _human_wanted(shop)
        await shop.bot_says(conversation_id, "Un attimo, arrivo subito")  # on its way at the backup
        await shop.rows("UPDATE outbox SET state = 'queued', settled_at = NULL WHERE conversation_id = %s"
                        " AND outbox_id = (SELECT max(outbox_id) FROM outbox)", conversation_id)  # fmt: skip
        tables = await shop.rows("SELECT count(*) AS n FROM message")
        assert await dump.dump(shop.dsn, file) > 10_000
    assert file.stat().st_mode & 0o077 == 0
    second = tmp_path / "second"
    server = await asyncio.to_thread(embedded.start, second)
    try:
        await dump.restore(server.dsn, file)
        assert await migrate(server.dsn) == []
        with pytest.raises(dump.NotEmpty):
            await dump.restore(server.dsn, file)
        async with opened(second) as shop:
            assert await shop.rows("SELECT count(*) AS n FROM message") == tables
            async with shop.crm.as_owner() as tx:
                held = await restored.hold_back(tx)
            assert held.messages >= 1
            assert "queued" not in await shop.states_of(conversation_id)
            await shop.simulator.customer_sends("1001", PHONE, text="Ciao")
            async with shop.crm.transaction(shop.business_id) as tx:
                await desk.hand_back(tx, handoff_id, None, note="Richiamata", facts={"allergia": "noci"})
            await shop.customer_writes(conversation_id, "Quali sono i vostri orari?")

            async def answered() -> bool:
                rows = await shop.rows(
                    "SELECT 1 FROM message m JOIN outbox o USING (message_id) WHERE m.conversation_id = %s"
                    " AND m.author = 'bot' AND o.state = 'accepted' AND m.message_id >"
                    " (SELECT max(message_id) FROM message"
                    " WHERE conversation_id = %s AND author = 'customer')",
                    conversation_id,
                    conversation_id,
                )
                return bool(rows)

            shop.services = replace(shop.services, patience=QUICK)
            await shop.work_until(answered, 90)
            [owner] = await shop.rows(
                "SELECT owner FROM conversation WHERE conversation_id = %s", conversation_id
            )
            assert owner["owner"] == "bot"
            kept = await shop.rows("SELECT error FROM outbox WHERE state = 'held'")
            assert len(kept) == held.messages
            assert all("restored from a backup" in row["error"] for row in kept)
    finally:
        await asyncio.to_thread(server.stop)


def test_the_commands(bare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SARA_DATABASE_URL", raising=False)
    monkeypatch.setenv("SARA_DATA_DIR", str(tmp_path / "one"))
    assert bare("business", "add", "knowledge/businesses/conti.yaml").code == 0
    backups = tmp_path / "backups"
    backups.mkdir()
    said = bare("backup", backups)
    assert said.code == 0, said
    assert "The keys are not in it" in said.out
    [file] = backups.iterdir()
    assert file.name.startswith(f"sara-{time.gmtime().tm_year}")
    assert "is there already" in bare("backup", file).one_line
    assert "make it first" in bare("backup", tmp_path / "no" / "folder.dump").one_line
    assert "cannot be written (File name too long)" in bare("backup", tmp_path / ("x" * 300)).one_line
    longest = tmp_path / ("x" * 255)  # there is no room beside it for what is written first
    assert "cannot be written (File name too long)" in bare("backup", longest).one_line
    assert "not empty" in bare("restore", file).one_line
    monkeypatch.setenv("SARA_DATA_DIR", str(tmp_path / "two"))
    broken = tmp_path / "broken.dump"
    broken.write_bytes(file.read_bytes()[:5000])
    assert "pg_restore:" in bare("restore", broken).one_line
    assert bare("restore", file).out == f"restored {file}\n"
    assert bare("handoff", "list").out == "nobody waits\n"
    assert bare("handoff", "list", "--json").out == ""
    assert "conti" in bare("business", "list").out
    assert bare("restore", tmp_path / "nothing.dump").code == 2


def test_a_machine_without_the_keys_says_which_to_bring(
    bare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SARA_DATABASE_URL", raising=False)
    old, new = tmp_path / "old", tmp_path / "new"
    monkeypatch.setenv("SARA_DATA_DIR", str(old))
    assert bare("business", "add", "knowledge/businesses/conti.yaml").code == 0
    assert bare("alerts", "add", "--business", "conti", "--name", "desk", "json://127.0.0.1:9/").code == 0
    assert bare("backup", tmp_path / "sara.dump").code == 0
    monkeypatch.setenv("SARA_DATA_DIR", str(new))
    said = bare("restore", tmp_path / "sara.dump").out
    assert "no key that is here opens what is sealed, at least 1 in alert_target.sealed" in said
    assert f"bring secrets.key from the machine it comes from (its lines into {new / 'secrets.key'})" in said
    assert not (new / "secrets.key").exists(), "the old one belongs there"
    [keys] = run(of_keys(load()))
    assert (keys.name, keys.state) == ("keys", "failed")
    assert keys.mend.startswith("bring secrets.key")
    assert run(_outward(load()))[0].state == "failed"
    own_keys(new, SECRETS)  # as a first `sara serve` makes one
    assert run(of_keys(load()))[0].state == "failed"
    assert run(_outward(load()))[0].state == "failed"
    shutil.copy(old / "secrets.key", new / "secrets.key")
    assert [one.state for one in (*run(of_keys(load())), *run(_outward(load())))] == ["ok", "ok"]


def test_an_empty_address_is_the_embedded_database_with_its_keys(
    bare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SARA_DATABASE_URL", "")
    old, new = tmp_path / "old", tmp_path / "new"
    monkeypatch.setenv("SARA_DATA_DIR", str(old))
    assert bare("business", "add", "knowledge/businesses/conti.yaml").code == 0
    assert bare("alerts", "add", "--business", "conti", "--name", "desk", "json://127.0.0.1:9/").code == 0
    assert bare("backup", tmp_path / "sara.dump").code == 0
    new.mkdir()
    shutil.copy(old / "secrets.key", new / "secrets.key")
    monkeypatch.setenv("SARA_DATA_DIR", str(new))
    assert bare("restore", tmp_path / "sara.dump").out == f"restored {tmp_path / 'sara.dump'}\n"
    assert run(of_keys(load()))[0].state == "ok"


def test_no_database_is_made_to_be_backed_up(bare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By hand on a server whose services alone have the settings."""
    monkeypatch.delenv("SARA_DATABASE_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SARA_DATA_DIR", raising=False)
    for command in (
        ("backup", "x.dump"),
        ("contact", "export", "#1", "--business", "aurora"),
        ("handoff", "list"),
        ("handoff", "show", "1", "--state"),
        ("quarantine", "list"),
    ):
        said = bare(*command).one_line
        assert f"there is no database in {tmp_path / '.sara'}: set SARA_DATABASE_URL" in said
    assert list(tmp_path.iterdir()) == []
