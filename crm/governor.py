"""The governor: whether a message may leave now. It lives in PostgreSQL, so that all processes share it.

Its keys: the number's throughput (in and out), the pair of number and customer, the portfolio's tier of
unique customers per moving 24 hours, a customer's rest from marketing. Limits are Meta's:
https://developers.facebook.com/docs/whatsapp/messaging-limits
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from crm.record import Ask, Tx

MARKETING_REST = timedelta(hours=24)  # after a 131049; sooner makes it worse
UNLIMITED = 0

Reason = Literal["number", "pair", "tier", "cooldown", "stopped"]


@dataclass(frozen=True)
class Verdict:
    """`wait_s` is 0 when the message may leave now and has been counted; else what it waits for.

    One that may wait is counted too when its turn comes within the patience it was asked with.
    """

    wait_s: float
    reason: Reason | None


@dataclass(frozen=True)
class NumberState:
    """A number's limits and their use.

    `per_second` is its throughput, `pace` the share of it in use since it was last too fast, `tier` the
    unique customers per moving 24 hours (None: unlimited) of whom `used` are taken, `stopped` why no campaign
    may use it.
    """

    phone_number_id: str
    portfolio: str
    per_second: int
    pace: float
    tier: int | None
    used: int
    stopped: str | None
    quality: str | None

    @property
    def free(self) -> int | None:
        """Customers that can still be written to first; None: any number."""
        return None if self.tier is None else max(0, self.tier - self.used)


async def admit(
    tx: Tx,
    phone_number_id: str,
    contact_id: int,
    *,
    campaign: bool,
    initiated: bool,
    patience_s: float = 0.0,
) -> Verdict:
    """Counts one message on every key, or on none when it would have to wait for longer than `patience_s`.

    `campaign` messages leave a fifth of the throughput to replies; `initiated` ones, after the customer's 24
    hours, count towards the tier. Locks rows until the transaction ends: ask last, then commit.
    """
    found = await tx.first(
        Verdict,
        "governor_admit",
        phone_number_id=phone_number_id,
        contact_id=contact_id,
        campaign=campaign,
        initiated=initiated,
        patience=patience_s,
    )
    return found or Verdict(0.0, None)


async def reserve(tx: Tx, phone_number_id: str, contact_id: int) -> Verdict:
    """Keeps a customer's place in the tier for a campaign's message that is about to be written."""
    found = await tx.first(
        Verdict, "governor_reserve", phone_number_id=phone_number_id, contact_id=contact_id
    )
    return found or Verdict(0.0, None)


async def release(tx: Tx, phone_number_id: str, contact_id: int) -> None:
    """Gives a place back that no message has used."""
    await tx.run("governor_release", phone_number_id=phone_number_id, contact_id=contact_id)


def heard(phone_number_id: str) -> Ask[None]:
    """A message came in on the number."""
    return Ask(None, "governor_heard", {"phone_number_id": phone_number_id})


async def slow(tx: Tx, phone_number_id: str) -> float:
    """Meta said 130429: a tenth less, half when it did within the last minute; a tenth a minute is won back.

    Returns the pace from now on, 0..1.
    """
    return float(await tx.value("governor_slow", phone_number_id=phone_number_id))


async def hold_pair(tx: Tx, phone_number_id: str, contact_id: int, until: datetime) -> None:
    """Meta said 131056: nothing to this customer before `until`."""
    await tx.run("governor_hold_pair", phone_number_id=phone_number_id, contact_id=contact_id, until=until)


async def cool(tx: Tx, phone_number_id: str, contact_id: int) -> datetime:
    """Meta said 131049: no marketing to this customer for 24 hours; returns until when."""
    until = tx.now + MARKETING_REST
    await tx.run("governor_cool", phone_number_id=phone_number_id, contact_id=contact_id, until=until)
    return until


async def stop(tx: Tx, phone_number_id: str, why: str | None) -> None:
    """Campaigns may not use the number from now on; None: they may again."""
    await tx.run("governor_stop", phone_number_id=phone_number_id, why=why)


async def set_limits(
    tx: Tx,
    phone_number_id: str,
    *,
    per_second: int | None = None,
    tier: int | None = None,
    portfolio: str | None = None,
    quality: str | None = None,
) -> None:
    """What Meta or the operator says of a number; None leaves a thing, a tier of UNLIMITED has none."""
    await tx.run(
        "governor_limits",
        phone_number_id=phone_number_id,
        per_second=per_second,
        tier=tier,
        portfolio=portfolio,
        quality=quality,
    )


async def state(tx: Tx, phone_number_id: str) -> NumberState:
    """What the number may do and has done."""
    for _ in range(2):  # the first look at a number makes its row, which that statement does not see yet
        found = await tx.first(NumberState, "governor_state", phone_number_id=phone_number_id)
        if found is not None:
            return found
    raise RuntimeError("a number without limits")


async def forget(tx: Tx) -> None:
    """Drops keys that have long been idle."""
    await tx.run("governor_forget")
