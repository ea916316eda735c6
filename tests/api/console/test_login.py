"""Logging in: what a session is, when it ends, what guessing and foreign pages get."""

import asyncio
import threading
import time

import httpx
import pytest

from crm import logins, passwords
from crm.passwords import WeakPassword
from sara.local import Local
from tests.api.console.people import JSON, PASSWORD, Agent, enter, log_in, somebody_waits

HTML = {"Accept": "text/html"}


async def rows(whole: Local, statement: str, *values: object) -> int:
    async with whole.crm.as_owner() as tx:
        return (await tx.connection.execute(statement, values)).rowcount  # type: ignore[call-overload]


async def test_pages_lead_to_the_login_and_back(whole: Local, elena: Agent) -> None:
    async with httpx.AsyncClient(base_url=whole.url, headers=HTML) as web:
        asked = await web.get("/console/aurora?view=all")
        assert asked.status_code == 303
        where = asked.headers["location"]
        assert where == "/console/login?next=/console/aurora%3Fview%3Dall"
        answer = await web.post(where, data={"email": elena.email, "password": PASSWORD})
        assert (answer.status_code, answer.headers["location"]) == (303, "/console/aurora?view=all")
        kept = answer.headers["set-cookie"]
        assert "HttpOnly" in kept
        assert "SameSite=lax" in kept
        assert "Path=/console" in kept
        assert "Secure" not in kept  # plain HTTP on loopback
        behind = await web.post(
            "/console/login",
            data={"email": elena.email, "password": PASSWORD},
            headers={"X-Forwarded-Proto": "https"},
        )
        assert "Secure" in behind.headers["set-cookie"]


@pytest.mark.parametrize(
    "where", ["https://evil.example/", "//evil.example", "/\\evil", "javascript:alert(1)", "/console/login"]
)
async def test_the_way_back_never_leaves_the_console(whole: Local, elena: Agent, where: str) -> None:
    async with httpx.AsyncClient(base_url=whole.url) as web:
        answer = await web.post(
            "/console/login", params={"next": where}, data={"email": elena.email, "password": PASSWORD}
        )
        assert answer.headers["location"] == "/console"


async def test_the_cookie_itself_is_nowhere_in_the_database(whole: Local, elena: Agent) -> None:
    cookie = elena.web.cookies["sara_session"]
    found = await rows(whole, "SELECT 1 FROM agent_session WHERE digest = %s", cookie.encode())
    assert found == 0


async def test_whoever_logs_out_is_out(whole: Local) -> None:
    agent = await enter(whole, "aurora")
    cookie = agent.web.cookies["sara_session"]
    answer = await agent.web.post("/console/logout", data={"csrf": agent.csrf})
    assert answer.headers["location"] == "/console/login"
    assert answer.headers["clear-site-data"] == '"storage"'  # drafts to customers
    agent.web.cookies.set("sara_session", cookie, path="/console")
    assert (await agent.web.get("/console/aurora", headers=JSON)).status_code == 401


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE agent_session SET ends_at = now() - interval '1 second' WHERE agent_id = %s",
        "UPDATE agent_session SET seen_at = now() - interval '5 hours' WHERE agent_id = %s",
        "UPDATE agent SET active = false WHERE agent_id = %s",
    ],
)
async def test_a_session_ends_with_its_time_with_idleness_and_with_its_agent(
    whole: Local, change: str
) -> None:
    agent = await enter(whole, "aurora")
    waiting = await somebody_waits(whole)
    assert await rows(whole, change, agent.agent_id) == 1
    refused = await agent.act(waiting.conversation_id, "send", text="Eccomi")
    assert (refused.status_code, refused.json()["error"]) == (401, "LoginNeeded")


async def test_a_new_password_ends_every_session_and_a_disabled_agent_is_out(whole: Local) -> None:
    agent = await enter(whole, "aurora")
    async with whole.crm.as_owner() as tx:
        await logins.set_password(tx, agent.email, PASSWORD + "!")
    assert (await agent.web.get("/console/aurora", headers=JSON)).status_code == 401
    again = await log_in(whole, "aurora", agent.email, PASSWORD + "!")
    async with whole.crm.as_owner() as tx:
        await logins.disable(tx, agent.email)
    assert (await again.web.get("/console/aurora", headers=JSON)).status_code == 401
    async with httpx.AsyncClient(base_url=whole.url) as web:
        answer = await web.post("/console/login", data={"email": agent.email, "password": PASSWORD + "!"})
        assert answer.status_code == 401


