"""What WhatsApp Web has of its own: what it lacks, what is not ours, and what nobody can know."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from channels.messages import Button, OutboundMessage
from channels.web.app import web_app
from channels.web.bridge import Bridge
from channels.whatsapp.client import WhatsAppClient
from channels.whatsapp.errors import InvalidParameter, OutcomeUnknown, Transient
from tests.channels.conftest import NUMBERS, SECRET, TOKEN

pytest.importorskip("neonize", reason="the extra whatsapp-web is not installed")
fake = pytest.importorskip("tests.channels.web.fake_neonize")
GIULIA = "393331112222"


@pytest_asyncio.fixture
async def linked(inbox: Any, loopback: Any, serve: Callable[[Any], Any]) -> AsyncIterator[Any]:
    """A bridge with its phone, served, and a client of it."""
    phone = fake.FakeClient()
    bridge = Bridge(phone, NUMBERS[0], inbox.url, SECRET, TOKEN, loopback)
    async with serve(web_app(bridge)) as base_url:
        bridge.sara = WhatsAppClient(loopback, base_url=base_url, access_token=TOKEN)  # type: ignore[attr-defined]
        yield bridge
    await bridge.aclose()


async def say(linked: Any, message: OutboundMessage, **to: str | None) -> Any:
    address = to or {"to": GIULIA, "recipient": None}
    return await linked.sara.send("1001", message=message, callback_data="7|", **address)


ASK = OutboundMessage(
    kind="buttons", body="Confermo?", buttons=(Button(id="yes", title="Sì"), Button(id="no", title="No"))
)


@pytest.mark.parametrize(("said", "chosen"), [("1", "yes"), ("no", "no"), ("domani", None)])
async def test_buttons_are_numbered_lines_and_their_answer_is_the_choice(
    linked: Any, inbox: Any, said: str, chosen: str | None
) -> None:
    await say(linked, ASK)
    assert linked.client.sent[0][1].extendedTextMessage.text == "Confermo?\n\n1. Sì\n2. No"
    await linked.client.hears(fake.words.Message(conversation=said), GIULIA)
    await linked.client.hears(fake.words.Message(conversation=said), GIULIA)
    await linked.settle()
    assert [message.button_id for message in inbox.messages] == [chosen, None], "a choice is made once"


async def test_groups_channels_and_the_protocol_s_own_messages_are_not_ours(linked: Any, inbox: Any) -> None:
    text = fake.words.Message(conversation="ciao a tutti")
    await linked.client.hears(text, GIULIA, IsGroup=True)
    await linked.client.hears(text, "12036304", server="newsletter")
    keys = fake.words.Message(
        protocolMessage=fake.words.ProtocolMessage(type=fake.words.ProtocolMessage.APP_STATE_SYNC_KEY_SHARE)
    )
    await linked.client.hears(keys, GIULIA)
    await linked.settle()
    assert inbox.posts == []


async def test_what_the_owner_types_on_the_phone_is_an_echo_and_what_sara_sent_is_not(
    linked: Any, inbox: Any
) -> None:
    await say(linked, OutboundMessage(body="Buongiorno"))
    ours = linked.client.sent[0][2]
    text = fake.words.Message(conversation="Ci penso io")
    await linked.client.hears(text, GIULIA, IsFromMe=True)
    await linked.client.hears(text, GIULIA, IsFromMe=True, message_id=ours)
    await linked.settle()
    (echo,) = [echo for webhook in inbox.events for echo in webhook.echoes]
    assert (echo.to, echo.text) == (GIULIA, "Ci penso io")


async def test_a_customer_whose_number_is_hidden_is_answered_under_the_same_id(
    linked: Any, inbox: Any
) -> None:
    await linked.client.hears(fake.words.Message(conversation="Ciao"), "98765", server="lid")
    await linked.settle()
    sender = inbox.messages[0].sender
    assert (sender.wa_id, sender.bsuid) == (None, "ZZ.98765")
    await say(linked, OutboundMessage(body="Buongiorno"), to=None, recipient=sender.bsuid)
    address = linked.client.sent[0][0]
    assert (address.User, address.Server) == ("98765", "lid")


async def test_what_was_surely_not_sent_and_what_nobody_knows_are_told_apart(linked: Any) -> None:
    linked.client.linked = False
    with pytest.raises(Transient):
        await say(linked, OutboundMessage(body="uno"))
    assert linked.client.sent == []
    linked.client.linked, linked.client.breaks = True, True
    with pytest.raises(OutcomeUnknown):
        await say(linked, OutboundMessage(body="due"))


async def test_templates_are_refused(linked: Any) -> None:
    with pytest.raises(InvalidParameter):
        await say(linked, OutboundMessage(kind="template", template="autumn", code="it"))


async def test_contacts_places_and_what_is_unknown_are_typed(linked: Any, inbox: Any) -> None:
    card = "BEGIN:VCARD\nFN:Anna\nTEL;type=CELL;waid=393330000001:+39 333 000 0001\nEND:VCARD"
    for message in (
        fake.words.Message(contactMessage=fake.words.ContactMessage(displayName="Anna", vcard=card)),
        fake.words.Message(
            locationMessage=fake.words.LocationMessage(
                degreesLatitude=45.46, degreesLongitude=9.19, name="Duomo"
            )
        ),
        fake.words.Message(pollCreationMessage=fake.words.PollCreationMessage(name="Quando?")),
    ):
        await linked.client.hears(message, GIULIA)
    await linked.settle()
    contact, place, poll = inbox.messages
    assert "+39 333 000 0001" in contact.text
    assert (place.location.latitude, place.location.name) == (45.46, "Duomo")
    assert (poll.type, poll.is_unsupported) == ("unsupported", True)
