"""The road in: check, keep, write down, answer. No model and no call to Meta here."""

import hashlib
import json
from collections.abc import AsyncIterator

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import PlainTextResponse

from api.intake import take_in
from api.state import ApiServices, services_of
from channels.whatsapp.signature import BadSignature, MissingSignature, verify

router = APIRouter()

MOST_BYTES = 3 * 2**20  # Meta's largest payload


@router.get("/webhooks/whatsapp", response_class=PlainTextResponse)
async def verification(request: Request) -> str:
    """Meta's subscription check: the raw challenge for the right token."""
    query, services = request.query_params, services_of(request)
    token = query.get("hub.verify_token", "")
    if query.get("hub.mode") != "subscribe" or not services.verifies(token):
        services.refusals.note("wrong_verify_token")
        raise HTTPException(403, "wrong verify token: compare SARA_WHATSAPP_VERIFY_TOKEN with Meta's page")
    return query.get("hub.challenge", "")


@router.post("/webhooks/whatsapp")
async def receive(request: Request) -> dict[str, int]:
    """Everything one webhook carries, each message in a transaction of its own.

    401 without a signature, 403 with a wrong one, 413 over 3 MB, 400 for what is not JSON, 503 when the
    database is away (Meta delivers again). Anything else is answered 200 and kept.
    """
    services = services_of(request)
    with services.spans.span("webhook", kind="server") as span:
        counts = await _received(services, request)
        span.note(**counts)
        return counts


async def _received(services: ApiServices, request: Request) -> dict[str, int]:
    raw = await _body(request.stream())
    try:
        verify(services.app_secret, raw, request.headers.get("x-hub-signature-256"))
    except MissingSignature as error:
        services.refusals.note("no_signature")
        raise HTTPException(401, _words(error)) from error
    except BadSignature as error:
        services.refusals.note("wrong_signature")
        raise HTTPException(403, _words(error)) from error
    digest = hashlib.sha256(raw).digest()
    try:
        payload = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "the body is not JSON") from error
    return await take_in(services, payload, digest, raw)


def _words(error: Exception) -> str:
    """What an error says, or else what its class says."""
    return str(error) or (type(error).__doc__ or "").partition("\n")[0]


async def _body(stream: AsyncIterator[bytes]) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in stream:
        size += len(part)
        if size > MOST_BYTES:
            raise HTTPException(413, "a webhook has at most 3 MB")
        parts.append(part)
    return b"".join(parts)
