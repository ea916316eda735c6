"""How large a request to the console or the API may be; checked before anything is read.

A form is no larger than the largest file in it, and a caller of the API sends a few words: whoever has no
token yet must not fill the memory with them.
"""

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from api.console.uploads import MOST_BYTES

MOST_FORM_BYTES = MOST_BYTES + 2**20
MOST_API_BYTES = 2**18


class Bounded:
    """ASGI middleware: 413 for what is larger, 411 for what does not say how large it is."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on what is within its bound, and what has none here."""
        bound = _bound(scope) if scope["type"] == "http" else None
        if bound is not None:
            headers = Headers(scope=scope)
            length = headers.get("content-length", "" if "transfer-encoding" in headers else "0")
            if not (length.isascii() and length.isdigit()):
                await PlainTextResponse("how large is it?", 411)(scope, receive, send)
                return
            if int(length) > bound:
                await PlainTextResponse(f"at most {_told(bound)}", 413)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _bound(scope: Scope) -> int | None:
    if scope["path"].startswith("/api/"):
        return MOST_API_BYTES
    return MOST_FORM_BYTES if scope["method"] == "POST" and scope["path"].startswith("/console") else None


def _told(size: int) -> str:
    return f"{size >> 20} MB" if size >> 20 else f"{size >> 10} KB"
