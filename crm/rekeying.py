"""Another key under everything that is encrypted: batch by batch, begun again wherever it stopped.

What is sealed with the newest key already is left as it is, so that a second run only does what is left.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from crm.record import Crm
from crm.sealing import NotOurSeal, Seal
from db import sealed_threads
from db.cipher import StateCipher
from db.sealed import Sealed

Purpose = Literal["audio", "secrets", "state"]
"""Which keys: SARA_AUDIO_KEY, SARA_SECRET_KEY or SARA_STATE_KEY."""

SAMPLE = 25  # rows at each end of a place, for a look that must not read all of the sound there is
BATCH = 100  # rows of one transaction; one row's content is in memory at a time


@dataclass(frozen=True)
class Place:
    """A column that holds something sealed; `key` is the column that tells its rows apart."""

    table: str
    column: str
    key: str
    purpose: Purpose


PLACES = (
    Place("recording", "sealed", "message_id", "audio"),
    Place("inbound_file", "sealed", "message_id", "audio"),
    Place("alert_target", "sealed", "alert_target_id", "secrets"),
    Place("webhook_subscription", "sealed_url", "webhook_subscription_id", "secrets"),
    Place("webhook_subscription", "sealed_secret", "webhook_subscription_id", "secrets"),
    Place("webhook_subscription", "sealed_previous", "webhook_subscription_id", "secrets"),
    Place("calendar", "secret", "resource_id", "secrets"),
    Place("business_number", "sealed_token", "phone_number_id", "secrets"),
    Place("agent_factor", "sealed", "agent_id", "secrets"),
)

THREADS = tuple(Place(table, "blob", "thread_id", "state") for table in sealed_threads.TABLES)


@dataclass(frozen=True)
class Keys:
    """What opens and writes each kind; a kind without is left out."""

    seals: Mapping[Purpose, Seal]
    state: StateCipher | None = None


@dataclass
class Stock:
    """How much of a place is sealed with what. `older`: with a key that still opens; `lost`: with none."""

    place: Place
    newest: int = 0
    older: int = 0
    lost: int = 0
    renewed: int = 0

    @property
    def total(self) -> int:
        """Everything that is sealed there."""
        return self.newest + self.older + self.lost


Told = Callable[[Stock], None]


async def stock(crm: Crm, keys: Keys) -> list[Stock]:
    """What is sealed with which key; opens everything once and changes nothing. As the operator."""
    found = [await _walk(crm, place, keys.seals[place.purpose], renew=False) for place in _known(keys)]
    return found + [await _counted(crm, place, keys.state) for place in THREADS if keys.state]


async def closed(crm: Crm, keys: Keys, *, most: int = SAMPLE) -> list[Stock]:
    """Places that hold something no known key opens, kinds without a key among them. Changes nothing.

    Of each place at most `most` of the oldest and of the newest are opened: those of before a key was lost,
    and those since. `stock` opens all of them.
    """
    found = [await _ends(crm, place, keys.seals.get(place.purpose), most) for place in PLACES]
    found += [await _counted(crm, place, keys.state) for place in THREADS]
    return [one for one in found if one.lost]


async def renew(crm: Crm, keys: Keys, *, batch: int = BATCH, told: Told = lambda _: None) -> list[Stock]:
    """Everything under its newest key; `told` after each batch. What no known key opens stays as it is.

    Each batch is a transaction of its own: a run that is killed has lost nothing, and the next one goes on.
    What threads remembered before there was a key for it is encrypted too.
    """
    found = [
        await _walk(crm, place, keys.seals[place.purpose], renew=True, batch=batch, told=told)
        for place in _known(keys)
    ]
    return found + [await _threads(crm, place, keys.state, batch, told) for place in THREADS if keys.state]


def _known(keys: Keys) -> Iterable[Place]:
    return (place for place in PLACES if place.purpose in keys.seals)


async def _ends(crm: Crm, place: Place, seal: Seal | None, most: int) -> Stock:
    found = Stock(place)
    async with crm.as_owner() as tx:
        column = Sealed(tx.connection, place.table, place.column, place.key)
        if seal is None:
            found.lost = await column.count()
            return found
        for key in await column.ends(most):
            await _one(column, key, seal, found, renew=False)
    return found


async def _counted(crm: Crm, place: Place, cipher: StateCipher | None) -> Stock:
    """From the marks of the values: nothing is opened. Those without a mark can be read as they are."""
    async with crm.as_owner() as tx:
        marks = await sealed_threads.count(tx.connection, place.table)
    newest = marks.pop(cipher.newest, 0) if cipher else 0
    older = sum(marks.pop(name, 0) for name in ("", *(cipher.names if cipher else ())))
    return Stock(place, newest=newest, older=older, lost=sum(marks.values()))


async def _threads(crm: Crm, place: Place, cipher: StateCipher, batch: int, told: Told) -> Stock:
    after, renewed = "", 0
    while True:
        async with crm.as_owner() as tx:
            done = await sealed_threads.renew(tx.connection, place.table, cipher, after, batch)
        if not done.last:
            return replace(await _counted(crm, place, cipher), renewed=renewed)
        after, renewed = done.last, renewed + done.renewed
        told(Stock(place, renewed=renewed, lost=done.lost))


async def _walk(
    crm: Crm, place: Place, seal: Seal, *, renew: bool, batch: int = BATCH, told: Told = lambda _: None
) -> Stock:
    found, after = Stock(place), None
    while True:
        async with crm.as_owner() as tx:
            column = Sealed(tx.connection, place.table, place.column, place.key)
            keys = await column.keys(after, batch)
            for key in keys:
                await _one(column, key, seal, found, renew=renew)
        if not keys:
            return found
        after = keys[-1]
        told(found)


async def _one(column: Sealed, key: Any, seal: Seal, found: Stock, *, renew: bool) -> None:
    sealed = await column.value(key, hold=renew)
    if sealed is None:
        return  # deleted meanwhile
    try:
        fresh = seal.renewed(sealed)
    except NotOurSeal:
        found.lost += 1
        return
    if fresh is None:
        found.newest += 1
    elif renew:
        await column.put(key, fresh)
        found.renewed += 1
        found.newest += 1
    else:
        found.older += 1
