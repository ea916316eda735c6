"""Passwords: Argon2id by argon2-cffi, at its RFC 9106 defaults. Each call takes about 50 ms of a core and
64 MiB."""

import secrets

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

SHORTEST, LONGEST = 10, 256


class WeakPassword(ValueError):
    """A password has 10 to 256 characters."""


def hashed(password: str) -> str:
    """What is kept of a password. Raises WeakPassword."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise WeakPassword(WeakPassword.__doc__)
    return PasswordHasher().hash(password)


def fits(password: str, kept: str | None) -> bool:
    """Whether a password is the one kept. Without one it takes as long: nobody can tell who exists."""
    hasher = PasswordHasher()
    if kept is None:
        hasher.hash(password)
        return False
    try:
        return hasher.verify(kept, password)
    except (Argon2Error, InvalidHashError):
        return False


def outdated(kept: str) -> bool:
    """Whether a hash was made with weaker parameters than today's."""
    return PasswordHasher().check_needs_rehash(kept)


def invented() -> str:
    """A password for somebody who has none yet."""
    return secrets.token_urlsafe(12)
