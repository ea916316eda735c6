"""A customer with a rich past asks for their data, and then to be forgotten."""

import itertools
import json
import secrets
import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from crm import businesses, handoffs, inbound, recordings
from crm.errors import SomethingOpen, UnknownContact
from crm.privacy import basis, erasure, export, people
from crm.sealing import Seal, new_key
from db import dump, embedded
from db.checkpoints import TenantSaver
from db.pool import open_pool
from jobs.retention import forget_contacts, forget_raw
from jobs.services import Keeping
from sara.demo import JOURNEYS
from sara.exchange import Customer, exchange
from sara.local import Local
from sara.play import play, read

_senders = itertools.count(secrets.randbelow(10**8) * 1000 + 447 * 10**9)
SECRET_WORDS = "my brother Aldous must never hear of the lease in Trastevere"
FIGURES = """
SELECT 'conversations' AS what, count(*) AS n FROM conversation
UNION ALL SELECT 'messages ' || author || ' ' || kind, count(*) FROM message GROUP BY author, kind
UNION ALL SELECT 'handoffs ' || reason, count(*) FROM handoff GROUP BY reason
UNION ALL SELECT 'quotes ' || status, count(*) FROM quote GROUP BY status
UNION ALL SELECT 'quoted', sum(quantity * unit_price) FROM quote_line
UNION ALL SELECT 'invoiced', sum(quantity * unit_price) FROM invoice_draft_line
UNION ALL SELECT 'leads ' || stage, count(*) FROM lead GROUP BY stage
UNION ALL SELECT 'events ' || kind, count(*) FROM crm_event GROUP BY kind ORDER BY what"""


async def _rows(town: Local, query: str, *values: object) -> list[dict[str, Any]]:
    async with await psycopg.AsyncConnection.connect(
        town.dsn, autocommit=True, row_factory=dict_row
    ) as owner:
        cursor = await owner.execute(query, values or None)
        return await cursor.fetchall() if cursor.description else []


async def _business(town: Local) -> int:
    async with town.crm.outside() as tx:
        return await businesses.of_slug(tx, "conti")


async def _contact(town: Local, phone: str) -> int:
    async with town.crm.transaction(await _business(town)) as tx:
        return (await people.find(tx, f"+{phone}")).contact_id


async def _rich_past(town: Local, phone: str, name: str) -> int:
    """Quotes, invoices, files, a lead, a recording, a note, a hand-over; returns the contact."""
    business_id = await _business(town)
    await _rows(
        town,
        "INSERT INTO webhook_subscription"
        " (business_id, host, events, with_content, sealed_url, sealed_secret)"
        " VALUES (%s, 'nowhere.example', '{*}', true, 'x', 'x')",
        business_id,
    )
    script = read(JOURNEYS / "8-conti-quote.yaml").model_copy(update={"name": name})
    journey = await play(town, script, base=JOURNEYS, customer=phone)
    named = [problem for step in journey.steps for problem in step.problems if "Owen Price" not in problem]
    assert named == []
    customer = Customer("conti", phone, name)
    await exchange(town, customer, text=f"By the way, {SECRET_WORDS}")
    last = await exchange(town, customer, text="I want to talk to a person, please")
    assert last.owner == "human"
    contact_id = await _contact(town, phone)
    async with town.crm.transaction(business_id) as tx:
        [message_id] = [
            row["message_id"]
            for row in await _rows(
                town,
                "SELECT min(message_id) AS message_id FROM message"
                " WHERE contact_id = %s AND author = 'customer'",
                contact_id,
            )
        ]
        await recordings.keep(tx, message_id, b"OggS-the-voice", Seal([new_key()]))
    await _rows(
        town,
        "INSERT INTO conversation_note (business_id, conversation_id, body, at) VALUES (%s, %s, %s, now())",
        business_id,
        last.conversation_id,
        f"{name} sounded upset",
    )
    # What Meta still had to report would arrive after an erasure, as docs/privacy.md says.
    await town.simulator.settle()
    return contact_id


async def _forget_subscriptions(town: Local) -> None:
    await _rows(town, "DELETE FROM webhook_subscription WHERE host = 'nowhere.example'")


def _whole_database(dsn: str, folder: Path) -> str:
    """Everything as PostgreSQL's own program writes it: another way to look than the one under test."""
    file = folder / "all.sql"
    program = dump._program("pg_dump", int(embedded.version().split(".")[0]))
    subprocess.run([program, f"--dbname={dsn}", f"--file={file}"], check=True, capture_output=True)
    return file.read_text("utf-8").lower()


