"""How a simulator behaves: what it serves, where it reports to, which limits and faults it plays."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Identity = Literal["both", "phone_only", "hidden"]
"""Which ids webhooks carry: phone and user id, the older shape with the phone only, or no phone at all."""

Share = Field(default=0.0, ge=0, le=1)


class BusinessNumber(BaseModel):
    """A business's number as Meta knows it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    phone_number_id: str
    display_phone: str
    business_name: str
    waba_id: str = "200000000000001"


class Faults(BaseModel):
    """Share of sends (0 to 1) that meet each fault; each fault is drawn on its own, in this order.

    `p500`, `p429` and `p_reset` happen before acceptance: the customer gets nothing. `p_lost_answer` (the
    connection breaks) and `p_timeout` (no answer for `timeout_s`) happen after it: the customer has the
    message and the caller cannot know. `latency_s` delays every call; `p_duplicate` repeats webhooks.
    `p_media` is the share of questions after a media file that meet an error of the server. `burst_5xx`
    sends in a row fail with 503 before any fault is drawn. While `token_expired` every call is refused with
    190. Statuses come `late_status_s` later than they would, and for the share `p_disorder` of messages in
    the wrong order, the last first.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    p500: float = Share
    p429: float = Share
    p_reset: float = Share
    p_lost_answer: float = Share
    p_timeout: float = Share
    timeout_s: float = Field(default=30.0, ge=0)
    latency_s: float = Field(default=0.0, ge=0)
    p_duplicate: float = Share
    p_media: float = Share
    burst_5xx: int = Field(default=0, ge=0)
    token_expired: bool = False
    late_status_s: float = Field(default=0.0, ge=0)
    p_disorder: float = Share
    seed: int = 1


class SimulatorSettings(BaseModel):
    """Options of one simulator. Delays are in seconds.

    `refuse_by` tells how a message outside the 24-hour window is refused: in the answer to the call, or
    accepted and then failed by webhook, as Meta may do either. `batch_window_s` above zero gathers what
    happens meanwhile into one webhook. `retry_delays_s` are the waits before a webhook that was not
    answered 200 is posted again; after the last it is given up and logged. `tier` is how many customers a
    business may begin to write to in 24 hours, None for no limit.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    webhook_url: str
    app_secret: str
    access_token: str
    numbers: tuple[BusinessNumber, ...]
    status_delay_s: float = Field(default=0.3, ge=0)
    auto_read: bool = True
    identity: Identity = "both"
    refuse_by: Literal["answer", "status"] = "answer"
    throughput_per_s: int | None = None
    pair_limit: bool = False
    tier: int | None = None
    unreachable: frozenset[str] = frozenset()
    batch_window_s: float = Field(default=0.0, ge=0)
    webhook_timeout_s: float = 10.0
    retry_delays_s: tuple[float, ...] = (0.5, 1, 2, 4, 8, 15, 30, 60, 60, 60)
    faults: Faults = Faults()
