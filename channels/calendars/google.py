"""A Google Calendar by its REST interface, version 3.

https://developers.google.com/workspace/calendar/api/v3/reference/events; access tokens come from a refresh
token, https://developers.google.com/identity/protocols/oauth2/web-server#offline.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from datetime import time as clock
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import httpx

from channels.calendars.calendar import OURS, Busy, Event
from channels.calendars.errors import CalendarRefused, CalendarUnreachable, CalendarUnreadable

API = "https://www.googleapis.com/calendar/v3"
TOKENS = "https://oauth2.googleapis.com/token"
_MOST_PAGES = 20
_EARLY_S = 60.0  # a token is renewed so long before its end
# An event's id is made of 0-9 and a-v, so a uid goes in with its hyphens as "v".
_OURS = OURS.replace("-", "v")


@dataclass(frozen=True)
class Client:
    """The OAuth client an installation is at Google, and where Google answers."""

    client_id: str
    client_secret: str
    api: str = API
    tokens: str = TOKENS


class GoogleCalendar:
    """One calendar by its id; `refresh_token` was given by its owner."""

    def __init__(
        self, http: httpx.AsyncClient, client: Client, *, calendar_id: str, refresh_token: str, zone: str
    ) -> None:
        self._http = http
        self._client = client
        self._events = f"{client.api.rstrip('/')}/calendars/{quote(calendar_id, safe='')}/events"
        self._refresh_token = refresh_token
        self._zone = zone
        self._token: tuple[str, float] | None = None

    async def put(self, event: Event) -> None:
        """Writes an event, or over the one of the same uid. Raises CalendarError."""
        body = {
            "id": _id(event.uid),
            "summary": event.title,
            "description": event.notes,
            "location": event.place,
            "start": {"dateTime": event.starts.astimezone(UTC).isoformat(), "timeZone": event.zone},
            "end": {"dateTime": event.ends.astimezone(UTC).isoformat(), "timeZone": event.zone},
            "status": "confirmed",
            "reminders": {"useDefault": False},
        }
        # An id is used up for good, also by an event that was deleted: that one is written over.
        made = await self._send("POST", self._events, json=body, fine=(409,))
        if made.status_code == 409:
            await self._send("PUT", f"{self._events}/{_id(event.uid)}", json=body)

    async def remove(self, uid: str) -> None:
        """Takes an event of ours out; one that is not there is no error. Raises CalendarError."""
        await self._send("DELETE", f"{self._events}/{_id(uid)}", fine=(404, 410))

    async def busy(self, since: datetime, until: datetime) -> Sequence[Busy]:
        """What others wrote that takes time in [since, until). Raises CalendarError."""
        found: list[Busy] = []
        query = {
            "timeMin": since.astimezone(UTC).isoformat(),
            "timeMax": until.astimezone(UTC).isoformat(),
            "singleEvents": "true",
            "maxResults": "2500",
        }
        for _ in range(_MOST_PAGES):
            page = _object(await self._send("GET", self._events, params=query))
            items = page.get("items", [])
            if not isinstance(items, list):
                raise CalendarUnreadable(CalendarUnreadable.__doc__)
            found += [span for item in items if (span := self._span(item)) is not None]
            if not page.get("nextPageToken"):
                return found
            query["pageToken"] = str(page["nextPageToken"])
        return found

    def _span(self, item: Any) -> Busy | None:
        if not isinstance(item, Mapping):
            raise CalendarUnreadable(CalendarUnreadable.__doc__)
        uid = str(item.get("id", ""))
        free = item.get("transparency") == "transparent" or item.get("status") == "cancelled"
        answers = [a.get("responseStatus") for a in item.get("attendees", []) if a.get("self")]
        refused = "declined" in answers
        if uid.startswith(_OURS) or free or refused:
            return None
        try:
            starts, ends = self._moment(item["start"]), self._moment(item["end"])
        except (KeyError, TypeError, ValueError) as error:
            raise CalendarUnreadable(CalendarUnreadable.__doc__) from error
        return Busy(uid, starts, ends) if ends > starts else None

    def _moment(self, told: Mapping[str, str]) -> datetime:
        """A moment, or the midnight a whole day begins with where the resource is."""
        if "date" in told:
            day = date.fromisoformat(told["date"])
            return datetime.combine(day, clock(0), ZoneInfo(self._zone)).astimezone(UTC)
        moment = datetime.fromisoformat(told["dateTime"])
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=ZoneInfo(told.get("timeZone") or self._zone))
        return moment.astimezone(UTC)

    async def _send(
        self,
        method: str,
        url: str,
        *,
        json: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
        fine: tuple[int, ...] = (),
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {await self._access()}"}
        answer = await self._ask(method, url, json=json, params=params, headers=headers)
        if answer.status_code == 401:  # withdrawn before its time: once more with a new one
            self._token = None
            headers = {"Authorization": f"Bearer {await self._access()}"}
            answer = await self._ask(method, url, json=json, params=params, headers=headers)
        return _checked(answer, fine)

    async def _access(self) -> str:
        """A token that is good for at least a minute."""
        if self._token is not None and time.monotonic() < self._token[1] - _EARLY_S:
            return self._token[0]
        form = {
            "grant_type": "refresh_token",
            "refresh_token": self._refresh_token,
            "client_id": self._client.client_id,
            "client_secret": self._client.client_secret,
        }
        told = _object(_checked(await self._ask("POST", self._client.tokens, data=form), ()))
        try:
            self._token = (str(told["access_token"]), time.monotonic() + float(told.get("expires_in", 300)))
        except (KeyError, TypeError, ValueError) as error:
            raise CalendarUnreadable(CalendarUnreadable.__doc__) from error
        return self._token[0]

    async def _ask(self, method: str, url: str, **what: Any) -> httpx.Response:
        try:
            return await self._http.request(method, url, **what)
        except httpx.HTTPError as error:
            raise CalendarUnreachable(f"{CalendarUnreachable.__doc__} ({type(error).__name__})") from error


def _id(uid: str) -> str:
    return uid.replace("-", "v")


def _checked(answer: httpx.Response, fine: tuple[int, ...]) -> httpx.Response:
    if answer.is_success or answer.status_code in fine:
        return answer
    # 403 is also how Google says that a quota is used up; that passes.
    forbidden = answer.status_code == 403 and "ateLimit" not in answer.text
    if forbidden or answer.status_code in (400, 401, 404, 410):
        raise CalendarRefused(f"{CalendarRefused.__doc__} (HTTP {answer.status_code})")
    raise CalendarUnreachable(f"{CalendarUnreachable.__doc__} (HTTP {answer.status_code})")


def _object(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        told = answer.json()
    except ValueError as error:
        raise CalendarUnreadable(CalendarUnreadable.__doc__) from error
    if not isinstance(told, Mapping):
        raise CalendarUnreadable(CalendarUnreadable.__doc__)
    return told
