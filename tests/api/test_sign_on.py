"""Logging in through the company's own OpenID provider: a real one on loopback, honest and lying."""

import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import pytest_asyncio
from joserfc.jwk import RSAKey
from pydantic import ValidationError

from api.app import create_app
from api.console.access import COOKIE
from api.console.sign_on import AWAY_COOKIE
from api.state import ApiServices
from channels.oidc.provider import Provider as Known
from channels.oidc.provider import is_private_way
from crm import logins
from sara.local import listen, serving
from sara.settings import load
from sara.sign_on import provider_of
from tests.api.house import House, Person, person
from tests.api.provider import CLIENT_ID, CLIENT_SECRET, Provider, opened

HTML = {"Accept": "text/html", "Accept-Language": "en"}
START = "/console/login/oidc?next=/console/conti/contacts"


@dataclass
class Desk:
    """The application with a provider, and somebody at its login page."""

    house: House
    provider: Provider
    web: httpx.AsyncClient

    async def away(self, start: str = START) -> str:
        """To the provider, which sends them back; returns the address they come back to."""
        there = await self.web.get(start)
        assert there.status_code == 303, there.text
        async with httpx.AsyncClient() as elsewhere:
            back = await elsewhere.get(there.headers["location"])
        assert back.status_code == 302, back.text
        return str(back.headers["location"])

    async def logs_in(self, start: str = START) -> httpx.Response:
        return await self.web.get(await self.away(start))

    async def is_in(self) -> bool:
        return (
            await self.web.get("/console/conti", headers={"Accept": "application/json"})
        ).status_code == 200


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def provider() -> AsyncIterator[Provider]:
    async with opened() as there:
        yield there


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def nora(house: House) -> Person:
    return await person(house.crm, house.other, "agent", "Nora Sola")


@pytest.fixture(scope="module")
def known(provider: Provider) -> Known:
    """The provider as the installation knows it by its settings."""
    made = provider_of(
        load(
            oidc_issuer=provider.issuer,
            oidc_client_id=CLIENT_ID,
            oidc_client_secret=CLIENT_SECRET,
            oidc_name="Conti Login",
        )
    )
    assert made is not None
    return made


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def url(house: House, known: Known) -> AsyncIterator[str]:
    """An installation that knows the provider."""

    @asynccontextmanager
    async def services() -> AsyncIterator[ApiServices]:
        yield replace(house.app.state.services, sign_on=known)

    with listen(0) as listener:
        async with serving(create_app(services), listener):
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest_asyncio.fixture(loop_scope="session")
async def desk(house: House, provider: Provider, known: Known, nora: Person, url: str) -> AsyncIterator[Desk]:
    """A browser nobody is logged in with, and an honest provider that knows Nora and was not asked yet."""
    provider.truthful()
    provider.email, known._known = nora.email, None
    async with httpx.AsyncClient(base_url=url, headers=HTML, timeout=60) as web:
        yield Desk(house, provider, web)


async def test_there_and_back_opens_a_session_like_any_other(desk: Desk, nora: Person) -> None:
    page = await desk.web.get("/console/login?next=/console/conti/contacts")
    assert "Log in with Conti Login" in page.text
    assert 'href="/console/login/oidc?next=/console/conti/contacts"' in page.text
    entered = await desk.logs_in()
    assert (entered.status_code, entered.headers["location"]) == (303, "/console/conti/contacts")
    cookies = " ".join(entered.headers.get_list("set-cookie"))
    assert "HttpOnly" in cookies
    assert "SameSite=lax" in cookies
    assert AWAY_COOKIE not in desk.web.cookies
    assert await desk.is_in()
    rows = await desk.house.rows(
        "SELECT what, via, address FROM access_log WHERE subject_id = %s ORDER BY access_log_id DESC LIMIT 1",
        nora.agent_id,
    )
    assert rows == [{"what": "login_provider", "via": "console", "address": "127.0.0.1"}]
    # An operator ends it like one of a password.
    kept = desk.web.cookies[COOKIE]
    async with desk.house.crm.as_owner() as tx:
        assert await logins.session(tx, kept) is not None
        await tx.run("clear_sessions", email=nora.email)
    assert not await desk.is_in()


async def test_the_address_in_another_spelling_is_the_same_person(desk: Desk, nora: Person) -> None:
    desk.provider.email = nora.email.upper()
    assert (await desk.logs_in()).status_code == 303
    assert await desk.is_in()


