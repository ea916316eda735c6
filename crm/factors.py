"""A second factor at the login: codes of an authenticator app (RFC 6238) and recovery codes for a lost phone.

The shared secret is sealed with SARA_SECRET_KEY; of recovery codes only digests are kept. A code counts once:
the half minute of the last one is remembered, and neither it nor an earlier one is taken again. Checks of one
person's codes wait for each other, so that guesses sent at once are counted like guesses sent in turn.
"""

import base64
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyotp

from crm import configure, logins, trail
from crm.errors import FactorHeld, FactorUnreadable, OwnFactorFirst, TooManyLogins, UnknownAgent, WrongCode
from crm.logins import GUESSING, SessionRow, digest_of
from crm.record import Crm, Tx
from crm.sealing import NotOurSeal, Seal
from crm.trail import Reader

ISSUER = "SARA"
STEP_S = 30
DRIFT = (0, -1, 1)  # half minutes that a phone's clock may be off
RECOVERY_CODES = 10
MOST_WRONG = 5  # within GUESSING
MOST_WRONG_A_DAY = 25
_DAY = timedelta(days=1)
_RECOVERY_BYTES = 10  # 80 bits: too many to be found from a digest


@dataclass(frozen=True)
class HeldRow:
    """Somebody's factor, locked for this transaction."""

    sealed: bytes
    confirmed: bool
    recovery_left: int


@dataclass(frozen=True)
class PersonRow:
    """Somebody who works for the business; `elsewhere`: for another one too."""

    agent_id: int
    name: str
    role: str
    factor: bool
    elsewhere: bool


@dataclass(frozen=True)
class Offer:
    """What an authenticator app is given: the secret in base32, and the address its picture holds."""

    secret: str
    uri: str


async def offer(tx: Tx, who: SessionRow, seal: Seal) -> Offer:
    """The secret somebody is to confirm; the same until they do. Raises FactorHeld for who has one."""
    held = await tx.first(HeldRow, "factor_held", agent_id=who.agent_id)
    if held is not None and held.confirmed:
        raise FactorHeld(FactorHeld.__doc__)
    try:
        secret = _opened(held, seal) if held is not None else None
    except FactorUnreadable:
        secret = None  # it was never confirmed: another one does as well
    if secret is None:
        secret = pyotp.random_base32()
        await tx.run("factor_put", agent_id=who.agent_id, sealed=seal.close(secret.encode()))
    return Offer(secret, pyotp.TOTP(secret).provisioning_uri(name=who.email, issuer_name=ISSUER))


async def left(tx: Tx, agent_id: int) -> int | None:
    """How many recovery codes somebody has left; None for who has no second factor."""
    held = await tx.first(HeldRow, "factor_held", agent_id=agent_id)
    return held.recovery_left if held is not None and held.confirmed else None


async def confirm(crm: Crm, who: SessionRow, cookie: str, code: str, seal: Seal | None) -> list[str]:
    """The first code of the app: from now on one is asked for. Returns the recovery codes, shown this once.

    The session of `cookie` goes on, the person's other ones end. Raises WrongCode, TooManyLogins, FactorHeld,
    FactorUnreadable.
    """
    async with crm.outside() as tx:
        held = await _held(tx, who.agent_id)
        if held is None or held.confirmed:
            raise FactorHeld(FactorHeld.__doc__)
        if await _taken(tx, who.agent_id, held, code, seal):
            await tx.run("factor_confirm", agent_id=who.agent_id, digest=digest_of(cookie))
            await _note(tx, who.agent_id, who.agent_id, "—", "on")
            return await _recovery(tx, who.agent_id)
    raise WrongCode(WrongCode.__doc__)


async def renew(crm: Crm, who: SessionRow, code: str, seal: Seal | None) -> list[str]:
    """Other recovery codes; the old ones are worth nothing any more. Raises as `confirm`."""
    async with crm.outside() as tx:
        if await _proved(tx, who.agent_id, code, seal):
            await _note(tx, who.agent_id, who.agent_id, "recovery codes", "new recovery codes")
            return await _recovery(tx, who.agent_id)
    raise WrongCode(WrongCode.__doc__)


async def turn_off(crm: Crm, who: SessionRow, code: str, seal: Seal | None) -> None:
    """No second factor any more. Raises FactorHeld also where a business of theirs wants one."""
    async with crm.outside() as tx:
        if any(one.factor_required for one in await logins.memberships(tx, who.agent_id)):
            raise FactorHeld(FactorHeld.__doc__)
        if await _proved(tx, who.agent_id, code, seal):
            await _note(tx, who.agent_id, who.agent_id, "on", "—")
            await tx.run("factor_drop", agent_id=who.agent_id)
            return
    raise WrongCode(WrongCode.__doc__)


async def owing(tx: Tx, challenge: str) -> bool:
    """Whether a challenge still stands."""
    return await tx.value("challenge_of", digest=digest_of(challenge)) is not None


async def log_in(crm: Crm, challenge: str, code: str, seal: Seal | None, address: str = "") -> str | None:
    """The second step of a login, by a code of the app or a recovery code; returns the session's cookie.

    None when the challenge is over: the password is asked for again. Raises WrongCode, TooManyLogins,
    FactorUnreadable.
    """
    async with crm.outside() as tx:
        agent_id: int | None = await tx.value("challenge_of", digest=digest_of(challenge))
        held = await _held(tx, agent_id) if agent_id is not None else None
        if agent_id is None or held is None or not held.confirmed:
            return None
        if await _passed(tx, agent_id, held, code, seal):
            await tx.run("challenge_close", digest=digest_of(challenge))
            await tx.run("login_succeeded", who=_guesses(agent_id))
            return await logins.open_session(tx, agent_id, factor=True, address=address)
        await trail.entered(tx, Reader(agent_id, "console", address), "login_failed", agent_id)
    raise WrongCode(WrongCode.__doc__)


