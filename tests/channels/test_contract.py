"""What every WhatsApp channel does, whichever stands behind it: the Cloud API or WhatsApp Web.

The customer's side is played in each channel's own terms; SARA's side (its client, its webhook) is the same.
Without the extra `whatsapp-web` the second channel's half is skipped, and says so.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from channels.messages import Button, OutboundMessage, Place
from channels.whatsapp.client import WhatsAppClient
from tests.channels.conftest import NUMBERS, SECRET, TOKEN

GIULIA = "393331112222"
SOUND, PICTURE = b"OggS" + bytes(200), b"\xff\xd8\xff" + bytes(200)


@dataclass
class Channel:
    """A customer's phone (`says`, `heard` …) and SARA's client of the channel they meet on."""

    sara: WhatsAppClient
    says: Callable[..., Awaitable[str]]  # kind, content → wamid
    heard: Callable[[], list[str]]  # texts, captions and names of files that reached the phone
    reads: Callable[[str], Awaitable[None]]  # a wamid of ours
    seen: Callable[[], list[str]]  # wamids of theirs that were marked as read
    settle: Callable[[], Awaitable[None]]


@pytest_asyncio.fixture(params=["cloud", "web"])
async def channel(
    request: pytest.FixtureRequest, make_stage: Any, inbox: Any, loopback: Any, serve: Any
) -> AsyncIterator[Channel]:
    """Both channels, one after the other."""
    if request.param == "cloud":
        yield await _cloud(make_stage)
        return
    from channels.web.app import web_app
    from channels.web.bridge import Bridge

    pytest.importorskip("neonize", reason="the extra whatsapp-web is not installed")
    from tests.channels.web.fake_neonize import FakeClient

    phone = FakeClient()
    bridge = Bridge(phone, NUMBERS[0], inbox.url, SECRET, TOKEN, loopback)
    async with serve(web_app(bridge)) as base_url:
        yield _web(bridge, phone, WhatsAppClient(loopback, base_url=base_url, access_token=TOKEN))
    await bridge.aclose()


async def _cloud(make_stage: Any) -> Channel:
    stage = await make_stage(auto_read=False)
    simulator = stage.simulator

    async def says(kind: str, body: Any, on: str | None = None) -> str:
        if kind in ("audio", "image"):
            media = simulator.world.keep_media(
                body, "audio/ogg; codecs=opus" if kind == "audio" else "image/jpeg"
            )
            file = {"id": media.id, "mime_type": media.mime_type, "sha256": media.sha256}
            own = {"voice": True} if kind == "audio" else {"caption": "Quanto costa?"}
            content = {"type": kind, kind: file | own}
        else:
            content = {
                "text": {"type": "text", "text": {"body": body}},
                "reaction": {"type": "reaction", "reaction": {"message_id": on, "emoji": body}},
                "edit": {
                    "type": "edit",
                    "edit": {"original_message_id": on, "message": {"type": "text", "text": {"body": body}}},
                },
                "revoke": {"type": "revoke", "revoke": {"original_message_id": on}},
            }[kind]
            if kind == "text" and on:
                content["context"] = {"id": on}
        return str(await simulator.customer_sends("1001", GIULIA, content=content, name="Giulia"))

    def heard() -> list[str]:
        return [message.text or message.filename or message.type for message in simulator.sent_to(GIULIA)]

    async def reads(wamid: str) -> None:
        simulator.customer_reads("1001", GIULIA)

    def seen() -> list[str]:
        thread = simulator.world.thread("1001", GIULIA)
        return [m.wamid for m in thread if m.direction == "in" and m.status == "read"]

    return Channel(stage.client, says, heard, reads, seen, simulator.settle)


def _web(bridge: Any, phone: Any, sara: WhatsAppClient) -> Channel:
    from channels.web.incoming import message_id_of, unwrapped, wamid_of
    from tests.channels.web.fake_neonize import common, words

    async def says(kind: str, body: Any, on: str | None = None) -> str:
        key = common.MessageKey(ID=message_id_of(on or ""), fromMe=kind == "reaction")
        quoting = words.ContextInfo(stanzaID=message_id_of(on)) if on else None
        message = {
            "text": lambda: words.Message(
                extendedTextMessage=words.ExtendedTextMessage(text=body, contextInfo=quoting)
            ),
            "audio": lambda: words.Message(
                audioMessage=words.AudioMessage(
                    mimetype="audio/ogg; codecs=opus", PTT=True, **phone.keeps(body)
                )
            ),
            "image": lambda: words.Message(
                imageMessage=words.ImageMessage(
                    mimetype="image/jpeg", caption="Quanto costa?", **phone.keeps(body)
                )
            ),
            "reaction": lambda: words.Message(reactionMessage=words.ReactionMessage(key=key, text=body)),
            "edit": lambda: words.Message(
                protocolMessage=words.ProtocolMessage(
                    key=key,
                    type=words.ProtocolMessage.MESSAGE_EDIT,
                    editedMessage=words.Message(conversation=body),
                )
            ),
            "revoke": lambda: words.Message(
                protocolMessage=words.ProtocolMessage(key=key, type=words.ProtocolMessage.REVOKE)
            ),
        }[kind]()
        return wamid_of(await phone.hears(message, GIULIA))

    def heard() -> list[str]:
        found = []
        for _, message, _ in phone.sent:
            field, inner = unwrapped(message).ListFields()[0]
            shown = [getattr(inner, name, "") for name in ("text", "caption", "fileName", "name")]
            found.append(next(filter(None, shown), field.name.removesuffix("Message")))
        return found

    async def reads(wamid: str) -> None:
        for receipt in (1, 4):  # delivered, read
            await phone.reports(GIULIA, receipt, message_id_of(wamid))

    def seen() -> list[str]:
        return [wamid_of(message_id) for message_id, _ in phone.read]

    return Channel(sara, says, heard, reads, seen, bridge.settle)


async def send(channel: Channel, message: OutboundMessage) -> str:
    sent = await channel.sara.send("1001", to=GIULIA, recipient=None, message=message, callback_data="7|x")
    return sent.wamid


async def test_words_come_in_once_with_who_said_them(channel: Channel, inbox: Any) -> None:
    wamid = await channel.says("text", "Vorrei un massaggio 👩‍👧")
    await channel.settle()
    (message,) = inbox.messages
    assert (message.wamid, message.type, message.text) == (wamid, "text", "Vorrei un massaggio 👩‍👧")
    assert (message.sender.wa_id, message.sender.name) == (GIULIA, "Giulia")
    assert message.phone_number_id == "1001"


async def test_what_a_customer_says_comes_in_order(channel: Channel, inbox: Any) -> None:
    inbox.answers = [503, 500]
    for n in range(6):
        await channel.says("text", str(n))
    await channel.settle()
    assert [message.text for message in inbox.messages] == list("012345")


async def test_quotes_reactions_edits_and_deletions_name_their_message(channel: Channel, inbox: Any) -> None:
    await channel.says("text", "Ciao")
    ours = await send(channel, OutboundMessage(body="Buongiorno"))
    theirs = await channel.says("text", "Questo", on=ours)
    await channel.says("reaction", "👍", on=ours)
    await channel.says("edit", "Quello", on=theirs)
    await channel.says("revoke", None, on=theirs)
    await channel.settle()
    _, quote, reaction, edit, revoke = inbox.messages
    assert quote.reply_to == ours
    assert (reaction.reply_to, reaction.text) == (ours, "👍")
    assert (edit.edits, edit.text) == (theirs, "Quello")
    assert revoke.deletes == theirs


async def test_a_voice_note_and_a_picture_can_be_fetched_whole(channel: Channel, inbox: Any) -> None:
    await channel.says("audio", SOUND)
    await channel.says("image", PICTURE)
    await channel.settle()
    note, picture = inbox.messages
    assert (note.media.voice, picture.text) == (True, "Quanto costa?")
    for message, data in ((note, SOUND), (picture, PICTURE)):
        info = await channel.sara.media_url(message.media.id)
        assert await channel.sara.download(info, limit_bytes=10_000) == data


async def test_what_sara_says_reaches_the_phone_and_is_reported_with_our_reference(
    channel: Channel, inbox: Any
) -> None:
    await channel.says("text", "Ciao")
    wamid = await send(channel, OutboundMessage(body="**Buongiorno**"))
    await channel.settle()
    await channel.reads(wamid)
    await channel.settle()
    assert channel.heard() == ["*Buongiorno*"]
    told = [(status.status, status.wamid, status.callback_data) for status in inbox.statuses]
    assert told == [(state, wamid, "7|x") for state in ("sent", "delivered", "read")]


async def test_choices_files_places_and_reactions_reach_the_phone(channel: Channel) -> None:
    theirs = await channel.says("text", "Ciao")
    buttons = (Button(id="y", title="Sì"), Button(id="n", title="No"))
    await send(channel, OutboundMessage(kind="buttons", body="Confermo?", buttons=buttons))
    media_id = await channel.sara.upload("1001", b"%PDF-1.7", "application/pdf", "preventivo.pdf")
    paper = OutboundMessage(kind="document", body="Ecco", media_id=media_id, filename="preventivo.pdf")
    await send(channel, paper)
    place = Place(latitude=45.46, longitude=9.19, name="Aurora")
    await send(channel, OutboundMessage(kind="location", place=place))
    await send(channel, OutboundMessage(kind="reaction", body="👍", reply_to=theirs))
    first, document, where, reaction = channel.heard()
    assert first.startswith("Confermo?")
    assert document == "Ecco"
    assert where.startswith("Aurora")
    assert reaction == "👍"
    await channel.settle()


async def test_read_and_typing_are_shown(channel: Channel) -> None:
    wamid = await channel.says("text", "Ciao")
    await channel.settle()
    await channel.sara.mark_read("1001", wamid, typing=True)
    assert channel.seen() == [wamid]


async def test_the_number_is_known_and_a_wrong_token_is_refused(channel: Channel) -> None:
    from channels.whatsapp.errors import TokenExpired

    assert (await channel.sara.phone_number("1001")).id == "1001"
    with pytest.raises(TokenExpired):
        await channel.sara.with_token("another").phone_number("1001")
