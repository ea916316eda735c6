"""The world outside, on loopback: a mail server and a web server that takes whatever is posted to it."""

import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiohttp import web
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

PASSWORD = "correct-horse-battery"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Mailbox:
    """A mail server that wants a login, and what it took."""

    port: int
    mails: list[EmailMessage] = field(default_factory=list)

    def address(self, to: str = "team@example.com", password: str = PASSWORD) -> str:
        at = f"sara:{password}@127.0.0.1:{self.port}"
        return f"mailto://{at}/?to={to}&from=sara@example.com&mode=insecure&format=text"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 OK"

    def texts(self) -> list[str]:
        return [str(mail.get_body(("plain",)).get_content()) for mail in self.mails]  # type: ignore[union-attr]


def _may(server: SMTP, session: Session, envelope: Envelope, mechanism: str, who: object) -> AuthResult:
    known = isinstance(who, LoginPassword) and who.password == PASSWORD.encode()
    return AuthResult(success=known, handled=False)


@contextmanager
def mail_server(port: int | None = None) -> Iterator[Mailbox]:
    box = Mailbox(port or free_port())
    controller = Controller(
        box,
        hostname="127.0.0.1",
        port=box.port,
        authenticator=_may,
        auth_required=True,
        auth_require_tls=False,
    )
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


@dataclass(frozen=True)
class Taken:
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: str


@dataclass
class Receiver:
    """A web server; `answers` are its next statuses, then 200."""

    port: int = 0
    taken: list[Taken] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    async def take(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.taken.append(Taken(request.path, headers, (await request.read()).decode()))
        status = self.answers.pop(0) if self.answers else 200
        return web.Response(text="ok", status=status, headers=self.headers)


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    box = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", box.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    box.port = runner.addresses[0][1]
    try:
        yield box
    finally:
        await runner.cleanup()