def _found(text: str, words: list[str]) -> set[str]:
    return {word for word in words if word.lower() in text or word.encode().hex() in text}


async def test_export_holds_everything_and_erasure_leaves_nothing(town: Local, tmp_path: Path) -> None:
    phone, name = str(next(_senders)), "Philippa Quillfeather"
    business_id = await _business(town)
    contact_id = await _rich_past(town, phone, name)
    words = [phone, name, SECRET_WORDS, "221B Baker Street, NW1"]
    # The same sentence, from somebody else: not ours to erase.
    other = Customer("conti", str(next(_senders)), "Somebody Else")
    await exchange(town, other, text="Could you give me a quote for a formal letter of demand?")
    assert _found(_whole_database(town.dsn, tmp_path), words) == set(words)
    with pytest.raises(SomethingOpen, match="numbered invoice drafts"):
        await erasure.erase(town.crm, business_id, contact_id, close=True)
    with pytest.raises(SomethingOpen, match=r"hand-overs #\d+ .*sara handoff resolve"):
        await erasure.erase(town.crm, business_id, contact_id, invoices="anonymise")
    figures = await _rows(town, FIGURES)
    state = await _state(town, business_id, contact_id)
    assert state, "the thread remembers something before"

    report = await erasure.erase(town.crm, business_id, contact_id, close=True, invoices="anonymise")

    assert report.proof is not None
    assert report.proof.traces == []
    assert report.clean
    assert report.raw_webhooks > 5
    assert report.closed.handoffs
    assert report.proof.identities >= 1
    assert report.proof.words > 5
    assert "message.body" in {f"{one.table}.{one.column}" for one in report.proof.elsewhere}
    assert _found(_whole_database(town.dsn, tmp_path), words) == set()
    assert await _state(town, business_id, contact_id) == {}
    assert await _rows(town, FIGURES) == figures
    sounds = "SELECT message_id FROM recording JOIN message USING (message_id) WHERE contact_id = %s"
    left = await _rows(town, sounds, contact_id)
    left += await _rows(town, "SELECT file_id FROM stored_file WHERE contact_id = %s", contact_id)
    assert left == []
    assert await _rows(town, "SELECT traces, cause FROM erasure WHERE contact_id = %s", contact_id) == [
        {"traces": 0, "cause": "asked"}
    ]
    async with town.crm.transaction(business_id) as tx:
        with pytest.raises(UnknownContact):
            await people.find(tx, phone)
        handoff = await handoffs.get(tx, report.closed.handoffs[0])
    assert (handoff.status, handoff.summary, handoff.wants) == ("resolved", "", "")
    again = await erasure.erase(town.crm, business_id, contact_id, invoices="anonymise")
    assert again.clean
    assert (await _rows(town, FIGURES)) == figures

    back = await exchange(town, Customer("conti", phone, name), text="Good morning, what are your hours?")
    assert back.owner == "bot"
    assert await _contact(town, phone) != contact_id
    await _forget_subscriptions(town)


async def _state(town: Local, business_id: int, contact_id: int) -> dict[str, Any]:
    from sara.contact_export import thread_states

    async with town.crm.transaction(business_id) as tx:
        threads = [row.thread_id for row in await people.threads(tx, contact_id)]
    pool = await open_pool(town.dsn, max_size=1)
    try:
        return await thread_states(TenantSaver(pool), business_id, threads)
    finally:
        await pool.close()


async def test_invoices_can_be_kept_for_the_law(town: Local) -> None:
    phone, name = str(next(_senders)), "Leopold Umberfield"
    business_id = await _business(town)
    contact_id = await _rich_past(town, phone, name)
    report = await erasure.erase(town.crm, business_id, contact_id, close=True, invoices="keep")
    assert report.proof is not None
    assert report.clean, report.proof.traces
    assert {one.table for one in report.proof.kept} >= {"contact_fiscal"}
    kinds = await _rows(town, "SELECT kind FROM stored_file WHERE contact_id = %s ORDER BY kind", contact_id)
    assert [row["kind"] for row in kinds] == ["invoice_pdf", "invoice_xml"]
    [fiscal] = await _rows(town, "SELECT name FROM contact_fiscal WHERE contact_id = %s", contact_id)
    assert fiscal["name"] == name
    [contact] = await _rows(town, "SELECT wa_id, name FROM contact WHERE contact_id = %s", contact_id)
    assert contact == {"wa_id": None, "name": None}
    await _forget_subscriptions(town)


