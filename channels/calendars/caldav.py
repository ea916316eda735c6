"""A calendar collection on a CalDAV server (RFC 4791), over HTTP."""

from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import quote

import httpx
from lxml import etree

from channels.calendars.calendar import OURS, Busy, Event
from channels.calendars.errors import CalendarRefused, CalendarUnreachable, CalendarUnreadable
from channels.calendars.ical import busy_spans, single

_NS = {"D": "DAV:", "C": "urn:ietf:params:xml:ns:caldav"}
_REPORT = """<?xml version="1.0" encoding="utf-8"?>
<C:calendar-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">
  <D:prop><D:getetag/><C:calendar-data/></D:prop>
  <C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">
    <C:time-range start="{since}" end="{until}"/>
  </C:comp-filter></C:comp-filter></C:filter>
</C:calendar-query>"""
_REFUSED = (401, 403, 404, 405, 409, 410, 415)


class CalDav:
    """One collection; `url` is its address as the server's own pages show it."""

    def __init__(self, http: httpx.AsyncClient, *, url: str, username: str, password: str, zone: str) -> None:
        self._http = http
        self._url = url.rstrip("/") + "/"
        self._auth = httpx.BasicAuth(username, password)
        self._zone = zone

    async def put(self, event: Event) -> None:
        """Writes an event, or over the one of the same uid. Raises CalendarError."""
        await self._send(
            "PUT",
            self._of(event.uid),
            content=single(event),
            headers={"Content-Type": "text/calendar; charset=utf-8"},
        )

    async def remove(self, uid: str) -> None:
        """Takes an event of ours out; one that is not there is no error. Raises CalendarError."""
        await self._send("DELETE", self._of(uid), gone_is_fine=True)

    async def busy(self, since: datetime, until: datetime) -> Sequence[Busy]:
        """What others wrote that takes time in [since, until). Raises CalendarError."""
        body = _REPORT.format(since=_stamp(since), until=_stamp(until))
        answer = await self._send(
            "REPORT",
            self._url,
            content=body.encode(),
            headers={"Content-Type": "application/xml; charset=utf-8", "Depth": "1"},
        )
        try:
            # Whatever a server answers, no entity of it is followed.
            reader = etree.XMLParser(resolve_entities=False, no_network=True)
            found = etree.fromstring(answer.content, reader).findall(".//C:calendar-data", _NS)
        except (etree.XMLSyntaxError, ValueError) as error:
            raise CalendarUnreadable(CalendarUnreadable.__doc__) from error
        spans: list[Busy] = []
        for data in found:
            if data.text:
                spans += busy_spans(data.text, since=since, until=until, zone=self._zone, ours=OURS)
        return spans

    def _of(self, uid: str) -> str:
        return f"{self._url}{quote(uid, safe='')}.ics"

    async def _send(
        self,
        method: str,
        url: str,
        *,
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
        gone_is_fine: bool = False,
    ) -> httpx.Response:
        try:
            answer = await self._http.request(method, url, content=content, headers=headers, auth=self._auth)
        except httpx.HTTPError as error:
            raise CalendarUnreachable(f"{CalendarUnreachable.__doc__} ({type(error).__name__})") from error
        if answer.is_success or (gone_is_fine and answer.status_code in (404, 410)):
            return answer
        if answer.status_code in _REFUSED or answer.is_redirect:
            raise CalendarRefused(f"{CalendarRefused.__doc__} (HTTP {answer.status_code})")
        raise CalendarUnreachable(f"{CalendarUnreachable.__doc__} (HTTP {answer.status_code})")


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
