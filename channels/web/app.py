"""The Graph API's endpoints in front of a linked phone; on loopback, for one installation."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from channels.simulator.faults import SeveredResponse
from channels.simulator.graph_api import refusal_response
from channels.simulator.sending import Refusal
from channels.web.bridge import Bridge
from channels.web.link import PerhapsSent

_MOST_BYTES = 100 * 2**20


def web_app(bridge: Bridge) -> Starlette:
    """The application around a bridge, which the caller closes."""
    own = _Endpoints(bridge)
    return Starlette(
        routes=[
            Route("/_media/{media_id}", own.media, name="media"),
            Route("/v{version}/debug_token", own.debug_token),
            Route("/v{version}/{phone_number_id}/messages", own.messages, methods=["POST"]),
            Route("/v{version}/{phone_number_id}/media", own.upload, methods=["POST"]),
            Route("/v{version}/{node_id}", own.node),
        ],
        exception_handlers={Refusal: _refused},
    )


async def _refused(request: Request, problem: Exception) -> Response:
    return refusal_response(request, problem)


@dataclass(frozen=True)
class _Endpoints:
    """What the Graph API would answer, for one linked phone."""

    bridge: Bridge

    async def messages(self, request: Request) -> Response:
        self._authorise(request)
        _known(self.bridge, request)
        try:
            body = json.loads(await request.body())
        except (ValueError, RecursionError):
            raise Refusal(100, "Invalid JSON.") from None
        if isinstance(body, dict) and body.get("status") == "read":
            typing = isinstance(body.get("typing_indicator"), dict)
            await self.bridge.mark_read(str(body.get("message_id")), typing=typing)
            return JSONResponse({"success": True})
        try:
            return JSONResponse(await self.bridge.send(body))
        except PerhapsSent:  # as when the Graph API's answer is lost: the sender waits for a status
            return SeveredResponse()

    async def upload(self, request: Request) -> Response:
        self._authorise(request)
        _known(self.bridge, request)
        async with request.form() as form:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise Refusal(100, "The parameters messaging_product and file are required.")
            data = await file.read(_MOST_BYTES)
            mime_type = str(form.get("type") or file.content_type or "application/octet-stream")
            return JSONResponse({"id": self.bridge.keep(data, mime_type, file.filename)})

    async def debug_token(self, request: Request) -> Response:
        self._authorise(request)
        scopes = ["whatsapp_business_management", "whatsapp_business_messaging"]
        return JSONResponse({"data": {"is_valid": True, "expires_at": 0, "scopes": scopes}})

    async def node(self, request: Request) -> Response:
        self._authorise(request)
        node_id = request.path_params["node_id"]
        if node_id == self.bridge.number.phone_number_id:
            return JSONResponse(_record(self.bridge))
        data, mime_type = await self.bridge.fetch(node_id)
        return JSONResponse(
            {
                "messaging_product": "whatsapp",
                "url": str(request.url_for("media", media_id=node_id)),
                "mime_type": mime_type,
                "sha256": hashlib.sha256(data).hexdigest(),
                "file_size": len(data),
                "id": node_id,
            }
        )

    async def media(self, request: Request) -> Response:
        self._authorise(request)
        data, mime_type = await self.bridge.fetch(request.path_params["media_id"])
        return Response(data, headers={"Content-Type": mime_type})

    def _authorise(self, request: Request) -> None:
        given = request.headers.get("Authorization", "").encode("utf-8", "replace")
        if not secrets.compare_digest(f"Bearer {self.bridge.access_token}".encode(), given):
            raise Refusal(190, "Invalid OAuth access token - Cannot parse access token", status=401)


def _known(bridge: Bridge, request: Request) -> None:
    given = request.path_params["phone_number_id"]
    if given != bridge.number.phone_number_id:
        raise Refusal(100, f"Unsupported request. Object with ID '{given}' does not exist.")


def _record(bridge: Bridge) -> dict[str, Any]:
    return {
        "id": bridge.number.phone_number_id,
        "display_phone_number": bridge.number.display_phone,
        "verified_name": bridge.number.business_name,
        "status": "CONNECTED",
        "platform_type": "WHATSAPP_WEB",
    }
