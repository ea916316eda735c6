"""The second factor by itself: what a code is worth, once, and what guessing gets."""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import pytest
import pytest_asyncio

from crm import businesses, factors, logins, registry
from crm.errors import FactorHeld, FactorUnreadable, OwnFactorFirst, TooManyLogins, UnknownAgent, WrongCode
from crm.logins import SessionRow
from crm.record import Crm
from crm.sealing import Seal, new_key
from db.pool import open_pool
from tests.api.house import PASSWORD, House

SEAL = Seal([new_key()])


class Clock:
    """The time, as the test sets it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 18, 10, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True)
class Book:
    """The record of the house under a clock of its own, and one of its businesses."""

    house: House
    crm: Crm
    clock: Clock
    business_id: int

    async def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        return await self.house.rows(query, *values)


@pytest_asyncio.fixture(loop_scope="session")
async def book(house: House) -> AsyncIterator[Book]:
    pool = await open_pool(house.dsn, max_size=8, name="book")
    clock = Clock()
    crm = Crm(pool, clock)
    async with crm.outside() as tx:
        business_id = await businesses.of_slug(tx, "conti")
    yield Book(house, crm, clock, business_id)
    await pool.close()


@dataclass
class Member:
    """Somebody of the business with an app on their phone."""

    book: Book
    email: str
    session: SessionRow
    cookie: str
    secret: str = ""

    def code(self, later: int = 0) -> str:
        """What the app shows, so many half minutes from now."""
        return pyotp.TOTP(self.secret).at(self.book.clock.now + timedelta(seconds=30 * later))

    def passes(self, half_minutes: int = 1) -> None:
        self.book.clock.now += timedelta(seconds=30 * half_minutes)

    async def challenge(self) -> str:
        entered = await logins.log_in(
            self.book.crm, self.email, PASSWORD, "127.0.0.1", site=b"here", checks=asyncio.Semaphore(1)
        )
        assert entered.owes_code
        return entered.cookie

    async def enters(self, code: str, seal: Seal | None = SEAL) -> str | None:
        return await factors.log_in(self.book.crm, await self.challenge(), code, seal)

    async def here(self, cookie: str) -> SessionRow | None:
        async with self.book.crm.outside() as tx:
            return await logins.session(tx, cookie)


async def member(book: Book, *, business: str = "conti", role: str = "agent") -> Member:
    email = f"{secrets.token_hex(5)}@factor.example"
    async with book.crm.as_owner() as tx:
        await registry.add_agent(tx, email, "Nora Prova", business=business, role=role)
        await logins.set_password(tx, email, PASSWORD)
    entered = await logins.log_in(
        book.crm, email, PASSWORD, "127.0.0.1", site=b"here", checks=asyncio.Semaphore(1)
    )
    assert not entered.owes_code
    async with book.crm.outside() as tx:
        session = await logins.session(tx, entered.cookie)
    assert session is not None
    return Member(book, email, session, entered.cookie)


async def with_factor(book: Book, role: str = "agent") -> tuple[Member, list[str]]:
    made = await member(book, role=role)
    async with book.crm.outside() as tx:
        made.secret = (await factors.offer(tx, made.session, SEAL)).secret
    codes = await factors.confirm(book.crm, made.session, made.cookie, made.code(), SEAL)
    made.passes()
    return made, codes


async def test_it_counts_from_the_first_right_code_on(book: Book) -> None:
    nora = await member(book)
    other = (
        await logins.log_in(
            book.crm, nora.email, PASSWORD, "127.0.0.1", site=b"here", checks=asyncio.Semaphore(1)
        )
    ).cookie
    async with book.crm.outside() as tx:
        offered = await factors.offer(tx, nora.session, SEAL)
        assert await factors.offer(tx, nora.session, SEAL) == offered  # a page loaded twice shows the same
        assert await factors.left(tx, nora.session.agent_id) is None
    assert offered.uri.startswith("otpauth://totp/SARA:")
    nora.secret = offered.secret
    with pytest.raises(WrongCode):
        await factors.confirm(book.crm, nora.session, nora.cookie, "000000", SEAL)
    assert not (
        await logins.log_in(
            book.crm, nora.email, PASSWORD, "127.0.0.1", site=b"here", checks=asyncio.Semaphore(1)
        )
    ).owes_code
    codes = await factors.confirm(book.crm, nora.session, nora.cookie, nora.code(), SEAL)
    assert len(set(codes)) == factors.RECOVERY_CODES
    assert all(re.fullmatch(r"([a-z2-7]{4}-){3}[a-z2-7]{4}", code) for code in codes)
    mine = await nora.here(nora.cookie)
    assert mine is not None
    assert mine.factor
    assert await nora.here(other) is None  # it was opened without one
    nora.passes()
    cookie = await nora.enters(nora.code())
    assert cookie is not None
    entered = await nora.here(cookie)
    assert entered is not None
    assert entered.factor
    with pytest.raises(FactorHeld):
        await factors.confirm(book.crm, nora.session, nora.cookie, nora.code(1), SEAL)
    async with book.crm.outside() as tx:
        with pytest.raises(FactorHeld):
            await factors.offer(tx, nora.session, SEAL)


async def test_a_challenge_is_no_session_and_ends(book: Book) -> None:
    nora, _ = await with_factor(book)
    challenge = await nora.challenge()
    assert await nora.here(challenge) is None
    nora.passes(11)
    assert await factors.log_in(book.crm, challenge, nora.code(), SEAL) is None
    assert await factors.log_in(book.crm, "made up", nora.code(), SEAL) is None
    challenge = await nora.challenge()
    assert await factors.log_in(book.crm, challenge, nora.code(), SEAL) is not None
    nora.passes()
    assert await factors.log_in(book.crm, challenge, nora.code(), SEAL) is None  # it was used
    waiting = await nora.challenge()
    async with book.crm.as_owner() as tx:
        await logins.disable(tx, nora.email)
    assert await factors.log_in(book.crm, waiting, nora.code(), SEAL) is None


@pytest.mark.parametrize(("later", "right"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
async def test_a_phones_clock_may_be_off_by_half_a_minute(book: Book, later: int, right: bool) -> None:
    nora, _ = await with_factor(book)
    nora.passes(4)
    if right:
        assert await nora.enters(nora.code(later)) is not None
    else:
        with pytest.raises(WrongCode):
            await nora.enters(nora.code(later))


async def test_a_code_counts_once_and_none_before_it_after(book: Book) -> None:
    nora, _ = await with_factor(book)
    nora.passes(4)
    seen = nora.code()
    assert await nora.enters(seen) is not None
    for stale in (seen, nora.code(-1)):
        with pytest.raises(WrongCode):
            await nora.enters(stale)
    nora.passes()
    assert await nora.enters(f" {nora.code()[:3]} {nora.code()[3:]} ") is not None


async def test_of_ten_who_hand_in_one_code_at_once_one_gets_in(book: Book) -> None:
    nora, _ = await with_factor(book)
    challenges = [await nora.challenge() for _ in range(4)]
    tries = [factors.log_in(book.crm, one, nora.code(), SEAL) for one in challenges]
    came = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(one, str) for one in came) == 1
    assert sum(isinstance(one, WrongCode) for one in came) == 3


async def test_recovery_codes_open_once_each_however_they_are_typed(book: Book) -> None:
    nora, codes = await with_factor(book)
    assert await nora.enters(codes[0]) is not None
    assert await nora.enters(f" {codes[1].upper().replace('-', ' ')}") is not None
    with pytest.raises(WrongCode):
        await nora.enters(codes[0])
    async with book.crm.outside() as tx:
        assert await factors.left(tx, nora.session.agent_id) == 8
    fresh = await factors.renew(book.crm, nora.session, nora.code(), SEAL)
    with pytest.raises(WrongCode):
        await nora.enters(codes[2])
    assert await nora.enters(fresh[0]) is not None
    [kept] = await book.rows(
        "SELECT string_agg(digest::text, '') AS all FROM agent_recovery WHERE agent_id = %s",
        nora.session.agent_id,
    )
    assert fresh[1].replace("-", "").encode().hex() not in kept["all"]


async def test_guessing_is_stopped_also_when_it_comes_at_once(book: Book) -> None:
    nora, codes = await with_factor(book)
    challenge = await nora.challenge()
    wrong = [f"{number:06d}" for number in range(20) if f"{number:06d}" != nora.code()]
    came = await asyncio.gather(
        *(factors.log_in(book.crm, challenge, code, SEAL) for code in wrong), return_exceptions=True
    )
    assert sum(isinstance(one, WrongCode) for one in came) == factors.MOST_WRONG
    assert sum(isinstance(one, TooManyLogins) for one in came) == len(wrong) - factors.MOST_WRONG
    for right in (nora.code(), codes[0]):
        with pytest.raises(TooManyLogins):
            await nora.enters(right)
    nora.passes(31)
    assert await nora.enters(codes[0]) is not None


async def test_the_secret_is_nowhere_to_be_read_and_a_lost_key_locks_nobody_out(book: Book) -> None:
    nora, codes = await with_factor(book)
    [row] = await book.rows("SELECT sealed FROM agent_factor WHERE agent_id = %s", nora.session.agent_id)
    assert nora.secret.encode() not in bytes(row["sealed"])
    for seal in (None, Seal([new_key()])):
        with pytest.raises(FactorUnreadable):
            await nora.enters(nora.code(), seal)
    assert await nora.enters(codes[0], None) is not None


async def test_turning_it_off_takes_a_code_and_no_business_that_wants_it(book: Book) -> None:
    nora, _ = await with_factor(book, "admin")
    with pytest.raises(WrongCode):
        await factors.turn_off(book.crm, nora.session, "000000", SEAL)
    mine = await nora.here(nora.cookie)
    assert mine is not None
    async with book.crm.transaction(book.business_id) as tx:
        await factors.require(tx, mine, True)
    try:
        with pytest.raises(FactorHeld):
            await factors.turn_off(book.crm, nora.session, nora.code(), SEAL)
        ivo = await member(book)
        async with book.crm.transaction(book.business_id) as tx:
            with pytest.raises(OwnFactorFirst):
                await factors.require(tx, ivo.session, True)
    finally:
        async with book.crm.transaction(book.business_id) as tx:
            await factors.require(tx, mine, False)
    await factors.turn_off(book.crm, nora.session, nora.code(), SEAL)
    assert not (
        await logins.log_in(
            book.crm, nora.email, PASSWORD, "127.0.0.1", site=b"here", checks=asyncio.Semaphore(1)
        )
    ).owes_code
    changes = await book.rows(
        "SELECT before, after FROM setting_change WHERE setting = 'second factor Nora Prova'"
        " AND agent_id = %s ORDER BY setting_change_id",
        nora.session.agent_id,
    )
    assert [(row["before"], row["after"]) for row in changes] == [("—", "on"), ("on", "—")]


async def test_an_admin_resets_people_of_their_own_business_alone(book: Book) -> None:
    nora, _ = await with_factor(book)
    vera, _ = await with_factor(book)
    boss = (await member(book, role="admin")).session.agent_id
    async with book.crm.as_owner() as tx:
        await registry.add_agent(tx, vera.email, "Vera", business="aurora", role="agent")
    async with book.crm.transaction(book.business_id) as tx:
        people = {one.agent_id: one for one in await factors.people(tx)}
        assert people[nora.session.agent_id].factor
        assert not people[nora.session.agent_id].elsewhere
        assert people[vera.session.agent_id].elsewhere
        with pytest.raises(FactorHeld):
            await factors.reset(tx, vera.session.agent_id, boss)  # she would be let in at the other one, too
    [aurora] = await book.rows("SELECT business_id FROM business WHERE slug = 'aurora'")
    async with book.crm.transaction(aurora["business_id"]) as tx:
        with pytest.raises(FactorHeld):
            await factors.reset(tx, nora.session.agent_id, boss)
        assert nora.session.agent_id not in {one.agent_id for one in await factors.people(tx)}
    waiting = await nora.challenge()
    async with book.crm.transaction(book.business_id) as tx:
        await factors.reset(tx, nora.session.agent_id, boss)
    assert await nora.here(nora.cookie) is None
    assert await factors.log_in(book.crm, waiting, nora.code(), SEAL) is None
    assert not (
        await logins.log_in(
            book.crm, nora.email, PASSWORD, "127.0.0.1", site=b"here", checks=asyncio.Semaphore(1)
        )
    ).owes_code
    async with book.crm.as_owner() as tx:
        assert await factors.reset_by_operator(tx, vera.email.upper())
        assert not await factors.reset_by_operator(tx, vera.email)
        with pytest.raises(UnknownAgent):
            await factors.reset_by_operator(tx, "nobody@factor.example")
    assert not (
        await logins.log_in(
            book.crm, vera.email, PASSWORD, "127.0.0.1", site=b"here", checks=asyncio.Semaphore(1)
        )
    ).owes_code
