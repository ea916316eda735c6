"""Calendars outside: text that any app reads, a real CalDAV server, Google's wire format."""

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import icalendar
import pytest
import pytest_asyncio
from fastapi import FastAPI, Request, Response

from channels.calendars.caldav import CalDav
from channels.calendars.calendar import Calendar, Event, uid_of
from channels.calendars.errors import CalendarRefused, CalendarUnreachable, CalendarUnreadable
from channels.calendars.google import Client, GoogleCalendar
from channels.calendars.ical import busy_spans, feed, single

ROME = "Europe/Rome"
NOON = datetime(2026, 11, 20, 11, 0, tzinfo=UTC)
DAY = (NOON - timedelta(hours=12), NOON + timedelta(hours=12))
EVENT = Event(
    uid=uid_of(7, 1),
    starts=NOON,
    ends=NOON + timedelta(minutes=50),
    zone=ROME,
    title="Massaggio rilassante – Anna; Rossi, 💆",
    notes="+393331112222\nSARA #7",
    place="Aurora, Via Orti 14",
    changed_at=NOON - timedelta(days=2),
)


def written(uid: str, lines: str) -> str:
    """An event of somebody else's, as an app writes it."""
    return (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\nBEGIN:VEVENT\r\n"
        f"UID:{uid}\r\nDTSTAMP:20261101T000000Z\r\n{lines}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )


def test_a_feed_is_read_back_by_another_program() -> None:
    text = feed([EVENT, replace(EVENT, uid=uid_of(8, 1))], name="Giulia", refresh=timedelta(minutes=15))
    read = icalendar.Calendar.from_ical(text)
    first, second = read.walk("VEVENT")
    assert (first.start, first.end) == (EVENT.starts, EVENT.ends)
    assert first["summary"] == EVENT.title
    assert first["description"] == EVENT.notes
    assert first["uid"] != second["uid"]
    assert b"METHOD:PUBLISH" in text
    assert b"METHOD" not in single(EVENT)
    assert all(len(line) <= 75 for line in text.split(b"\r\n"))


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("DTSTART:20261120T100000Z\r\nDTEND:20261120T113000Z", [("10:00", "11:30")]),
        ("DTSTART;TZID=Europe/Rome:20261120T100000\r\nDURATION:PT45M", [("09:00", "09:45")]),
        ("DTSTART:20261120T100000\r\nDTEND:20261120T110000", [("09:00", "10:00")]),  # the clock in Rome
        ("DTSTART;VALUE=DATE:20261120\r\nDTEND;VALUE=DATE:20261121", [("23:00", "23:00")]),
        ("DTSTART:20261106T100000Z\r\nDTEND:20261106T110000Z\r\nRRULE:FREQ=WEEKLY", [("10:00", "11:00")]),
        (
            "DTSTART:20261106T100000Z\r\nDTEND:20261106T110000Z\r\nRRULE:FREQ=WEEKLY"
            "\r\nEXDATE:20261120T100000Z",
            [],
        ),
        ("DTSTART:20261120T100000Z\r\nDTEND:20261120T110000Z\r\nTRANSP:TRANSPARENT", []),
        ("DTSTART:20261120T100000Z\r\nDTEND:20261120T110000Z\r\nSTATUS:CANCELLED", []),
        ("DTSTART:20261125T100000Z\r\nDTEND:20261125T110000Z", []),
    ],
)
def test_what_others_write_blocks_its_time(lines: str, expected: list[tuple[str, str]]) -> None:
    spans = busy_spans(written("dentist", lines), since=DAY[0], until=DAY[1], zone=ROME)
    assert [
        (f"{s.starts.astimezone(UTC):%H:%M}", f"{s.ends.astimezone(UTC):%H:%M}") for s in spans
    ] == expected


def test_our_own_events_block_nothing_and_nonsense_is_refused() -> None:
    assert busy_spans(single(EVENT), since=DAY[0], until=DAY[1], zone=ROME) == []
    with pytest.raises(CalendarUnreadable):
        busy_spans("<html>login</html>", since=DAY[0], until=DAY[1], zone=ROME)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


async def serve_radicale(folder: Path, port: int) -> subprocess.Popen[bytes]:
    """A real Radicale on loopback; its user is `sara`, its password `secret`."""
    (folder / "users").write_text("sara:secret\n")
    (folder / "config").write_text(
        f"[server]\nhosts = 127.0.0.1:{port}\n[auth]\ntype = htpasswd\nhtpasswd_filename = {folder}/users\n"
        f"htpasswd_encryption = plain\ndelay = 0\n[storage]\nfilesystem_folder = {folder}/store\n"
        "[logging]\nlevel = error\n"
    )
    command = [sys.executable, "-m", "radicale", "--config", str(folder / "config")]
    server = await asyncio.to_thread(subprocess.Popen, command)
    async with httpx.AsyncClient(auth=("sara", "secret")) as http:
        for _ in range(200):
            try:
                await http.get(f"http://127.0.0.1:{port}/")
                break
            except httpx.HTTPError:
                await asyncio.sleep(0.1)
        made = await http.request("MKCALENDAR", f"http://127.0.0.1:{port}/sara/giulia/")
        assert made.status_code == 201
    return server


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def radicale(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    port = free_port()
    server = await serve_radicale(tmp_path_factory.mktemp("radicale"), port)
    try:
        yield f"http://127.0.0.1:{port}/sara/giulia/"
    finally:
        server.terminate()
        server.wait(timeout=10)


@pytest_asyncio.fixture(loop_scope="session")
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=10) as client:
        yield client


