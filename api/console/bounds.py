"""No form of the console is larger than the largest file in it; checked before anything is read."""

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from api.console.uploads import MOST_BYTES

MOST_FORM_BYTES = MOST_BYTES + 2**20


class Bounded:
    """ASGI middleware: 413 for a larger form, 411 for one that does not say how large it is."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes everything on that is no form of the console."""
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"].startswith("/console"):
            length = dict(scope["headers"]).get(b"content-length", b"")
            if not length.isdigit():
                await PlainTextResponse("how large is it?", 411)(scope, receive, send)
                return
            if int(length) > MOST_FORM_BYTES:
                await PlainTextResponse("at most 17 MB", 413)(scope, receive, send)
                return
        await self._app(scope, receive, send)
