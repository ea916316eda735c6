"""Meta's two rates, as the simulator enforces them: per number, and per pair of number and customer."""

from __future__ import annotations

from collections import defaultdict, deque
from datetime import datetime, timedelta

PAIR_GAP = timedelta(seconds=6)
PAIR_BURST = 45


class Quotas:
    """Counts in memory; each question asked with True counts as one message sent."""

    def __init__(self, *, throughput_per_s: int | None, pair_limit: bool) -> None:
        """`throughput_per_s` messages per number in any second, or None for no limit."""
        self._throughput = throughput_per_s
        self._pair_limit = pair_limit
        self._second: dict[str, deque[datetime]] = defaultdict(deque)
        self._due: dict[tuple[str, str], datetime] = {}

    def count(self, phone_number_id: str, now: datetime) -> bool:
        """Count one message, in or out, of a number; False when the second is already full."""
        if self._throughput is None:
            return True
        recent = self._second[phone_number_id]
        while recent and recent[0] <= now - timedelta(seconds=1):
            recent.popleft()
        if len(recent) >= self._throughput:
            return False
        recent.append(now)
        return True

    def count_pair(self, phone_number_id: str, customer: str, now: datetime) -> bool:
        """Count one message to a customer: one in 6 s, with a burst of 45 borrowed from later."""
        if not self._pair_limit:
            return True
        pair = (phone_number_id, customer)
        due = max(self._due.get(pair, now), now)
        if due - now > PAIR_GAP * (PAIR_BURST - 1):
            return False
        self._due[pair] = due + PAIR_GAP
        return True
