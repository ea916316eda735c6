"""How long to wait after a failure: ever longer, and never all at the same moment."""

import random


def backoff_s(failures: int, *, first: float, most: float, factor: float = 4.0) -> float:
    """Seconds after the n-th failure in a row (from 1), a quarter more or less by chance."""
    # A float's exponent has its limit.
    steady = min(most, first * factor ** min(max(failures, 1) - 1, 32))
    return steady * random.uniform(0.75, 1.25)  # noqa: S311, it spreads load and hides nothing
