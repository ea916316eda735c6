from __future__ import annotations

import hashlib
import hmac

import pytest

from channels.whatsapp.signature import BadSignature, MissingSignature, sign, verify

RAW = '{"text":"perché \\u00e8"}'.encode()


def test_the_header_is_the_hmac_of_the_raw_bytes() -> None:
    expected = "sha256=" + hmac.new(b"secret", RAW, hashlib.sha256).hexdigest()
    assert sign("secret", RAW) == expected
    verify("secret", RAW, expected)


@pytest.mark.parametrize("header", [None, ""])
def test_a_missing_header_is_told_apart(header: str | None) -> None:
    with pytest.raises(MissingSignature):
        verify("secret", RAW, header)


@pytest.mark.parametrize(
    ("secret", "raw", "header"),
    [
        ("secret", RAW + b" ", sign("secret", RAW)),
        ("other", RAW, sign("secret", RAW)),
        ("secret", RAW, sign("secret", RAW).removeprefix("sha256=")),
        ("secret", RAW, "sha256=" + "0" * 64),
        ("secret", RAW, "sha256=é€\udcff"),
        ("", RAW, sign("", RAW)),
    ],
)
def test_anything_else_is_refused(secret: str, raw: bytes, header: str) -> None:
    with pytest.raises(BadSignature):
        verify(secret, raw, header)
