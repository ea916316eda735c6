"""Voice notes in a burst, and notes that can only be fetched later: one turn, in order, nothing lost."""

import itertools
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from channels.simulator.settings import Faults
from crm import conversations, inbox, messages, queue
from crm.messages import NewMessage
from db.tenancy import tenant
from graph.run import remembered
from tests.jobs.shop import Shop
from tests.jobs.test_drain import all_taken_in

_senders = itertools.count(393690000001)
_wamids = itertools.count(1)


async def says(shop: Shop, conversation_id: int, *said: str | bytes) -> list[str]:
    """Texts and voice notes of a customer as the webhook writes them down, then one job; their wamids."""
    wamids = []
    async with shop.crm.transaction(shop.business_id) as tx:
        conversation = await conversations.lock(tx, conversation_id)
        for words in said:
            wamid = f"wamid.voice.{conversation_id}.{next(_wamids)}"
            more: dict[str, Any] = {"kind": "text", "body": words}
            if isinstance(words, bytes):
                media = shop.simulator.world.keep_media(words, "audio/ogg; codecs=opus")
                more = {"kind": "audio", "media_id": media.id, "media_mime_type": media.mime_type}
                more |= {"media_sha256": media.sha256, "media_voice": True}
            message = NewMessage(
                conversation_id=conversation_id,
                contact_id=conversation.contact_id,
                author="customer",
                wamid=wamid,
                sent_at=tx.now,
                **more,
            )
            message_id = await messages.add(tx, message)
            await inbox.add(tx, conversation_id, inbox.CUSTOMER_MESSAGE, message_id=message_id)
            wamids.append(wamid)
        await queue.drain(tx, conversation_id, delay_s=0)
    return wamids


async def window(shop: Shop, conversation_id: int) -> list[str]:
    """What the customer said, as the thread remembers it."""
    with tenant(shop.business_id):
        state = await remembered(shop.services.machine, f"{shop.business_id}:{conversation_id}")
    return [line["text"] for line in state["window"] if line["author"] == "customer"]


@pytest.fixture
def price(notes: Path) -> bytes:
    return (notes / "it_price_woman.ogg").read_bytes()


async def test_text_and_voice_in_one_burst_are_one_turn_in_order(shop: Shop, price: bytes) -> None:
    conversation = await shop.open_conversation(str(next(_senders)))
    wamids = await says(shop, conversation, "Buongiorno", price, "e dove siete?")
    await shop.work_until(lambda: all_taken_in(shop, conversation), 60)
    rows = await shop.outbox_of(conversation)
    assert len({row["turn_id"] for row in rows}) == 1
    assert rows[0]["answers"] == ",".join(wamids)
    first, heard, last = await window(shop, conversation)
    assert (first, last) == ("Buongiorno", "e dove siete?")
    assert "massaggio rilassante" in heard.lower()


async def test_a_note_not_understood_beside_words_is_asked_about_and_the_words_answered(
    shop: Shop, notes: Path
) -> None:
    conversation = await shop.open_conversation(str(next(_senders)))
    await says(shop, conversation, "Dove siete?", (notes / "silence.ogg").read_bytes())
    await shop.work_until(lambda: all_taken_in(shop, conversation), 60)
    said = "\n".join(
        row["body"]
        for row in await shop.rows(
            "SELECT body FROM message WHERE conversation_id = %s AND author = 'bot' ORDER BY message_id",
            conversation,
        )
    )
    assert said.startswith("Nel vocale non sono riuscita a sentire niente.")
    assert "Via Orti" in said


async def test_a_note_that_can_only_be_fetched_later_still_gets_its_turn(shop: Shop, price: bytes) -> None:
    conversation = await shop.open_conversation(str(next(_senders)))
    shop.simulator.faults.now = Faults(p_media=1.0)
    note = await says(shop, conversation, price)
    await shop.work()
    assert not await all_taken_in(shop, conversation)
    assert await shop.outbox_of(conversation) == []
    # What is written meanwhile does not overtake the note.
    text = await says(shop, conversation, "e dove siete?")
    shop.simulator.faults.now = Faults()
    await shop.work_until(lambda: all_taken_in(shop, conversation), 60)
    answers = [row["answers"] for row in await shop.outbox_of(conversation)]
    assert list(dict.fromkeys(answers)) == [*note, *text]
    heard, written = await window(shop, conversation)
    assert "massaggio rilassante" in heard.lower()
    assert written == "e dove siete?"
    [kept] = await shop.rows("SELECT * FROM message WHERE wamid = %s", note[0])
    assert (kept["transcript_status"], kept["language"], kept["transcript_reason"]) == ("ok", "it", None)
    assert kept["transcript_confidence"] > 0.5
    assert kept["media_seconds"] == pytest.approx(5.5, abs=0.5)


