"""Meta's limits, as the simulator enforces them: per number, per pair of number and customer, per account."""

from __future__ import annotations

from collections import defaultdict, deque
from datetime import datetime, timedelta

PAIR_GAP = timedelta(seconds=6)
PAIR_BURST = 45
DAY = timedelta(hours=24)


class Quotas:
    """Counts in memory; each question asked with True counts as one message sent."""

    def __init__(self, *, throughput_per_s: int | None, pair_limit: bool, tier: int | None = None) -> None:
        """`throughput_per_s` messages per number in any second, or None for no limit; `tier` customers per
        account in any 24 hours. All three may be changed while running."""
        self.throughput_per_s = throughput_per_s
        self.pair_limit = pair_limit
        self.tier = tier
        self._begun: dict[str, dict[str, datetime]] = defaultdict(dict)
        self._second: dict[str, deque[datetime]] = defaultdict(deque)
        self._due: dict[tuple[str, str], datetime] = {}

    def count(self, phone_number_id: str, now: datetime) -> bool:
        """Count one message, in or out, of a number; False when the second is already full."""
        if self.throughput_per_s is None:
            return True
        recent = self._second[phone_number_id]
        while recent and recent[0] <= now - timedelta(seconds=1):
            recent.popleft()
        if len(recent) >= self.throughput_per_s:
            return False
        recent.append(now)
        return True

    def count_pair(self, phone_number_id: str, customer: str, now: datetime) -> bool:
        """Count one message to a customer: one in 6 s, with a burst of 45 borrowed from later."""
        if not self.pair_limit:
            return True
        pair = (phone_number_id, customer)
        due = max(self._due.get(pair, now), now)
        if due - now > PAIR_GAP * (PAIR_BURST - 1):
            return False
        self._due[pair] = due + PAIR_GAP
        return True

    def count_begun(self, waba_id: str, customer: str, now: datetime) -> bool:
        """Count a customer whom the business writes to of its own accord; the same one twice is one.

        False when the account has begun with as many others in the last 24 hours as its tier allows.
        """
        if self.tier is None:
            return True
        begun = self._begun[waba_id]
        for other in [known for known, at in begun.items() if at <= now - DAY]:
            del begun[other]
        if customer not in begun and len(begun) >= self.tier:
            return False
        begun.setdefault(customer, now)
        return True
