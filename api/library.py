"""Taking documents in and trying questions out, for whoever looks after what SARA knows.

The models this needs are opened at the first use: a process that only serves pages does not carry them.
"""

import asyncio
import tempfile
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from crm import businesses, proposals
from crm.businesses import Profile
from crm.differences import Listed
from crm.record import Crm
from graph.context import Context
from jobs.trial import trial
from knowledge import files
from knowledge.facts.reading import read_facts, spoken_in
from knowledge.ingest import Detect, IngestReport, ingest
from knowledge.readers.reading import read
from knowledge.store import KnowledgeStore


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
    """One per process. `opening` opens the models, once, when they are first needed."""

    crm: Crm
    opening: Callable[[], AbstractAsyncContextManager[Opened]]
    stack: AsyncExitStack
    _opened: Opened | None = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def _open(self) -> Opened:
        async with self._lock:
            if self._opened is None:
                self._opened = await self.stack.enter_async_context(self.opening())
            return self._opened

    async def add(self, business_id: int, name: str, content: bytes) -> tuple[IngestReport, int]:
        """Takes one file in under its name; returns what became of it and how many facts it proposes.

        A file that cannot be read is in the report's `failed`, with what to do. Raises KnowledgeUnavailable
        and what the embedder raises.
        """
        opened = await self._open()
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
        today = self.crm.clock().astimezone(ZoneInfo(profile.business.time_zone)).date()
        listed = await asyncio.to_thread(_listed, path, profile, today, detect)
        async with self.crm.transaction(business_id) as tx:
            return (await proposals.propose(tx, [listed])).added

    async def ask(self, business_id: int, question: str, language: str) -> Tried:
        """What SARA would say to this now, and the passages it would rest on.

        Raises InferenceError, KnowledgeUnavailable.
        """
        opened = await self._open()
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
            "business": {"name": profile.business.name},
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


def _listed(path: Path, profile: Profile, today: date, detect: Detect) -> Listed:
    document = read(files.load(path), path.name)
    facts = read_facts(document, currency=profile.business.currency, on=today).facts
    if facts.untold:
        facts = spoken_in(facts, detect(document.text, profile.language) or profile.language)
    return Listed(path.name, facts.services, facts.hours)


def _named(citation: str, tried: dict[str, Any]) -> str:
    """The document behind a passage's number; a live fact is the record's."""
    return next((p["source"] for p in tried.get("passages", []) if p["id"] == citation), "")
