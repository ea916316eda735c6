"""The Graph API's endpoints about an account: its templates, its subscribed apps, its token."""

from __future__ import annotations

import json
import secrets
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from channels.simulator.account import APP_ID, APP_NAME, SimTemplate
from channels.simulator.sending import Refusal
from channels.simulator.simulator import Simulator

PERMISSIONS = ("whatsapp_business_management", "whatsapp_business_messaging")
_PAGE = 100


def add_account(router: APIRouter, simulator: Simulator) -> None:
    """Routes of an account; before those of single nodes, whose pattern is wider."""
    account = simulator.account

    @router.get("/v{version}/debug_token")
    async def debug_token() -> Response:
        data = {
            "app_id": APP_ID,
            "application": APP_NAME,
            "is_valid": True,
            "expires_at": 0,
            "scopes": list(PERMISSIONS),
        }
        return JSONResponse({"data": data})

    @router.get("/v{version}/{waba_id}/subscribed_apps")
    async def subscribed_apps(waba_id: str) -> Response:
        _known(simulator, waba_id)
        ours = {APP_ID: APP_NAME} if simulator.subscribed else {}
        apps = {**account.other_apps, **ours}.items()
        listed = [{"whatsapp_business_api_data": {"id": app_id, "name": name}} for app_id, name in apps]
        return JSONResponse({"data": listed})

    @router.post("/v{version}/{waba_id}/subscribed_apps")
    async def subscribe(waba_id: str) -> Response:
        _known(simulator, waba_id)
        simulator.subscribed = True
        return JSONResponse({"success": True})

    @router.get("/v{version}/{waba_id}/message_templates")
    async def templates(request: Request, waba_id: str) -> Response:
        _known(simulator, waba_id)
        listed = [t for (owner, *_), t in account.templates.items() if owner == waba_id]
        after, size = _whole(request, "after", 0), max(1, _whole(request, "limit", _PAGE))
        page = listed[after : after + size]
        paging: dict[str, Any] = {}
        if after + size < len(listed):
            following = request.url.include_query_params(after=after + size)
            paging = {"cursors": {"after": str(after + size)}, "next": str(following)}
        return JSONResponse({"data": [shown(template) for template in page], "paging": paging})

    @router.post("/v{version}/{waba_id}/message_templates")
    async def submit(request: Request, waba_id: str) -> Response:
        _known(simulator, waba_id)
        body = await _object(request)
        name, language = body.get("name"), body.get("language")
        if not isinstance(name, str) or not isinstance(language, str):
            raise Refusal(100, "The parameters name and language are required.")
        parts = tuple(part for part in body.get("components", []) if isinstance(part, dict))
        category = str(body.get("category") or "UTILITY")
        made = account.submit(waba_id, name, language, category=category, components=parts)
        return JSONResponse({"id": made.id, "status": made.status, "category": made.category})


def app_router(simulator: Simulator) -> APIRouter:
    """The endpoint about the app itself, which opens to the app's own token alone: its id and its secret."""
    router = APIRouter(include_in_schema=False)
    account, settings = simulator.account, simulator.settings

    @router.get("/v{version}/{app_id}/subscriptions")
    async def subscriptions(request: Request, app_id: str) -> Response:
        expected = f"Bearer {APP_ID}|{settings.app_secret}".encode()
        given = request.headers.get("Authorization", "").encode("utf-8", "replace")
        if app_id != APP_ID or not secrets.compare_digest(expected, given):
            raise Refusal(190, "Invalid OAuth access token signature.")
        subscribed = {
            "object": "whatsapp_business_account",
            "callback_url": account.callback_url or settings.webhook_url,
            "active": True,
            "fields": [{"name": name, "version": "v23.0"} for name in account.fields],
        }
        return JSONResponse({"data": [subscribed] if account.fields else []})

    return router


def shown(template: SimTemplate) -> dict[str, Any]:
    """A template as the Graph API lists it."""
    return {
        "id": template.id,
        "name": template.name,
        "language": template.language,
        "category": template.category,
        "status": template.status,
        "components": list(template.components),
        "quality_score": {"score": template.quality},
    }


def _known(simulator: Simulator, waba_id: str) -> None:
    if waba_id not in {number.waba_id for number in simulator.world.numbers.values()}:
        raise Refusal(100, f"Unsupported request. Object with ID '{waba_id}' does not exist.")


def _whole(request: Request, name: str, otherwise: int) -> int:
    value = request.query_params.get(name, "")
    return int(value) if value.isascii() and value.isdigit() else otherwise


async def _object(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.body())
    except (ValueError, RecursionError):
        raise Refusal(100, "Invalid JSON.") from None
    if not isinstance(body, dict):
        raise Refusal(100, "The body must be a JSON object.")
    return body
