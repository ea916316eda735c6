"""What Meta keeps of an account: templates and their approval, each number's quality and tier, its token.

Changes are told by webhook as Meta tells them:
https://developers.facebook.com/docs/graph-api/webhooks/reference/whatsapp-business-account
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from channels.simulator.settings import BusinessNumber

Approval = Literal["PENDING", "APPROVED", "REJECTED", "PAUSED", "DISABLED"]
Quality = Literal["GREEN", "YELLOW", "RED"]
Tell = Callable[[BusinessNumber, str, dict[str, Any]], None]
"""Posts one change of an account: the number it is about (or any of its account), field and value."""

TIERS = {"TIER_250": 250, "TIER_2K": 2000, "TIER_10K": 10_000, "TIER_100K": 100_000, "TIER_UNLIMITED": None}
APP_ID = "1"
APP_NAME = "Simulator"
FIELDS = (
    "messages",
    "smb_message_echoes",
    "user_preferences",
    "message_template_status_update",
    "message_template_quality_update",
    "template_category_update",
    "phone_number_quality_update",
    "business_capability_update",
    "account_update",
)
_EVENTS: dict[Approval, str] = {
    "APPROVED": "APPROVED",
    "REJECTED": "REJECTED",
    "PAUSED": "PAUSED",
    "DISABLED": "DISABLED",
    "PENDING": "PENDING_DELETION",
}


class SimTemplate(BaseModel):
    """A template as Meta keeps it; `variables` is how many its body has."""

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    language: str
    category: str = "UTILITY"
    status: Approval = "PENDING"
    quality: Quality = "GREEN"
    components: tuple[dict[str, Any], ...] = ()
    variables: int = 0


class Account:
    """The templates, qualities and tiers of all numbers of a simulator."""

    def __init__(self, numbers: dict[str, BusinessNumber], tell: Tell) -> None:
        self._numbers = numbers
        self._tell = tell
        self.templates: dict[tuple[str, str, str], SimTemplate] = {}
        self.quality: dict[str, Quality] = {}
        self.status: dict[str, str] = {}  # of numbers that are not CONNECTED: BANNED, RESTRICTED …
        self.tier: dict[str, str] = {}
        self.other_apps: dict[str, str] = {}
        """Apps of others that get the webhooks too, such as a former provider's: their names by id."""
        self.callback_url: str | None = None  # of the app's webhooks at Meta; None: where they are posted
        self.fields: tuple[str, ...] = FIELDS
        """The fields the app is subscribed to; without one the app gets no webhook of accounts."""
        self.strict = False
        """Whether a template must exist and be approved before it can be sent."""

    def submit(
        self,
        waba_id: str,
        name: str,
        language: str,
        *,
        category: str = "UTILITY",
        components: tuple[dict[str, Any], ...] = (),
        status: Approval = "PENDING",
    ) -> SimTemplate:
        """A template handed in; from the first one on, only those that are approved can be sent."""
        body = next((part for part in components if part.get("type") == "BODY"), {})
        template = SimTemplate(
            id=str(10**15 + len(self.templates)),
            name=name,
            language=language,
            category=category,
            status=status,
            components=components,
            variables=str(body.get("text", "")).count("{{"),
        )
        self.templates[waba_id, name, language] = template
        self.strict = True
        return template

    def decide(
        self, waba_id: str, name: str, language: str, status: Approval, reason: str = "NONE"
    ) -> SimTemplate:
        """Meta approves, rejects, pauses or disables a template, and says so. Raises KeyError."""
        template = self.templates[waba_id, name, language].model_copy(update={"status": status})
        self.templates[waba_id, name, language] = template
        value = {
            "event": _EVENTS[status],
            "message_template_id": int(template.id),
            "message_template_name": name,
            "message_template_language": language,
            "reason": reason,
        }
        self._tell(self._any_of(waba_id), "message_template_status_update", value)
        return template

    def rate_template(self, waba_id: str, name: str, language: str, quality: Quality) -> None:
        """Customers' blocks and reports change a template's quality. Raises KeyError."""
        before = self.templates[waba_id, name, language]
        self.templates[waba_id, name, language] = before.model_copy(update={"quality": quality})
        value = {
            "previous_quality_score": before.quality,
            "new_quality_score": quality,
            "message_template_id": int(before.id),
            "message_template_name": name,
            "message_template_language": language,
        }
        self._tell(self._any_of(waba_id), "message_template_quality_update", value)

    def rate(self, phone_number_id: str, quality: Quality) -> None:
        """A number's quality changes; a drop to RED is told as FLAGGED. Raises KeyError."""
        number = self._numbers[phone_number_id]
        self.quality[phone_number_id] = quality
        self._tell(number, "phone_number_quality_update", self._limit(number, _quality_event(quality)))

    def promote(self, phone_number_id: str, tier: str) -> None:
        """A number's messaging limit changes, up or down. Raises KeyError."""
        number, before = self._numbers[phone_number_id], self.tier.get(phone_number_id, "TIER_250")
        up = list(TIERS).index(tier) >= list(TIERS).index(before)
        self.tier[phone_number_id] = tier
        value = self._limit(number, "UPGRADE" if up else "DOWNGRADE")
        self._tell(number, "phone_number_quality_update", value)

    def restrict(self, phone_number_id: str, kind: str = "RESTRICTED_BIZ_INITIATED_MESSAGING") -> None:
        """Meta restricts what the account may send. Raises KeyError."""
        value = {
            "event": "ACCOUNT_RESTRICTION",
            "restriction_info": [{"restriction_type": kind, "expiration": 0}],
        }
        self._tell(self._numbers[phone_number_id], "account_update", value)

    def reinstate(self, phone_number_id: str) -> None:
        """Meta lifts a restriction. Raises KeyError."""
        self._tell(self._numbers[phone_number_id], "account_update", {"event": "ACCOUNT_REINSTATED"})

    def record(self, number: BusinessNumber) -> dict[str, Any]:
        """A number's public record."""
        return {
            "id": number.phone_number_id,
            "display_phone_number": number.display_phone,
            "verified_name": number.business_name,
            "quality_rating": self.quality.get(number.phone_number_id, "GREEN"),
            "messaging_limit_tier": self.tier.get(number.phone_number_id, "TIER_UNLIMITED"),
            "code_verification_status": "VERIFIED",
            "status": self.status.get(number.phone_number_id, "CONNECTED"),
            "platform_type": "CLOUD_API",
        }

    def _limit(self, number: BusinessNumber, event: str) -> dict[str, Any]:
        return {
            "display_phone_number": number.display_phone.lstrip("+"),
            "event": event,
            "max_daily_conversations_per_business": self.tier.get(number.phone_number_id, "TIER_UNLIMITED"),
        }

    def _any_of(self, waba_id: str) -> BusinessNumber:
        return next(number for number in self._numbers.values() if number.waba_id == waba_id)


def _quality_event(quality: Quality) -> str:
    return {"RED": "FLAGGED", "YELLOW": "FLAGGED", "GREEN": "UNFLAGGED"}[quality]