async def test_a_form_that_comes_after_its_session_leads_to_the_login_and_back(whole: Local) -> None:
    admin = await enter(whole, "aurora", role="admin")
    where = f"{admin.base}/settings/patience"
    await rows(whole, "DELETE FROM agent_session WHERE agent_id = %s", admin.agent_id)
    for referer, back in (
        (f"{whole.url}/console/aurora/settings?saved=hours", "/console/aurora/settings"),
        ("https://evil.example/console/aurora", "/console"),
        (f"{whole.url}//evil.example", "/console"),
        ("http://[", "/console"),
    ):
        answer = await admin.web.post(where, data={"csrf": admin.csrf}, headers={**HTML, "Referer": referer})
        assert answer.status_code == 401, referer
        assert answer.headers["content-type"].startswith("text/html")
        assert "has to be entered again" in answer.text
        assert f'action="/console/login?next={back}"' in answer.text, referer
    assert (await admin.web.get("/console/me/session")).status_code == 401


async def test_a_form_of_another_session_is_refused_in_ones_language_and_its_script_gets_the_token(
    whole: Local, elena: Agent
) -> None:
    headers = {**HTML, "Accept-Language": "it", "Referer": f"{whole.url}/console/aurora/contacts/1"}
    answer = await elena.web.post(f"{elena.base}/contacts/1", data={"csrf": "x"}, headers=headers)
    assert answer.status_code == 403
    assert "Questo modulo non appartiene alla tua sessione" in answer.text
    assert 'href="/console/aurora/contacts/1">Ricarica la pagina' in answer.text
    told = await elena.web.post(f"{elena.base}/contacts/1", data={"csrf": "x"}, headers=JSON)
    assert (told.status_code, told.json()["error"]) == (403, "ForeignForm")
    session = await elena.web.get("/console/me/session")
    assert session.json() == {"agent": elena.agent_id, "csrf": elena.csrf}
    assert session.headers["cache-control"] == "no-store"
    foreign = {"Sec-Fetch-Site": "cross-site"}
    assert (await elena.web.get("/console/me/session", headers=foreign)).status_code == 403


async def test_guessing_is_stopped_even_when_the_guess_is_right_at_last(whole: Local) -> None:
    agent = await enter(whole, "aurora")
    async with httpx.AsyncClient(base_url=whole.url, headers={"Accept-Language": "en"}) as web:
        for _ in range(logins.MOST_FAILURES):
            wrong = await web.post("/console/login", data={"email": agent.email, "password": "guess"})
            assert wrong.status_code == 401
        right = await web.post("/console/login", data={"email": agent.email.upper(), "password": PASSWORD})
        assert right.status_code == 429
        assert "Too many failed logins" in right.text
    async with whole.crm.as_owner() as tx:
        await logins.set_password(tx, agent.email, PASSWORD)
    await log_in(whole, "aurora", agent.email)
    await rows(whole, "DELETE FROM login_failure")


async def test_guesses_are_counted_however_the_address_is_spelt(whole: Local) -> None:
    agent = await enter(whole, "aurora")
    spelt = [
        agent.email[:at].upper() + "\x00" * (at % 3) + agent.email[at:] + " " * (at % 2)
        for at in range(1, 20)
    ]
    async with httpx.AsyncClient(base_url=whole.url) as web:
        answers = [
            (await web.post("/console/login", data={"email": one, "password": "guess"})).status_code
            for one in spelt
        ]
        right = await web.post("/console/login", data={"email": agent.email, "password": PASSWORD})
    most = logins.MOST_FAILURES
    assert answers == [401] * most + [429] * (len(spelt) - most)
    assert right.status_code == 429
    await rows(whole, "DELETE FROM login_failure")


async def test_guesses_sent_at_once_are_counted_like_guesses_in_turn(whole: Local) -> None:
    agent = await enter(whole, "aurora")

    async def guess(web: httpx.AsyncClient) -> int:
        return (
            await web.post("/console/login", data={"email": agent.email, "password": "guess"})
        ).status_code

    async with httpx.AsyncClient(base_url=whole.url) as web:
        answers = await asyncio.gather(*(guess(web) for _ in range(3 * logins.MOST_FAILURES)))
    assert sorted(answers) == [401] * logins.MOST_FAILURES + [429] * 2 * logins.MOST_FAILURES
    await rows(whole, "DELETE FROM login_failure")


async def test_logins_that_succeed_do_not_count_against_their_network(whole: Local) -> None:
    await rows(whole, "DELETE FROM login_failure")
    agent = await enter(whole, "aurora")
    for _ in range(3):
        await log_in(whole, "aurora", agent.email)
    assert await rows(whole, "SELECT 1 FROM login_failure") == 0