async def test_what_somebody_was_known_by_before_is_forgotten_as_well(town: Local) -> None:
    """Their number changed twice: raw webhooks of all three are theirs."""
    first, second, third = (str(next(_senders)) for _ in range(3))
    user_id = f"ES.{next(_senders)}"
    await exchange(town, Customer("conti", first, "Ottavia Quirke"), text="Good morning, are you open?")
    await town.simulator.settle()  # no status comes behind the erasure's back
    contact_id = await _contact(town, first)
    async with town.crm.transaction(await _business(town)) as tx:
        assert await inbound.moved(tx, contact_id, wa_id=second, bsuid=user_id)
        assert await inbound.moved(tx, contact_id, wa_id=third, bsuid=f"ES.{second}")
    body = json.dumps({"from_user_id": user_id}).encode()
    await _rows(town, "INSERT INTO webhook_payload (digest, body) VALUES (sha256(%s), %s)", body, body)
    carried = "SELECT 1 FROM webhook_payload WHERE position(%s::bytea IN body) > 0"
    before = {one: len(await _rows(town, carried, one.encode())) for one in (first, user_id)}
    assert before[user_id] == 1
    assert before[first] >= 1
    async with town.crm.transaction(await _business(town)) as tx:
        person = await people.find(tx, f"+{third}")
    async with town.crm.as_owner() as tx:
        assert await export.count_raw(tx, person) >= sum(before.values())
    report = await erasure.erase(town.crm, await _business(town), contact_id)
    assert report.clean
    for former in (first, second, third, user_id, f"ES.{second}"):
        assert await _rows(town, carried, former.encode()) == []
        assert await _rows(town, "SELECT 1 FROM crm_event WHERE detail = %s", former) == []


async def test_a_trace_that_is_left_is_found(town: Local) -> None:
    """The proof can fail: what was put back behind the erasure's back is named, without its words."""
    phone = str(next(_senders))
    await exchange(town, Customer("conti", phone, "Ottoline Marchbanks"), text="Good morning, are you open?")
    contact_id = await _contact(town, phone)
    body = json.dumps({"from": phone, "name": "Ottoline Marchbanks"}).encode()

    from crm.privacy import proof
    from crm.privacy.proof import Terms

    async with town.crm.as_owner() as tx:
        await tx.connection.execute(
            "INSERT INTO webhook_payload (digest, body) VALUES (sha256(%s), %s)", (body, body)
        )
        ids = {"contact_id": {contact_id}, "conversation_id": set(), "thread_id": set()}
        found = await proof.search(tx, contact_id, ids, Terms((phone,), ("Ottoline Marchbanks",)))
    assert {(one.table, one.column) for one in found.traces} >= {
        ("webhook_payload", "body"),
        ("contact", "wa_id"),
        ("contact", "name"),
    }
    report = await erasure.erase(town.crm, await _business(town), contact_id)
    assert report.clean


async def test_escaped_letters_in_raw_webhooks_are_found_too(town: Local) -> None:
    from db import tables

    body = json.dumps({"profile": {"name": "Zoë Ñandú/López"}}).replace("/", "\\/").encode()
    async with town.crm.as_owner() as tx:
        await tx.connection.execute(
            "INSERT INTO webhook_payload (digest, body) VALUES (sha256(%s), %s)", (body, body)
        )
        schema = await tables.columns(tx.connection)
        hits = await tables.search(
            tx.connection, "webhook_payload", schema["webhook_payload"], ["Zoë Ñandú/López"]
        )
        assert [hit.column for hit in hits] == ["body"]
        await tx.connection.execute("DELETE FROM webhook_payload WHERE body = %s", (body,))


