"""Taking documents in and trying questions out, for whoever looks after what SARA knows.

The models this needs are opened when somebody asks and closed when nobody has for a while, and the code that
works with them is imported then: a process that only serves pages does not carry them.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from crm import businesses, library, proposals
from crm.businesses import Profile
from crm.differences import Listed
from crm.record import Crm

if TYPE_CHECKING:
    from graph.context import Context
    from knowledge.ingest import Detect, IngestReport
    from knowledge.store import KnowledgeStore

_CODE = ("jobs.trial", "knowledge.ingest", "knowledge.facts.reading")


@dataclass(frozen=True)
class Opened:
    """What reads and answers."""

    store: KnowledgeStore
    context: Context
    detect: Detect


@dataclass(frozen=True)
class Tried:
    """What SARA would answer; without `reply` she would act ("acts") or ask a person ("person"): `why`."""

    passages: list[dict[str, Any]]
    reply: str
    cited: list[str]
    model: str
    why: str


@dataclass
class Library:
    """One per process; whoever makes it closes it.

    `opening` opens the models when they are needed. Unused for `idle_s` seconds they are closed again, and
    `give_back` returns their memory.
    """

    crm: Crm
    opening: Callable[[], AbstractAsyncContextManager[Opened]]
    idle_s: float = 600.0
    give_back: Callable[[], object] = gc.collect
    _opened: Opened | None = None
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _users: int = 0
    _timer: asyncio.TimerHandle | None = None
    _resting: asyncio.Task[None] | None = None

    async def close(self) -> None:
        """Closes what is open."""
        if self._timer is not None:
            self._timer.cancel()
        async with self._lock:
            self._opened = None
            await self._stack.aclose()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Opened]:
        """What reads and answers, open at least as long as the block lasts. Raises what opening it raises."""
        if self._timer is not None:
            self._timer.cancel()
        self._users += 1
        try:
            async with self._lock:
                if self._opened is None:
                    await asyncio.to_thread(_import_code)
                    self._opened = await self._stack.enter_async_context(self.opening())
                opened = self._opened
            yield opened
        finally:
            self._users -= 1
            if not self._users:
                self._timer = asyncio.get_running_loop().call_later(self.idle_s, self._rest)

    def _rest(self) -> None:
        self._resting = asyncio.create_task(self._close_unused())

    async def _close_unused(self) -> None:
        async with self._lock:
            if self._users or self._opened is None:
                return
            self._opened = None
            await self._stack.aclose()
        await asyncio.to_thread(self.give_back)

    async def add(self, business_id: int, name: str, content: bytes) -> tuple[IngestReport, int]:
        """Takes one file in under its name; returns what became of it and how many facts it proposes.

        A file that cannot be read is in the report's `failed`, with what to do. Raises KnowledgeUnavailable
        and what the embedder raises.
        """
        async with self.opened() as opened:
            return await self._add(opened, business_id, name, content)

    async def _add(
        self, opened: Opened, business_id: int, name: str, content: bytes
    ) -> tuple[IngestReport, int]:
        from knowledge.ingest import ingest

        with tempfile.TemporaryDirectory(prefix="sara-upload-") as folder:
            path = Path(folder) / Path(name).name
            await asyncio.to_thread(path.write_bytes, content)
            report = await ingest([path], business_id=business_id, store=opened.store, detect=opened.detect)
            proposed = 0
            if not report.failed:
                proposed = await self._propose(business_id, path, opened.detect)
        return report, proposed

    async def _propose(self, business_id: int, path: Path, detect: Detect) -> int:
        """Compares what the file lists with the record."""
        async with self.crm.transaction(business_id) as tx:
            profile = await businesses.profile(tx)
            by_hand = await library.dated_by_hand(tx)
        today = self.crm.clock().astimezone(ZoneInfo(profile.business.time_zone)).date()
        listed = await asyncio.to_thread(_listed, path, profile, today, detect, by_hand.get(path.name))
        async with self.crm.transaction(business_id) as tx:
            return (await proposals.propose(tx, [listed])).added

    async def ask(self, business_id: int, question: str, language: str) -> Tried:
        """What SARA would say to this now, and the passages it would rest on.

        Raises InferenceError, KnowledgeUnavailable.
        """
        async with self.opened() as opened:
            return await self._ask(opened, business_id, question, language)

    async def _ask(self, opened: Opened, business_id: int, question: str, language: str) -> Tried:
        from jobs.trial import trial

        said = {"author": "customer", "kind": "text", "text": question, "sent_at": ""}
        event = {
            "kind": "customer_message",
            "turn_id": "trial",
            "last_event_id": 0,
            "business_id": business_id,
            "conversation_id": 0,
            "contact_id": 0,
            "epoch": 0,
            "messages": [said],
        }
        async with self.crm.transaction(business_id) as tx:
            profile = await businesses.profile(tx)
        known = {
            "language": language,
            "window": [],
            "contact": {},
            "business": {"name": profile.business.name, "formal": profile.pack.formal},
        }
        tried = await trial(opened.context, {"event": event, **known})
        found = await opened.context.search.search(
            question,
            None,
            business_id=business_id,
            language=language,
            on=self.crm.clock().astimezone(ZoneInfo(profile.business.time_zone)).date(),
        )
        passages = [
            {"source": p.source, "section": p.section or p.title, "text": p.text, "score": p.score}
            for p in found
        ]
        proposal = (tried or {}).get("proposal", {})
        supported = bool((tried or {}).get("grounding", {}).get("supported"))
        reply = str(proposal.get("reply") or "") if supported and not proposal.get("abstained") else ""
        why = (
            "acts" if supported and not reply and proposal.get("intent") not in (None, "answer") else "person"
        )
        return Tried(
            passages,
            reply,
            [_named(one, tried or {}) for one in proposal.get("citations") or []],
            str(proposal.get("model") or ""),
            "" if reply else why,
        )


def _import_code() -> None:
    """In a thread: it takes a second, in which webhooks are answered."""
    for module in _CODE:
        importlib.import_module(module)


def _listed(
    path: Path,
    profile: Profile,
    today: date,
    detect: Detect,
    by_hand: tuple[date | None, date | None] | None,
) -> Listed:
    from knowledge import files
    from knowledge.facts.reading import read_facts, spoken_in
    from knowledge.readers.reading import read
    from knowledge.validity import Validity

    document = read(files.load(path), path.name)
    valid = Validity(*by_hand) if by_hand else None
    facts = read_facts(document, currency=profile.business.currency, on=today, valid=valid).facts
    if facts.untold:
        facts = spoken_in(facts, detect(document.text, profile.language) or profile.language)
    return Listed(path.name, facts.services, facts.hours)


def _named(citation: str, tried: dict[str, Any]) -> str:
    """The document behind a passage's number; a live fact is the record's."""
    return next((p["source"] for p in tried.get("passages", []) if p["id"] == citation), "")
