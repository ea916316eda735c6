"""Tasks that come round by the clock."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import structlog
from procrastinate import Blueprint, JobContext

from crm.errors import RecordContended, RecordUnavailable
from db.tenancy import tenant

log = structlog.get_logger(__name__)


def every(
    made: Blueprint,
    cron: str,
    name: str,
    work: Callable[[JobContext, int], Awaitable[None]],
    *,
    queue: str,
    priority: int = 0,
) -> None:
    """Adds to a blueprint a task that is done at the times of `cron` (a sixth field, at the end, is seconds).

    Whichever worker comes first does it. One that waits already is not joined by another: after an outage it
    is done once.
    """
    task = made.task(name=name, queue=queue, queueing_lock=name, priority=priority, pass_context=True)(work)
    made.periodic(cron=cron, periodic_id=name)(task)


@contextmanager
def alone(business_id: int, work: str) -> Iterator[None]:
    """One business's part of a task that goes through all of them: what fails in it is logged, with what
    `work` it was, and holds up nobody else.

    Raises RecordUnavailable: without a database nobody's part can be done.
    """
    with tenant(business_id), structlog.contextvars.bound_contextvars(business_id=business_id):
        try:
            yield
        except RecordContended as error:  # the next round finds it
            log.warning("business_contended", work=work, error=str(error))
        except RecordUnavailable:
            raise
        except Exception:
            log.exception("business_failed", work=work)
