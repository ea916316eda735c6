"""A file of a conversation is fetched from WhatsApp with the token of the business whose it is."""

import httpx
from pydantic import SecretStr

from api.app import create_app
from crm import accounts, businesses, contacts, conversations, messages
from crm.messages import NewMessage
from sara import services
from sara.local import Local
from tests.api.console.people import Agent, customer

NUMBER = "1002"


async def test_a_file_is_fetched_with_the_businesss_own_token(whole: Local, stranger: Agent) -> None:
    seal = services.secrets_seal(whole.settings)
    assert seal is not None
    good = whole.settings.whatsapp_access_token.get_secret_value()
    kept = whole.simulator.world.keep_media(b"%PDF-1.4 a quote", "application/pdf", "quote.pdf")
    async with whole.crm.outside() as tx:
        business_id = await businesses.of_slug(tx, "conti")
    async with whole.crm.transaction(business_id) as tx:
        contact_id = await contacts.seen(tx, wa_id=customer("conti").wa_id, bsuid=None, name=None)
        conversation_id = await conversations.open_for(tx, contact_id, NUMBER)
        wrote = NewMessage(
            conversation_id, contact_id, "customer", "document", tx.now,
            media_id=kept.id, media_filename="quote.pdf",
        )  # fmt: skip
        message_id = await messages.add(tx, wrote)
    elsewhere = whole.settings.model_copy(update={"whatsapp_access_token": SecretStr("another-account's")})
    app = create_app(lambda: services.api(elsewhere, whole.dsn, whole.crm))
    path = f"{stranger.base}/media/{message_id}"
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url=whole.url, cookies=stranger.web.cookies
        ) as web,
    ):
        assert (await web.get(path)).status_code == 502, "the installation's token is another account's"
        async with whole.crm.as_owner() as tx:
            await accounts.set_token(tx, business_id, NUMBER, seal.close(good.encode()))
        try:
            got = await web.get(path)
        finally:
            async with whole.crm.as_owner() as tx:
                await accounts.set_token(tx, business_id, NUMBER, None)
    assert (got.status_code, got.content) == (200, b"%PDF-1.4 a quote")
