"""Simulated agents: one of each business at the API, one of each at the console, as their programs would.

They take hand-overs, answer, hand back, resolve; the ones at the console also take conversations from the bot
in the middle of its work, and press the button twice.
"""

import asyncio
import random
import re
import secrets
from collections import Counter
from dataclasses import dataclass
from typing import Any

import httpx

from crm import businesses, logins, registry
from crm.record import Crm
from sara.soak.words import TALK

_LOOK_S = 1.5
_TAKES = 0.15  # how often somebody at the console takes a conversation from the bot, at each look
_CSRF = re.compile(r'data-csrf="([^"]+)"')
_CONVERSATION = re.compile(r"/c/(\d+)")
_ANSWERS = [text for talk in TALK.values() for text in talk.agent]


@dataclass(frozen=True)
class Hired:
    """An agent with a token for the API and a password for the console."""

    business: str
    email: str
    token: str
    password: str


async def hire(crm: Crm) -> list[Hired]:
    """Two for each business: the first uses the API, the second the console."""
    hired = []
    async with crm.outside() as tx:
        directory = await businesses.directory(tx)
    for entry in directory:
        for place in ("api", "console"):
            email, password = f"{place}@{entry.slug}.example", secrets.token_urlsafe(16)
            async with crm.as_owner() as tx:
                await registry.add_agent(tx, email, place.title(), business=entry.slug, role="supervisor")
                token = await registry.new_token(tx, email)
                await logins.set_password(tx, email, password)
            hired.append(Hired(entry.slug, email, token, password))
    return hired


class Desk:
    """All agents at work. `acts` counts what they did and was accepted, `answers` what was said to them."""

    def __init__(self, url: str, hired: list[Hired], *, seed: int) -> None:
        self._url = url
        self._hired = hired
        self._chance = random.Random(seed)  # noqa: S311 - guards nothing
        self.acts: Counter[str] = Counter()
        self.answers: Counter[int] = Counter()

    async def work(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            for number, agent in enumerate(self._hired):
                group.create_task(self._at_console(agent) if number % 2 else self._at_api(agent))

    async def _at_api(self, agent: Hired) -> None:
        at = f"/api/businesses/{agent.business}/handoffs"
        headers = {"Authorization": f"Bearer {agent.token}"}
        async with httpx.AsyncClient(base_url=self._url, headers=headers, timeout=20) as web:
            while True:
                await asyncio.sleep(self._chance.uniform(0.5, 1.5) * _LOOK_S)
                waiting = await self._ask(web, "GET", at)
                rows = waiting.json() if waiting is not None and waiting.is_success else []
                if rows:
                    row = rows[self._chance.randrange(min(3, len(rows)))]
                    await self._look_after(web, f"{at}/{row['handoff_id']}")

    async def _look_after(self, web: httpx.AsyncClient, at: str) -> None:
        """One hand-over: taken, answered as likely as not, and given back or settled."""
        if not await self._does(web, "taken", f"{at}/claim"):
            return
        for _ in range(self._chance.choice((0, 1, 1, 2))):
            await asyncio.sleep(self._chance.uniform(0.2, 1.5))
            await self._does(web, "answered", f"{at}/reply", json={"text": self._words()})
        await asyncio.sleep(self._chance.uniform(0.2, 1.5))
        if self._chance.random() < 0.6:
            given: dict[str, Any] = {"note": "The customer knows the way.", "promises": ["A call on Monday"]}
            await self._does(web, "handed back", f"{at}/back", json=given)
        else:
            await self._does(web, "resolved", f"{at}/resolve", json={"note": "Settled."})

    async def _at_console(self, agent: Hired) -> None:
        async with httpx.AsyncClient(base_url=self._url, timeout=20) as web:
            token = None
            while True:
                await asyncio.sleep(self._chance.uniform(0.5, 1.5) * _LOOK_S)
                token = token or await self._log_in(web, agent)
                if token is None:
                    continue
                view = "bot" if self._chance.random() < _TAKES else "waiting"
                page = await self._ask(web, "GET", f"/console/{agent.business}", params={"view": view})
                found = list(dict.fromkeys(_CONVERSATION.findall(page.text if page is not None else "")))
                if found:
                    number = found[self._chance.randrange(min(8, len(found)))]
                    at = f"/console/{agent.business}/c/{number}"
                    await self._takes_and_gives(web, at, token, over=view == "bot")

    async def _takes_and_gives(self, web: httpx.AsyncClient, at: str, token: str, *, over: bool) -> None:
        own = {"x-csrf-token": token, "accept": "application/json"}
        taken = ("taken from the bot", "takeover") if over else ("taken", "claim")
        if not await self._does(web, taken[0], f"{at}/{taken[1]}", headers=own):
            return
        await asyncio.sleep(self._chance.uniform(0.1, 2.0))
        if self._chance.random() < 0.7:
            form = {"text": self._words(), "attempt": secrets.token_hex(8)}
            for what in ("answered", "button pressed twice")[: self._chance.choice((1, 2))]:
                await self._does(web, what, f"{at}/send", headers=own, data=form)
        await asyncio.sleep(self._chance.uniform(0.1, 2.0))
        await self._does(web, "handed back", f"{at}/back", headers=own, data={"note": "Go on."})

    async def _log_in(self, web: httpx.AsyncClient, agent: Hired) -> str | None:
        """Opens a session; the token its forms need."""
        entered = await self._ask(
            web, "POST", "/console/login", data={"email": agent.email, "password": agent.password}
        )
        if entered is None or entered.status_code != httpx.codes.SEE_OTHER:
            return None
        page = await self._ask(web, "GET", f"/console/{agent.business}")
        found = _CSRF.search(page.text) if page is not None else None
        self.acts["logged in"] += found is not None
        return found[1] if found else None

    async def _does(self, web: httpx.AsyncClient, what: str, path: str, **content: Any) -> bool:
        answer = await self._ask(web, "POST", path, **content)
        done = answer is not None and answer.is_success
        self.acts[what] += done
        return done

    async def _ask(
        self, web: httpx.AsyncClient, method: str, path: str, **content: Any
    ) -> httpx.Response | None:
        """None when nobody answers, as during a restart: nobody knows then whether it was done, so it is not
        tried again."""
        try:
            answer = await web.request(method, path, **content)
        except httpx.TransportError:
            self.answers[0] += 1
            return None
        self.answers[answer.status_code] += 1
        return answer

    def _words(self) -> str:
        return f"{self._chance.choice(_ANSWERS)} ({secrets.token_hex(3)})"
