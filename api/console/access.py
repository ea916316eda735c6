"""Who may see the console: sessions by cookie, memberships by business, forms with their session's token.

The cookie is HttpOnly and SameSite=Lax, and Secure wherever the page came over HTTPS. Every change needs the
session's CSRF token and, where the browser names one, our own origin.
"""

import hmac
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, HTTPException, Request, Response

from api.console.words import language_of
from api.limits import SESSION_COOKIE
from api.state import address_of, services_of
from crm import logins
from crm.logins import SESSION_LASTS, MembershipRow, SessionRow
from crm.trail import Reader

COOKIE = SESSION_COOKIE
CHALLENGE = "sara_challenge"


class LoginNeeded(Exception):
    """The session is over: log in again."""


class FactorNeeded(Exception):
    """This business lets nobody in without a second factor: set yours up first."""


class ForeignForm(Exception):
    """The form was made for another session than the one that sends it."""


@dataclass(frozen=True)
class Person:
    """Somebody who is logged in; `address` is the network address they ask from."""

    session: SessionRow
    memberships: list[MembershipRow]
    language: str
    address: str

    @property
    def reader(self) -> Reader:
        """Who it is in the trail of looks and changes."""
        return Reader(self.session.agent_id, "console", self.address)


@dataclass(frozen=True)
class Seat:
    """A person at one of the businesses they work for."""

    person: Person
    business: MembershipRow

    @property
    def agent_id(self) -> int:
        """Whose acts these are."""
        return self.person.session.agent_id

    @property
    def reader(self) -> Reader:
        """Who it is in the trail of looks and changes."""
        return self.person.reader

    @property
    def supervisor(self) -> bool:
        """Whether this person may act where a colleague has the word."""
        return self.business.role in ("supervisor", "admin")


async def person(request: Request) -> Person:
    """Who is logged in. Raises LoginNeeded."""
    cookie = request.cookies.get(COOKIE, "")
    if not cookie:
        raise LoginNeeded
    async with services_of(request).crm.outside() as tx:
        session = await logins.session(tx, cookie)
        if session is None:
            raise LoginNeeded
        memberships = await logins.memberships(tx, session.agent_id)
    return Person(session, memberships, language_of(request), address_of(request))


LoggedIn = Annotated[Person, Depends(person)]


async def seat(business: str, who: LoggedIn) -> Seat:
    """The person's place at a business; 404 for one they do not work for, as for one that does not exist.

    Raises FactorNeeded where the business wants a second factor and this session has none.
    """
    for membership in who.memberships:
        if membership.slug == business:
            if not lets_in(membership, who.session):
                raise FactorNeeded
            return Seat(who, membership)
    raise HTTPException(404, "no such page")


Seated = Annotated[Seat, Depends(seat)]


def lets_in(business: MembershipRow, session: SessionRow) -> bool:
    """Whether a business is content with how somebody logged in."""
    return session.factor or not business.factor_required


async def own_form(request: Request, who: LoggedIn) -> None:
    """403 for a change that did not come from one of our pages, ForeignForm where the session is another."""
    same_origin(request)
    token = request.headers.get("x-csrf-token") or str((await request.form()).get("csrf", ""))
    if not hmac.compare_digest(token.encode(), who.session.csrf.encode()):
        raise ForeignForm


def same_origin(request: Request) -> None:
    """403 where the browser says that another site sent this."""
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site", "same-origin")
    foreign = origin is not None and urlsplit(origin).netloc != request.headers.get("host")
    if foreign or site not in ("same-origin", "none"):
        raise HTTPException(403, "another site sent this")


def give_cookie(
    request: Request, response: Response, cookie: str, *, name: str = COOKIE, lasts: timedelta = SESSION_LASTS
) -> None:
    """Remembers the session, or the login half done, in the browser."""
    response.set_cookie(
        name,
        cookie,
        max_age=round(lasts.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=is_https(request),
        path="/console",
    )


def take_cookie(request: Request, response: Response, name: str = COOKIE) -> None:
    """Forgets it."""
    response.delete_cookie(name, path="/console", httponly=True, samesite="lax", secure=is_https(request))


def is_https(request: Request) -> bool:
    """Also behind a proxy that ends TLS: more secure than needed is no harm."""
    return request.url.scheme == "https" or request.headers.get("x-forwarded-proto") == "https"
