"""`sara serve` and `sara worker` as processes of their own, and the simulated WhatsApp between them."""

import asyncio
import re
import sys
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx

from channels.simulator.app import simulator_app
from channels.simulator.simulator import Simulator
from crm import queue
from crm.record import Crm
from sara.bench.engine import MODEL
from sara.local import HOST, listen, serving, simulated_world
from sara.settings import Settings, environment_with

_START_S = 90.0
_HEARTBEAT_S = 5.0
_LISTENING = re.compile(r"Listening on (https?://[^\s\"]+)")


class NotStarted(RuntimeError):
    """A process of the benchmark ended or stayed silent before it was ready; its last lines say why."""


@asynccontextmanager
async def api(settings: Settings, dsn: str, *, port: int = 0) -> AsyncIterator[str]:
    """`sara serve` on `port` (0: any free one), ready; its address. Raises NotStarted."""
    async with _running(settings, dsn, "serve", "--host", HOST, "--port", str(port)) as said:
        async with _within("serve", said):
            url = await _address(said)
            await _ready(url)
        yield url


@asynccontextmanager
async def worker(settings: Settings, dsn: str, crm: Crm) -> AsyncIterator[None]:
    """`sara worker`, at work. Raises NotStarted."""
    others = await _alive(crm)
    async with _running(settings, dsn, "worker") as said:
        async with _within("worker", said):
            while (alive := await _alive(crm)) <= others:
                others = min(others, alive)  # one that was ended a moment ago still counts for a while
                await asyncio.sleep(0.2)
        yield


async def _alive(crm: Crm) -> int:
    async with crm.outside() as tx:
        return await queue.workers_alive(tx, within_s=_HEARTBEAT_S)


@asynccontextmanager
async def hello() -> AsyncIterator[str]:
    """The address of a server that only says hello, in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sara.bench.hello", stdout=asyncio.subprocess.PIPE
    )
    try:
        if process.stdout is None or not (line := await process.stdout.readline()):
            raise NotStarted("the server that says hello")
        yield line.decode().strip()
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


@asynccontextmanager
async def whatsapp(settings: Settings, crm: Crm, api_url: str) -> AsyncIterator[tuple[Simulator, str]]:
    """The simulator in this process, telling `api_url` what happens; with its own address."""
    with listen(0) as listener:
        address = f"http://{HOST}:{listener.getsockname()[1]}"
        async with (
            Simulator(await simulated_world(settings, crm, api_url)) as simulator,
            serving(simulator_app(simulator), listener),
        ):
            yield simulator, address


def _environment(settings: Settings, dsn: str) -> dict[str, str]:
    """Without a language model, whatever the installation has; or with the benchmarks' own engine."""
    model = {"SARA_LLM": "extractive"}
    if settings.llm == f"openai:{MODEL}" and settings.llm_base_url:
        model = {
            "SARA_LLM": settings.llm,
            "SARA_LLM_BASE_URL": settings.llm_base_url,
            "SARA_LLM_API_KEY": "bench",
        }
    return environment_with(
        {
            **model,
            "SARA_DATABASE_URL": dsn,
            "SARA_DATA_DIR": str(settings.data_dir),
            "SARA_GATHER_SECONDS": str(settings.gather_seconds),
            "SARA_LOG_LEVEL": "info",
            "SARA_WHATSAPP_BASE_URL": settings.whatsapp_base_url,
            "SARA_WHATSAPP_APP_SECRET": settings.whatsapp_app_secret.get_secret_value(),
            "SARA_WHATSAPP_VERIFY_TOKEN": settings.whatsapp_verify_token.get_secret_value(),
            "SARA_WHATSAPP_ACCESS_TOKEN": settings.whatsapp_access_token.get_secret_value(),
        }
    )


@asynccontextmanager
async def _running(settings: Settings, dsn: str, *arguments: str) -> AsyncIterator[deque[str]]:
    """The process, and the last lines it said, which go on growing."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from sara.cli import main; main()",
        *arguments,
        env=_environment(settings, dsn),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    said: deque[str] = deque(maxlen=40)

    async def hear() -> None:
        while process.stderr is not None and (line := await process.stderr.readline()):
            said.append(line.decode(errors="replace").rstrip())

    hearing = asyncio.create_task(hear())
    try:
        yield said
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
        await hearing


@asynccontextmanager
async def _within(name: str, said: deque[str]) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(_START_S):
            yield
    except TimeoutError as error:
        raise NotStarted(f"`sara {name}`: " + "\n".join(said)) from error


async def _address(said: deque[str]) -> str:
    while True:
        for told in filter(None, map(_LISTENING.search, said)):
            return told[1]
        await asyncio.sleep(0.1)


async def _ready(url: str) -> None:
    async with httpx.AsyncClient() as http:
        while True:
            with suppress(httpx.HTTPError):
                if (await http.get(f"{url}/readyz")).is_success:
                    return
            await asyncio.sleep(0.1)
