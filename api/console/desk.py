"""The desk: queue, thread and packet. `part` asks for fragments of the same page."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import AfterValidator

from api.console import view as shown_as
from api.console.access import LoggedIn, Seat, Seated
from api.console.pages import HEADERS, Pages
from api.state import ApiServices, services_of
from crm import console, messages, trail
from crm.console import View

LARGEST_ID = 2**63 - 1
Before = Annotated[int | None, Query(ge=1, le=LARGEST_ID)]


def without_nul(text: str) -> str:
    """What a text of the record can hold."""
    return text.replace("\x00", "")


Search = Annotated[str, Query(max_length=200), AfterValidator(without_nul)]


def scripted(request: Request) -> bool:
    """Whether the page's script asks, and shows the answer itself."""
    return "application/json" in request.headers.get("accept", "")


class Filters:
    """Which part of the queue is shown, and which conversation of it is open."""

    def __init__(
        self,
        view: View = "waiting",
        q: Search = "",
        queue: Annotated[str, Query(max_length=80)] = "",
        page: Annotated[int, Query(ge=1, le=10_000)] = 1,
        at: Before = None,
    ) -> None:
        self.view: View = view
        self.search = q
        self.queue = without_nul(queue) or None
        self.page = page
        self.at = at

    @property
    def kept(self) -> str:
        """View and search, as the links of a conversation keep them."""
        return urlencode({"view": self.view} | ({"q": self.search} if self.search else {}))


Filtered = Annotated[Filters, Depends(Filters)]


def desk_router(pages: Pages) -> APIRouter:
    """/console, /console/{business}, …/c/{conversation} and …/why/{message}."""
    router = APIRouter()

    @router.get("")
    async def home(who: LoggedIn) -> Response:
        if not who.memberships:
            return pages.page("nowhere.html", status=403, language=who.language, person=who)
        return RedirectResponse(f"/console/{who.memberships[0].slug}", 303)

    @router.get("/{business}")
    async def queue(request: Request, seat: Seated, filters: Filtered, part: str = "") -> Response:
        html = await _queue(pages, services_of(request), seat, filters)
        return fragment(html) if part else _whole(pages, seat, queue_html=html)

    @router.get("/{business}/c/{conversation_id}")
    async def thread(
        request: Request,
        seat: Seated,
        filters: Filtered,
        conversation_id: int,
        part: str = "",
        before: Before = None,
    ) -> Response:
        services = services_of(request)
        html = await conversation(pages, services, seat, conversation_id, before=before, kept=filters.kept)
        if part:
            return fragment(html)
        filters.at = conversation_id
        queue_html = await _queue(pages, services, seat, filters)
        return _whole(pages, seat, queue_html=queue_html, conversation_html=html, at=conversation_id)

    @router.get("/{business}/why/{message_id}")
    async def why(request: Request, seat: Seated, message_id: int) -> Response:
        return fragment(await _why(pages, services_of(request), seat, message_id))

    return router


def fragment(html: str, status: int = 200) -> HTMLResponse:
    """A piece of a page."""
    return HTMLResponse(html, status, headers=dict(HEADERS))


def valid_id(number: int) -> int:
    """An id that the record can be asked for; 404 for any other."""
    if not 0 < number <= LARGEST_ID:
        raise HTTPException(404, "no such page")
    return number


async def conversation(
    pages: Pages,
    services: ApiServices,
    seat: Seat,
    conversation_id: int,
    *,
    before: int | None = None,
    kept: str = "",
) -> str:
    """Thread, composer and packet of one conversation. Raises UnknownConversation.

    It shows the last messages, or those `before` one of them; `kept` is the query that its links keep.
    """
    async with services.crm.transaction(seat.business.business_id) as tx:
        shown = await shown_as.conversation(
            tx, valid_id(conversation_id), agent_id=seat.agent_id, before=before
        )
        known = await shown_as.packet(tx, shown)
        await trail.looked(
            tx, seat.reader, "conversation", [shown.contact.contact_id], subject_id=conversation_id
        )
        now = tx.now
    agent = seat.person.session.name
    return pages.text(
        "conversation.html",
        language=seat.person.language,
        zone=shown.business.time_zone,
        seat=seat,
        shown=shown,
        known=known,
        before=before,
        kept=kept,
        now=now,
        canned=[(one, shown_as.filled(one.body, shown, agent)) for one in shown.canned],
        suggestions=shown_as.suggestions(pages.speaker(seat.person.language), shown, known),
    )


async def _queue(pages: Pages, services: ApiServices, seat: Seat, filters: Filters) -> str:
    async with services.crm.transaction(seat.business.business_id) as tx:
        found = await shown_as.queue_page(
            tx,
            filters.view,
            agent_id=seat.agent_id,
            search=filters.search,
            queue=filters.queue,
            number=filters.page,
        )
        if filters.search.strip():
            await trail.searched(tx, seat.reader, [row.contact_id for row in found.rows])
        else:
            await trail.listed(tx, seat.reader, "queue")
        now = tx.now
    return pages.text(
        "queue.html",
        language=seat.person.language,
        zone=found.time_zone,
        seat=seat,
        found=found,
        at=filters.at,
        now=now,
    )


async def _why(pages: Pages, services: ApiServices, seat: Seat, message_id: int) -> str:
    business_id = seat.business.business_id
    async with services.crm.transaction(business_id) as tx:
        message = await console.message(tx, valid_id(message_id))
        cited = await messages.sources(tx, message.message_id)
        await trail.looked_at_message(tx, seat.reader, "sources", message.message_id)
    found = None
    if services.explain is not None and message.turn_id is not None:
        found = await services.explain(business_id, message.thread_id, message.turn_id)
    return pages.text("why.html", language=seat.person.language, cited=cited, found=found)


def _whole(pages: Pages, seat: Seat, **parts: Any) -> HTMLResponse:
    blank = {"conversation_html": "", "at": None}
    return pages.page(
        "desk.html", language=seat.person.language, seat=seat, section="queue", **{**blank, **parts}
    )
