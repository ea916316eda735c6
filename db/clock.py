"""The database's clock: one time for all processes, whatever the clocks of their machines say.

Deadlines, pauses and windows are kept in the record and looked at by any process. Were each to reckon with
the clock of its own machine, one that is an hour ahead would put its messages an hour off for all others.
"""

import time
from datetime import UTC, datetime

_TRUSTED_S = 60.0  # how long the best reading stands against later ones
_JUMP_S = 5.0  # an answer is never so late: then the database's clock was set, or another database answers


class DatabaseClock:
    """Tells the database's time from the machine's monotonic clock, which no one sets.

    What the database says is heard with each transaction (db/tenancy.py). An answer comes late by as long as
    it was on its way, so of several readings the one that was least late counts. Before the first one it is
    the machine's time.
    """

    def __init__(self) -> None:
        self._ahead: float | None = None  # of the monotonic clock, in seconds since 1970
        self._heard_at = 0.0

    def __call__(self) -> datetime:
        """The time now."""
        if self._ahead is None:
            return datetime.now(UTC)
        return datetime.fromtimestamp(time.monotonic() + self._ahead, UTC)

    def heard(self, seconds: float) -> None:
        """The database has just said what time it is, in seconds since 1970."""
        here = time.monotonic()
        ahead = seconds - here
        if (
            self._ahead is None
            or ahead > self._ahead
            or here - self._heard_at > _TRUSTED_S
            or self._ahead - ahead > _JUMP_S
        ):
            self._ahead, self._heard_at = ahead, here
