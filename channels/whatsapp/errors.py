"""One class for each thing Meta's refusals make us do differently.

Codes are those of Meta's public error list; branch on the code, never on the title. The same codes arrive
in the answer to a call (`from_response`) or later in a failed status (`from_code`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class WhatsAppError(Exception):
    """WhatsApp refused the request."""

    retryable: ClassVar[bool] = False
    """The same call may succeed later, unchanged."""
    halts_number: ClassVar[bool] = False
    """Nothing else will pass on this number until an operator acts: stop sending and keep the outbox."""
    advice: ClassVar[str] = "Read the code in Meta's error list; the message will not be sent again."
    wait_s: ClassVar[float | None] = None

    def __init__(
        self, details: str = "", *, code: int | None = None, retry_after_s: float | None = None
    ) -> None:
        """`details` are Meta's own words; `retry_after_s` overrides the class's usual wait in seconds."""
        self.details = details
        self.code = code
        self.retry_after_s = self.wait_s if retry_after_s is None else retry_after_s
        meaning = (type(self).__doc__ or "").partition("\n")[0].rstrip(".")
        cause = f" ({code}: {details})" if code is not None else f" ({details})" if details else ""
        super().__init__(f"{meaning}{cause}. {self.advice}")


class RateLimited(WhatsAppError):
    """The number sends faster than its throughput allows."""

    retryable = True
    wait_s = 1.0
    advice = "Back off and send the same message again; lower the governor's rate if this persists."


class PairRateLimited(WhatsAppError):
    """Too many messages to one customer: one in 6 s, a burst of 45 is borrowed from later."""

    retryable = True
    wait_s = 4.0
    advice = "Wait 4^n seconds before attempt n to this customer; other customers are not affected."


class WindowExpired(WhatsAppError):
    """More than 24 hours have passed since the customer's last message."""

    advice = "Send an approved template, or wait for the customer to write."


class SpamRestricted(WhatsAppError):
    """Meta restricts this number because customers blocked or reported it."""

    advice = "Pause all campaigns and look at the number's quality in WhatsApp Manager."


class MarketingLimited(WhatsAppError):
    """This customer has received enough marketing messages from all businesses."""

    wait_s = 86_400.0
    advice = "Do not send marketing to this customer for at least 24 hours; a sooner attempt makes it worse."


class MarketingStopped(WhatsAppError):
    """This customer has stopped marketing messages from this business."""

    advice = "Record the opt-out; send no more marketing to this customer."


class Undeliverable(WhatsAppError):
    """The message cannot reach this recipient."""

    advice = "Reach the customer another way: the number is not on WhatsApp, or cannot be written to."


class TemplatePaused(WhatsAppError):
    """The template is paused or disabled for low quality."""

    advice = "Pause the campaign that uses it and mend the template in WhatsApp Manager."


class Transient(WhatsAppError):
    """Meta had a passing fault."""

    retryable = True
    wait_s = 2.0
    advice = "Send the same outbox row again, with backoff."


class TokenExpired(WhatsAppError):
    """The access token is expired or revoked."""

    retryable = True
    halts_number = True
    wait_s = 300.0
    advice = "Set a new SARA_WHATSAPP_ACCESS_TOKEN; messages stay in the outbox until then."


class AccessDenied(WhatsAppError):
    """The token or the account may not do this: permission, payment, lock or registration."""

    retryable = True
    halts_number = True
    wait_s = 300.0
    advice = "Open WhatsApp Manager: check permissions, payment method, account status and registration."


class InvalidParameter(WhatsAppError):
    """The request is not valid."""

    advice = "This is a fault of the message, not of the moment: correct it; it is not sent again as it is."


class ConnectFailed(WhatsAppError):
    """No connection to the Graph API: the request surely was not sent."""

    retryable = True
    wait_s = 2.0
    advice = "Check the network and SARA_WHATSAPP_BASE_URL; the same outbox row is sent again."


class OutcomeUnknown(WhatsAppError):
    """The connection failed after the request may have been sent: Meta may have accepted it."""

    advice = "Wait for a status with this callback data before sending again: no idempotency key exists."


class MediaGone(WhatsAppError):
    """The media, or the five-minute address of it, has expired."""

    retryable = True
    wait_s = 0.0
    advice = "Ask for the media's address again; after 7 days only the customer can send it again."


class MediaTooBig(WhatsAppError):
    """The media is larger than the limit given."""

    advice = "Ask the customer for a smaller file."


class MediaCorrupt(WhatsAppError):
    """The media does not have the announced size or SHA-256."""

    retryable = True
    wait_s = 1.0
    advice = "Download it again; a file cut short would be understood wrongly."


class MediaHostRefused(WhatsAppError):
    """The media's address is not on one of Meta's hosts, so the access token was not sent there."""

    advice = "If the address is genuine, add its host to the allow-list in channels/whatsapp/client.py."


BY_CODE: Mapping[int, type[WhatsAppError]] = {
    **dict.fromkeys((4, 80007, 130429), RateLimited),
    131056: PairRateLimited,
    131047: WindowExpired,
    131048: SpamRestricted,
    131049: MarketingLimited,
    131050: MarketingStopped,
    **dict.fromkeys((131026, 131030, 131062, 130497), Undeliverable),
    **dict.fromkeys((132015, 132016), TemplatePaused),
    **dict.fromkeys((1, 2, 131000, 131016), Transient),
    **dict.fromkeys((0, 190), TokenExpired),
    **dict.fromkeys((3, 10, *range(200, 300), 368, 131005, 131031, 131042, 131045, 133010), AccessDenied),
    **dict.fromkeys((33, 100, 131008, 131009, 131021, 131051, 131053), InvalidParameter),
    **dict.fromkeys((132000, 132001, 132005, 132007, 132012), InvalidParameter),
}


def from_code(
    code: int, details: str = "", *, http_status: int = 400, retry_after_s: float | None = None
) -> WhatsAppError:
    """The typed error for one of Meta's codes; an unknown code is retryable only under HTTP 5xx or 429."""
    kind = BY_CODE.get(code) or _by_status(http_status)
    return kind(details, code=code, retry_after_s=retry_after_s)


def from_response(status: int, body: object, *, retry_after_s: float | None = None) -> WhatsAppError:
    """The typed error for a refusal: HTTP status and decoded body (anything, also not JSON, as None).

    A gateway's own 502 or 504, without Meta's error object, says nothing about what happened behind it,
    so it is OutcomeUnknown.
    """
    error = body.get("error") if isinstance(body, Mapping) else None
    if not isinstance(error, Mapping):
        if status in (502, 504):
            return OutcomeUnknown(f"HTTP {status} from a gateway")
        return _by_status(status)(f"HTTP {status} without Meta's error object", retry_after_s=retry_after_s)
    code = error.get("code")
    data = error.get("error_data")
    details = data.get("details") if isinstance(data, Mapping) else None
    words = str(details or error.get("message") or f"HTTP {status}")[:500]
    if not isinstance(code, int):
        return _by_status(status)(words, retry_after_s=retry_after_s)
    return from_code(code, words, http_status=status, retry_after_s=retry_after_s)


def _by_status(status: int) -> type[WhatsAppError]:
    if status >= 500:
        return Transient
    return {401: TokenExpired, 403: AccessDenied, 404: InvalidParameter, 429: RateLimited}.get(
        status, InvalidParameter if status == 400 else WhatsAppError
    )