async def events_in(http: httpx.AsyncClient, url: str) -> list[icalendar.Component]:
    """What the server itself hands out for the whole collection."""
    answer = await http.get(url, auth=("sara", "secret"))
    return list(icalendar.Calendar.from_ical(answer.text).walk("VEVENT")) if answer.text.strip() else []


async def test_an_event_appears_moves_and_disappears_in_radicale(
    http: httpx.AsyncClient, radicale: str
) -> None:
    calendar: Calendar = CalDav(http, url=radicale, username="sara", password="secret", zone=ROME)
    await calendar.put(EVENT)
    [shown] = await events_in(http, radicale)
    assert (shown.start, shown["summary"]) == (NOON, EVENT.title)
    later = timedelta(hours=3)
    await calendar.put(replace(EVENT, starts=NOON + later, ends=EVENT.ends + later))
    [shown] = await events_in(http, radicale)
    assert shown.start == NOON + later
    await calendar.remove(EVENT.uid)
    assert await events_in(http, radicale) == []
    await calendar.remove(EVENT.uid)  # gone already


async def test_radicale_tells_what_others_wrote(http: httpx.AsyncClient, radicale: str) -> None:
    calendar: Calendar = CalDav(http, url=radicale, username="sara", password="secret", zone=ROME)
    await calendar.put(EVENT)
    for uid, lines in (
        ("dentist", "DTSTART;TZID=Europe/Rome:20261120T150000\r\nDTEND;TZID=Europe/Rome:20261120T160000"),
        ("yoga", "DTSTART:20261002T070000Z\r\nDTEND:20261002T080000Z\r\nRRULE:FREQ=WEEKLY"),
        ("free", "DTSTART:20261120T090000Z\r\nDTEND:20261120T100000Z\r\nTRANSP:TRANSPARENT"),
    ):
        put = await http.put(f"{radicale}{uid}.ics", content=written(uid, lines), auth=("sara", "secret"))
        assert put.status_code == 201
    found = sorted(await calendar.busy(*DAY), key=lambda span: span.starts)
    assert [(span.uid, f"{span.starts:%H:%M}") for span in found] == [("yoga", "07:00"), ("dentist", "14:00")]
    for uid in ("dentist", "yoga", "free"):
        await http.delete(f"{radicale}{uid}.ics", auth=("sara", "secret"))
    await calendar.remove(EVENT.uid)


async def test_a_wrong_password_is_for_the_operator_and_an_outage_passes(
    http: httpx.AsyncClient, radicale: str
) -> None:
    wrong = CalDav(http, url=radicale, username="sara", password="guess", zone=ROME)
    with pytest.raises(CalendarRefused):
        await wrong.busy(*DAY)
    away = CalDav(http, url=f"http://127.0.0.1:{free_port()}/x/", username="s", password="p", zone=ROME)
    with pytest.raises(CalendarUnreachable) as failure:
        await away.put(EVENT)
    assert failure.value.retryable


