"""What agents do from the page. Each act is one transaction; a refusal is told in the agent's language.

A script asks with `Accept: application/json` and gets the fresh conversation, or what went wrong: what was
typed stays in the page. Without scripts the same forms work and lead back to the conversation.
"""

import re
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, File, Form, Request, Response, UploadFile
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import AfterValidator

from api.console import words
from api.console.access import Seat, Seated, own_form
from api.console.desk import conversation, scripted, valid_id
from api.console.pages import HEADERS, Pages
from api.console.uploads import MOST_BYTES, recognised
from api.errors import STATUS
from api.state import services_of
from channels.messages import OutboundMessage
from channels.whatsapp.limits import CAPTION_MAX, fit
from crm import (
    agents,
    console,
    contacts,
    conversations,
    desk,
    handoffs,
    takeover,
    template_book,
    templates,
    trail,
)
from crm.desk import Words
from crm.errors import BotSpeaks, FileRefused, RecordError, WindowOver
from crm.record import Tx

MOST_CHARACTERS = 20_000
_LONGEST_KEY = 80
_KEYED = re.compile(r"(?P<key>[^=]+?)\s*(?:=|:(?=\s))\s*(?P<value>.+)")


def storable(text: str) -> str:
    """A form's text as the record can hold it, with the line ends of a form made plain."""
    clean = text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "")
    return clean.replace("\r\n", "\n").strip()


Text = Annotated[str, Form(max_length=MOST_CHARACTERS), AfterValidator(storable)]
Note = Annotated[str, Form(max_length=5_000), AfterValidator(storable)]
Short = Annotated[str, Form(max_length=200), AfterValidator(storable)]
Attempt = Annotated[str, Form(max_length=64, pattern=r"^[\w-]*$")]
Act = Callable[[Tx], Awaitable[object]]


class Empty(RecordError):
    """There is nothing to send: write something first."""


def actions_router(pages: Pages) -> APIRouter:
    """POST /console/{business}/c/{conversation}/…; every one needs the session's form token."""
    router = APIRouter(prefix="/{business}/c/{conversation_id}", dependencies=[Depends(own_form)])
    _add_speaking(router, pages)
    _add_taking(router, pages)
    _add_ending(router, pages)
    _add_aside(router, pages)
    return router


def _add_speaking(router: APIRouter, pages: Pages) -> None:
    @router.post("/send")
    async def send(
        request: Request,
        seat: Seated,
        conversation_id: int,
        text: Text = "",
        attempt: Attempt = "",
        file: Annotated[UploadFile | None, File()] = None,
    ) -> Response:
        content = await file.read(MOST_BYTES + 1) if file is not None and file.filename else b""
        name = file.filename if file is not None and file.filename else ""

        async def act(tx: Tx) -> None:
            handoff_id = await _open_handoff(tx, conversation_id)
            said = await _said(tx, conversation_id, text, name, content)
            await desk.answer(tx, handoff_id, seat.agent_id, said, attempt=attempt or None)
            await _wrote(tx, seat, conversation_id)

        return await _do(request, pages, seat, conversation_id, act)

    @router.post("/template")
    async def template(
        request: Request, seat: Seated, conversation_id: int, name: Short, attempt: Attempt = ""
    ) -> Response:
        async def act(tx: Tx) -> None:
            handoff_id = await _open_handoff(tx, conversation_id)
            sent = await _chosen(tx, conversation_id, name)
            await desk.answer(tx, handoff_id, seat.agent_id, [sent], attempt=attempt or None)
            await _wrote(tx, seat, conversation_id)

        return await _do(request, pages, seat, conversation_id, act)