async def test_the_basis_of_each_purpose(town: Local) -> None:
    phone = str(next(_senders))
    await exchange(town, Customer("conti", phone), text="Good morning, are you open?")
    contact_id = await _contact(town, phone)
    async with town.crm.transaction(await _business(town)) as tx:
        before = {row.purpose: row.basis for row in await basis.of(tx, contact_id)}
        assert before == {
            "service": "contract",
            "invoicing": "none",
            "marketing": "none",
            "sensitive": "none",
        }
        await basis.say(tx, contact_id, "sensitive", "consent", "form of 12 March")
        await basis.say(tx, contact_id, "marketing", "legitimate_interests", "client since 2019")
        told = {row.purpose: (row.basis, row.evidence) for row in await basis.of(tx, contact_id)}
    assert told["sensitive"] == ("consent", "form of 12 March")
    assert told["marketing"] == ("legitimate_interests", "client since 2019")
    await exchange(town, Customer("conti", phone), text="STOP")
    async with town.crm.transaction(await _business(town)) as tx:
        after = {row.purpose: row.basis for row in await basis.of(tx, contact_id)}
    assert after["marketing"] == "none", "a withdrawal is stronger than what was entered before it"


async def test_retention_forgets_what_is_over(town: Local) -> None:
    phone = str(next(_senders))
    await exchange(town, Customer("conti", phone), text="Good morning, are you open?")
    await town.simulator.settle()  # no status comes while bodies are counted
    business_id, contact_id = await _business(town), await _contact(town, phone)
    await _rows(town, "UPDATE webhook_payload SET received_at = now() - interval '31 days'"
                       " WHERE position(%s::bytea in body) > 0", phone.encode())  # fmt: skip
    kept = await _rows(town, "SELECT count(*) AS n FROM webhook_payload"
                              " WHERE received_at > now() - interval '30 days'")  # fmt: skip
    close = (
        "UPDATE conversation SET status = 'closed', closed_at = now() - %s::interval WHERE contact_id = %s"
    )
    await _rows(town, close, "89 days", contact_id)
    bodies, _ = await forget_raw(town.services)
    assert bodies >= 1
    assert await _rows(town, "SELECT count(*) AS n FROM webhook_payload") == kept
    assert await _state(town, business_id, contact_id) != {}
    await _rows(town, close, "91 days", contact_id)
    _, threads = await forget_raw(town.services)
    assert threads >= 1
    assert await _state(town, business_id, contact_id) == {}

    await _rows(town, "UPDATE contact SET last_seen_at = now() - interval '400 days' WHERE contact_id = %s",
                contact_id)  # fmt: skip
    assert await forget_contacts(town.services) == 0
    year = replace(town.services, keeping=Keeping(contacts=timedelta(days=365)))
    assert await forget_contacts(year) >= 1
    [row] = await _rows(town, "SELECT wa_id, erased_at FROM contact WHERE contact_id = %s", contact_id)
    assert row["wa_id"] is None
    assert row["erased_at"] is not None
    [done] = await _rows(town, "SELECT cause, traces FROM erasure WHERE contact_id = %s", contact_id)
    assert done == {"cause": "retention", "traces": None}


def test_the_commands(cli, tmp_path: Path) -> None:
    phone = str(next(_senders))
    who = ["--business", "aurora"]
    cli("chat", *who, "--from", phone, "--text", "<b>Ciao</b>, vorrei sapere gli orari di apertura")
    shown = cli("contact", "basis", f"+{phone}", *who).out
    assert shown.splitlines()[0].split()[:2] == ["service", "contract"]
    said = ["--purpose", "sensitive", "--because", "consent", "--evidence", "paper form"]
    assert "paper form" in cli("contact", "basis", phone, *who, *said).out
    assert cli("contact", "basis", phone, *who, "--purpose", "sensitive").code == 2
    out = tmp_path / "export"
    assert cli("contact", "export", phone, *who, "--output", out).out == f"{out}: 2 files\n"
    data = json.loads((out / "contact.json").read_text("utf-8"))
    assert data["records"]["contact"][0]["wa_id"] == phone
    assert "orari di apertura" in json.dumps(data["records"]["message"])
    [state] = data["thread_states"].values()
    assert "orari di apertura" in json.dumps(state)
    assert data["raw_webhooks"] >= 1
    page = (out / "contact.html").read_text("utf-8")
    assert "&lt;b&gt;Ciao&lt;/b&gt;" in page
    assert "<b>Ciao" not in page
    assert (out / "contact.json").stat().st_mode & 0o077 == 0
    proof = tmp_path / "proof.json"
    erased = cli("contact", "erase", phone, *who, "--yes", "--report", proof)
    assert "no traces" in erased.out, erased
    report = json.loads(proof.read_text("utf-8"))
    assert report["clean"] is True
    assert phone not in proof.read_text("utf-8")
    [thread] = report["threads"]
    assert report["langsmith"]["body"] == {"metadata": {"thread_id": [f"sara:{thread}"]}}
    assert report["langsmith"]["status"] == "not_used"
    assert "No such customer" in cli("contact", "export", phone, *who).one_line
    number = f"#{report['contact_id']}"
    assert "was erased" in cli("contact", "export", number, *who).one_line
    assert "No such customer" in cli("contact", "erase", "#0", *who, "--yes").one_line
    # Another business cannot reach a customer by number.
    assert "No such customer" in cli("contact", "basis", number, "--business", "conti").one_line