async def test_a_note_that_is_gone_is_asked_for_again(shop: Shop, price: bytes) -> None:
    conversation = await shop.open_conversation(str(next(_senders)))
    [wamid] = await says(shop, conversation, price)
    await shop.rows("UPDATE message SET media_id = '404404' WHERE wamid = %s", wamid)
    await shop.work_until(lambda: all_taken_in(shop, conversation), 60)
    [kept] = await shop.rows("SELECT * FROM message WHERE wamid = %s", wamid)
    assert (kept["transcript_status"], kept["transcript_reason"]) == ("rejected", "unavailable")
    [said] = await shop.rows(
        "SELECT body FROM message WHERE conversation_id = %s AND author = 'bot'", conversation
    )
    assert said["body"] == "Il tuo vocale non mi è arrivato per intero. Puoi mandarmelo di nuovo?"


async def handed(shop: Shop, conversation_id: int) -> list[dict[str, Any]]:
    return await shop.rows(
        "SELECT reason, label, summary, wants FROM handoff WHERE conversation_id = %s", conversation_id
    )


async def came_long_ago(shop: Shop, conversation_id: int) -> None:
    query = "UPDATE inbox_event SET created_at = now() - interval '11 minutes' WHERE conversation_id = %s"
    await shop.rows(query, conversation_id)


@pytest.mark.parametrize("after_an_outage", [False, True])
async def test_a_media_api_that_is_away_for_a_moment_sends_nobody_to_a_person(
    shop: Shop, price: bytes, after_an_outage: bool
) -> None:
    conversation = await shop.open_conversation(str(next(_senders)))
    shop.simulator.faults.now = Faults(p_media=1.0)
    await says(shop, conversation, price)
    if after_an_outage:  # no worker of ours was there
        await came_long_ago(shop, conversation)
    await shop.work_for(4)  # in which three failures would have counted
    query = "SELECT args FROM procrastinate_jobs WHERE lock = %s AND status = 'todo'"
    [job] = await shop.rows(query, f"conv:{conversation}")
    assert job["args"]["attempt"] == 0
    assert await handed(shop, conversation) == []
    shop.simulator.faults.now = Faults()
    await shop.work_until(lambda: all_taken_in(shop, conversation), 60)
    assert await handed(shop, conversation) == []
    [heard] = await window(shop, conversation)
    assert "massaggio rilassante" in heard.lower()


async def test_ten_minutes_after_the_note_was_first_tried_a_person_hears_of_it(
    shop: Shop, price: bytes
) -> None:
    patience = replace(shop.services.patience, most_media_wait_s=2.0)
    hasty = replace(shop, services=replace(shop.services, patience=patience))
    conversation = await shop.open_conversation(str(next(_senders)))
    shop.simulator.faults.now = Faults(p_media=1.0)
    await says(shop, conversation, price, "e dove siete?")
    await came_long_ago(shop, conversation)
    began = time.monotonic()
    try:
        await hasty.work_until(lambda: all_taken_in(shop, conversation), 30)
        assert time.monotonic() - began > patience.most_media_wait_s
    finally:
        shop.simulator.faults.now = Faults()
    [handoff] = await handed(shop, conversation)
    assert (handoff["reason"], handoff["label"]) == ("turn_failed", None)
    assert handoff["wants"] == handoff["summary"] == "un vocale / e dove siete?"


async def test_a_call_for_help_does_not_wait_for_a_note_that_cannot_be_fetched(
    shop: Shop, price: bytes
) -> None:
    conversation = await shop.open_conversation(str(next(_senders)))
    shop.simulator.faults.now = Faults(p_media=1.0)
    await says(shop, conversation, price, "aiuto, mio padre non respira")
    try:
        await shop.work_until(lambda: all_taken_in(shop, conversation), 30)
    finally:
        shop.simulator.faults.now = Faults()
    [handoff] = await handed(shop, conversation)
    assert (handoff["reason"], handoff["label"]) == ("turn_failed", "emergency")