async def test_a_token_that_says_little_is_asked_after(desk: Desk, nora: Person) -> None:
    desk.provider.claims = {"email": None, "email_verified": None}
    desk.provider.userinfo = {"sub": "subject-1", "email": nora.email, "email_verified": True}
    assert (await desk.logs_in()).status_code == 303
    desk.web.cookies.clear()
    desk.provider.userinfo["sub"] = "subject-2"
    assert (await desk.logs_in()).status_code == 401
    assert not await desk.is_in()


HOUR_AGO = int(time.time()) - 3600
LIES = {
    "wrong nonce": {"nonce": "another"},
    "no nonce": {"nonce": None},
    "wrong audience": {"aud": "another client"},
    "another's as well": {"aud": [CLIENT_ID, "another client"], "azp": "another client"},
    "several, nobody's": {"aud": [CLIENT_ID, "another client"]},
    "no audience": {"aud": None},
    "wrong issuer": {"iss": "https://evil.example"},
    "expired": {"iat": HOUR_AGO - 300, "exp": HOUR_AGO},
    "never expires": {"exp": None},
    "from the future": {"iat": HOUR_AGO + 7200},
    "not yet valid": {"nbf": HOUR_AGO + 7200},
    "nobody": {"sub": None},
    "a foreign access token": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
    "no number": {"exp": "tomorrow"},
}


@pytest.mark.parametrize("lie", LIES)
async def test_a_token_that_does_not_hold_lets_nobody_in(desk: Desk, lie: str) -> None:
    desk.provider.claims = LIES[lie]
    refused = await desk.logs_in()
    assert refused.status_code == 401, lie
    assert "This login took too long or does not hold: begin again." in refused.text
    assert COOKIE not in desk.web.cookies
    assert not await desk.is_in()


async def test_a_forged_token_lets_nobody_in(desk: Desk) -> None:
    public = desk.provider.key.as_pem(private=False)
    for algorithm, key in (
        ("RS256", RSAKey.generate_key(2048)),  # signed with somebody else's key, under the name of theirs
        ("HS256", public),  # signed with what everybody can read
        ("none", None),
        ("PS256", None),  # signed rightly, in a way the provider does not offer
    ):
        desk.provider.algorithm, desk.provider.signs_with = algorithm, key
        assert (await desk.logs_in()).status_code == 401, algorithm
        assert not await desk.is_in()


async def test_a_provider_that_offers_only_what_anybody_can_sign_is_refused(desk: Desk) -> None:
    desk.provider.metadata = {"id_token_signing_alg_values_supported": ["HS256", "none"]}
    assert (await desk.logs_in()).status_code == 401


async def test_a_new_key_of_the_provider_is_learned(desk: Desk) -> None:
    assert (await desk.logs_in()).status_code == 303
    known = desk.provider.asked.count("discovery")
    desk.web.cookies.clear()
    before, desk.provider.key = desk.provider.key, RSAKey.generate_key(2048, {"use": "sig"}, auto_kid=True)
    try:
        assert (await desk.logs_in()).status_code == 401  # a moment ago there was no such key
        assert desk.provider.asked.count("discovery") == known
    finally:
        desk.provider.key = before
    clock = time.time
    there = Known(
        issuer=desk.provider.issuer,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        clock=lambda: clock() + shift,
    )
    shift = 0.0
    await there._discovered()
    desk.provider.key = RSAKey.generate_key(2048, {"use": "sig"}, auto_kid=True)
    shift = 31.0
    read = await there._signed(desk.provider._signed("nonce"))
    assert read.claims["email"] == desk.provider.email


async def test_only_verified_addresses_of_people_who_may_log_in(
    desk: Desk, house: House, nora: Person
) -> None:
    for said in (False, "false", None, 1, "yes"):
        desk.provider.claims = {"email_verified": said}
        refused = await desk.logs_in()
        assert refused.status_code == 403, said
        assert "does not vouch for your e-mail address" in refused.text
    desk.provider.claims = {}
    left = await person(house.crm, house.other, "agent", "Lia Via")
    async with house.crm.as_owner() as tx:
        await logins.disable(tx, left.email)
    for address in (f"{secrets.token_hex(4)}@nobody.example", left.email, f"{nora.email}\x00", " "):
        desk.provider.email = address
        refused = await desk.logs_in()
        assert refused.status_code == 303 if address.startswith(nora.email) else 403, address
        if refused.status_code == 403:
            assert "or they may no longer log in" in refused.text
            assert address.strip() == "" or address not in refused.text
        desk.web.cookies.clear()
    known = await house.rows("SELECT count(*) AS n FROM agent WHERE email LIKE '%%nobody.example'")
    assert known == [{"n": 0}]  # nobody becomes an agent by it


