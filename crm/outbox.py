"""The one road out: messages waiting to be delivered, and what is known of those on their way.

States: queued → sending → accepted | refused | unknown. A crash or a time-out between the request and
its answer leaves `unknown`: the channel has no idempotency key, so it waits for a status before any
second try. `superseded`: the conversation's owner changed first. `held`: not deliverable now.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from crm import messages
from crm.messages import NewMessage
from crm.record import Ask, Crm, Tx

Lane = Literal["service", "campaign"]


@dataclass(frozen=True)
class OutboxRow:
    outbox_id: int
    conversation_id: int
    message_id: int
    turn_id: str
    ordinal: int
    epoch: int
    answers: str | None
    state: str
    attempts: int
    attempted_at: datetime | None
    next_attempt_at: datetime
    author: str
    kind: str
    body: str
    opener: str | None
    reply_to_wamid: str | None
    preview: bool
    media_voice: bool
    file_id: int | None
    template_name: str | None
    template_code: str | None
    template_values: list[str] | None
    purpose: str | None
    lane: str
    trace: str | None  # what it was written under (db/trace.py)


@dataclass(frozen=True)
class AddresseeRow:
    """Where a message of ours went: number, customer, and the template it was."""

    phone_number_id: str
    contact_id: int
    message_id: int
    template_name: str | None
    template_code: str | None


@dataclass(frozen=True)
class Became:
    """What became of a row and its message."""

    outbox_id: int
    message_id: int
    conversation_id: int
    state: str
    attempts: int
    error: str | None
    error_code: int | None
    status: str | None
    wamid: str | None


@dataclass(frozen=True)
class TakenRow:
    """Whether a row is being sent from now on, and in how many seconds; else when to ask again and why.

    `gap_s` are the seconds between two messages of the number at its present pace.
    """

    wait_s: float
    reason: str | None
    taken: bool
    gap_s: float | None


@dataclass(frozen=True)
class _StateRow:
    state: str
    rows: int


@dataclass(frozen=True)
class _DelayRow:
    seconds: float


@dataclass(frozen=True)
class WaitingRow:
    business_id: int
    conversation_id: int


async def spoke(tx: Tx, turn_id: str) -> bool:
    """Whether a turn has already put its words into the outbox: a re-run must not repeat them."""
    return int(await tx.value("outbox_of_turn", turn_id=turn_id)) > 0


@dataclass(frozen=True)
class _TurnRow:
    turn_id: str


async def unsaid(tx: Tx, conversation_id: int, epoch: int) -> list[str]:
    """The turns, in order, all whose words were withheld since the conversation, now of this `epoch`, was
    last given back: somebody took over, and nobody else has answered, neither an agent nor another turn."""
    found = await tx.all(_TurnRow, "outbox_unsaid", conversation_id=conversation_id, epoch=epoch)
    return [row.turn_id for row in found]


async def add(
    tx: Tx,
    new_messages: Sequence[NewMessage],
    *,
    turn_id: str,
    epoch: int,
    answers: str | None,
    purpose: str | None = None,
    lane: Lane = "service",
    number: int | None = None,
    also: Sequence[Ask[Any]] = (),
    ending: bool = False,
) -> list[int]:
    """Writes messages and their outbox rows, in order, and asks what is `also` to be asked, in one round
    trip; `ending`: and with that the transaction is committed. `number` is the first one's id, where it was
    asked for before (`messages.numbers`).

    Returns the message ids.
    (turn_id, ordinal) is unique: a second writer of the same turn fails instead of speaking twice.
    """
    ids = [] if number is None else [number]
    if (missing := len(new_messages) - len(ids)) > 0:
        [more] = await tx.together([messages.numbers(missing)])
        ids += [row.message_id for row in more]
    of_all = {"turn_id": turn_id, "epoch": epoch, "answers": answers, "purpose": purpose, "lane": lane}
    asks: list[Ask[Any]] = []
    for ordinal, (message_id, message) in enumerate(zip(ids, new_messages, strict=True)):
        place = {"conversation_id": message.conversation_id, "message_id": message_id, "ordinal": ordinal}
        asks += [
            messages.writing(replace(message, wamid=None), message_id),
            *messages.parts(message, message_id),
            Ask(None, "outbox_insert", {**of_all, **place}),
        ]
    await (tx.ending if ending else tx.together)([*asks, *also])
    return ids


async def deliver(
    tx: Tx,
    conversation_id: int,
    message_id: int,
    *,
    turn_id: str,
    epoch: int,
    ordinal: int = 0,
    answers: str | None = None,
    purpose: str | None = None,
    lane: Lane = "service",
) -> None:
    """Puts a written message into the outbox.

    `purpose` names the template that says it once the 24 hours are over (`crm.template_book.PURPOSES`); what
    is of the campaign lane gives way to everything else.
    """
    await tx.run(
        "outbox_insert",
        conversation_id=conversation_id,
        message_id=message_id,
        turn_id=turn_id,
        ordinal=ordinal,
        epoch=epoch,
        answers=answers,
        purpose=purpose,
        lane=lane,
    )


async def open_rows(tx: Tx, conversation_id: int) -> list[OutboxRow]:
    """What a conversation still has to deliver, in order."""
    return await tx.all(OutboxRow, "outbox_open", conversation_id=conversation_id)


async def says(tx: Tx, message_id: int, name: str, code: str) -> None:
    """The template that says a message once the 24 hours are over."""
    await tx.run("message_says", message_id=message_id, name=name, code=code)


async def addressee(tx: Tx, message_id: int) -> AddresseeRow | None:
    """To whom a message of ours went; None when it is gone."""
    return await tx.first(AddresseeRow, "message_addressee", message_id=message_id)


async def take(
    tx: Tx,
    outbox_id: int,
    phone_number_id: str,
    contact_id: int,
    *,
    campaign: bool,
    initiated: bool,
    patience_s: float,
    ending: bool = False,
) -> TakenRow | None:
    """Marks a row as being sent if the governor (`governor.admit`) has a turn for it within `patience_s`.

    None when somebody else took it back or settled it. Ask last, and commit before the request goes out:
    `ending` commits in the same round trip.
    """
    values = {
        "outbox_id": outbox_id,
        "phone_number_id": phone_number_id,
        "contact_id": contact_id,
        "campaign": campaign,
        "initiated": initiated,
        "patience": patience_s,
    }
    [taken] = await (tx.ending if ending else tx.together)([Ask(TakenRow, "outbox_take", values)])
    return next(iter(taken), None)


@dataclass(frozen=True)
class _LeftRow:
    more: bool


async def sent(crm: Crm, business_id: int, row: OutboxRow, wamid: str) -> bool:
    """The channel took it under that wamid; whether its conversation has more to deliver.

    The message first, then the row, as whoever takes in a status does: it may come at the same moment.
    """
    which = {"outbox_id": row.outbox_id, "conversation_id": row.conversation_id, "wamid": wamid}
    _, [left] = await crm.at_once(
        business_id,
        [
            Ask(None, "message_wamid", {"message_id": row.message_id, "wamid": wamid}),
            Ask(_LeftRow, "outbox_sent", which),
        ],
    )
    return bool(left.more)


async def settle(
    tx: Tx, outbox_id: int, state: str, *, error_code: int | None = None, error: str | None = None
) -> None:
    """It will not be sent: `refused`, `superseded` or `held`, and why."""
    await tx.run("outbox_settle", outbox_id=outbox_id, state=state, error_code=error_code, error=error)


async def try_again(
    tx: Tx, outbox_id: int, at: datetime, *, error_code: int | None = None, error: str | None = None
) -> None:
    """Back into the queue until `at`; only for rows the channel surely did not take.

    Hold the conversation's row: where it was taken from the bot and given back without a word meanwhile, the
    row goes out all the same.
    """
    await tx.run("outbox_still_due", outbox_id=outbox_id, begun=False)
    await tx.run("outbox_again", outbox_id=outbox_id, next_attempt_at=at, error_code=error_code, error=error)


@dataclass(frozen=True)
class Outdated:
    """`why` a message that waited is not to be sent any more, or that it is `paused`."""

    why: str | None
    paused: bool


async def outdated(tx: Tx, row: OutboxRow) -> Outdated | None:
    """Of reminders, places kept for somebody and campaigns: whether it still holds. None for any other."""
    if row.lane != "campaign" and not row.turn_id.startswith(("reminder:", "waiting:")):
        return None
    return await tx.first(Outdated, "outbox_outdated", outbox_id=row.outbox_id)


async def goes_on(tx: Tx, outbox_id: int) -> bool:
    """Whether the rest of a turn whose first words have arrived is still to be said, although somebody took
    the conversation from the bot: it was given back without a word. Hold the conversation's row."""
    return await tx.run("outbox_still_due", outbox_id=outbox_id, begun=True) > 0


