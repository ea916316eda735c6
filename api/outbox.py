"""Messages that did not arrive, over HTTP: which, why, and another try."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import BaseModel

from api.auth import Authenticated
from api.state import services_of
from crm import letters, trail

router = APIRouter(prefix="/api/businesses/{business}/outbox", tags=["outbox"])


class Letter(BaseModel):
    """A message to a customer and what became of it. `cause` is WhatsApp's code, `error` its words or ours;
    `status` is what WhatsApp reported last."""

    outbox_id: int
    conversation_id: int
    wa_id: str | None
    contact_name: str | None
    phone_number_id: str
    state: str
    status: str | None
    attempts: int
    cause: int | None
    error: str | None
    author: str
    kind: str
    body: str
    created_at: datetime
    attempted_at: datetime | None
    settled_at: datetime | None
    next_attempt_at: datetime


class Step(BaseModel):
    """One thing that happened to a message."""

    what: str
    at: datetime
    error_code: int | None
    error: str | None


class Again(BaseModel):
    """Another try. `even_if_twice`: also where WhatsApp may have the message already."""

    even_if_twice: bool = False


@router.get("")
async def listed(
    request: Request,
    caller: Authenticated,
    waiting: bool = False,
    most: Annotated[int, Query(ge=1, le=500)] = 50,
) -> list[Letter]:
    """What was given up, or with `waiting` what is on its way; the newest first."""
    async with services_of(request).crm.transaction(caller.business_id) as tx:
        rows = await letters.listed(tx, dead=not waiting, most=most)
        await trail.listed(tx, caller.reader, "undelivered")
    return [Letter(**{name: getattr(row, name) for name in Letter.model_fields}) for row in rows]


@router.get("/{outbox_id}")
async def history(request: Request, caller: Authenticated, outbox_id: int) -> list[Step]:
    """What happened to one message, in order."""
    async with services_of(request).crm.transaction(caller.business_id) as tx:
        return [Step(**asdict(row)) for row in await letters.history(tx, _id(outbox_id))]


@router.post("/{outbox_id}/retry", status_code=202)
async def retry(request: Request, caller: Authenticated, outbox_id: int, again: Again) -> None:
    """Sends a message that was given up once more. 409 where that is not the case, or may say it twice."""
    async with services_of(request).crm.transaction(caller.business_id) as tx:
        await letters.retry(tx, _id(outbox_id), even_if_twice=again.even_if_twice)
        await trail.did(tx, caller.reader, "sent_again", subject_id=outbox_id)


def _id(outbox_id: int) -> int:
    if not 0 < outbox_id < 2**63:
        raise HTTPException(404, "no such message")
    return outbox_id
