"""Webhooks about the account: each field as Meta sends it."""

from typing import Any

import pytest

from channels.events import AccountNews
from channels.whatsapp.parse import parse


def told(field: str, **value: Any) -> dict[str, Any]:
    entry = {"id": "2001", "changes": [{"field": field, "value": value}]}
    return {"object": "whatsapp_business_account", "entry": [entry]}


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (
            told(
                "message_template_status_update",
                event="PAUSED",
                message_template_id=1,
                message_template_name="offer",
                message_template_language="it",
                reason="NONE",
            ),
            {"template": "offer", "code": "it", "status": "PAUSED"},
        ),
        (
            told(
                "message_template_quality_update",
                previous_quality_score="GREEN",
                new_quality_score="RED",
                message_template_name="offer",
                message_template_language="it",
            ),
            {"template": "offer", "code": "it", "quality": "RED"},
        ),
        (
            told(
                "template_category_update",
                message_template_name="offer",
                message_template_language="pt_BR",
                previous_category="UTILITY",
                new_category="MARKETING",
            ),
            {"template": "offer", "code": "pt_BR", "category": "MARKETING"},
        ),
        (
            told(
                "phone_number_quality_update",
                display_phone_number="+39 02 0000001",
                event="FLAGGED",
                current_limit="TIER_1K",
            ),
            {"digits": "39020000001", "status": "FLAGGED", "tier": 1000},
        ),
        (
            told(
                "phone_number_quality_update",
                display_phone_number="1",
                event="UPGRADE",
                current_limit="TIER_UNLIMITED",
            ),
            {"digits": "1", "status": "UPGRADE", "tier": 0},
        ),
        (
            told(
                "phone_number_quality_update",
                display_phone_number="1",
                event="UPGRADE",
                max_daily_conversations_per_business="TIER_2K",
            ),
            {"digits": "1", "status": "UPGRADE", "tier": 2000},
        ),
        (
            told(
                "phone_number_quality_update",
                display_phone_number="1",
                event="DOWNGRADE",
                current_limit="TIER_10K",
                max_daily_conversations_per_business=250,
            ),
            {"digits": "1", "status": "DOWNGRADE", "tier": 250},
        ),
        (
            told(
                "phone_number_quality_update",
                display_phone_number="1",
                event="ONBOARDING",
                current_limit="TIER_250",
                max_daily_conversations_per_business="TIER_NOT_SET",
            ),
            {"digits": "1", "status": "ONBOARDING", "tier": 250},
        ),
        (told("business_capability_update", max_daily_conversations_per_business=2000), {"tier": 2000}),
        (told("business_capability_update", max_daily_conversations_per_business="TIER_2K"), {"tier": 2000}),
        (told("business_capability_update", max_daily_conversation_per_phone=10000), {"tier": 10000}),
        (told("business_capability_update", max_daily_conversation_per_phone=-1), {"tier": 0}),
        (
            told(
                "account_update", event="ACCOUNT_RESTRICTION", restriction_info=[{"restriction_type": "BIZ"}]
            ),
            {"status": "ACCOUNT_RESTRICTION", "reason": "BIZ"},
        ),
    ],
)
def test_each_field_is_read(payload: dict[str, Any], expected: dict[str, Any]) -> None:
    parsed = parse(payload)
    assert parsed.unparsed == ()
    (news,) = parsed.account
    field = payload["entry"][0]["changes"][0]["field"]
    assert news == AccountNews(waba_id="2001", field=field, **expected)


def test_news_without_a_name_is_kept_beside_its_neighbours() -> None:
    broken = told("message_template_status_update", event="PAUSED")
    broken["entry"] += told("business_capability_update", max_daily_conversation_per_phone=250)["entry"]
    parsed = parse(broken)
    assert [one.tier for one in parsed.account] == [250]
    assert ["message_template_name" in one.reason for one in parsed.unparsed] == [True]


@pytest.mark.parametrize("key", ["max_daily_conversations_per_business", "current_limit"])
def test_more_throughput_is_no_higher_tier(key: str) -> None:
    """TIER_UNLIMITED stands there for the messages a second."""
    limit = {"display_phone_number": "1", key: "TIER_UNLIMITED"}
    (news,) = parse(told("phone_number_quality_update", event="THROUGHPUT_UPGRADE", **limit)).account
    assert (news.status, news.tier) == ("THROUGHPUT_UPGRADE", None)