async def revive(tx: Tx, conversation_id: int) -> int:
    """After a hand-back without a word: puts back what was said in part and what tells of an act, which would
    not come out the same if it was asked again; how many messages. Hold the conversation's row."""
    return await tx.run("outbox_revive", conversation_id=conversation_id)


async def rests(tx: Tx, outbox_id: int, until: datetime) -> None:
    """It waits for its time, so it is not late before."""
    await tx.run("outbox_rests", outbox_id=outbox_id, next_attempt_at=until)


async def unknown(tx: Tx, outbox_id: int, look_again_at: datetime, error: str) -> None:
    """Nobody can say whether the channel took it."""
    await tx.run("outbox_unknown", outbox_id=outbox_id, next_attempt_at=look_again_at, error=error)


async def later_status(tx: Tx, phone_number_id: str, since: datetime) -> datetime | None:
    """When the first status came back of a message that was sent on this number after `since`.

    From then on statuses do come back, and one that stays missing for an older attempt means that the
    attempt was never taken.
    """
    came: datetime | None = await tx.value(
        "outbox_later_status", phone_number_id=phone_number_id, since=since
    )
    return came


async def with_open_rows(tx: Tx, older_than: timedelta) -> list[WaitingRow]:
    """Conversations of any tenant with undelivered rows nobody seems to work on."""
    return await tx.all(WaitingRow, "open_outbox_conversations", older_than=older_than)


