"""Whole turns and LangSmith: nothing without its variables, nobody in what it gets, no turn the worse."""

import itertools
import os
import secrets
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from langsmith.utils import get_env_var

from crm import contacts, conversations, handoffs
from graph.langsmith import run_id_of
from sara.langsmith import traced
from sara.settings import langsmith
from tests.jobs.shop import NUMBER, Shop
from tests.langsmith_server import KEY, LangSmithServer, langsmith_server

SAID = (
    "Buongiorno, mi chiamo Ottavia Quarantotti, vorrei prenotare un massaggio. Il mio numero è 347 6655443,"
    " scrivetemi a ottavia.q@posta.example, codice fiscale QRNTTV80A41H501Z, IBAN IT60X0542811101000000123456"
)
FRIGHT = "Ho un forte dolore al petto e non respiro bene, chiamate mio marito al 3476655000"
SECRETS = ("6655443", "6655000", "ottavi", "quarantotti", "posta.example", "qrnttv", "x0542811101", "wamid.")


@dataclass
class Guard:
    """Connections that were tried to anywhere but this machine, or to an address that is watched."""

    on: bool = False
    tried: list[Any] = field(default_factory=list)

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.on and event == "socket.connect" and arguments[0].family != socket.AF_UNIX:
            self._judge(arguments[1][0])
        elif self.on and event == "socket.getaddrinfo":
            self._judge(arguments[0])

    def _judge(self, host: Any) -> None:
        if host not in ("127.0.0.1", "localhost", "::1", None):
            self.tried.append(host)
            raise ConnectionRefusedError(f"{host} is outside")


@pytest.fixture(scope="module")
def watched() -> Iterator[Guard]:
    guard = Guard()
    sys.addaudithook(guard)  # sees what Python connects to, whatever library asks for it
    yield guard
    guard.on = False


