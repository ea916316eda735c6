"""A place where every command of the documentation has something to work on."""

import asyncio
import base64
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
import pytest
import yaml
from psycopg.rows import dict_row

from crm.businesses import token_digest
from sara.exchange import Customer, exchange
from sara.local import Local, local_on
from sara.play import play, read
from sara.settings import Settings
from tests.outside import free_port

ROOT = Path(__file__).parents[2]
TOKEN = "a-token-of-the-examples"
HOLDER = "francesca@aurora-benessere.example"  # of the token
KNOWN = "393471234567"  # the customer whose number the examples show
PEOPLE = 8  # conversations that wait for a person


@dataclass
class Place:
    """A folder with the files that the examples name, a database with what they number, and SARA's API."""

    folder: Path
    dsn: str
    url: str
    token: str
    keys: dict[str, str]

    def ready_for(self, words: list[str]) -> None:
        """What an example before this one took away, or only time and other systems bring."""
        if words[0] == "curl":
            self._owner(
                "UPDATE agent SET token_sha256 = %s WHERE email = %s", token_digest(self.token), HOLDER
            )
        if "retry" in " ".join(words):
            self._owner(
                "UPDATE outbox SET state = 'refused' WHERE outbox_id = (SELECT min(outbox_id) FROM outbox)"
            )
        if words[1:3] == ["quote", "issue"]:
            self._owner(
                "WITH q AS (INSERT INTO quote (business_id, contact_id, currency, idempotency_key)"
                " SELECT business_id, min(contact_id), 'EUR', 'docs' FROM contact"
                " JOIN business USING (business_id) WHERE slug = 'aurora' GROUP BY 1"
                " RETURNING business_id, quote_id)"
                " INSERT INTO quote_line (business_id, quote_id, ordinal, description, quantity)"
                " SELECT business_id, quote_id, 0, 'Un regalo su misura', 1 FROM q"
            )
        elif words[1:2] == ["contact"]:
            self._owner(
                "INSERT INTO contact (business_id, wa_id, name)"
                " SELECT business_id, %s, 'Giulia' FROM business WHERE slug = 'aurora'"
                " ON CONFLICT DO NOTHING",
                KNOWN,
            )
        elif words[1:3] == ["webhooks", "replay"]:
            self._owner(
                "INSERT INTO webhook_delivery"
                " (business_id, webhook_subscription_id, type, webhook_id, body, state)"
                " SELECT business_id, webhook_subscription_id, 'quote.accepted', 'msg_' || n, '{}', 'dead'"
                " FROM (SELECT * FROM webhook_subscription LIMIT 1) s, generate_series(1, 2) n"
            )
        elif words[1:3] == ["agent", "reset-totp"]:
            self._with_factor(words[3])

    def _owner(self, statement: str, *values: object) -> None:
        with psycopg.connect(self.dsn, autocommit=True) as owner:
            owner.execute(statement, values)

    def _with_factor(self, email: str) -> None:
        self._owner("INSERT INTO agent (name, email) VALUES ('Elena', %s) ON CONFLICT DO NOTHING", email)
        self._owner(
            "INSERT INTO agent_factor (agent_id, sealed, made_at, confirmed_at)"
            " SELECT agent_id, 'sealed', now(), now() FROM agent WHERE email = %s ON CONFLICT DO NOTHING",
            email,
        )

    def rows(self, query: str) -> list[dict[str, object]]:
        """What is in the record, over all businesses."""
        with psycopg.connect(self.dsn, row_factory=dict_row, autocommit=True) as owner:
            return list(owner.execute(query))

    def newest(self, pattern: str) -> str:
        """The newest file of a pattern; nothing where there is none yet."""
        return str(max(self.folder.glob(pattern), default="no such file"))

    def empty(self) -> str:
        """A new empty database on the same server."""
        with psycopg.connect(self.dsn, autocommit=True) as owner:
            owner.execute("DROP DATABASE IF EXISTS restored WITH (FORCE)")
            owner.execute("CREATE DATABASE restored TEMPLATE template0")
        return self.dsn.replace("/documented?", "/restored?")

    def ids(self, query: str) -> list[str]:
        """The first column of `query`."""
        return [str(next(iter(row.values()))) for row in self.rows(query)]


