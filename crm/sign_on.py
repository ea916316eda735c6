"""Logins through a company's own provider: what is remembered while somebody is there, and who they are.

A provider vouches for an e-mail address; the agent of that address is let in, and nobody becomes one by it.
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from crm import logins
from crm.errors import UnknownAgent
from crm.logins import digest_of
from crm.record import Tx

AWAY = timedelta(minutes=10)


@dataclass(frozen=True)
class FlowRow:
    """What the provider's answer is checked against, and where the person was going."""

    state: str
    nonce: str
    verifier: str
    go_on: str


async def begin(tx: Tx, flow: FlowRow) -> str:
    """Remembers a login that goes to the provider; returns the cookie by which it is found again."""
    cookie = secrets.token_urlsafe(32)
    await tx.run("flow_open", digest=digest_of(cookie), until=tx.now + AWAY, **vars(flow))
    return cookie


async def take(tx: Tx, cookie: str) -> FlowRow | None:
    """The login of a cookie, once; None when it is over, was taken, or never was."""
    return await tx.first(FlowRow, "flow_take", digest=digest_of(cookie))


async def enter(tx: Tx, email: str, address: str) -> str:
    """Opens a session for the agent of a verified e-mail address; returns its cookie.

    It counts as one with a second factor, which is the provider's to ask for. Raises UnknownAgent for
    nobody's address, and for somebody who may no longer log in.
    """
    agent_id: int | None = await tx.value("agent_of_email", email=email.strip().replace("\x00", ""))
    if agent_id is None:
        raise UnknownAgent(UnknownAgent.__doc__)
    return await logins.open_session(tx, agent_id, factor=True, address=address, by="login_provider")
