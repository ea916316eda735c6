"""Who is logged in to the console: passwords checked with a limit on guessing, sessions that can be ended.

A session is a random cookie of which only the digest is kept, so whoever reads the database cannot log in.
"""

import asyncio
import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from crm import passwords
from crm.errors import TooManyLogins, UnknownAgent, WrongPassword
from crm.record import Crm, Tx

SESSION_LASTS = timedelta(hours=12)
IDLE_ENDS = timedelta(hours=4)
GUESSING = timedelta(minutes=15)
MOST_FAILURES = 8  # of one e-mail address
MOST_FAILURES_NEAR = 40  # of one network address: several people may share it


@dataclass(frozen=True)
class SecretRow:
    agent_id: int
    password_hash: str | None


@dataclass(frozen=True)
class SessionRow:
    """A person who is logged in; `csrf` is what each of their forms carries."""

    agent_id: int
    email: str
    name: str
    csrf: str


@dataclass(frozen=True)
class MembershipRow:
    """A business somebody works for."""

    business_id: int
    slug: str
    name: str
    role: str


async def log_in(crm: Crm, email: str, password: str, address: str) -> str:
    """Checks a password and opens a session; returns its cookie. `address` is the caller's network address.

    Raises WrongPassword, TooManyLogins. A failure counts against the e-mail address and the network address.
    """
    person, near = _digest(f"mail:{email.strip().casefold()}"), _digest(f"net:{address}")
    async with crm.outside() as tx:
        await _within_limits(tx, person, near)
        secret = await tx.first(SecretRow, "agent_secret", email=email.strip().replace("\x00", ""))
    right = await asyncio.to_thread(passwords.fits, password, secret.password_hash if secret else None)
    async with crm.outside() as tx:
        if secret is None or not right:
            await tx.run("login_failed", who=[person, near])
        else:
            return await _open(tx, secret, person, password)
    raise WrongPassword(WrongPassword.__doc__)


async def _within_limits(tx: Tx, person: bytes, near: bytes) -> None:
    for who, most in ((person, MOST_FAILURES), (near, MOST_FAILURES_NEAR)):
        if int(await tx.value("login_failures", who=who, since=tx.now - GUESSING)) >= most:
            raise TooManyLogins(TooManyLogins.__doc__)


async def _open(tx: Tx, secret: SecretRow, person: bytes, password: str) -> str:
    cookie = secrets.token_urlsafe(32)
    await tx.run("login_succeeded", who=person)
    if secret.password_hash and passwords.outdated(secret.password_hash):
        fresh = await asyncio.to_thread(passwords.hashed, password)
        await tx.run("agent_rehash", agent_id=secret.agent_id, hash=fresh)
    await tx.run(
        "session_open",
        digest=_digest(cookie),
        agent_id=secret.agent_id,
        csrf=secrets.token_urlsafe(24),
        until=tx.now + SESSION_LASTS,
    )
    return cookie


async def session(tx: Tx, cookie: str) -> SessionRow | None:
    """Who a cookie belongs to; None when the session is over, was ended, or its agent may not log in."""
    return await tx.first(SessionRow, "session_of", digest=_digest(cookie), idle=IDLE_ENDS)


async def log_out(tx: Tx, cookie: str) -> None:
    """Ends a session."""
    await tx.run("session_close", digest=_digest(cookie))


async def memberships(tx: Tx, agent_id: int) -> list[MembershipRow]:
    """Where somebody works, and as what."""
    return await tx.all(MembershipRow, "memberships_of_agent", agent_id=agent_id)


async def set_password(tx: Tx, email: str, password: str) -> None:
    """Sets a password, ends every session of that person and forgets failed logins; an act of the operator.

    Raises UnknownAgent, WeakPassword.
    """
    kept = await asyncio.to_thread(passwords.hashed, password)
    if await tx.value("put_password", email=email, hash=kept) is None:
        raise UnknownAgent(f"{email}: {UnknownAgent.__doc__}")
    await tx.run("clear_sessions", email=email)
    await tx.run("login_succeeded", who=_digest(f"mail:{email.strip().casefold()}"))


async def disable(tx: Tx, email: str) -> None:
    """That person can no longer log in, and is logged out; an act of the operator. Raises UnknownAgent."""
    if await tx.value("disable_agent", email=email) is None:
        raise UnknownAgent(f"{email}: {UnknownAgent.__doc__}")
    await tx.run("clear_sessions", email=email)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
