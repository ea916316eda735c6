"""Checkpoints in one order, whatever the clocks of the hosts say that write them."""

from langgraph.checkpoint.base import id as ids


def continue_after(checkpoint_id: str) -> None:
    """From now on this process names its checkpoints later than this one.

    A checkpoint's id is the time by the clock of its host, and the latest id is what a thread remembers. On a
    host whose clock is behind, a turn would be written before the turn it follows, and be forgotten. So the
    generator, which never goes back within a process, is moved on by what is read: a Lamport clock.
    """
    stamp = ids.UUID(checkpoint_id).time
    if (ids._last_v6_timestamp or 0) < stamp:
        ids._last_v6_timestamp = stamp  # type: ignore[assignment]