@pytest.fixture(scope="module")
def place(
    settings: Settings, documented_dsn: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("docs")
    _files(folder)
    shutil.copytree(settings.data_dir, folder / "data", ignore=shutil.ignore_patterns("postgres", "models"))
    asyncio.run(_customers(settings, documented_dsn))
    _prepared(documented_dsn)
    keys = {
        f"SARA_{name}_KEY": base64.b64encode(os.urandom(32)).decode() for name in ("AUDIO", "SECRET", "STATE")
    }
    port = free_port()
    environment = {
        **os.environ,
        **keys,
        "SARA_DATABASE_URL": documented_dsn,
        "SARA_DATA_DIR": str(settings.data_dir),
        "SARA_LLM": "extractive",
        "SARA_WHATSAPP_VERIFY_TOKEN": "YOURS",
        "SARA_WHATSAPP_APP_SECRET": "a-secret",
    }
    served = subprocess.Popen(
        [sys.executable, "-c", "from sara.cli import main; main()", "serve", "--port", str(port)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(url, served)
        yield Place(folder, documented_dsn, url, TOKEN, keys)
    finally:
        served.terminate()
        served.wait(30)


def _wait(url: str, served: "subprocess.Popen[bytes]") -> None:
    for _ in range(300):
        assert served.poll() is None, "serve ended"
        try:
            if httpx.get(f"{url}/readyz").status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise AssertionError("serve did not become ready")


async def _customers(settings: Settings, dsn: str) -> None:
    """Conversations that leave what the examples number: hand-overs, a quote, a report, appointments."""
    async with local_on(settings, dsn) as whole:
        for number in range(PEOPLE):
            who = Customer("aurora", f"3934700009{number:02d}", "Giulia")
            await exchange(whole, who, text="Vorrei parlare con una persona")
        await exchange(whole, Customer("aurora", KNOWN, "Giulia"), text="Quanto costa un massaggio?")
        await exchange(whole, Customer("aurora", "393331112222", "Giulia"), text="Ciao")
        for name, times in (("4-aurora-booking", 2), ("9-aurora-ticket", 1), ("8-aurora-quote", 2)):
            for number in range(times):
                await _played(whole, name, f"39347000{number}{len(name):03d}")


async def _played(whole: Local, name: str, customer: str) -> None:
    path = ROOT / f"sara/journeys/{name}.yaml"
    await play(whole, read(path), base=path.parent, customer=customer)


def _prepared(dsn: str) -> None:
    """What only time, Meta or another system brings."""
    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute(
            "UPDATE appointment SET during = tstzrange(now() - interval '3 hours' * appointment_id,"
            " now() - interval '3 hours' * appointment_id + interval '50 minutes')"
        )
        columns = (
            "business_id, contact_id, conversation_id, service_id, resource_id, status, price, during,"
            " idempotency_key"
        )
        for hours in (24, 48):
            owner.execute(
                f"INSERT INTO appointment ({columns}) SELECT business_id, contact_id, conversation_id,"
                " service_id, resource_id, 'booked', price, tstzrange(lower(during) - interval '1 hour' * %s,"
                " upper(during) - interval '1 hour' * %s), %s FROM appointment"
                " WHERE appointment_id = (SELECT min(appointment_id) FROM appointment)",
                (hours, hours, f"docs:{hours}"),
            )
        for name, category, buttons in (
            ("autumn_offer", "MARKETING", 0),
            ("appointment_reminder", "UTILITY", 2),
        ):
            owner.execute(
                "INSERT INTO wa_template (business_id, name, code, category, status, body, variables,"
                " quick_replies, synced_at) SELECT business_id, %s, 'it', %s, 'APPROVED', 'Ciao {{1}} {{2}}',"
                " %s, %s, now() FROM business WHERE slug = 'aurora'",
                (name, category, buttons or 1, ["Confermo", "Sposta"][:buttons]),
            )


def _files(folder: Path) -> None:
    """What a reader of the examples has at hand."""
    for name in ("knowledge", "sara", "tests", "deploy", "inference", "pyproject.toml"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "docs").mkdir()
    (folder / "backups").mkdir()
    mine = folder / "my-documents"
    mine.mkdir()
    (mine / "hours.md").write_text(
        "# Orari\n\nSiamo aperti dal lunedì al venerdì dalle 9 alle 18.\n", "utf-8"
    )
    (mine / "prices.csv").write_text(
        "Servizio;Durata;Prezzo\nMassaggio rilassante;50 minuti;71,50 €\n", "utf-8"
    )
    rows = {
        "questions.jsonl": {"question": "Quanto costa un massaggio rilassante?", "language": "it"},
        "texts.jsonl": {"text": "domani alle 17", "language": "it"},
        "answers.jsonl": {"answer": "Costa 65 euro.", "passages": ["Massaggio rilassante: 65 euro"]},
    }
    for name, row in rows.items():
        (folder / name).write_text(json.dumps(row) + "\n", "utf-8")
    (folder / "notes").mkdir()
    shutil.copy(ROOT / "tests/voice/zero.ogg", folder / "notes")
    template = {
        "name": "autumn_offer",
        "language": "it",
        "category": "MARKETING",
        "components": [
            {
                "type": "BODY",
                "text": "Ciao {{1}}, in autunno ti aspettiamo da Aurora per un massaggio.",
                "example": {"body_text": [["Giulia"]]},
            }
        ],
    }
    (folder / "autumn.json").write_text(json.dumps(template), "utf-8")
    (folder / "consents.csv").write_text(
        f"phone,given_at,evidence\n+{KNOWN},2026-03-12T10:00+01:00,form at the desk\n", "utf-8"
    )
    (folder / "token.txt").write_text("a-token\n", "utf-8")
    (folder / "address.txt").write_text("json://127.0.0.1:9/hook\n", "utf-8")


def edited(folder: Path) -> None:
    """mine.yaml as a business of its own, as the comment behind `cp` asks for."""
    described = yaml.safe_load((folder / "mine.yaml").read_text("utf-8"))
    described |= {"slug": "mine", "name": "Mine", "phone_number_id": "88001"}
    described["agents"] = [{"name": "Anna", "email": "anna@mine.example", "role": "admin"}]
    (folder / "mine.yaml").write_text(yaml.safe_dump(described, allow_unicode=True), "utf-8")
