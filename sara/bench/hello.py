"""uvicorn's "hello world": a process that answers every post alike, for what a server costs by itself."""

import socket
import sys

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

HOST = "127.0.0.1"


def hello_app() -> Starlette:
    """Reads what is posted, forgets it, and answers."""

    async def answer(request: Request) -> PlainTextResponse:
        await request.body()
        return PlainTextResponse("hello")

    return Starlette(routes=[Route("/{path:path}", answer, methods=["POST"])])


def main() -> None:
    """Serves on a free port, whose address it tells on standard output, until it is ended."""
    with socket.create_server((HOST, 0), backlog=2048) as listener:
        sys.stdout.write(f"http://{HOST}:{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        config = uvicorn.Config(hello_app(), log_level="critical", access_log=False)
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
