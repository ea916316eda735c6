"""What our errors mean in HTTP. The only place that knows."""

from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from crm.errors import (
    BotSpeaks,
    FileRefused,
    HandoffClosed,
    HeldByColleague,
    NewerConversation,
    NotBookable,
    RecordError,
    RecordUnavailable,
    SlotTaken,
    UnknownBusiness,
    UnknownCalendar,
    UnknownContact,
    UnknownConversation,
    UnknownHandoff,
    UnknownMessage,
    UnknownRecording,
    WindowOver,
)
from crm.letters import NotDead, PerhapsDelivered, UnknownLetter

STATUS: dict[type[RecordError], int] = {
    RecordUnavailable: 503,
    UnknownBusiness: 404,
    UnknownCalendar: 404,
    UnknownContact: 404,
    UnknownConversation: 404,
    UnknownHandoff: 404,
    UnknownRecording: 404,
    UnknownMessage: 404,
    HandoffClosed: 409,
    HeldByColleague: 409,
    BotSpeaks: 409,
    WindowOver: 409,
    NewerConversation: 409,
    FileRefused: 422,
    SlotTaken: 409,
    NotBookable: 422,
    UnknownLetter: 404,
    NotDead: 409,
    PerhapsDelivered: 409,
}


def told(error: Exception, status: int, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """An error as every answer of ours tells it: its name, and words that say what to do."""
    words = str(error) if status < 500 else (type(error).__doc__ or "").split("\n")[0]
    return JSONResponse({"error": type(error).__name__, "detail": words}, status, headers)


def install(app: FastAPI) -> None:
    """Makes every typed error an answer that says what to do."""

    async def answer(_: Request, error: Exception) -> JSONResponse:
        status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 500)
        retryable = getattr(error, "retryable", False)
        headers = {"Retry-After": "2"} if retryable else None
        return told(error, status, headers)

    async def refuse(_: Request, error: Exception) -> JSONResponse:
        # Without the input that FastAPI would repeat: it may be a customer's, and need not be valid Unicode.
        problems = error.errors() if isinstance(error, RequestValidationError) else []
        detail = [{key: problem[key] for key in ("type", "loc", "msg")} for problem in problems]
        return JSONResponse({"detail": jsonable_encoder(detail)}, 422)

    app.add_exception_handler(RecordError, answer)
    app.add_exception_handler(RequestValidationError, refuse)
