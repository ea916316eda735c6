"""Webhooks about the account instead of a customer: templates, a number's quality, the portfolio's tier.

Shapes are those of https://developers.facebook.com/docs/whatsapp/business-management-api/webhooks/components
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from channels.events import AccountNews
from channels.whatsapp.fields import identifier, number, optional_text

Item = Mapping[str, object]

UNLIMITED = 0
_TIERS = {
    "TIER_50": 50,
    "TIER_250": 250,
    "TIER_1K": 1_000,
    "TIER_2K": 2_000,
    "TIER_10K": 10_000,
    "TIER_100K": 100_000,
    "TIER_UNLIMITED": UNLIMITED,
}


def reads(field: str | None) -> bool:
    """Whether a change of this field is read here."""
    return field in _READERS


def read(field: str, value: Item, waba_id: str | None) -> AccountNews:
    """What one change says. Raises Malformed."""
    return AccountNews.model_validate({"waba_id": waba_id, "field": field, **_READERS[field](value)})


def _template_status(value: Item) -> dict[str, object]:
    reason = optional_text(value, "reason")
    return {
        **_template(value),
        "status": identifier(value, "event").upper(),
        "reason": None if reason == "NONE" else reason,
    }


def _template_quality(value: Item) -> dict[str, object]:
    return {**_template(value), "quality": optional_text(value, "new_quality_score")}


def _template_category(value: Item) -> dict[str, object]:
    return {**_template(value), "category": optional_text(value, "new_category")}


def _template(value: Item) -> dict[str, object]:
    return {
        "template": identifier(value, "message_template_name"),
        "code": identifier(value, "message_template_language", required=False),
    }


def _number_quality(value: Item) -> dict[str, object]:
    """`event` says whether the number is flagged, or which limit changed.

    A number that may send faster is told with TIER_UNLIMITED too, which then is no messaging limit:
    https://developers.facebook.com/documentation/business-messaging/whatsapp/throughput
    """
    digits = "".join(c for c in optional_text(value, "display_phone_number") or "" if c.isdigit())
    event = identifier(value, "event").upper()
    faster = event == "THROUGHPUT_UPGRADE"
    tier = None if faster else _tier(value, "max_daily_conversations_per_business", "current_limit")
    return {"digits": digits or None, "status": event, "tier": tier}


def _account(value: Item) -> dict[str, object]:
    """`event` says what happened; of a restriction, which kinds of messages it is about."""
    told = value.get("restriction_info")
    kinds = (
        [optional_text(one, "restriction_type") for one in told if isinstance(one, Mapping)]
        if (isinstance(told, list))
        else []
    )
    return {
        "status": identifier(value, "event").upper(),
        "reason": ", ".join(kind for kind in kinds if kind) or None,
    }


def _capability(value: Item) -> dict[str, object]:
    keys = ("max_daily_conversations_per_business", "max_daily_conversation_per_phone")
    return {"tier": _tier(value, *keys)}


def _tier(value: Item, *keys: str) -> int | None:
    """What the first of these keys that can be read says, in unique customers per 24 hours.

    A tier comes by its name or as a number, of which -1 and very large ones mean no limit. The last key is
    the one that Meta takes away in 2026.
    """
    for key in keys:
        named, counted = optional_text(value, key), number(value, key, required=False)
        if named in _TIERS:
            return _TIERS[named]
        if counted is not None:
            return counted if 0 < counted < 1_000_000 else UNLIMITED
    return None


_READERS: Mapping[str, Callable[[Item], dict[str, object]]] = {
    "message_template_status_update": _template_status,
    "message_template_quality_update": _template_quality,
    "template_category_update": _template_category,
    "phone_number_quality_update": _number_quality,
    "business_capability_update": _capability,
    "account_update": _account,
}
FIELDS = tuple(_READERS)
"""The webhook fields that are read here."""
