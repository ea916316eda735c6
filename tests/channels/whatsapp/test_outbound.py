"""Every kind of message SARA can send: within Meta's limits, as the simulator enforces them."""

from __future__ import annotations

from typing import Any

import pytest

from channels.messages import Button, OutboundMessage, Place, Row
from channels.whatsapp import limits
from channels.whatsapp.errors import InvalidParameter, TemplatePaused, TokenExpired, WhatsAppError
from channels.whatsapp.limits import UnsendableMessage, fit
from channels.whatsapp.render import to_graph

GIULIA = "393331112222"
UP = {"media_id": "77"}
KINDS: dict[str, OutboundMessage] = {
    "text": OutboundMessage(body="**Ciao** https://x.it", preview=True),
    "buttons": OutboundMessage(
        kind="buttons", body="Va bene?", header="Conferma", buttons=(Button(id="y", title="Sì"),)
    ),
    "list": OutboundMessage(kind="list", body="Quando?", header="Orari", rows=(Row(id="a", title="Oggi"),)),
    "image": OutboundMessage(kind="image", body="Eccola", **UP),
    "video": OutboundMessage(kind="video", body="Eccolo", **UP),
    "document": OutboundMessage(kind="document", body="Ecco", filename="a.pdf", **UP),
    "audio": OutboundMessage(kind="audio", voice=True, **UP),
    "location": OutboundMessage(
        kind="location", place=Place(latitude=45.46, longitude=9.19, name="Duomo", address="Milano")
    ),
    "reaction": OutboundMessage(kind="reaction", body="👍", reply_to="wamid.1"),
    "template": OutboundMessage(
        kind="template",
        template="reminder",
        code="it",
        values=("Ada", "le 10"),
        header_value="Aurora",
        url_values=((0, "abc"),),
        buttons=(Button(id="ok", title="Ok"),),
    ),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_reaches_the_phone(stage: Any, kind: str) -> None:
    await stage.simulator.customer_sends("1001", GIULIA, text="Ciao")
    (message,) = fit(KINDS[kind])
    await stage.client.send("1001", to=GIULIA, recipient=None, message=message, callback_data="x")
    (seen,) = stage.simulator.sent_to(GIULIA)
    assert seen.type == {"buttons": "interactive", "list": "interactive"}.get(kind, kind)
    assert seen.voice is (kind == "audio")
    await stage.simulator.settle()


def wire(message: OutboundMessage) -> dict[str, Any]:
    return to_graph(message, to=GIULIA, recipient=None, callback_data="x")


def test_the_wire_of_what_has_no_words() -> None:
    assert wire(KINDS["audio"])["audio"] == {"id": "77", "voice": True}
    assert wire(KINDS["location"])["location"] == {
        "latitude": 45.46,
        "longitude": 9.19,
        "name": "Duomo",
        "address": "Milano",
    }
    reaction = wire(KINDS["reaction"])
    assert reaction["reaction"] == {"message_id": "wamid.1", "emoji": "👍"}
    assert "context" not in reaction


def test_a_card_of_a_link_is_shown_only_when_wanted() -> None:
    plain = OutboundMessage(body="https://x.it")
    assert wire(plain)["text"]["preview_url"] is False
    assert wire(plain.model_copy(update={"preview": True}))["text"]["preview_url"] is True
    assert wire(OutboundMessage(body="senza", preview=True))["text"]["preview_url"] is False


def test_a_template_on_the_wire() -> None:
    parts = wire(KINDS["template"])["template"]["components"]
    assert [(part["type"], part.get("sub_type")) for part in parts] == [
        ("header", None),
        ("body", None),
        ("button", "url"),
        ("button", "quick_reply"),
    ]
    shown = OutboundMessage(kind="template", template="t", code="it", header_kind="image", media_id="5")
    assert wire(shown)["template"]["components"] == [
        {"type": "header", "parameters": [{"type": "image", "image": {"id": "5"}}]}
    ]


@pytest.mark.parametrize("kind", ["image", "video", "document"])
def test_a_long_caption_goes_on_as_text(kind: Any) -> None:
    sentence = "Questa frase è lunga quanto basta. "
    message = OutboundMessage(kind=kind, body=sentence * 60, filename="a.pdf", reply_to="w", **UP)
    shown, *after = fit(message)
    assert (shown.kind, shown.reply_to, shown.media_id) == (kind, "w", "77")
    assert len(shown.body) <= limits.CAPTION_MAX
    assert shown.body.endswith(".")
    assert [part.kind for part in after] == ["text"]
    assert (shown.body + " " + after[0].body).split() == (sentence * 60).split()


def test_a_file_name_has_no_folders_and_keeps_its_ending() -> None:
    (shown,) = fit(OutboundMessage(kind="document", filename="../../etc/" + "x" * 400 + ".pdf", **UP))
    assert shown.filename is not None
    assert len(shown.filename) == limits.FILENAME_MAX
    assert shown.filename.endswith("x.pdf")
    assert "/" not in shown.filename


@pytest.mark.parametrize(
    "message",
    [
        OutboundMessage(kind="image", body="x"),
        OutboundMessage(kind="document", **UP),
        OutboundMessage(kind="audio"),
        OutboundMessage(kind="location"),
        OutboundMessage(kind="reaction", body="👍"),
        OutboundMessage(kind="reaction", body="bravissimi " * 5, reply_to="w"),
        OutboundMessage(kind="template", template="t"),
        OutboundMessage(kind="template", template="t", code="it", values=(" ",)),
    ],
)
def test_what_cannot_be_sent_is_said_before_it_is_tried(message: OutboundMessage) -> None:
    with pytest.raises(UnsendableMessage):
        fit(message)


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "audio", "audio": {"id": "1", "caption": "no"}},
        {"type": "image", "image": {"id": "1", "link": "https://x.it"}},
        {"type": "image", "image": {}},
        {"type": "document", "document": {"id": "1", "filename": "x" * 241}},
        {"type": "video", "video": {"id": "1", "caption": "x" * 1025}},
        {"type": "location", "location": {"latitude": 91, "longitude": 0}},
        {"type": "location", "location": {"longitude": 0}},
        {"type": "reaction", "reaction": {"message_id": "w", "emoji": "x" * 40}},
        {"type": "text", "text": {"body": "x" * 4097}},
        {"type": "text", "text": {"body": "x", "preview_url": "yes"}},
    ],
)
async def test_the_simulator_is_as_strict_as_meta(stage: Any, wrong: dict[str, Any]) -> None:
    await stage.simulator.customer_sends("1001", GIULIA, text="Ciao")
    answer = await stage.http.post(
        f"{stage.base_url}/v23.0/1001/messages",
        json={"messaging_product": "whatsapp", "to": GIULIA, **wrong},
        headers={"Authorization": "Bearer a-token"},
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 100)
    await stage.simulator.settle()


