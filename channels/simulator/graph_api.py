"""The Graph API's endpoints on loopback, with Meta's wire format, error objects and limits."""

from __future__ import annotations

import asyncio
import json
import secrets
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from starlette.datastructures import UploadFile

from channels.simulator.account_api import add_account
from channels.simulator.faults import SeveredResponse
from channels.simulator.sending import Refusal
from channels.simulator.simulator import Simulator

UPLOAD_MAX = 100 * 2**20
"""Bytes; the largest of Meta's limits, that of documents."""


def graph_router(simulator: Simulator) -> APIRouter:
    """Routes /v{version}/{id}[/messages|/media] and /_media/{id}, all behind the bearer token."""

    async def authorise(request: Request) -> None:
        expected = f"Bearer {simulator.access_token}".encode()
        given = request.headers.get("Authorization", "").encode("utf-8", "replace")
        if simulator.faults.now.token_expired:
            raise Refusal(190, "Error validating access token: Session has expired", status=401)
        if not secrets.compare_digest(expected, given):
            raise Refusal(190, "Invalid OAuth access token - Cannot parse access token", status=401)
        await asyncio.sleep(simulator.faults.now.latency_s)

    router = APIRouter(dependencies=[Depends(authorise)], include_in_schema=False)
    add_account(router, simulator)
    _add_sending(router, simulator)
    _add_media(router, simulator)
    return router


def _add_sending(router: APIRouter, simulator: Simulator) -> None:
    @router.post("/v{version}/{phone_number_id}/messages")
    async def messages(request: Request, phone_number_id: str) -> Response:
        _known_number(simulator, phone_number_id)
        body = await _json(request)
        if isinstance(body, dict) and body.get("status") == "read":
            typing = isinstance(body.get("typing_indicator"), dict)
            simulator.business_reads(phone_number_id, str(body.get("message_id")), typing=typing)
            return JSONResponse({"success": True})
        return await _send(simulator, phone_number_id, body)


async def _send(simulator: Simulator, phone_number_id: str, body: object) -> Response:
    to = body.get("to") if isinstance(body, dict) else None
    fault = simulator.faults.draw(to if isinstance(to, str) else None)
    if fault == "p500":
        raise Refusal(131000, "Something went wrong", status=503)
    if fault == "p429":
        raise Refusal(130429, "Rate limit hit", status=429, retry_after_s=1)
    if fault == "p_reset":
        return SeveredResponse()
    message = simulator.business_sends(phone_number_id, body)
    if fault == "p_lost_answer":
        return SeveredResponse()
    if fault == "p_timeout":
        await asyncio.sleep(simulator.faults.now.timeout_s)
    customer = simulator.world.customer(message.customer)
    contact = {"input": to, "wa_id": customer.wa_id} if to else {"user_id": customer.bsuid}
    return JSONResponse(
        {"messaging_product": "whatsapp", "contacts": [contact], "messages": [{"id": message.wamid}]}
    )


def _add_media(router: APIRouter, simulator: Simulator) -> None:
    @router.post("/v{version}/{phone_number_id}/media")
    async def upload(request: Request, phone_number_id: str) -> Response:
        _known_number(simulator, phone_number_id)
        async with request.form() as form:
            file = form.get("file")
            if form.get("messaging_product") != "whatsapp" or not isinstance(file, UploadFile):
                raise Refusal(100, "The parameters messaging_product and file are required.")
            data = await file.read(UPLOAD_MAX + 1)
            if len(data) > UPLOAD_MAX:
                raise Refusal(100, f"The file is larger than {UPLOAD_MAX} bytes.")
            mime_type = str(form.get("type") or file.content_type or "application/octet-stream")
            media = simulator.world.keep_media(data, mime_type, file.filename)
        return JSONResponse({"id": media.id})

    @router.get("/v{version}/{node_id}", name="node")
    async def node(request: Request, node_id: str) -> Response:
        if number := simulator.world.numbers.get(node_id):
            record = simulator.account.record(number)
            if "whatsapp_business_account" in request.query_params.get("fields", ""):
                record["whatsapp_business_account"] = {"id": number.waba_id}
            return JSONResponse(record)
        media = simulator.world.media(node_id)
        if media is None:
            raise _no_object(node_id)
        if simulator.faults.fails_media():
            raise Refusal(131000, "Something went wrong", status=500)
        return JSONResponse(
            {
                "messaging_product": "whatsapp",
                "url": str(request.url_for("media_file", media_id=node_id)),
                "mime_type": media.mime_type,
                "sha256": media.sha256,
                "file_size": len(media.data),
                "id": node_id,
            }
        )

    @router.get("/_media/{media_id}", name="media_file")
    async def media_file(media_id: str) -> Response:
        media = simulator.world.media(media_id)
        if media is None:
            return Response(status_code=404)
        return Response(media.data, headers={"Content-Type": media.mime_type})


def refusal_response(_: Request, problem: Exception) -> JSONResponse:
    """Meta's error object for a Refusal."""
    if not isinstance(problem, Refusal):
        raise problem
    error: dict[str, Any] = {
        "message": f"(#{problem.code}) {problem.details}",
        "type": "OAuthException",
        "code": problem.code,
        "error_data": {"messaging_product": "whatsapp", "details": problem.details},
        "fbtrace_id": secrets.token_hex(6),
    }
    wait = problem.retry_after_s
    return JSONResponse(
        {"error": error}, problem.status, headers={"Retry-After": str(wait)} if wait is not None else None
    )


def _known_number(simulator: Simulator, phone_number_id: str) -> None:
    if phone_number_id not in simulator.world.numbers:
        raise _no_object(phone_number_id)


def _no_object(node_id: str) -> Refusal:
    return Refusal(100, f"Unsupported request. Object with ID '{node_id}' does not exist.")


async def _json(request: Request) -> object:
    try:
        return json.loads(await request.body())
    except (ValueError, RecursionError):
        raise Refusal(100, "Invalid JSON.") from None
