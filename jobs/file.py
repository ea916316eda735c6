"""Customers' pictures and documents, fetched while the channel has them: it keeps them for a week."""

import structlog
from procrastinate import Blueprint, JobContext

from channels.whatsapp.errors import WhatsAppError
from channels.whatsapp.limits import FILE_MAX
from crm import inbound_files, queue
from crm.inbound_files import ToFetch
from crm.sealing import Seal
from db.tenancy import tenant
from graph.context import MediaUnusable
from jobs.media import ChannelMedia
from jobs.services import Services, services_of

log = structlog.get_logger(__name__)

MOST_BYTES = 25 * 2**20
"""What is kept of a file at most; a larger one stays with WhatsApp, and the agent is told."""
_RETRY_S = (5.0, 60.0, 600.0, 3600.0, 21_600.0, *[86_400.0] * 6)  # six days and a quarter


def blueprint() -> Blueprint:
    """The task of this file, for one app: adding a blueprint to an app renames its tasks."""
    made = Blueprint()
    made.task(name="file", queue=queue.HOOKS, pass_context=True)(file)
    return made


async def file(job: JobContext, *, business_id: int, message_id: int, attempt: int = 0) -> None:
    """Fetches one file; a passing fault is met again later, for as long as the channel has the file."""
    services = services_of(job)
    with tenant(business_id), structlog.contextvars.bound_contextvars(message_id=message_id):
        await fetch(services, business_id, message_id, attempt)


async def fetch(services: Services, business_id: int, message_id: int, attempt: int = 0) -> bool:
    """Keeps one file, or why there is none; False when it is to be tried again."""
    seal = services.context.seal
    async with services.crm.transaction(business_id) as tx:
        wanted = await inbound_files.to_fetch(tx, message_id)
    if wanted is None or wanted.media_id is None or wanted.kept or seal is None:
        return True
    try:
        content = await _content(services, business_id, wanted)
    except MediaUnusable as error:
        await _settle(services, business_id, message_id, seal, problem=str(error))
        return True
    except WhatsAppError as error:
        return await _later(services, business_id, message_id, attempt, error)
    await _settle(services, business_id, message_id, seal, content=content)
    return True


async def _content(services: Services, business_id: int, wanted: ToFetch) -> bytes:
    client = await services.client_of(business_id, wanted.phone_number_id)
    most = min(MOST_BYTES, FILE_MAX.get(wanted.kind, MOST_BYTES))
    media = ChannelMedia(client, most_bytes=most)
    return await media.fetch(wanted.media_id or "", wanted.media_sha256, wanted.phone_number_id)


async def _later(
    services: Services, business_id: int, message_id: int, attempt: int, error: WhatsAppError
) -> bool:
    if attempt >= len(_RETRY_S):
        async with services.crm.transaction(business_id) as tx:
            await inbound_files.missed(tx, message_id, str(error))
        return True
    log.info("file_not_fetched", attempt=attempt, error=str(error))
    async with services.crm.transaction(business_id) as tx:
        await queue.file(tx, message_id, delay_s=_RETRY_S[attempt], attempt=attempt + 1)
    return False


async def _settle(
    services: Services,
    business_id: int,
    message_id: int,
    seal: Seal,
    *,
    content: bytes | None = None,
    problem: str = "",
) -> None:
    async with services.crm.transaction(business_id) as tx:
        if content is None:
            await inbound_files.missed(tx, message_id, problem)
        else:
            await inbound_files.keep(tx, message_id, content, seal)