def _add_taking(router: APIRouter, pages: Pages) -> None:
    @router.post("/claim")
    async def claim(request: Request, seat: Seated, conversation_id: int, force: Short = "") -> Response:
        async def act(tx: Tx) -> None:
            handoff_id = await _open_handoff(tx, conversation_id)
            await desk.claim(tx, handoff_id, seat.agent_id, by_force=bool(force) and seat.supervisor)

        return await _do(request, pages, seat, conversation_id, act)

    @router.post("/takeover")
    async def take(request: Request, seat: Seated, conversation_id: int) -> Response:
        return await _do(
            request,
            pages,
            seat,
            conversation_id,
            lambda tx: takeover.take(tx, conversation_id, seat.agent_id),
        )

    @router.post("/reopen")
    async def reopen(request: Request, seat: Seated, conversation_id: int) -> Response:
        return await _do(
            request,
            pages,
            seat,
            conversation_id,
            lambda tx: takeover.reopen(tx, conversation_id, seat.agent_id),
        )


def _add_ending(router: APIRouter, pages: Pages) -> None:
    @router.post("/back")
    async def back(
        request: Request,
        seat: Seated,
        conversation_id: int,
        note: Note = "",
        facts: Note = "",
        promises: Note = "",
    ) -> Response:
        async def act(tx: Tx) -> None:
            await desk.hand_back(
                tx,
                await _open_handoff(tx, conversation_id),
                seat.agent_id,
                note=note,
                facts=facts_of(facts),
                promises=[line.strip()[:500] for line in promises.splitlines() if line.strip()][:30],
                by_force=seat.supervisor,
            )

        return await _do(request, pages, seat, conversation_id, act)

    @router.post("/resolve")
    async def resolve(request: Request, seat: Seated, conversation_id: int, note: Note = "") -> Response:
        async def act(tx: Tx) -> None:
            handoff_id = await _open_handoff(tx, conversation_id)
            await desk.resolve(tx, handoff_id, seat.agent_id, note=note, by_force=seat.supervisor)

        return await _do(request, pages, seat, conversation_id, act)

    @router.post("/transfer")
    async def transfer(
        request: Request, seat: Seated, conversation_id: int, to: Short = "", note: Note = ""
    ) -> Response:
        async def act(tx: Tx) -> None:
            kind, _, target = to.partition(":")
            to_agent = (
                valid_id(int(target)) if kind == "agent" and target.isascii() and target.isdigit() else None
            )
            await takeover.transfer(
                tx,
                await _open_handoff(tx, conversation_id),
                seat.agent_id,
                to_agent=to_agent,
                to_queue=target if kind == "queue" and target else None,
                note=note,
                by_force=seat.supervisor,
            )

        return await _do(request, pages, seat, conversation_id, act)


def _add_aside(router: APIRouter, pages: Pages) -> None:
    @router.post("/note")
    async def note(request: Request, seat: Seated, conversation_id: int, text: Note = "") -> Response:
        async def act(tx: Tx) -> None:
            if not text:
                raise Empty(Empty.__doc__)
            await agents.note(tx, conversation_id, seat.agent_id, text)
            handoff_id = await handoffs.open_of(tx, conversation_id)
            if handoff_id is not None:
                await handoffs.touch(tx, handoff_id)

        return await _do(request, pages, seat, conversation_id, act)

    @router.post("/canned")
    async def canned(
        request: Request, seat: Seated, conversation_id: int, title: Short, text: Note
    ) -> Response:
        async def act(tx: Tx) -> None:
            if not title or not text:
                raise Empty(Empty.__doc__)
            # A reply is in its customer's language, whatever the page is in.
            language = await _read_by_customer(tx, conversation_id) or seat.person.language
            await agents.keep_canned(tx, title, language, text)
            await trail.did(tx, seat.reader, "canned_reply", detail=title)

        return await _do(request, pages, seat, conversation_id, act)

    @router.post("/presence", status_code=204)
    async def presence(
        request: Request,
        seat: Seated,
        conversation_id: int,
        doing: Annotated[Literal["looking", "typing", "gone"], Form()] = "looking",
    ) -> None:
        async with services_of(request).crm.transaction(seat.business.business_id) as tx:
            if doing == "gone":
                await agents.gone(tx, valid_id(conversation_id), seat.agent_id)
                return
            await agents.present(tx, valid_id(conversation_id), seat.agent_id, doing)
            handoff_id = await handoffs.open_of(tx, conversation_id) if doing == "typing" else None
            if handoff_id is not None and (await handoffs.get(tx, handoff_id)).agent_id == seat.agent_id:
                await handoffs.touch(tx, handoff_id)