class Google:
    """Google's documented wire format, as far as it is used: tokens that end, ids that stay used up."""

    def __init__(self) -> None:
        self.tokens: set[str] = set()
        self.made = 0
        self.events: dict[str, dict[str, Any]] = {}
        self.quota = 0
        self.app = FastAPI()
        self.app.add_api_route("/token", self._token, methods=["POST"])
        path = "/calendar/v3/calendars/{calendar}/events"
        self.app.add_api_route(path, self._insert, methods=["POST"])
        self.app.add_api_route(path, self._list, methods=["GET"])
        self.app.add_api_route(path + "/{event}", self._update, methods=["PUT"])
        self.app.add_api_route(path + "/{event}", self._delete, methods=["DELETE"])

    async def _token(self, request: Request) -> Response:
        form = dict(await request.form())
        if form.get("refresh_token") != "given" or form.get("grant_type") != "refresh_token":
            return Response(json.dumps({"error": "invalid_grant"}), 400)
        self.made += 1
        token = f"access{self.made}"
        self.tokens.add(token)
        return Response(json.dumps({"access_token": token, "expires_in": 3599, "token_type": "Bearer"}))

    def _refuses(self, request: Request) -> Response | None:
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return Response(json.dumps({"error": {"code": 401}}), 401)
        if self.quota:
            self.quota -= 1
            return Response('{"error": {"errors": [{"reason": "rateLimitExceeded"}], "code": 403}}', 403)
        return None

    async def _insert(self, request: Request, calendar: str) -> Response:
        if refused := self._refuses(request):
            return refused
        body = await request.json()
        assert set(body["id"]) <= set("0123456789abcdefghijklmnopqrstuv")
        if body["id"] in self.events:
            return Response(json.dumps({"error": {"code": 409, "errors": [{"reason": "duplicate"}]}}), 409)
        self.events[body["id"]] = body
        return Response(json.dumps(body))

    async def _update(self, request: Request, calendar: str, event: str) -> Response:
        if refused := self._refuses(request):
            return refused
        self.events[event] = await request.json()
        return Response(json.dumps(self.events[event]))

    async def _delete(self, request: Request, calendar: str, event: str) -> Response:
        if refused := self._refuses(request):
            return refused
        if event not in self.events:
            return Response(json.dumps({"error": {"code": 404}}), 404)
        if self.events[event]["status"] == "cancelled":
            return Response(json.dumps({"error": {"code": 410}}), 410)
        self.events[event]["status"] = "cancelled"
        return Response(status_code=204)

    async def _list(self, request: Request, calendar: str) -> Response:
        if refused := self._refuses(request):
            return refused
        assert request.query_params["singleEvents"] == "true"
        items = list(self.events.values())
        half = len(items) // 2
        first = {"items": items[:half], "nextPageToken": "more"}
        page = {"items": items[half:]} if request.query_params.get("pageToken") else first
        return Response(json.dumps(page))


@pytest_asyncio.fixture(loop_scope="session")
async def google() -> AsyncIterator[tuple[Google, GoogleCalendar]]:
    fake = Google()
    transport = httpx.ASGITransport(fake.app)
    async with httpx.AsyncClient(transport=transport) as client:
        where = Client("id", "secret", "http://google/calendar/v3", "http://google/token")
        yield (
            fake,
            GoogleCalendar(client, where, calendar_id="a@b.example", refresh_token="given", zone=ROME),
        )


async def test_an_event_appears_moves_and_disappears_at_google(google: tuple[Google, GoogleCalendar]) -> None:
    fake, calendar = google
    await calendar.put(EVENT)
    [shown] = fake.events.values()
    assert shown["start"] == {"dateTime": "2026-11-20T11:00:00+00:00", "timeZone": ROME}
    await calendar.put(replace(EVENT, starts=NOON + timedelta(hours=1), ends=EVENT.ends + timedelta(hours=1)))
    [shown] = fake.events.values()
    assert shown["start"]["dateTime"] == "2026-11-20T12:00:00+00:00"
    await calendar.remove(EVENT.uid)
    await calendar.remove(EVENT.uid)
    assert [event["status"] for event in fake.events.values()] == ["cancelled"]
    await calendar.put(EVENT)  # its id is used up, and used again
    assert [event["status"] for event in fake.events.values()] == ["confirmed"]
    assert fake.made == 1


async def test_google_tells_what_others_wrote(google: tuple[Google, GoogleCalendar]) -> None:
    fake, calendar = google
    await calendar.put(EVENT)
    others: list[dict[str, Any]] = [
        {"id": "one", "status": "confirmed", "start": {"dateTime": "2026-11-20T15:00:00+01:00"},
         "end": {"dateTime": "2026-11-20T16:00:00+01:00"}},
        {"id": "day", "status": "confirmed", "start": {"date": "2026-11-20"}, "end": {"date": "2026-11-21"}},
        {"id": "free", "status": "confirmed", "transparency": "transparent",
         "start": {"date": "2026-11-20"}, "end": {"date": "2026-11-21"}},
        {"id": "gone", "status": "cancelled"},
        {"id": "no", "status": "confirmed", "attendees": [{"self": True, "responseStatus": "declined"}],
         "start": {"date": "2026-11-20"}, "end": {"date": "2026-11-21"}},
    ]  # fmt: skip
    fake.events |= {event["id"]: event for event in others}
    found = {span.uid: span.starts for span in await calendar.busy(*DAY)}
    midnight = datetime(2026, 11, 20, tzinfo=ZoneInfo(ROME)).astimezone(UTC)
    assert found == {"one": datetime(2026, 11, 20, 14, tzinfo=UTC), "day": midnight}


async def test_a_withdrawn_token_is_renewed_and_a_quota_passes(google: tuple[Google, GoogleCalendar]) -> None:
    fake, calendar = google
    await calendar.busy(*DAY)
    fake.tokens.clear()
    await calendar.busy(*DAY)
    assert fake.made == 2
    fake.quota = 1
    with pytest.raises(CalendarUnreachable):
        await calendar.busy(*DAY)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(fake.app)) as client:
        where = Client("id", "secret", "http://google/calendar/v3", "http://google/token")
        taken_back = GoogleCalendar(client, where, calendar_id="x", refresh_token="old", zone=ROME)
        with pytest.raises(CalendarRefused):
            await taken_back.busy(*DAY)
