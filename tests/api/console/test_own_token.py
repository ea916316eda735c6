"""A file of a conversation is fetched from WhatsApp with the token of the number that it was sent to."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from api.app import create_app
from crm import accounts, businesses, contacts, conversations, messages
from crm.messages import NewMessage
from crm.sealing import Seal
from sara import services
from sara.local import Local
from tests.api.console.people import Agent, customer

NUMBER, SECOND = "1002", "10022"
QUOTE = b"%PDF-1.4 a quote"


@pytest.fixture
def seal(whole: Local) -> Seal:
    found = services.secrets_seal(whole.settings)
    assert found is not None
    return found


async def sent(whole: Local, number: str) -> tuple[int, int]:
    """The business, and a message with a file that a customer sent to one of its numbers."""
    kept = whole.simulator.world.keep_media(QUOTE, "application/pdf", "quote.pdf")
    async with whole.crm.outside() as tx:
        business_id = await businesses.of_slug(tx, "conti")
    async with whole.crm.transaction(business_id) as tx:
        contact_id = await contacts.seen(tx, wa_id=customer("conti").wa_id, bsuid=None, name=None)
        conversation_id = await conversations.open_for(tx, contact_id, number)
        wrote = NewMessage(
            conversation_id, contact_id, "customer", "document", tx.now,
            media_id=kept.id, media_filename="quote.pdf",
        )  # fmt: skip
        message_id = await messages.add(tx, wrote)
    assert message_id is not None
    return business_id, message_id


@asynccontextmanager
async def elsewhere(whole: Local, agent: Agent) -> AsyncIterator[httpx.AsyncClient]:
    """The console where the installation's token is another account's."""
    settings = whole.settings.model_copy(update={"whatsapp_access_token": SecretStr("another-account's")})
    app: FastAPI = create_app(lambda: services.api(settings, whole.dsn, whole.crm))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url=whole.url, cookies=agent.web.cookies
        ) as web,
    ):
        yield web


async def give(whole: Local, business_id: int, number: str, token: bytes | None) -> None:
    async with whole.crm.as_owner() as tx:
        await accounts.set_token(tx, business_id, number, token)


async def test_a_file_is_fetched_with_the_businesss_own_token(
    whole: Local, stranger: Agent, seal: Seal
) -> None:
    good = whole.settings.whatsapp_access_token.get_secret_value()
    business_id, message_id = await sent(whole, NUMBER)
    path = f"{stranger.base}/media/{message_id}"
    async with elsewhere(whole, stranger) as web:
        assert (await web.get(path)).status_code == 502, "the installation's token is another account's"
        await give(whole, business_id, NUMBER, seal.close(good.encode()))
        try:
            got = await web.get(path)
        finally:
            await give(whole, business_id, NUMBER, None)
    assert (got.status_code, got.content) == (200, QUOTE)


async def test_a_file_sent_to_the_second_number_is_fetched_with_that_one_s_token(
    whole: Local, stranger: Agent, seal: Seal
) -> None:
    """Both numbers have accounts of their own: the first one's token gets nothing of the other."""
    good = whole.settings.whatsapp_access_token.get_secret_value()
    business_id, message_id = await sent(whole, SECOND)
    async with whole.crm.as_owner() as tx:
        await tx.connection.execute(
            "INSERT INTO business_number (phone_number_id, business_id) VALUES (%s, %s)",
            (SECOND, business_id),
        )
    try:
        await give(whole, business_id, NUMBER, seal.close(b"the-first-account's"))
        await give(whole, business_id, SECOND, seal.close(good.encode()))
        async with elsewhere(whole, stranger) as web:
            got = await web.get(f"{stranger.base}/media/{message_id}")
    finally:
        await give(whole, business_id, NUMBER, None)
        async with whole.crm.as_owner() as tx:
            await tx.connection.execute("DELETE FROM business_number WHERE phone_number_id = %s", (SECOND,))
    assert (got.status_code, got.content) == (200, QUOTE)
