"""Hand-overs over HTTP: the queue, one with its packet, answer, hand back, resolve."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Request
from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from api.auth import Authenticated
from api.state import services_of
from channels.messages import OutboundMessage
from channels.whatsapp.limits import fit
from crm import conversations, desk, handoffs, messages, trail
from crm.handoffs import HandoffRow
from crm.messages import MessageRow

router = APIRouter(prefix="/api/businesses/{business}/handoffs", tags=["hand-overs"])


def _storable(text: str) -> str:
    """JSON can say characters that no text of the record can hold: NUL, and halves of surrogate pairs."""
    if any(letter == "\x00" or "\ud800" <= letter <= "\udfff" for letter in text):
        raise ValueError("a NUL character or half a surrogate pair cannot be stored")
    return text


_Storable = AfterValidator(_storable)
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000), _Storable]
Note = Annotated[str, StringConstraints(max_length=5_000), _Storable]
Key = Annotated[str, StringConstraints(max_length=80), _Storable]
Fact = Annotated[str, StringConstraints(max_length=2_000), _Storable]
Promise = Annotated[str, StringConstraints(max_length=500), _Storable]


class Handoff(BaseModel):
    """One row of the queue."""

    handoff_id: int
    conversation_id: int
    thread_id: str
    reason: str
    label: str | None
    score: float | None
    status: str
    customer: str | None
    wa_id: str | None
    language: str | None
    summary: str
    wants: str
    opened_at: datetime
    agent_id: int | None


class Said(BaseModel):
    """One message of the conversation; `recorded` ones can be listened to (`/messages/{id}/audio`)."""

    message_id: int
    author: str
    text: str
    kind: str
    transcript_status: str | None
    transcript_confidence: float | None
    media_seconds: float | None
    recorded: bool
    status: str | None
    sent_at: datetime


class Packet(Handoff):
    """Everything an agent needs to answer."""

    draft: str
    note: str | None
    owner: str
    epoch: int
    window_closes_at: datetime | None
    messages: list[Said]


class Answer(BaseModel):
    """The agent's words to the customer."""

    text: Text


class HandBack(BaseModel):
    """What the agent learned and promised, for SARA to go on with."""

    note: Note = ""
    facts: dict[Key, Fact] = Field(default_factory=dict, max_length=30)
    promises: list[Promise] = Field(default_factory=list, max_length=30)


class Resolution(BaseModel):
    """How the matter ended."""

    note: Note = ""


@router.get("")
async def queue(request: Request, caller: Authenticated) -> list[Handoff]:
    """The open hand-overs, the longest waiting first."""
    async with services_of(request).crm.transaction(caller.business_id) as tx:
        await trail.listed(tx, caller.reader, "queue")
        return [Handoff(**_row(row)) for row in await handoffs.queue(tx)]


@router.get("/{handoff_id}")
async def packet(request: Request, caller: Authenticated, handoff_id: int) -> Packet:
    """One hand-over with the conversation."""
    async with services_of(request).crm.transaction(caller.business_id) as tx:
        row = await handoffs.get(tx, _id(handoff_id))
        conversation = await conversations.get(tx, row.conversation_id)
        said = await messages.of_conversation(tx, row.conversation_id)
        await trail.looked(
            tx, caller.reader, "conversation", [row.contact_id], subject_id=row.conversation_id
        )
    return Packet(
        **_row(row),
        draft=row.draft,
        note=row.note,
        owner=conversation.owner,
        epoch=conversation.epoch,
        window_closes_at=conversation.last_customer_at + conversations.IDLE_AFTER
        if conversation.last_customer_at
        else None,
        messages=[_said(message) for message in said],
    )


@router.post("/{handoff_id}/claim", status_code=204)
async def claim(request: Request, caller: Authenticated, handoff_id: int) -> None:
    """Takes the conversation: from now on the caller speaks."""
    async with services_of(request).crm.transaction(caller.business_id) as tx:
        await desk.claim(tx, _id(handoff_id), caller.agent_id, by_force=caller.supervisor)


@router.post("/{handoff_id}/reply", status_code=202)
async def reply(
    request: Request, caller: Authenticated, handoff_id: int, answer: Answer
) -> dict[str, list[int]]:
    """Sends the agent's words (several messages when they are longer than one may be)."""
    texts = [part.body for part in fit(OutboundMessage(body=answer.text))]
    async with services_of(request).crm.transaction(caller.business_id) as tx:
        said = await desk.answer(tx, _id(handoff_id), caller.agent_id, texts, by_force=caller.supervisor)
        row = await handoffs.get(tx, handoff_id)
        await trail.did(
            tx, caller.reader, "message", contact_id=row.contact_id, subject_id=row.conversation_id
        )
        return {"message_ids": said}


@router.post("/{handoff_id}/back", status_code=204)
async def back(request: Request, caller: Authenticated, handoff_id: int, given: HandBack) -> None:
    """Gives the conversation back to SARA."""
    async with services_of(request).crm.transaction(caller.business_id) as tx:
        await desk.hand_back(
            tx,
            _id(handoff_id),
            caller.agent_id,
            note=given.note,
            facts=given.facts,
            promises=given.promises,
            by_force=caller.supervisor,
        )


@router.post("/{handoff_id}/resolve", status_code=204)
async def resolve(request: Request, caller: Authenticated, handoff_id: int, given: Resolution) -> None:
    """Closes the conversation."""
    async with services_of(request).crm.transaction(caller.business_id) as tx:
        await desk.resolve(tx, _id(handoff_id), caller.agent_id, note=given.note, by_force=caller.supervisor)


def _id(handoff_id: int) -> int:
    if not 0 < handoff_id < 2**63:
        raise HTTPException(404, "no such hand-over")
    return handoff_id


def _row(row: HandoffRow) -> dict[str, Any]:
    fields = {name: getattr(row, name) for name in Handoff.model_fields if name != "customer"}
    return {**fields, "customer": row.contact_name}


def _said(message: MessageRow) -> Said:
    return Said(
        message_id=message.message_id,
        author=message.author,
        text=message.body,
        kind=message.kind,
        transcript_status=message.transcript_status,
        transcript_confidence=message.transcript_confidence,
        media_seconds=message.media_seconds,
        recorded=message.recorded,
        status=message.status,
        sent_at=message.sent_at,
    )