async def people(tx: Tx) -> list[PersonRow]:
    """Who works for the business, and who of them has a second factor."""
    return await tx.all(PersonRow, "factors_of_business")


async def required(tx: Tx) -> bool:
    """Whether the business lets nobody in without one."""
    return bool(await tx.value("factor_required"))


async def require(tx: Tx, who: SessionRow, wanted: bool) -> None:
    """The business asks one of everybody, or no longer. Raises OwnFactorFirst."""
    if wanted and not who.factor:
        raise OwnFactorFirst(OwnFactorFirst.__doc__)
    before = await required(tx)
    await tx.run("factor_require", required=wanted)
    words = {True: "asked of everybody", False: "as everybody likes"}
    await configure.changed(tx, who.agent_id, "second factor", words[before], words[wanted])


async def reset(tx: Tx, agent_id: int, by: int) -> None:
    """An admin takes a colleague's factor away, who is logged out. Raises FactorHeld for one of elsewhere."""
    if not await tx.value("factor_reset", agent_id=agent_id):
        raise FactorHeld(FactorHeld.__doc__)
    await tx.run("login_succeeded", who=_guesses(agent_id))
    await _note(tx, agent_id, by, "on", "reset")


async def reset_by_operator(tx: Tx, email: str) -> bool:
    """The same by the operator, for anybody; False where there was none. Raises UnknownAgent."""
    agent_id: int | None = await tx.value("factor_of_email", email=email)
    if agent_id is None:
        raise UnknownAgent(f"{email}: {UnknownAgent.__doc__}")
    if not await tx.value("has_factor", agent_id=agent_id):
        return False
    await tx.run("factor_drop", agent_id=agent_id)
    await tx.run("clear_sessions", email=email)
    await tx.run("login_succeeded", who=_guesses(agent_id))
    await _note(tx, agent_id, None, "on", "reset")
    return True


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """The half minute since 1970 that a code belongs to, of those a phone may be at; None for a wrong one."""
    digits = "".join(code.split())
    if not (digits.isascii() and digits.isdigit()):
        return None
    totp, current = pyotp.TOTP(secret), int(now.timestamp()) // STEP_S
    fitting = [step for step in (current + off for off in DRIFT) if _same(totp.generate_otp(step), digits)]
    return max(fitting, default=None)


async def _held(tx: Tx, agent_id: int) -> HeldRow | None:
    """The factor, locked; counts what was guessed before. Raises TooManyLogins."""
    held = await tx.first(HeldRow, "factor_held", agent_id=agent_id)
    for since, most in ((GUESSING, MOST_WRONG), (_DAY, MOST_WRONG_A_DAY)):
        if int(await tx.value("login_failures", who=_guesses(agent_id), since=tx.now - since)) >= most:
            raise TooManyLogins(TooManyLogins.__doc__)
    return held


async def _passed(tx: Tx, agent_id: int, held: HeldRow, code: str, seal: Seal | None) -> bool:
    """Whether a code of either kind lets somebody in; a recovery code also where no secret can be opened."""
    recovery = _recovery_digest(code)
    if recovery is None:
        return await _taken(tx, agent_id, held, code, seal)
    if not await tx.value("recovery_take", agent_id=agent_id, digest=recovery):
        await tx.run("login_failed", who=[_guesses(agent_id)])
        return False
    before = f"{held.recovery_left} recovery codes"
    await _note(tx, agent_id, agent_id, before, f"one was used: {held.recovery_left - 1} left")
    return True


async def _proved(tx: Tx, agent_id: int, code: str, seal: Seal | None) -> bool:
    held = await _held(tx, agent_id)
    if held is None or not held.confirmed:
        raise FactorHeld(FactorHeld.__doc__)
    return await _taken(tx, agent_id, held, code, seal)


async def _taken(tx: Tx, agent_id: int, held: HeldRow, code: str, seal: Seal | None) -> bool:
    """Whether a code of the app is right and new; a wrong one is counted by this transaction."""
    step = step_of(_opened(held, seal), code, tx.now)
    if step is not None and await tx.value("factor_take", agent_id=agent_id, step=step):
        return True
    await tx.run("login_failed", who=[_guesses(agent_id)])
    return False


async def _recovery(tx: Tx, agent_id: int) -> list[str]:
    """New recovery codes in groups of four letters."""
    codes = [
        base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode().lower() for _ in range(RECOVERY_CODES)
    ]
    await tx.run("recovery_put", agent_id=agent_id, digests=[digest_of(code) for code in codes])
    return ["-".join(code[at : at + 4] for at in range(0, len(code), 4)) for code in codes]


def _recovery_digest(code: str) -> bytes | None:
    """What a recovery code, however it was typed, is kept as; None for what cannot be one."""
    letters = "".join(code.split()).replace("-", "").lower()
    return digest_of(letters) if len(letters) == _RECOVERY_BYTES * 8 // 5 else None


async def _note(tx: Tx, agent_id: int, by: int | None, before: str, after: str) -> None:
    await tx.run("factor_noted", agent_id=agent_id, by=by, before=before, after=after)


def _opened(held: HeldRow, seal: Seal | None) -> str:
    if seal is None:
        raise FactorUnreadable(FactorUnreadable.__doc__)
    try:
        return seal.open(held.sealed).decode()
    except NotOurSeal as error:
        raise FactorUnreadable(FactorUnreadable.__doc__) from error


def _guesses(agent_id: int) -> bytes:
    return digest_of(f"code:{agent_id}")


def _same(code: str, given: str) -> bool:
    return hmac.compare_digest(code.encode(), given.encode())
