"""Refused webhooks in the log, at a limited rate: whoever posts nonsense must not fill the disk."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import structlog

log = structlog.get_logger(__name__)

TOLD_EVERY_S = 10.0

Reason = Literal["no_signature", "wrong_signature", "wrong_verify_token"]

_MENDS: dict[Reason, str] = {
    "no_signature": "it does not come from Meta, or a proxy drops the header X-Hub-Signature-256",
    "wrong_signature": "compare SARA_WHATSAPP_APP_SECRET with Meta's page; a proxy must not change the body",
    "wrong_verify_token": "compare SARA_WHATSAPP_VERIFY_TOKEN with what Meta's page was given",
}


@dataclass
class _Kept:
    told_at: float | None = None
    count: int = 0


class Refusals:
    """The log lines of one process. How many were refused in all, `sara_http_seconds` counts by status."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: dict[Reason, _Kept] = {}

    def note(self, reason: Reason) -> None:
        """The first of a reason is told at once; then one line in TOLD_EVERY_S says how many came."""
        kept, now = self._kept.setdefault(reason, _Kept()), self._clock()
        kept.count += 1
        if kept.told_at is not None and now - kept.told_at < TOLD_EVERY_S:
            return
        log.warning("webhook_refused", reason=reason, count=kept.count, mend=_MENDS[reason])
        kept.told_at, kept.count = now, 0
