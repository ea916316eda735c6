"""How often one may ask: fair to each caller, the same for all of an address, never for webhooks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
from fastapi import FastAPI

from api.app import create_app
from api.limits import Buckets, Limits, site_of
from api.metrics import Metrics
from tests.api.house import House


class Clock:
    """Seconds, as the test sets them."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_holds_a_minutes_worth_and_fills_evenly() -> None:
    clock = Clock()
    buckets = Buckets(60, clock=clock)
    assert [buckets.wait_s(b"a") for _ in range(60)] == [0.0] * 60
    assert buckets.wait_s(b"a") == 1.0
    assert buckets.wait_s(b"b") == 0.0  # somebody else's is full
    clock.now += 0.5
    assert buckets.wait_s(b"a") == 0.5
    clock.now += 0.5
    assert buckets.wait_s(b"a") == 0.0
    clock.now += 3600
    assert [buckets.wait_s(b"a") for _ in range(61)].count(0.0) == 60  # no more than a minute's worth


def test_no_limit_remembers_nobody_and_a_limit_not_more_than_it_should() -> None:
    free = Buckets(0)
    assert [free.wait_s(b"a") for _ in range(1000)] == [0.0] * 1000
    assert len(free) == 0
    bounded = Buckets(1, clock=Clock(), most=3)
    assert [bounded.wait_s(key) for key in (b"a", b"b", b"c")] == [0.0] * 3
    assert bounded.wait_s(b"a") > 0
    bounded.wait_s(b"d")  # room for it is made of `b`, which was asked for longest ago
    assert len(bounded) == 3
    assert bounded.wait_s(b"a") > 0
    assert bounded.wait_s(b"b") == 0.0


def test_ipv6_is_counted_by_subscriber_and_wrapped_ipv4_as_what_it_is() -> None:
    assert site_of("2001:db8:1:2:aaaa::1") == site_of("2001:db8:1:2:bbbb::2")
    assert site_of("2001:db8:1:2::1") != site_of("2001:db8:1:3::1")
    assert site_of("::ffff:192.0.2.7") == site_of("192.0.2.7") != site_of("192.0.2.8")
    assert site_of("fe80::1%eth0") == site_of("fe80::2")
    assert site_of("?") == b"?"


@asynccontextmanager
async def limited(
    house: House, limits: Limits, address: str = "203.0.113.9"
) -> AsyncIterator[tuple[httpx.AsyncClient, Metrics]]:
    """The application with these limits, asked from `address`."""
    app: FastAPI = create_app(_never)
    metrics = Metrics()
    app.state.services = replace(house.app.state.services, limits=limits, metrics=metrics)
    transport = httpx.ASGITransport(app, client=(address, 4711))
    async with httpx.AsyncClient(transport=transport, base_url=house.url) as web:
        yield web, metrics


@asynccontextmanager
async def _never() -> AsyncIterator[None]:  # type: ignore[misc]
    raise AssertionError("the transport runs no lifespan")
    yield


async def test_one_caller_is_held_back_and_others_are_not(house: House) -> None:
    clock, path = Clock(), f"/api/businesses/{house.business}/handoffs"
    agent, admin = house.people["agent"][0], house.people["admin"][0]
    async with limited(house, Limits(caller=2, clock=clock)) as (web, metrics):
        tokens = [{"Authorization": f"Bearer {who.token}"} for who in (agent, admin)]
        assert [(await web.get(path, headers=tokens[0])).status_code for _ in range(3)] == [200, 200, 429]
        refused = await web.get(path, headers=tokens[0])
        assert refused.headers["retry-after"] == "30"
        assert refused.headers["cache-control"] == "no-store"
        assert refused.json() == {
            "error": "TooManyRequests",
            "detail": "Too many requests: wait as long as Retry-After says, then go on more slowly.",
        }
        assert (await web.get(path, headers=tokens[1])).status_code == 200
        clock.now += 30
        assert [(await web.get(path, headers=tokens[0])).status_code for _ in range(2)] == [200, 429]
        text = (await metrics.text(house.crm)).decode()
        assert 'sara_http_limited_total{reason="caller"} 3.0' in text
        assert 'route="other",status="429"' in text.replace(" ", "")


async def test_an_address_is_held_back_whatever_it_claims_to_be(house: House) -> None:
    path = f"/api/businesses/{house.business}/handoffs"
    async with limited(house, Limits(address=3, clock=Clock())) as (web, metrics):
        guesses = [{"Authorization": f"Bearer guess-{n}"} for n in range(5)]
        statuses = [(await web.get(path, headers=guess)).status_code for guess in guesses]
        assert statuses == [401, 401, 401, 429, 429]
        # Meta is never held back, and neither is what tells how the process is.
        for _ in range(5):
            hook = await web.post("/webhooks/whatsapp", content=b"{}")
            assert hook.status_code == 401
            assert (await web.get("/healthz")).status_code == 200
        assert (await web.get("/console/static/console.css")).status_code == 200
        page = await web.get("/console/login", headers={"Accept": "text/html"})
        assert (page.status_code, page.text) == (429, "Too many requests: wait 20 s.")
        assert (await web.get("/calendars/aaaaaaaaaaaaaaaaaaaaaaaa.ics")).status_code == 429
        assert 'reason="address"' in (await metrics.text(house.crm)).decode()


async def test_a_session_is_a_caller_like_a_token(house: House) -> None:
    agent, admin = house.people["agent"][0], house.people["admin"][0]
    path = f"/console/{house.business}/contacts"
    async with limited(house, Limits(caller=1, clock=Clock())) as (web, _):
        for who in (agent, admin):
            cookie = {"Cookie": who.headers["Cookie"]}
            answers = [(await web.get(path, headers=cookie)).status_code for _ in range(2)]
            assert answers == [200, 429]


async def test_the_settings_reach_the_application(house: House) -> None:
    limits = house.app.state.services.limits
    assert limits.refused("192.0.2.1", b"somebody") is None
    assert house.settings.limit_caller == 0