async def test_an_answer_counts_once_in_the_browser_that_asked(desk: Desk) -> None:
    back = await desk.away()
    mine = desk.web.cookies[AWAY_COOKIE]
    query = parse_qs(urlsplit(back).query)
    async with httpx.AsyncClient(base_url=desk.web.base_url, headers=HTML) as thief:
        assert (await thief.get(back)).status_code == 401  # the address alone is worth nothing
        assert COOKIE not in thief.cookies
    entered = await desk.web.get(back)
    assert entered.status_code == 303
    desk.web.cookies.clear()
    desk.web.cookies.set(AWAY_COOKIE, mine, path="/console")
    assert (await desk.web.get(back)).status_code == 401
    # A code that came to somebody else's login (login CSRF): the state does not fit.
    await desk.web.get(START)
    planted = await desk.web.get(
        f"/console/login/oidc/back?code={query['code'][0]}&state={query['state'][0]}"
    )
    assert planted.status_code == 401
    back = await desk.away()
    mixed = await desk.web.get(back.replace(f"iss={desk.provider.issuer[:4]}", "iss=evil"))
    assert mixed.status_code == 401
    assert not await desk.is_in()
    later = await desk.away()
    await desk.house.rows("UPDATE login_flow SET ends_at = now() - interval '1 second'")
    assert (await desk.web.get(later)).status_code == 401


async def test_it_leads_within_the_console_only(desk: Desk) -> None:
    for where in ("//evil.example", "https://evil.example", "/console/login"):
        entered = await desk.logs_in(f"/console/login/oidc?next={where}")
        assert entered.headers["location"] == "/console"


async def test_who_turned_back_or_was_refused_is_told(desk: Desk) -> None:
    desk.provider.refuses = "access_denied"
    refused = await desk.logs_in()
    assert refused.status_code == 401
    assert "did not let you in, or you stopped it" in refused.text
    desk.provider.refuses = ""
    back = await desk.away()
    desk.provider.codes.clear()
    assert (await desk.web.get(back)).status_code == 401  # the provider does not know the code


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "does not answer: try again in a moment, or use your password"),
        ("it", "non risponde: riprova tra un momento, o usa la password"),
        ("es", "no responde: inténtalo en un momento, o usa tu contraseña"),
        ("pt", "não responde: tente daqui a pouco, ou use a sua palavra-passe"),
    ],
)
async def test_a_provider_that_does_not_answer_leaves_the_password(
    desk: Desk, language: str, words: str
) -> None:
    desk.provider.down = True
    answer = await desk.web.get(START, headers={"Accept-Language": language})
    assert answer.status_code == 503
    assert words in answer.text
    assert 'type="password"' in answer.text


@pytest.mark.parametrize(
    "lie",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://evil.example/token"},
        {"authorization_endpoint": None},
        {"jwks_uri": "file:///etc/passwd"},
    ],
)
async def test_a_document_that_is_not_the_issuers_is_refused(desk: Desk, lie: dict[str, str | None]) -> None:
    desk.provider.metadata = lie
    assert (await desk.web.get(START)).status_code == 503


async def test_who_is_at_home_elsewhere_still_needs_the_business(desk: Desk, house: House) -> None:
    assert (await desk.logs_in()).status_code == 303
    answer = await desk.web.get(f"/console/{house.business}", headers={"Accept": "application/json"})
    assert answer.status_code == 404


async def test_without_a_provider_there_is_no_such_page(house: House) -> None:
    async with httpx.AsyncClient(base_url=house.url, headers=HTML) as web:
        assert "/console/login/oidc" not in (await web.get("/console/login")).text
        assert (await web.get("/console/login/oidc")).status_code == 404


def test_the_settings_say_what_is_missing() -> None:
    assert provider_of(load()) is None
    assert provider_of(load(oidc_issuer="")) is None
    for wrong in ("http://login.example.com", "login.example.com", "https://", "https://x.example?a=b"):
        with pytest.raises(ValidationError, match="https address of an issuer"):
            load(oidc_issuer=wrong, oidc_client_id="sara")
    with pytest.raises(ValidationError, match="SARA_OIDC_ISSUER is set"):
        load(oidc_issuer="https://login.example.com")
    known = provider_of(load(oidc_issuer="https://login.example.com/realms/a", oidc_client_id="sara"))
    assert known is not None
    assert known.name == "login.example.com"
    assert is_private_way("http://[::1]:8080/realms/a")
