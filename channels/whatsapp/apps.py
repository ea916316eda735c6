"""Which apps get an account's webhooks, and where Meta posts those of an app."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

ACCOUNT = "whatsapp_business_account"
"""The object whose webhooks are WhatsApp's; an app may get those of others too."""


class App(BaseModel):
    """An app that is subscribed to an account; `callback` where this account's webhooks go elsewhere than
    the app's others."""

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    callback: str | None = None


class Subscription(BaseModel):
    """Where Meta posts an app's webhooks, and which fields of them."""

    model_config = ConfigDict(frozen=True)

    callback: str
    active: bool
    fields: frozenset[str]


def read_apps(answer: Mapping[str, Any]) -> list[App]:
    """The apps of `subscribed_apps`; what names no app is left out.

    https://developers.facebook.com/docs/graph-api/reference/whats-app-business-account/subscribed_apps
    """
    found = []
    for one in _listed(answer):
        app = one.get("whatsapp_business_api_data")
        if isinstance(app, Mapping) and app.get("id"):
            elsewhere = one.get("override_callback_uri")
            named = str(app.get("name") or app["id"])
            found.append(App(id=str(app["id"]), name=named, callback=str(elsewhere) if elsewhere else None))
    return found


def read_subscription(answer: Mapping[str, Any]) -> Subscription | None:
    """WhatsApp's part of `subscriptions`; None where the app gets none of its webhooks.

    Fields come with a version each, or as bare names from older versions of the Graph API.
    https://developers.facebook.com/docs/graph-api/reference/app/subscriptions
    """
    for one in _listed(answer):
        if one.get("object") == ACCOUNT:
            given = one.get("fields")
            fields = given if isinstance(given, list) else []
            names = (field.get("name") if isinstance(field, Mapping) else field for field in fields)
            return Subscription(
                callback=str(one.get("callback_url") or ""),
                active=bool(one.get("active")),
                fields=frozenset(name for name in names if isinstance(name, str)),
            )
    return None


def _listed(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    data = answer.get("data")
    return [one for one in data if isinstance(one, Mapping)] if isinstance(data, list) else []
