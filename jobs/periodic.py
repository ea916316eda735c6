"""Tasks that come round by the clock."""

from collections.abc import Awaitable, Callable

from procrastinate import Blueprint, JobContext


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
