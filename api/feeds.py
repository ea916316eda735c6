"""The calendar feed of a person or a room: any calendar app subscribes to its address."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from api.state import services_of
from channels.calendars.ical import feed
from crm import calendars
from crm.errors import UnknownCalendar
from jobs.calendars import event_of

router = APIRouter(tags=["calendar"])

_BACK = timedelta(days=30)
_REFRESH = timedelta(minutes=15)


@router.get("/calendars/{token}.ics", response_class=Response)
async def calendar(
    request: Request, token: Annotated[str, Path(min_length=20, max_length=100, pattern=r"^[\w-]+$")]
) -> Response:
    """Appointments from a month ago on. The address is the key: who has it may read; it can be made anew."""
    services = services_of(request)
    async with services.crm.outside() as tx:
        found = await calendars.of_feed(tx, token)
    async with services.crm.transaction(found.business_id) as tx:
        row = await calendars.get(tx, found.resource_id)
        if row is None:
            raise UnknownCalendar(UnknownCalendar.__doc__)
        booked = await calendars.feed(tx, found.resource_id, tx.now - _BACK)
    shown = [event_of(each, found.business_id, row.time_zone) for each in booked]
    return Response(
        feed(shown, name=row.resource_name, refresh=_REFRESH),
        media_type="text/calendar; charset=utf-8",
        headers={"Cache-Control": "private, max-age=300", "X-Robots-Tag": "noindex"},
    )
