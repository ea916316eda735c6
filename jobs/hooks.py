"""What events set in motion outside of the record: hook after hook, each until it is done."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from types import MappingProxyType

import structlog
from procrastinate import Blueprint, JobContext

from crm import events, queue
from crm.errors import RecordUnavailable
from crm.events import HookRow
from crm.record import Tx
from db.tenancy import tenant
from jobs import calendars, documents, telling
from jobs.services import Services, services_of

log = structlog.get_logger(__name__)

Runner = Callable[[Services, Tx, HookRow], Awaitable[None]]

# Who does what a hook asks for. A runner works in the transaction that settles its hook.
RUNNERS: Mapping[str, Runner] = MappingProxyType(
    {"document": documents.write, "alert": telling.of_event, "calendar": calendars.write_through}
)

_MOST_ATTEMPTS = 10
_MOST_BACKOFF_S = 3600.0


def blueprint() -> Blueprint:
    """The task of this file, for one app: adding a blueprint to an app renames its tasks."""
    made = Blueprint()
    made.task(name="hooks", queue=queue.HOOKS, pass_context=True)(hooks)
    return made


async def hooks(job: JobContext, *, business_id: int) -> None:
    """Does a business's hooks that are due; what failed is queued again for its time."""
    services = services_of(job)
    with tenant(business_id), structlog.contextvars.bound_contextvars(business_id=business_id):
        wait = await hooks_once(services, business_id)
        if wait is not None:
            async with services.crm.transaction(business_id) as tx:
                await queue.hooks(tx, delay_s=max(0.5, wait))


async def hooks_once(services: Services, business_id: int) -> float | None:
    """Does all hooks that are due; returns the seconds until the next one, None when none waits."""
    while True:
        async with services.crm.transaction(business_id) as tx:
            hook = await events.next_hook(tx, tuple(RUNNERS))
            if hook is None:
                return await events.wait_s(tx, tuple(RUNNERS))
            try:
                # A savepoint: what a runner wrote before it failed is undone, its failure is written down.
                async with tx.connection.transaction():
                    await RUNNERS[hook.target](services, tx, hook)
                    await events.settle(tx, hook.event_hook_id)
            except RecordUnavailable:
                raise
            except Exception as error:
                await _failed(tx, hook, error)


async def _failed(tx: Tx, hook: HookRow, error: Exception) -> None:
    reason = f"{type(error).__name__}: {error}"
    log.exception("hook_failed", hook_id=hook.event_hook_id, target=hook.target, attempts=hook.attempts)
    if hook.attempts + 1 >= _MOST_ATTEMPTS:
        await events.settle(tx, hook.event_hook_id, "failed", reason)
        return
    wait = min(_MOST_BACKOFF_S, float(2**hook.attempts))
    await events.try_again(tx, hook.event_hook_id, tx.now + timedelta(seconds=wait), reason)
