"""What SARA may say: documents with their validity, uploads, a question to try, facts to accept."""

import re
from collections.abc import Collection, Sequence
from datetime import date
from pathlib import PurePath
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, File, Form, HTTPException, Request, Response, UploadFile
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import AfterValidator

from api.console import words
from api.console.access import Seat, Seated, own_form
from api.console.actions import Short, storable
from api.console.desk import scripted, valid_id
from api.console.pages import HEADERS, Pages
from api.console.uploads import MOST_BYTES
from api.library import Library, Tried
from api.state import services_of
from crm import businesses, corrections, library, proposals, trail
from crm.errors import RecordError
from inference.errors import InferenceError
from knowledge.errors import KnowledgeError

Question = Annotated[str, Form(max_length=1000), AfterValidator(storable)]
Day = Annotated[str, Form(pattern=r"^(\d{4}-\d{2}-\d{2})?$")]
Body = Annotated[str, Form(max_length=20_000), AfterValidator(storable)]


def knowledge_router(pages: Pages) -> APIRouter:
    """/console/{business}/knowledge and below it."""
    router = APIRouter(prefix="/{business}/knowledge")
    _add_reading(router, pages)
    _add_documents(router, pages)
    _add_proposals(router, pages)
    return router


def _add_reading(router: APIRouter, pages: Pages) -> None:
    @router.get("")
    async def shown(request: Request, seat: Seated, told: str = "") -> Response:
        return await _shown(request, pages, seat, told=told)

    @router.post("/ask", dependencies=[Depends(own_form)])
    async def ask(request: Request, seat: Seated, question: Question = "", language: Short = "") -> Response:
        say = pages.speaker(seat.person.language)
        asked = {"question": question, "language": language}
        if not question:
            return await _shown(request, pages, seat, problem=say("Write a question first."), asked=asked)
        if language not in words.LANGUAGES:
            language = seat.person.language
        try:
            tried = await _library(request).ask(seat.business.business_id, question, language)
        except (InferenceError, KnowledgeError) as error:
            return await _shown(request, pages, seat, problem=str(error), asked=asked)
        return await _shown(request, pages, seat, tried=tried, asked=asked)


def _add_documents(router: APIRouter, pages: Pages) -> None:
    @router.post("/upload", dependencies=[Depends(own_form)])
    async def upload(
        request: Request, seat: Seated, file: Annotated[UploadFile | None, File()] = None
    ) -> Response:
        _supervised(seat)
        say = pages.speaker(seat.person.language)
        content = await file.read(MOST_BYTES + 1) if file is not None else b""
        name = document_name(file.filename or "") if file is not None else ""
        if not content or not name or len(content) > MOST_BYTES:
            return await _told(request, pages, seat, say("Choose a file of at most 16 MB."))
        try:
            report, facts = await _library(request).add(seat.business.business_id, name, content)
        except (InferenceError, KnowledgeError) as error:
            return await _told(request, pages, seat, str(error))
        if report.failed:
            problem = say("{name} was not taken in: {why}", name=name, why=report.failed[0].error)
            return await _told(request, pages, seat, problem)
        await _added(request, seat, name)
        what = "unchanged" if report.unchanged else "facts" if facts else "added"
        where = f"/console/{seat.business.slug}/knowledge?told={what}"
        if scripted(request):
            return JSONResponse({"go": where}, headers=dict(HEADERS))
        return RedirectResponse(where, 303)

    @router.post("/documents/{document_id}", dependencies=[Depends(own_form)])
    async def validity(
        request: Request, seat: Seated, document_id: int, valid_from: Day = "", valid_until: Day = ""
    ) -> Response:
        _supervised(seat)
        say = pages.speaker(seat.person.language)
        try:
            first, last = (date.fromisoformat(day) if day else None for day in (valid_from, valid_until))
            async with services_of(request).crm.transaction(seat.business.business_id) as tx:
                held = await library.hold(tx, valid_id(document_id), first, last)
                await trail.did(tx, seat.reader, "document_dated", subject_id=document_id, detail=held)
        except ValueError:
            return await _shown(request, pages, seat, problem=say("This day does not exist."))
        except RecordError as error:
            return await _shown(request, pages, seat, problem=words.problem(say, error))
        return RedirectResponse(f"/console/{seat.business.slug}/knowledge?told=saved", 303)

    @router.post("/documents/{document_id}/delete", dependencies=[Depends(own_form)])
    async def delete(request: Request, seat: Seated, document_id: int) -> Response:
        _supervised(seat)
        say = pages.speaker(seat.person.language)
        try:
            async with services_of(request).crm.transaction(seat.business.business_id) as tx:
                gone = await library.drop(tx, valid_id(document_id))
                await trail.did(tx, seat.reader, "document_deleted", subject_id=document_id, detail=gone)
        except RecordError as error:
            return await _shown(request, pages, seat, problem=words.problem(say, error))
        return RedirectResponse(f"/console/{seat.business.slug}/knowledge?told=deleted", 303)