@contextmanager
def environment(**values: str) -> Iterator[None]:
    """LangSmith's variables are these and no others; its library remembers what it read."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith(("LANGSMITH_", "LANGCHAIN_"))]:
        if name != "LANGSMITH_TRACING_V2":  # the one that SARA sets
            del os.environ[name]
    os.environ.update(values)
    get_env_var.cache_clear()
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        get_env_var.cache_clear()


@asynccontextmanager
async def under(shop: Shop, **values: str) -> AsyncIterator[Shop]:
    """The shop as a worker under these variables has it."""
    with environment(**values):
        async with traced(shop.services.machine, langsmith()) as machine:
            yield replace(shop, services=replace(shop.services, machine=machine))


def on(server: LangSmithServer, **more: str) -> dict[str, str]:
    return {
        "LANGSMITH_TRACING": "true",
        "LANGSMITH_API_KEY": KEY,
        "LANGSMITH_ENDPOINT": server.url,
        "LANGSMITH_PROJECT": "shop",
        **more,
    }


async def customer(shop: Shop) -> tuple[int, str]:
    """A conversation of somebody with a name, and their number."""
    wa_id = f"39347{secrets.randbelow(10**7):07d}"
    async with shop.crm.transaction(shop.business_id) as tx:
        contact_id = await contacts.seen(tx, wa_id=wa_id, bsuid=None, name="Ottavia Quarantotti")
        conversation_id = await conversations.open_for(tx, contact_id, NUMBER)
        await conversations.customer_wrote(tx, conversation_id, tx.now)
    return conversation_id, wa_id


async def one_turn(shop: Shop, conversation_id: int, *texts: str) -> str:
    """A turn from the inbox to the outbox; its id."""
    before = await turns_of(shop, conversation_id)
    await shop.customer_writes(conversation_id, *texts)

    async def answered() -> bool:
        return len(await turns_of(shop, conversation_id)) > len(before)

    await shop.work_until(answered)
    [turn_id] = await turns_of(shop, conversation_id) - before
    return str(turn_id)


async def turns_of(shop: Shop, conversation_id: int) -> set[str]:
    return {row["turn_id"] for row in await shop.outbox_of(conversation_id)}


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"LANGCHAIN_TRACING_V2": "true", "LANGCHAIN_API_KEY": KEY},
        {"LANGSMITH_TRACING": "true"},
        {"LANGSMITH_API_KEY": KEY},
    ],
    ids=lambda one: "+".join(one) or "none",
)
async def test_without_its_variables_no_turn_asks_for_anything(
    shop: Shop, watched: Guard, variables: dict[str, str]
) -> None:
    async with under(shop, **variables) as here:
        watched.tried, watched.on = [], True
        with pytest.raises(ConnectionRefusedError):  # the guard is no dummy
            socket.create_connection(("192.0.2.1", 443), timeout=1)
        assert watched.tried == ["192.0.2.1"]
        conversation_id, _ = await customer(here)
        await one_turn(here, conversation_id, "Quanto costa un massaggio rilassante?")
        await one_turn(here, conversation_id, FRIGHT)
        watched.on = False
    assert watched.tried == ["192.0.2.1"]


async def test_with_them_whole_turns_arrive_and_nobody_is_in_them(shop: Shop, watched: Guard) -> None:
    with langsmith_server() as server:
        async with under(shop, **on(server)) as here:
            watched.tried, watched.on = [], True
            conversation_id, wa_id = await customer(here)
            turns = [await one_turn(here, conversation_id, one) for one in (SAID, FRIGHT)]
            watched.on = False
        # Closing sends what waits.
        roots = server.wait_for(2)
        assert watched.tried == []
        thread = f"shop:{shop.business_id}:{conversation_id}"
        assert {root["id"] for root in roots} == {str(run_id_of("shop", shop.business_id, t)) for t in turns}
        assert {root["extra"]["metadata"]["thread_id"] for root in roots} == {thread}
        names = {run["name"] for run in server.runs.values()}
        assert {"sara", "load_contact", "triage", "open_handoff", "reply"} <= names
        [told] = {request.path for request in server.requests}
        assert told == "/runs/multipart"  # nothing is asked, traces are sent
        sent = server.everything().casefold()
        for secret in (*SECRETS, wa_id):
            assert secret not in sent
        for kept in ("massaggio", "dolore al petto", "[name]", "[e-mail]", "[iban]", "[tax id]", "emergency"):
            assert kept in sent


async def test_an_error_tells_nothing_of_anybody_either(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    async def torn(*_: Any, **__: Any) -> None:
        raise RuntimeError(f"no room for Ottavia Quarantotti, 3476655443: {SAID}")

    with langsmith_server() as server:
        async with under(shop, **on(server)) as here:
            conversation_id, wa_id = await customer(here)
            with monkeypatch.context() as broken:
                broken.setattr(handoffs, "open_one", torn)
                await shop.customer_writes(conversation_id, FRIGHT)
                await here.work()
            failed = server.wait_for(1)[0]
            assert "RuntimeError" in failed["error"]
            # The second attempt is the turn.
            await here.work_until(lambda: _spoke(here, conversation_id))
        ids = {root["id"] for root in server.wait_for(2)}
        [turn_id] = await turns_of(shop, conversation_id)
        assert str(run_id_of("shop", shop.business_id, turn_id)) in ids - {failed["id"]}
        sent = server.everything().casefold()
        for secret in (*SECRETS, wa_id):
            assert secret not in sent


async def test_a_turn_that_fails_again_is_found_by_its_thread_too(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its second attempt is given nothing to begin with, and yet an erasure has to reach its trace."""
    opened, tries = handoffs.open_one, itertools.count(1)

    async def torn_twice(*args: Any, **options: Any) -> Any:
        if next(tries) <= 2:
            raise RuntimeError("no room")
        return await opened(*args, **options)

    with langsmith_server() as server:
        async with under(shop, **on(server)) as here:
            conversation_id, _ = await customer(here)
            monkeypatch.setattr(handoffs, "open_one", torn_twice)
            await shop.customer_writes(conversation_id, FRIGHT)
            await here.work_until(lambda: _spoke(here, conversation_id))
        roots = server.wait_for(3)
        assert sorted("no room" in (root.get("error") or "") for root in roots) == [False, True, True]
        [turn_id] = await turns_of(shop, conversation_id)
        known = [run["extra"]["metadata"] for run in server.runs.values()]
        assert {one["thread_id"] for one in known} == {f"shop:{shop.business_id}:{conversation_id}"}
        assert {one["turn_id"] for one in known} == {turn_id}


async def _spoke(shop: Shop, conversation_id: int) -> bool:
    return bool(await turns_of(shop, conversation_id))


@pytest.mark.parametrize("trouble", [429, 500, "silent", "nobody"])
async def test_turns_go_on_whatever_langsmith_does(shop: Shop, trouble: int | str) -> None:
    with langsmith_server() as server:
        if isinstance(trouble, int):
            server.status = trouble
        if trouble == "silent":
            server.gate.clear()
        nobody = {"LANGSMITH_ENDPOINT": "http://127.0.0.1:9"} if trouble == "nobody" else {}
        async with under(shop, **on(server, **nobody)) as here:
            conversation_id, _ = await customer(here)
            for question in ("Quanto costa un massaggio rilassante?", "E quanto dura?", "A che ora aprite?"):
                await one_turn(here, conversation_id, question)
        # All three were answered, and the end was reached, while not one trace was taken.
        assert not server.runs
        assert bool(server.requests) is (trouble != "nobody")
