"""Sends of one number leave a process evenly, even when what came before held several of them up."""

from datetime import datetime, timedelta


class Pacer:
    """When each number's next message may leave this process. One per process.

    The governor gives every message its turn, in all processes together. Whatever delays turns (a slow
    commit, a busy processor) would let them leave at once when it is over: more in one second than allowed.
    """

    def __init__(self) -> None:
        self._next: dict[str, datetime] = {}

    def leave(self, number: str, turn: datetime, gap_s: float, now: datetime) -> float:
        """Takes the place of a message whose turn is at `turn`; the seconds from `now` until it leaves.

        `gap_s` are the seconds between two messages at the number's present pace.
        """
        at = max(turn, now, self._next.get(number, turn))
        self._next[number] = at + timedelta(seconds=gap_s)
        return (at - now).total_seconds()
