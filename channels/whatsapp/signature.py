"""Meta's webhook signature: `X-Hub-Signature-256: sha256=<hex HMAC-SHA256(app secret, raw body)>`."""

from __future__ import annotations

import hashlib
import hmac

PREFIX = "sha256="


class MissingSignature(Exception):
    """The request has no X-Hub-Signature-256 header: refuse it, it does not come from Meta."""


class BadSignature(Exception):
    """The signature does not match the body: check that the app secret is the one of Meta's app dashboard."""


def sign(secret: str, raw: bytes) -> str:
    """Return the header's value for a body of exactly these bytes."""
    return PREFIX + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()


def verify(secret: str, raw: bytes, header: str | None) -> None:
    """Check a header against the raw body, before any decoding, in constant time.

    Raises MissingSignature when there is no header and BadSignature when it is not this body's; an empty
    secret never verifies, because anyone could sign with it.
    """
    if not header:
        raise MissingSignature
    expected = sign(secret, raw).encode()
    # Bytes, not str: compare_digest refuses non-ASCII text, and a header may hold anything.
    if not secret or not hmac.compare_digest(expected, header.strip().encode("utf-8", "replace")):
        raise BadSignature
