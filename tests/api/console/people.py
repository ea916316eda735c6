"""Agents at their consoles, over real HTTP, and customers who wait for them."""

import itertools
import json
import re
import secrets
import time
from dataclasses import dataclass
from typing import Any

import httpx

from channels.whatsapp.signature import sign
from crm import logins, registry
from sara.exchange import Customer, Exchange, exchange
from sara.local import Local

PASSWORD = "correct horse battery staple"
WANTS = "Vorrei parlare con una persona"
NUMBER = "1001"  # Aurora's
JSON = {"Accept": "application/json"}
_senders = itertools.count(secrets.randbelow(10**8) * 1000 + 394 * 10**11)


@dataclass(frozen=True)
class Agent:
    """Somebody who is logged in to the console of a business."""

    web: httpx.AsyncClient
    business: str
    email: str
    csrf: str
    agent_id: int

    @property
    def base(self) -> str:
        return f"/console/{self.business}"

    async def page(self, path: str = "", **query: Any) -> str:
        answer = await self.web.get(f"{self.base}{path}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.text

    async def act(self, conversation_id: int, action: str, **sent: Any) -> httpx.Response:
        """Does something as the page's script does; `files` go along as files."""
        files = sent.pop("files", None)
        return await self.web.post(
            f"{self.base}/c/{conversation_id}/{action}",
            data={"csrf": self.csrf, **sent},
            files=files,
            headers=JSON,
        )

    async def did(self, conversation_id: int, action: str, **sent: Any) -> str:
        """The same where it must succeed; returns the fresh fragment."""
        answer = await self.act(conversation_id, action, **sent)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["html"])


async def enter(whole: Local, business: str, role: str = "agent", name: str = "Elena Prova") -> Agent:
    """A new agent of a business, logged in."""
    email = f"{secrets.token_hex(5)}@console.example"
    async with whole.crm.as_owner() as tx:
        await registry.add_agent(tx, email, name, business=business, role=role)
        await logins.set_password(tx, email, PASSWORD)
    return await log_in(whole, business, email)


async def log_in(whole: Local, business: str, email: str, password: str = PASSWORD) -> Agent:
    web = httpx.AsyncClient(base_url=whole.url, headers={"Accept-Language": "en"}, timeout=60)
    answer = await web.post("/console/login", data={"email": email, "password": password})
    assert answer.status_code == 303, answer.text
    page = (await web.get(f"/console/{business}")).text
    found = re.search(r'data-csrf="([^"]+)" data-agent="(\d+)"', page)
    assert found is not None, page[:500]
    return Agent(web, business, email, found[1], int(found[2]))


def customer(business: str = "aurora", name: str = "Livia Conte") -> Customer:
    """Somebody who has never written before."""
    return Customer(business, str(next(_senders)), name)


@dataclass(frozen=True)
class Waiting:
    """A customer who waits for a person."""

    customer: Customer
    conversation_id: int
    handoff_id: int


async def somebody_waits(whole: Local, name: str = "Livia Conte", text: str = WANTS) -> Waiting:
    who = customer(name=name)
    came = await exchange(whole, who, text=text)
    assert came.handoff is not None
    await whole.simulator.wait_for_reply(who.wa_id)  # who is handed over is told so first
    return Waiting(who, came.conversation_id, came.handoff)


async def asks(whole: Local, who: Customer, text: str = "Quanto costa un massaggio rilassante?") -> Exchange:
    return await exchange(whole, who, text=text)


async def changes(
    whole: Local, who: Customer, wamid: str, *, words: str | None = None, by_owner: bool = False
) -> None:
    """A message is edited, or taken back where there are no `words`: by the customer, or by the owner on the
    phone."""
    edit = {"original_message_id": wamid, "message": {"type": "text", "text": {"body": words}}}
    kind, content = ("edit", edit) if words else ("revoke", {"original_message_id": wamid})
    sides = {"from": "390200000001", "to": who.wa_id} if by_owner else {"from": who.wa_id}
    item = {
        **sides,
        "id": f"wamid.{secrets.token_hex(8)}",
        "timestamp": str(int(time.time())),
        "type": kind,
        kind: content,
    }
    field = "message_echoes" if by_owner else "messages"
    value = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": NUMBER}, field: [item]}
    entry = {"id": "1", "changes": [{"field": f"smb_{field}" if by_owner else field, "value": value}]}
    raw = json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()
    headers = {"X-Hub-Signature-256": sign(whole.settings.whatsapp_app_secret.get_secret_value(), raw)}
    async with httpx.AsyncClient(base_url=whole.url, timeout=60) as web:
        answer = await web.post("/webhooks/whatsapp", content=raw, headers=headers)
    assert answer.status_code == 200, answer.text


async def wamid_of(whole: Local, conversation_id: int, words: str) -> str:
    """What the channel calls the message of a conversation that says this."""
    query = "SELECT wamid FROM message WHERE conversation_id = %s AND body = %s AND wamid IS NOT NULL"
    async with whole.crm.as_owner() as tx:
        cursor = await tx.connection.execute(query, (conversation_id, words))
        row = await cursor.fetchone()
    assert row is not None, words
    return str(row["wamid"])
