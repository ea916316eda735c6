"""What customers send besides words, and what they change later: places, advertisements, edits, numbers."""

from dataclasses import dataclass
from datetime import datetime

from crm import campaigns, contacts, conversations, governor
from crm.messages import NewMessage
from crm.record import Ask, Tx


@dataclass(frozen=True)
class Place:
    """A point in degrees, with the name and address of what is there, where they are known."""

    latitude: float
    longitude: float
    name: str | None = None
    address: str | None = None

    @property
    def words(self) -> str:
        """The place in one line: what a person calls it, and always where it is."""
        return " ".join(
            filter(None, [self.name, self.address, f"({self.latitude:.5f}, {self.longitude:.5f})"])
        )


@dataclass(frozen=True)
class Referral:
    """The advertisement or post that a customer pressed; `click_id` names the click to Meta."""

    source_type: str | None
    source_id: str | None
    source_url: str | None
    headline: str | None
    body: str | None
    click_id: str | None


@dataclass(frozen=True)
class Changed:
    """A message that its author changes. `unseen`: the graph has not taken it in yet."""

    message_id: int
    conversation_id: int
    body: str
    deleted: bool
    event_id: int | None
    unseen: bool


async def put_place(tx: Tx, message_id: int, place: Place) -> None:
    """Where a message points to."""
    await tx.run(
        "place_insert",
        message_id=message_id,
        latitude=place.latitude,
        longitude=place.longitude,
        name=place.name,
        address=place.address,
    )


async def place(tx: Tx, message_id: int) -> Place | None:
    """Where a message points to; None for one that shows no place."""
    return await tx.first(Place, "place", message_id=message_id)


async def put_referral(tx: Tx, message_id: int, referral: Referral) -> None:
    """What a customer pressed before writing."""
    await tx.run("referral_insert", message_id=message_id, **referral.__dict__)


async def to_change(tx: Tx, wamid: str) -> Changed | None:
    """The message that an edit or a deletion speaks of, its row locked; None when it has not come (yet)."""
    return await tx.first(Changed, "message_to_change", wamid=wamid)


async def edit(tx: Tx, message_id: int, body: str, at: datetime) -> None:
    """Other words in a message; the first ones stay readable beside them."""
    await tx.run("message_edit", message_id=message_id, body=body, at=at)


async def take_back(tx: Tx, changed: Changed, at: datetime) -> None:
    """A message without words, sound and file; if the graph has not seen it, it never will."""
    await tx.run("message_take_back", message_id=changed.message_id, at=at)
    await tx.run("copies_take_back", message_id=changed.message_id, at=at)
    await tx.run("file_take_back", message_id=changed.message_id)
    await tx.run("recording_take_back", message_id=changed.message_id)
    if changed.unseen:
        await tx.run("event_drop", event_id=changed.event_id)


@dataclass(frozen=True)
class RevokedRow:
    message_id: int


def arrived(
    tx: Tx, message_id: int, new: NewMessage, phone_number_id: str, *, answers: bool = True
) -> list[Ask[None]]:
    """What every message of a customer's sets in motion: the 24 hours, the number's pace, and where it is one
    that `answers`, the campaign they answer."""
    asks: list[Ask[None]] = [
        conversations.wrote(new.conversation_id, min(new.sent_at, tx.now)),
        governor.heard(phone_number_id),
    ]
    if answers:
        asks.append(campaigns.replied(new.contact_id, message_id, new.reply_to_wamid))
    return asks


def revoked(wamid: str) -> Ask[RevokedRow]:
    """Whether a message was taken back before it came, a row or none: webhooks keep no order."""
    return Ask(RevokedRow, "message_taken_back", {"wamid": wamid})


@dataclass(frozen=True)
class _IdentityRow:
    wa_id: str | None
    bsuid: str | None


async def moved(tx: Tx, contact_id: int, *, wa_id: str | None, bsuid: str | None) -> bool:
    """The customer has another number. False, and nothing is changed, when that number is already a customer:
    merging two people is a person's decision."""
    known = await tx.value("contact_find", wa_id=wa_id, bsuid=bsuid)
    if known not in (None, contact_id):
        await contacts.remember(tx, contact_id, "number_taken", detail=wa_id or "")
        return False
    had = await tx.first(_IdentityRow, "contact_move", contact_id=contact_id, wa_id=wa_id, bsuid=bsuid)
    await contacts.remember(tx, contact_id, "number_changed", detail=wa_id or "")
    # What they were known by stands in raw webhooks for a while, and an erasure has to find it.
    for former in (had.wa_id, had.bsuid) if had else ():
        if former and former not in (wa_id, bsuid):
            await contacts.remember(tx, contact_id, "number_left", detail=former)
    return True
