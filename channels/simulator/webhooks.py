"""Signed webhooks to the configured address: ordered, batched, repeated until answered 200."""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import Set
from typing import Any

import httpx

from channels.simulator.payloads import Part, envelope
from channels.simulator.settings import SimulatorSettings
from channels.whatsapp.signature import sign

log = logging.getLogger(__name__)


class Courier:
    """Posts webhooks in the background. Parts of one lane go out one after another, each once answered."""

    def __init__(self, settings: SimulatorSettings, http: httpx.AsyncClient) -> None:
        """The caller owns `http` and closes it."""
        self._settings = settings
        self._http = http
        self._random = random.Random(settings.faults.seed)  # noqa: S311 - draws faults, guards nothing
        self.p_duplicate = settings.faults.p_duplicate
        self.given_up = 0
        self.doubled = 0
        """How many webhooks were posted again although they had been answered."""
        self._tasks: set[asyncio.Task[bool]] = set()
        self._lanes: dict[str, asyncio.Task[bool]] = {}
        self._waiting: list[tuple[Part, asyncio.Future[bool]]] = []
        self._flush: asyncio.Task[None] | None = None

    def deliver(self, lane: str, part: Part) -> asyncio.Task[bool]:
        """Post a part after those before it in its lane; the task tells whether it was answered 200."""
        task = asyncio.create_task(self._in_turn(self._lanes.get(lane), part))
        self._lanes[lane] = task
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._forget(lane, done))
        return task

    def deliver_body(self, lane: str, body: dict[str, Any]) -> asyncio.Task[bool]:
        """Post a whole webhook after what is before it in its lane; as `deliver`."""
        previous = self._lanes.get(lane)

        async def in_turn() -> bool:
            if previous:
                await asyncio.wait([previous])
            return await self._post_raw(json.dumps(body).encode(), 1)

        task = asyncio.create_task(in_turn())
        self._lanes[lane] = task
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._forget(lane, done))
        return task

    @property
    def pending(self) -> Set[asyncio.Task[bool]]:
        """The posts on their way."""
        return self._tasks

    async def aclose(self) -> None:
        """Stop posting; what was not answered yet is abandoned."""
        tasks = [*self._tasks, *([self._flush] if self._flush else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _forget(self, lane: str, done: asyncio.Task[bool]) -> None:
        self._tasks.discard(done)
        if self._lanes.get(lane) is done:
            del self._lanes[lane]

    async def _in_turn(self, previous: asyncio.Task[bool] | None, part: Part) -> bool:
        if previous:
            await asyncio.wait([previous])
        if not self._settings.batch_window_s:
            return await self._post([part])
        answered: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((part, answered))
        if self._flush is None:
            self._flush = asyncio.create_task(self._flush_later())
        return await answered

    async def _flush_later(self) -> None:
        await asyncio.sleep(self._settings.batch_window_s)
        batch, self._waiting, self._flush = self._waiting, [], None
        answered = await self._post([part for part, _ in batch])
        for _, future in batch:
            if not future.done():
                future.set_result(answered)

    async def _post(self, parts: list[Part]) -> bool:
        return await self._post_raw(json.dumps(envelope(parts)).encode(), len(parts))

    async def _post_raw(self, raw: bytes, parts: int) -> bool:
        for delay in (*self._settings.retry_delays_s, None):
            if await self._answered(raw):
                if self._random.random() < self.p_duplicate:
                    self.doubled += 1
                    await self._answered(raw)
                return True
            if delay is not None:
                await asyncio.sleep(delay)
        self.given_up += parts
        log.error("webhook given up: %s did not answer 200", self._settings.webhook_url)
        return False

    async def _answered(self, raw: bytes) -> bool:
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "facebookexternalua",
            "X-Hub-Signature-256": sign(self._settings.app_secret, raw),
        }
        try:
            response = await self._http.post(
                self._settings.webhook_url,
                content=raw,
                headers=headers,
                timeout=self._settings.webhook_timeout_s,
            )
        except httpx.HTTPError as problem:
            log.debug("webhook not answered: %r", problem)
            return False
        return response.status_code == 200
