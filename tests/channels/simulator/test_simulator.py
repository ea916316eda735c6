from __future__ import annotations

import asyncio
from typing import Any

import pytest

from channels.messages import Button, OutboundMessage, Row
from channels.simulator.settings import Faults
from channels.simulator.simulator import NoReply, NoSuchButton, UnknownNumber

GIULIA, TIAGO = "393331112222", "351912345678"
ASK = OutboundMessage(kind="buttons", body="Confermo?", buttons=(Button(id="yes", title="Sì"),))
PICK = OutboundMessage(
    kind="list", body="Quando?", opener="Orari", rows=(Row(id="s1", title="Oggi alle 10"),)
)


async def reply(stage: Any, message: OutboundMessage, to: str = GIULIA) -> str:
    sent = await stage.client.send("1001", to=to, recipient=None, message=message, callback_data="x")
    return str(sent.wamid)


@pytest.mark.parametrize(
    ("identity", "wa_id", "has_user_id"),
    [("both", GIULIA, True), ("phone_only", GIULIA, False), ("hidden", None, True)],
)
async def test_webhooks_carry_the_ids_they_are_told_to(
    make_stage: Any, inbox: Any, identity: str, wa_id: str | None, has_user_id: bool
) -> None:
    stage = await make_stage(identity=identity)
    wamid = await stage.simulator.customer_sends("1001", GIULIA, text="Ciao 👩‍👧 ñ\u202e", name="Giulia")
    await stage.simulator.settle()
    (found,) = inbox.messages
    # What turns the reading direction is taken off at the door; everything else comes through as sent.
    assert (found.wamid, found.text, found.phone_number_id) == (wamid, "Ciao 👩‍👧 ñ", "1001")
    assert (found.sender.wa_id, found.sender.name) == (wa_id, "Giulia")
    assert (found.sender.bsuid is not None) is has_user_id
    assert stage.simulator.world.message(wamid).status == "delivered"


async def test_a_customers_messages_arrive_in_order_though_the_webhook_fails(stage: Any, inbox: Any) -> None:
    inbox.answers = [500, 503]
    for n in range(5):
        await stage.simulator.customer_sends("1001", GIULIA, text=str(n))
    await stage.simulator.settle()
    assert inbox.refused == 2
    assert [message.text for message in inbox.messages] == ["0", "1", "2", "3", "4"]


async def test_a_dead_webhook_is_given_up_and_shown(stage: Any, inbox: Any) -> None:
    inbox.answers = [500] * 4
    wamid = await stage.simulator.customer_sends("1001", GIULIA, text="Ciao")
    await stage.simulator.settle()
    assert stage.simulator.courier.given_up == 1
    assert stage.simulator.world.message(wamid).status == "sent"
    assert not inbox.messages


async def test_batches_hold_several_numbers_and_kinds(make_stage: Any, inbox: Any) -> None:
    stage = await make_stage(batch_window_s=0.05)
    for number, customer in (("1001", GIULIA), ("1001", TIAGO), ("1002", GIULIA)):
        await stage.simulator.customer_sends(number, customer, text=f"{number} {customer}")
    await stage.simulator.settle()
    (webhook,) = inbox.events
    assert not webhook.unparsed
    texts = [message.text for message in webhook.messages]
    assert texts == [f"1001 {GIULIA}", f"1001 {TIAGO}", f"1002 {GIULIA}"]


async def test_webhooks_can_come_twice(make_stage: Any, inbox: Any) -> None:
    stage = await make_stage(faults=Faults(p_duplicate=1.0))
    await stage.simulator.customer_sends("1001", GIULIA, text="Ciao")
    await stage.simulator.settle()
    first, second = inbox.posts
    assert first == second