def test_nothing_is_erased_without_a_place_for_the_proof(cli, tmp_path: Path) -> None:
    phone = str(next(_senders))
    who = ["--business", "aurora"]
    cli("chat", *who, "--from", phone, "--text", "Ciao, vorrei sapere gli orari di apertura")
    nowhere = tmp_path / "no" / "proof.json"
    refused = cli("contact", "erase", phone, *who, "--yes", "--report", nowhere)
    assert f"{nowhere} cannot be written (No such file or directory)" in refused.one_line
    (tmp_path / "file").touch()
    refused = cli("contact", "export", phone, *who, "--output", tmp_path / "file" / "folder")
    assert "cannot be written (Not a directory)" in refused.one_line
    proof = tmp_path / "proof.json"
    refused = cli("contact", "erase", "#0", *who, "--yes", "--report", proof)
    assert "No such customer" in refused.one_line
    assert not proof.exists(), "nothing was erased: there is nothing to prove"
    # A disk that is full by the time of the proof: the proof is told instead.
    lost = cli("contact", "erase", phone, *who, "--yes", "--report", "/dev/full")
    assert "is erased, but /dev/full cannot be written" in lost.err
    assert lost.code == 1
    told = json.loads(lost.out[lost.out.index("{") :])
    assert told["clean"] is True
    assert "No such customer" in cli("contact", "export", phone, *who).one_line


def test_nobody_s_files_come_into_another_s_export(cli, tmp_path: Path) -> None:
    first, second = str(next(_senders)), str(next(_senders))
    who = ["--business", "aurora"]
    for phone in (first, second):
        cli("chat", *who, "--from", phone, "--text", "Ciao, vorrei sapere gli orari di apertura")
    out = tmp_path / "out"
    out.mkdir()
    export = ["contact", "export", "--output", out, *who]
    assert cli(*export, first).code == 0
    gone = out / "files" / "recording-0.ogg"  # deleted since the export before
    gone.parent.mkdir()
    gone.write_bytes(b"a voice")
    told = json.loads((out / "contact.json").read_text("utf-8"))
    refused = cli(*export, second)
    assert f"{out} is not empty and holds no export of contact #" in refused.one_line
    assert json.loads((out / "contact.json").read_text("utf-8")) == told
    assert gone.exists()
    assert cli("contact", "export", second, *who, "--output", tmp_path / "theirs").code == 0
    seen = json.loads((tmp_path / "theirs/contact.json").read_text("utf-8"))["records"].get("access_log", [])
    assert [row for row in seen if row["what"] == "export"] == [], "nobody looked where nothing was told"
    assert cli(*export, first).code == 0
    assert not gone.exists()
    strange = tmp_path / "strange"
    strange.mkdir()
    (strange / "contact.json").write_text("[not json", encoding="utf-8")
    assert "is not empty" in cli("contact", "export", first, *who, "--output", strange).one_line


def test_a_proof_takes_no_other_proof_s_place(cli, tmp_path: Path) -> None:
    phone = str(next(_senders))
    who = ["--business", "aurora"]
    cli("chat", *who, "--from", phone, "--text", "Ciao, vorrei sapere gli orari di apertura")
    proof = tmp_path / "proof.json"
    proof.write_text('{"contact_id": 1, "clean": true}\n', encoding="utf-8")
    refused = cli("contact", "erase", phone, *who, "--yes", "--report", proof)
    assert f"{proof} is there already" in refused.one_line
    assert json.loads(proof.read_text("utf-8")) == {"contact_id": 1, "clean": True}
    proof.write_text("", encoding="utf-8")  # as `touch` or `mktemp` makes it
    assert cli("contact", "erase", phone, *who, "--yes", "--report", proof).code == 0
    assert json.loads(proof.read_text("utf-8"))["clean"] is True