async def delays(tx: Tx) -> list[float]:
    """Seconds that each message, advertising left out, waited before it was sent (last)."""
    return [row.seconds for row in await tx.all(_DelayRow, "outbox_delays")]


async def states(tx: Tx) -> dict[str, int]:
    """How many rows are in each state."""
    return {row.state: row.rows for row in await tx.all(_StateRow, "outbox_states")}


async def row(tx: Tx, outbox_id: int) -> Became | None:
    """One row, locked, with what became of its message."""
    return await tx.first(Became, "outbox_row", outbox_id=outbox_id)


async def anew(
    tx: Tx,
    row: Became,
    at: datetime,
    *,
    error_code: int | None = None,
    error: str | None = None,
    by_hand: bool = False,
) -> int | None:
    """A message that is settled goes out again, not before `at`; its conversation, None if it cannot.

    What the channel said of the earlier attempt stays with that attempt. `by_hand`: its attempts are counted
    anew. Only for rows the channel did not take, or failed to deliver.
    """
    conversation_id: int | None = await tx.value(
        "outbox_requeue",
        outbox_id=row.outbox_id,
        at=at,
        error_code=error_code,
        error=error,
        anew=by_hand,
    )
    if conversation_id is not None:
        # Taken from the bot and given back without a word meanwhile: it would be withheld for good.
        await tx.run("outbox_still_due", outbox_id=row.outbox_id, begun=False)
    if conversation_id is not None and row.wamid is not None:
        await tx.run("outbox_failed_later", outbox_id=row.outbox_id, error_code=error_code, error=error)
        await tx.run("statuses_forget", message_id=row.message_id)
        await tx.run("message_unsend", message_id=row.message_id)
    return conversation_id