async def test_only_so_many_passwords_are_checked_at_once(
    whole: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A check takes 64 MiB: whoever sends a hundred passwords must not fill the memory with them."""
    running, most, counting = 0, 0, threading.Lock()

    def fits(_: str, __: str | None) -> bool:
        nonlocal running, most
        with counting:
            running += 1
            most = max(most, running)
        time.sleep(0.05)
        with counting:
            running -= 1
        return False

    monkeypatch.setattr(passwords, "fits", fits)
    async with httpx.AsyncClient(base_url=whole.url) as web:
        sent = [
            web.post("/console/login", data={"email": f"nobody{number}@x.example", "password": "guess"})
            for number in range(20)
        ]
        answers = [answer.status_code for answer in await asyncio.gather(*sent)]
    assert set(answers) == {401}
    assert most == 2
    await rows(whole, "DELETE FROM login_failure")


async def test_who_exists_is_not_told(whole: Local, elena: Agent) -> None:
    async with httpx.AsyncClient(base_url=whole.url) as web:
        known = await web.post("/console/login", data={"email": elena.email, "password": "no"})
        nobody = await web.post("/console/login", data={"email": "nobody@console.example", "password": "no"})
        strange = await web.post("/console/login", data={"email": "a\x00b", "password": "\x00"})
    assert (known.status_code, nobody.status_code, strange.status_code) == (401, 401, 401)
    assert known.text.replace(elena.email, "") == nobody.text.replace("nobody@console.example", "")
    await rows(whole, "DELETE FROM login_failure")


async def test_a_form_without_the_sessions_token_changes_nothing(
    whole: Local, elena: Agent, davide: Agent
) -> None:
    waiting = await somebody_waits(whole)
    where = f"/console/aurora/c/{waiting.conversation_id}/claim"
    for token in ("", "x", davide.csrf):
        assert (await elena.web.post(where, data={"csrf": token}, headers=JSON)).status_code == 403
    assert "free" in await elena.page(f"/c/{waiting.conversation_id}", part="conversation")


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}]
)
async def test_another_site_can_neither_act_nor_log_somebody_in(
    whole: Local, elena: Agent, headers: dict[str, str]
) -> None:
    waiting = await somebody_waits(whole)
    where = f"/console/aurora/c/{waiting.conversation_id}/claim"
    assert (await elena.web.post(where, data={"csrf": elena.csrf}, headers=headers)).status_code == 403
    async with httpx.AsyncClient(base_url=whole.url) as web:
        sent = {"email": elena.email, "password": PASSWORD}
        assert (await web.post("/console/login", data=sent, headers=headers)).status_code == 403


async def test_a_form_larger_than_any_file_is_refused_before_it_is_read(whole: Local) -> None:
    host, _, port = whole.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        f"POST /console/login HTTP/1.1\r\nHost: {host}\r\nContent-Length: {18 * 2**20}\r\n\r\n".encode()
    )
    assert b" 413 " in await reader.readline()
    writer.close()


@pytest.mark.parametrize(
    ("length", "status"),
    [
        (f"Content-Length: {2**18 + 1}", 413),
        ("Transfer-Encoding: chunked", 411),
        ("Content-Length: 2", 401),
        ("X-No-Body: 1", 401),
    ],
)
async def test_the_api_reads_nothing_large_of_somebody_without_a_token(
    whole: Local, length: str, status: int
) -> None:
    host, _, port = whole.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    path = "/api/businesses/aurora/handoffs/1/reply"
    writer.write(f"POST {path} HTTP/1.1\r\nHost: {host}\r\n{length}\r\n\r\n".encode())
    if length.endswith(" 2"):
        writer.write(b"{}")
    assert f" {status} ".encode() in await asyncio.wait_for(reader.readline(), 10)
    writer.close()


def test_passwords_are_kept_as_argon2_and_short_ones_are_refused() -> None:
    kept = passwords.hashed(PASSWORD)
    assert kept.startswith("$argon2id$")
    assert passwords.fits(PASSWORD, kept)
    assert not passwords.fits(PASSWORD + " ", kept)
    assert not passwords.fits(PASSWORD, None)
    assert not passwords.fits(PASSWORD, "no hash")
    assert not passwords.outdated(kept)
    assert len(passwords.invented()) >= passwords.SHORTEST
    for bad in ("short", "", "x" * 257):
        with pytest.raises(WeakPassword):
            passwords.hashed(bad)