def _add_proposals(router: APIRouter, pages: Pages) -> None:
    @router.post("/facts/{proposal_id}", dependencies=[Depends(own_form)])
    async def decide(request: Request, seat: Seated, proposal_id: int, verdict: Short = "") -> Response:
        _supervised(seat)
        say = pages.speaker(seat.person.language)
        how = {"accept": proposals.accept, "same": proposals.same, "reject": proposals.reject}.get(verdict)
        if how is None:
            raise HTTPException(422, "accept, same or reject")
        try:
            async with services_of(request).crm.transaction(seat.business.business_id) as tx:
                await how(tx, [valid_id(proposal_id)], agent_id=seat.agent_id)
        except RecordError as error:
            return await _shown(request, pages, seat, problem=words.problem(say, error))
        return RedirectResponse(f"/console/{seat.business.slug}/knowledge?told=saved", 303)

    @router.post("/often/{key}", dependencies=[Depends(own_form)])
    async def often(
        request: Request,
        seat: Seated,
        key: str,
        verdict: Short = "",
        title: Short = "",
        body: Body = "",
    ) -> Response:
        _supervised(seat)
        if verdict == "accept":
            problem = await _made(request, pages, seat, key, title, body)
            if problem:
                typed = {key: {"title": title, "body": body}}
                return await _shown(request, pages, seat, problem=problem, typed=typed)
        async with services_of(request).crm.transaction(seat.business.business_id) as tx:
            await corrections.settle(
                tx, key[:64], "accepted" if verdict == "accept" else "rejected", seat.agent_id
            )
        return RedirectResponse(f"/console/{seat.business.slug}/knowledge?told=saved", 303)


async def _made(request: Request, pages: Pages, seat: Seat, key: str, title: str, body: str) -> str:
    """Makes an answer given often a document of its own; returns why it could not be, or nothing."""
    say, business_id = pages.speaker(seat.person.language), seat.business.business_id
    if not (title and body):
        return say("A document needs a title and words.")
    async with services_of(request).crm.transaction(business_id) as tx:
        taken = {row.path for row in await library.documents(tx)}
        made = await corrections.accepted(tx, key[:64])
    if made:  # sent twice: the document is there
        return ""
    name = _own_name(title, key, taken)
    try:
        report, _ = await _library(request).add(business_id, name, f"# {title}\n\n{body}\n".encode())
    except (InferenceError, KnowledgeError) as error:
        return str(error)
    if report.failed:
        return report.failed[0].error
    await _added(request, seat, name)
    return ""


def _own_name(title: str, key: str, taken: Collection[str]) -> str:
    """What the document of an answer is called: by its title, and never as another document."""
    whole = re.sub(r"[/\\]+", "_", title)  # it is a title, not a path whose last part counts
    name = document_name(f"{whole}.md") or f"{key[:12]}.md"
    if name not in taken:
        return name
    # Short enough that what tells the two apart is not cut off again.
    return document_name(f"{PurePath(name).stem[:91]}-{key[:8]}.md")


def document_name(given: str) -> str:
    """A file's name as a document can be called: no folders, nothing that controls anything."""
    name = re.sub(r"[\x00-\x1f\x7f\"<>|\\/:*?]+", "_", PurePath(given).name).strip(" .")
    stem, suffix = PurePath(name).stem[:100], PurePath(name).suffix[:10]
    return f"{stem}{suffix}" if stem else ""


def _supervised(seat: Seat) -> None:
    if not seat.supervisor:
        raise HTTPException(403, "only a supervisor or an admin changes what SARA knows")


def _library(request: Request) -> Library:
    found = services_of(request).library
    if found is None:
        raise HTTPException(503, "documents are taken in on the terminal here: sara ingest")
    return found


async def _added(request: Request, seat: Seat, name: str) -> None:
    async with services_of(request).crm.transaction(seat.business.business_id) as tx:
        await trail.did(tx, seat.reader, "document_added", detail=name)


async def _told(request: Request, pages: Pages, seat: Seat, problem: str) -> Response:
    if scripted(request):
        return JSONResponse({"detail": problem}, 422, headers=dict(HEADERS))
    return await _shown(request, pages, seat, problem=problem)


async def _shown(
    request: Request,
    pages: Pages,
    seat: Seat,
    *,
    told: str = "",
    problem: str = "",
    tried: Tried | None = None,
    asked: dict[str, str] | None = None,
    typed: dict[str, dict[str, str]] | None = None,
) -> Response:
    say = pages.speaker(seat.person.language)
    async with services_of(request).crm.transaction(seat.business.business_id) as tx:
        business = await businesses.row(tx)
        rows = await proposals.proposals(tx)
        values: dict[str, Any] = {
            "zone": business.time_zone,
            "today": tx.now.astimezone(ZoneInfo(business.time_zone)).date(),
            "documents": await library.documents(tx),
            "facts": [(row, _rivals(row, rows)) for row in rows],
            "often": await corrections.often(tx),
            "asks_in": business.languages,
        }
    done = {
        "added": say("Taken in: SARA answers with it from the next message on."),
        "facts": say("Taken in. What it lists differs from the record: see the proposals."),
        "unchanged": say("SARA knows this file already: nothing has changed in it."),
        "deleted": say("Deleted."),
        "saved": say("Saved."),
    }.get(told, "")
    return pages.page(
        "knowledge.html",
        status=422 if problem else 200,
        language=seat.person.language,
        seat=seat,
        section="knowledge",
        done=done,
        problem=problem,
        tried=tried,
        typed=typed or {},
        asked=asked or {"question": "", "language": business.languages[0]},
        **values,
    )


def _rivals(row: proposals.ProposalRow, rows: Sequence[proposals.ProposalRow]) -> list[int]:
    return [other.proposal_id for other in proposals.rivals(row, rows)]