async def _wrote(tx: Tx, seat: Seat, conversation_id: int) -> None:
    contact_id = (await conversations.get(tx, conversation_id)).contact_id
    await trail.did(tx, seat.reader, "message", contact_id=contact_id, subject_id=conversation_id)


async def _read_by_customer(tx: Tx, conversation_id: int) -> str | None:
    return (await contacts.get(tx, (await conversations.get(tx, conversation_id)).contact_id)).reads


async def _chosen(tx: Tx, conversation_id: int, wanted: str) -> Words:
    """The template of that `name:code`, in its own words as far as they are known. Raises WindowOver.

    A page that was loaded from an earlier release names no code: the customer's language is meant.
    """
    for one in await templates.for_agents(tx, await _read_by_customer(tx, conversation_id)):
        if wanted in (f"{one.name}:{one.code}", one.name):
            known = await template_book.one(tx, one.name, one.code)
            body = known.filled(()) if known else ""
            return Words(body or f"[{one.name}]", template_name=one.name, template_code=one.code)
    raise WindowOver(WindowOver.__doc__)


async def _said(tx: Tx, conversation_id: int, text: str, name: str, content: bytes) -> list[Words]:
    """What was typed and attached, within the channel's limits: the file first, with its caption."""
    if not text and not content:
        raise Empty(Empty.__doc__)
    if not content:
        return [Words(part.body) for part in fit(OutboundMessage(body=text))]
    if len(content) > MOST_BYTES:
        raise FileRefused(FileRefused.__doc__)
    mime_type, filename = recognised(name, content)
    contact_id = (await conversations.get(tx, conversation_id)).contact_id
    file_id = await console.attach(tx, contact_id, filename=filename, mime_type=mime_type, content=content)
    # A sound is sent as one, and has no caption: what is typed beside it is a message of its own.
    short = len(text) <= CAPTION_MAX and (not text or not mime_type.startswith("audio/"))
    said = [Words(text if short else "", kind="document", file_id=file_id)]
    return said if short else [*said, *(Words(part.body) for part in fit(OutboundMessage(body=text)))]


async def _open_handoff(tx: Tx, conversation_id: int) -> int:
    """The open hand-over of a conversation. Raises UnknownConversation, BotSpeaks."""
    await conversations.get(tx, conversation_id)
    handoff_id = await handoffs.open_of(tx, conversation_id)
    if handoff_id is None:
        raise BotSpeaks(BotSpeaks.__doc__)
    return handoff_id


def facts_of(text: str) -> dict[str, str]:
    """One fact a line, as it was typed: `key = value` or `key: value`, else the line under its own words.

    The colon of a clock time or of an address is no sign, and of two lines with one key both are kept.
    """
    found: dict[str, str] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        parts = _KEYED.fullmatch(line)
        key, value = (parts["key"], parts["value"]) if parts and "://" not in parts["key"] else (line, line)
        if key in found or len(key) > _LONGEST_KEY:
            key, value = line, line
        found[key[:_LONGEST_KEY]] = value[:2_000]
    return dict(list(found.items())[:30])


async def _do(request: Request, pages: Pages, seat: Seat, conversation_id: int, act: Act) -> Response:
    services, valid = services_of(request), valid_id(conversation_id)
    by_script = scripted(request)
    where = f"/console/{seat.business.slug}/c/{valid}"
    try:
        async with services.crm.transaction(seat.business.business_id) as tx:
            await act(tx)
    except RecordError as error:
        status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 422)
        if status == 404:
            raise
        detail = words.problem(pages.speaker(seat.person.language), error)
        if by_script:
            answer: dict[str, Any] = {"error": type(error).__name__, "detail": detail}
            return JSONResponse(answer, status, headers=dict(HEADERS))
        return pages.page(
            "problem.html", status=status, language=seat.person.language, detail=detail, where=where, back=""
        )
    if not by_script:
        return RedirectResponse(where, 303)
    html = await conversation(pages, services, seat, valid)
    return JSONResponse({"html": html}, headers=dict(HEADERS))
