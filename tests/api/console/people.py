"""Agents at their consoles, over real HTTP, and customers who wait for them."""

import itertools
import re
import secrets
from dataclasses import dataclass
from typing import Any

import httpx

from crm import logins, registry
from sara.exchange import Customer, Exchange, exchange
from sara.local import Local

PASSWORD = "correct horse battery staple"
WANTS = "Vorrei parlare con una persona"
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
