"""Who is logged in to the console: passwords checked with a limit on guessing, sessions that can be ended.

A session is a random cookie of which only the digest is kept, so whoever reads the database cannot log in.
Whoever has a second factor gets a challenge for their password, and a session for the code (crm/factors.py).
"""

import asyncio
import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from crm import passwords, trail
from crm.errors import TooManyLogins, UnknownAgent, WrongPassword
from crm.record import Crm, Tx
from crm.trail import OPERATOR, Reader

SESSION_LASTS = timedelta(hours=12)
IDLE_ENDS = timedelta(hours=4)
CODE_OWED = timedelta(minutes=5)
GUESSING = timedelta(minutes=15)
MOST_FAILURES = 8  # of one e-mail address
MOST_FAILURES_NEAR = 40  # of one network address: several people may share it


@dataclass(frozen=True)
class SecretRow:
    agent_id: int
    password_hash: str | None


@dataclass(frozen=True)
class SessionRow:
    """A person who is logged in; `csrf` is what each of their forms carries, `factor` whether a code was."""

    agent_id: int
    email: str
    name: str
    csrf: str
    factor: bool


@dataclass(frozen=True)
class MembershipRow:
    """A business somebody works for."""

    business_id: int
    slug: str
    name: str
    role: str
    factor_required: bool = False


@dataclass(frozen=True)
class Entered:
    """A password was right: the cookie of a session, or of a challenge while a code is owed."""

    cookie: str
    owes_code: bool


async def log_in(
    crm: Crm, email: str, password: str, address: str, *, site: bytes, checks: asyncio.Semaphore
) -> Entered:
    """Checks a password and opens a session or a challenge. `address` is the caller's network address, `site`
    the network it is counted with; of `checks`, which each take 64 MiB, only so many are made at once.

    Raises WrongPassword, TooManyLogins. Every check counts against the person and the network until it turns
    out right, so that one cut off in its middle counts as well.
    """
    email, near = email.replace("\x00", "").strip(), digest_of(b"net:" + site)
    async with crm.outside() as tx:
        secret = await tx.first(SecretRow, "agent_secret", email=email)
        # By who it is, not by how the address was spelt: one address has many spellings.
        person = _counted(secret.agent_id) if secret else digest_of(f"mail:{email.casefold()}")
        tried = tx.now
        if not await tx.value(
            "login_tried",
            person=person,
            most=MOST_FAILURES,
            near=near,
            most_near=MOST_FAILURES_NEAR,
            since=tried - GUESSING,
        ):
            raise TooManyLogins(TooManyLogins.__doc__)
    async with checks:
        right = await asyncio.to_thread(passwords.fits, password, secret.password_hash if secret else None)
    async with crm.outside() as tx:
        if secret is None or not right:
            # Asked for nobody as well: how long a refusal takes must not tell who works here.
            whose = secret.agent_id if secret else 0
            await trail.entered(tx, Reader(whose, "console", address), "login_failed", whose)
        else:
            await tx.run("login_succeeded", who=person)
            await tx.run("login_excused", near=near, tried=tried)
            return await _open(tx, secret, password, address)
    raise WrongPassword(WrongPassword.__doc__)


def _counted(agent_id: int) -> bytes:
    """Whom a wrong password of a known person counts against."""
    return digest_of(f"agent:{agent_id}")


async def _open(tx: Tx, secret: SecretRow, password: str, address: str) -> Entered:
    if secret.password_hash and passwords.outdated(secret.password_hash):
        fresh = await asyncio.to_thread(passwords.hashed, password)
        await tx.run("agent_rehash", agent_id=secret.agent_id, hash=fresh)
    if not await tx.value("has_factor", agent_id=secret.agent_id):
        cookie = await open_session(tx, secret.agent_id, factor=False, address=address)
        return Entered(cookie, owes_code=False)
    cookie = secrets.token_urlsafe(32)
    await tx.run(
        "challenge_open", digest=digest_of(cookie), agent_id=secret.agent_id, until=tx.now + CODE_OWED
    )
    return Entered(cookie, owes_code=True)


async def open_session(
    tx: Tx, agent_id: int, *, factor: bool, address: str, by: Literal["login", "login_provider"] = "login"
) -> str:
    """A session of somebody who has shown who they are, `by` what; returns its cookie."""
    cookie = secrets.token_urlsafe(32)
    await tx.run(
        "session_open",
        digest=digest_of(cookie),
        agent_id=agent_id,
        csrf=secrets.token_urlsafe(24),
        until=tx.now + SESSION_LASTS,
        factor=factor,
    )
    await trail.entered(tx, Reader(agent_id, "console", address), by, agent_id)
    return cookie


async def session(tx: Tx, cookie: str) -> SessionRow | None:
    """Who a cookie belongs to; None when the session is over, was ended, or its agent may not log in."""
    return await tx.first(SessionRow, "session_of", digest=digest_of(cookie), idle=IDLE_ENDS)


async def log_out(tx: Tx, cookie: str) -> None:
    """Ends a session."""
    await tx.run("session_close", digest=digest_of(cookie))


async def memberships(tx: Tx, agent_id: int) -> list[MembershipRow]:
    """Where somebody works, and as what."""
    return await tx.all(MembershipRow, "memberships_of_agent", agent_id=agent_id)


async def set_password(tx: Tx, email: str, password: str) -> None:
    """Sets a password, ends every session of that person and forgets failed logins; an act of the operator.

    Raises UnknownAgent, WeakPassword.
    """
    kept = await asyncio.to_thread(passwords.hashed, password)
    agent_id = await tx.value("put_password", email=email, hash=kept)
    if agent_id is None:
        raise UnknownAgent(f"{email}: {UnknownAgent.__doc__}")
    await trail.entered(tx, OPERATOR, "password", agent_id)
    await tx.run("clear_sessions", email=email)
    await tx.run("login_succeeded", who=_counted(agent_id))


async def disable(tx: Tx, email: str) -> None:
    """That person can no longer log in, and is logged out; an act of the operator. Raises UnknownAgent."""
    agent_id = await tx.value("disable_agent", email=email)
    if agent_id is None:
        raise UnknownAgent(f"{email}: {UnknownAgent.__doc__}")
    await trail.entered(tx, OPERATOR, "disabled", agent_id)
    await tx.run("clear_sessions", email=email)


def digest_of(text: str | bytes) -> bytes:
    """What is kept of a cookie, of an address and of a recovery code."""
    raw = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    return hashlib.sha256(raw).digest()