async def test_buttons_and_rows_are_pressed_by_id_or_title(stage: Any, inbox: Any) -> None:
    await stage.simulator.customer_sends("1001", GIULIA, text="Ciao")
    asked, picked = await reply(stage, ASK), await reply(stage, PICK)
    await stage.simulator.customer_sends("1001", GIULIA, button="Sì")
    await stage.simulator.customer_sends("1001", GIULIA, button="s1")
    await stage.simulator.settle()
    yes, slot = inbox.messages[1:]
    assert (yes.type, yes.button_id, yes.text, yes.reply_to) == ("interactive", "yes", "Sì", asked)
    assert (slot.button_id, slot.button_title, slot.reply_to) == ("s1", "Oggi alle 10", picked)
    with pytest.raises(NoSuchButton):
        await stage.simulator.customer_sends("1001", GIULIA, button="maybe")


async def test_other_content_passes_as_it_is(stage: Any, inbox: Any) -> None:
    content = {"type": "location", "location": {"latitude": 45.46, "longitude": 9.19}}
    await stage.simulator.customer_sends("1001", GIULIA, content=content)
    await stage.simulator.customer_sends("1001", GIULIA, content={"type": "hologram"})
    await stage.simulator.settle()
    place, hologram = inbox.messages
    assert place.location.latitude == 45.46
    assert hologram.is_unsupported


async def test_mistakes_in_use_are_told(stage: Any) -> None:
    with pytest.raises(UnknownNumber):
        await stage.simulator.customer_sends("9", GIULIA, text="Ciao")
    with pytest.raises(ValueError, match="exactly one"):
        await stage.simulator.customer_sends("1001", GIULIA)
    with pytest.raises(ValueError, match="exactly one"):
        await stage.simulator.customer_sends("1001", GIULIA, text="Ciao", button="yes")


async def test_waiting_for_a_reply(stage: Any) -> None:
    await stage.simulator.customer_sends("1001", GIULIA, text="Ciao")
    waiting = asyncio.create_task(stage.simulator.wait_for_reply(GIULIA, timeout=5))
    await reply(stage, ASK)
    assert (await waiting).buttons == ASK.buttons
    await reply(stage, OutboundMessage(body="Secondo"))
    assert (await stage.simulator.wait_for_reply(GIULIA, after=1, timeout=1)).text == "Secondo"
    with pytest.raises(NoReply, match="message 3"):
        await stage.simulator.wait_for_reply(GIULIA, after=2, timeout=0.05)
    with pytest.raises(NoReply):
        await stage.simulator.wait_for_reply(GIULIA, phone_number_id="1002", timeout=0.05)


async def test_without_auto_read_messages_are_read_when_looked_at(make_stage: Any, inbox: Any) -> None:
    stage = await make_stage(auto_read=False)
    await stage.simulator.customer_sends("1001", GIULIA, text="Ciao")
    first = await reply(stage, ASK)
    await stage.simulator.settle()
    assert stage.simulator.world.message(first).status == "delivered"
    second = await reply(stage, PICK)
    stage.simulator.customer_reads("1001", GIULIA)
    await stage.simulator.settle()
    for wamid in (first, second):
        states = [status.status for status in inbox.statuses if status.wamid == wamid]
        assert states == ["sent", "delivered", "read"]


async def test_reading_marks_earlier_messages_too(stage: Any) -> None:
    first = await stage.simulator.customer_sends("1001", GIULIA, text="Uno")
    second = await stage.simulator.customer_sends("1001", GIULIA, text="Due")
    await stage.client.mark_read("1001", second, typing=False)
    await stage.simulator.settle()
    assert {stage.simulator.world.message(wamid).status for wamid in (first, second)} == {"read"}


async def test_the_same_seed_draws_the_same_faults(make_stage: Any) -> None:
    drawn = []
    for _ in range(2):
        stage = await make_stage(faults=Faults(p500=0.3, p_timeout=0.3, seed=7))
        drawn.append([stage.simulator.faults.draw() for _ in range(50)])
    assert drawn[0] == drawn[1]
    assert set(drawn[0]) == {None, "p500", "p_timeout"}