async def test_templates_are_approved_paused_and_counted(stage: Any, inbox: Any) -> None:
    account, waba = stage.simulator.account, "200000000000001"
    body = ({"type": "BODY", "text": "Ciao {{1}}"},)
    account.submit(waba, "reminder", "it", components=body)
    message = OutboundMessage(kind="template", template="reminder", code="it", values=("Ada",))

    async def send(one: OutboundMessage = message) -> None:
        await stage.client.send("1001", to=GIULIA, recipient=None, message=one, callback_data="x")

    with pytest.raises(InvalidParameter) as missing:
        await send()
    assert missing.value.code == 132001
    account.decide(waba, "reminder", "it", "APPROVED")
    await send()
    with pytest.raises(InvalidParameter) as miscounted:
        await send(message.model_copy(update={"values": ()}))
    assert miscounted.value.code == 132000
    account.decide(waba, "reminder", "it", "PAUSED")
    with pytest.raises(TemplatePaused):
        await send()
    await stage.simulator.settle()
    fields = [b'"field": "message_template_status_update"' in raw for raw in inbox.posts]
    assert sum(fields) == 2


async def test_limits_and_faults_are_switched_while_it_runs(stage: Any) -> None:
    simulator = stage.simulator
    message = OutboundMessage(kind="template", template="t", code="it")

    async def send(to: str) -> int | None:
        try:
            await stage.client.send("1001", to=to, recipient=None, message=message, callback_data="x")
        except WhatsAppError as error:
            return error.code
        return None

    simulator.quotas.tier = 2
    assert [await send(to) for to in ("3901", "3902", "3901", "3903")] == [None, None, None, 131048]
    simulator.quotas.tier = None
    simulator.faults.now = simulator.faults.now.model_copy(update={"burst_5xx": 2})
    assert [await send("3904") for _ in range(3)] == [131000, 131000, None]
    simulator.faults.refusals.extend([131049])
    assert [await send("3905"), await send("3905")] == [131049, None]
    simulator.faults.refuses("3907", 131056)
    simulator.faults.meets("3908", "p500")
    assert [await send(to) for to in ("3906", "3908", "3907")] == [None, 131000, 131056]
    assert [await send(to) for to in ("3908", "3907")] == [None, None]
    assert simulator.refused == {131048: 1, 131049: 1, 131056: 1}
    simulator.faults.now = simulator.faults.now.model_copy(update={"token_expired": True})
    with pytest.raises(TokenExpired):
        await stage.client.phone_number("1001")
    await simulator.settle()


async def test_statuses_come_late_doubled_and_in_the_wrong_order(stage: Any, inbox: Any) -> None:
    simulator = stage.simulator
    simulator.faults.now = simulator.faults.now.model_copy(update={"p_disorder": 1.0})
    await simulator.customer_sends("1001", GIULIA, text="Ciao")
    sent = await stage.client.send(
        "1001", to=GIULIA, recipient=None, message=OutboundMessage(body="x"), callback_data="x"
    )
    await simulator.settle()
    simulator.report(sent.wamid, "delivered")
    await simulator.settle()
    assert [status.status for status in inbox.statuses] == ["read", "delivered", "sent", "delivered"]
    assert simulator.world.message(sent.wamid).status == "read"


async def test_the_owner_and_the_customers_menu_are_told(stage: Any, inbox: Any) -> None:
    stage.simulator.owner_sends("1001", GIULIA, "Ci penso io")
    stage.simulator.customer_prefers("1001", GIULIA, stop=True)
    stage.simulator.account.rate("1001", "RED")
    await stage.simulator.settle()
    (echo,) = [echo for event in inbox.events for echo in event.echoes]
    (choice,) = [choice for event in inbox.events for choice in event.preferences]
    assert (echo.text, choice.stopped) == ("Ci penso io", True)
    assert (await stage.client.phone_number("1001")).quality_rating == "RED"
