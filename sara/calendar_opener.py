"""The way to calendars outside of SARA."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx

from channels.calendars.caldav import CalDav
from channels.calendars.calendar import Calendar
from channels.calendars.google import Client as GoogleClient
from channels.calendars.google import GoogleCalendar
from crm.calendars import CalendarRow
from crm.sealing import Seal
from sara.settings import Settings


@asynccontextmanager
async def calendar_opener(
    settings: Settings, key: Seal | None
) -> AsyncIterator[Callable[[CalendarRow], Calendar] | None]:
    """What opens a person's or a room's calendar outside; None where there is no `key` for its secret."""
    if key is None:
        yield None
        return
    client_secret = settings.google_client_secret.get_secret_value()
    google = GoogleClient(settings.google_client_id, client_secret, settings.google_calendar_url)
    async with httpx.AsyncClient(timeout=httpx.Timeout(10, connect=5)) as http:

        def opened(row: CalendarRow) -> Calendar:
            secret = key.open(row.secret or b"").decode()
            if row.provider == "google":
                return GoogleCalendar(
                    http, google, calendar_id=row.address, refresh_token=secret, zone=row.time_zone
                )
            return CalDav(http, url=row.address, username=row.username, password=secret, zone=row.time_zone)

        yield opened
