"""What threads remember, for the pages that tell of it.

Opened at the first question: a server that only takes webhooks in and serves pages imports no graph for it,
and holds no connections.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import TYPE_CHECKING

from crm.record import Crm
from crm.sealing import Seal
from db.tenancy import tenant

if TYPE_CHECKING:
    from db.checkpoints import TenantSaver
    from graph.build import Machine
    from graph.history import Explained

_CODE = ("graph.build", "graph.history", "sara.contact_export")


class Past:
    """One per process. `opening` opens the threads' checkpoints, once; `stack` closes them at its end."""

    def __init__(
        self, crm: Crm, opening: Callable[[], AbstractAsyncContextManager[TenantSaver]], stack: AsyncExitStack
    ) -> None:
        self._crm = crm
        self._opening = opening
        self._stack = stack
        self._opened: tuple[TenantSaver, Machine] | None = None
        self._lock = asyncio.Lock()

    async def explain(self, business_id: int, thread_id: str, turn_id: str) -> Explained | None:
        """How a turn came to what it said; None when its checkpoints are gone."""
        _, machine = await self._open()
        from graph.history import explained

        with tenant(business_id):
            return await explained(machine, thread_id, turn_id)

    async def export(self, seal: Seal | None, business_id: int, contact_id: int) -> bytes:
        """Everything held about a customer, as a ZIP file. Raises UnknownContact, NotOurSeal."""
        saver, _ = await self._open()
        from sara import contact_export

        return await contact_export.zipped(self._crm, saver, seal, business_id, contact_id)

    async def _open(self) -> tuple[TenantSaver, Machine]:
        async with self._lock:
            if self._opened is None:
                await asyncio.to_thread(_import_code)
                from graph.build import build

                saver = await self._stack.enter_async_context(self._opening())
                self._opened = saver, build(saver)
            return self._opened


def _import_code() -> None:
    """In a thread: it takes a second, in which webhooks are answered."""
    for module in _CODE:
        importlib.import_module(module)
