from __future__ import annotations

from typing import Any

import pytest

from channels.whatsapp import errors


def body(code: Any, details: str = "why") -> dict[str, Any]:
    return {"error": {"message": f"(#{code}) title", "code": code, "error_data": {"details": details}}}


@pytest.mark.parametrize(
    ("code", "kind", "retryable"),
    [
        (130429, errors.RateLimited, True),
        (131056, errors.PairRateLimited, True),
        (131047, errors.WindowExpired, False),
        (131048, errors.SpamRestricted, False),
        (131049, errors.MarketingLimited, False),
        (131050, errors.MarketingStopped, False),
        (131026, errors.Undeliverable, False),
        (131062, errors.Undeliverable, False),
        (132015, errors.TemplatePaused, False),
        (132016, errors.TemplatePaused, False),
        (131000, errors.Transient, True),
        (190, errors.TokenExpired, True),
        (100, errors.InvalidParameter, False),
        (10, errors.AccessDenied, True),
        (424242, errors.InvalidParameter, False),
    ],
)
def test_each_code_has_its_class(code: int, kind: type[errors.WhatsAppError], retryable: bool) -> None:
    error = errors.from_response(400, body(code))
    assert type(error) is kind
    assert (error.code, error.retryable, error.details) == (code, retryable, "why")
    assert error.advice in str(error)
    assert type(errors.from_code(code)) is kind


def test_waits() -> None:
    assert errors.from_code(131056).retry_after_s == 4
    assert errors.from_code(131049).retry_after_s == 86_400
    assert errors.from_response(429, body(130429), retry_after_s=7).retry_after_s == 7
    assert errors.from_code(131047).retry_after_s is None


def test_only_a_dead_token_or_account_halts_the_number() -> None:
    assert errors.from_code(190).halts_number
    assert errors.from_code(131031).halts_number
    assert not errors.from_code(131047).halts_number


@pytest.mark.parametrize(
    ("status", "content", "kind"),
    [
        (500, None, errors.Transient),
        (503, {"error": "oops"}, errors.Transient),
        (502, None, errors.OutcomeUnknown),
        (504, "<html>", errors.OutcomeUnknown),
        (504, body(131000), errors.Transient),
        (500, body(424242), errors.Transient),
        (401, None, errors.TokenExpired),
        (403, {}, errors.AccessDenied),
        (429, [], errors.RateLimited),
        (400, {"error": {"code": "x"}}, errors.InvalidParameter),
        (418, None, errors.WhatsAppError),
    ],
)
def test_without_a_code_the_status_decides(status: int, content: object, kind: type[Exception]) -> None:
    assert type(errors.from_response(status, content)) is kind


def test_an_unknown_outcome_is_never_retried_by_itself() -> None:
    assert not errors.OutcomeUnknown.retryable
    assert errors.ConnectFailed.retryable
