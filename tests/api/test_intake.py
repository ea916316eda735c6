"""Every kind of message a customer can send, as the record keeps it and the graph gets it."""

import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from channels.simulator.settings import Faults
from crm import inbound_files
from crm.errors import UnknownMessage
from crm.sealing import Seal, new_key
from jobs import drain
from jobs.file import _RETRY_S, fetch
from tests.chaos.town import NUMBER
from tests.jobs.shop import Shop, opened

Json = dict[str, Any]
DAY_S = 86_400.0


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    """An API on a database of its own; no job runs, so what was queued can be looked at."""
    async with opened(tmp_path_factory.mktemp("intake")) as shop:
        yield shop


def message(wa_id: str, kind: str, content: Any, **extra: Any) -> Json:
    item = {"from": wa_id, "id": f"wamid.{time.monotonic_ns()}", "timestamp": str(int(time.time()))}
    return {**item, "type": kind, kind: content, **extra}


async def arrives(shop: Shop, *items: Json, field: str = "messages") -> Json:
    value = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": NUMBER}, field: list(items)}
    entry = {"id": "1", "changes": [{"field": field, "value": value}]}
    raw = json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()
    answer = await shop.post(raw)
    assert answer.status_code == 200
    return dict(answer.json())


async def said(shop: Shop, wa_id: str) -> list[Json]:
    """What the graph would be given now of a customer."""
    (found,) = await shop.rows(
        "SELECT conversation_id FROM conversation JOIN contact USING (contact_id) WHERE wa_id = %s", wa_id
    )
    came = await drain._next(shop.services, shop.business_id, found["conversation_id"], 0, None)
    return [dict(one) for one in came.event["messages"]] if came else []


async def one(shop: Shop, query: str, *parameters: object) -> Json:
    (row,) = await shop.rows(query, *parameters)
    return row


async def test_a_reply_brings_the_words_it_quotes(shop: Shop) -> None:
    first = message("393910000001", "text", {"body": "Il massaggio delle 10"})
    second = message("393910000001", "text", {"body": "questo"}, context={"id": first["id"]})
    await arrives(shop, first, second)
    assert [one["quoted"] for one in await said(shop, "393910000001")] == [None, "Il massaggio delle 10"]


async def test_a_place_is_words_and_degrees(shop: Shop) -> None:
    place = {"latitude": 45.4642, "longitude": 9.19, "name": "Duomo", "address": "Milano"}
    await arrives(shop, message("393910000002", "location", place))
    (found,) = await said(shop, "393910000002")
    assert found["text"] == "Duomo Milano (45.46420, 9.19000)"
    assert found["place"] == place


async def test_a_picture_with_its_caption_is_kept_for_an_agent(shop: Shop) -> None:
    media = shop.simulator.world.keep_media(b"\x89PNG picture", "image/png")
    content = {"id": media.id, "mime_type": "image/png", "sha256": media.sha256, "caption": "Quanto costa?"}
    await arrives(shop, message("393910000003", "image", content))
    (found,) = await said(shop, "393910000003")
    assert (found["text"], found["media"]["id"]) == ("Quanto costa?", media.id)
    jobs = await shop.rows("SELECT args FROM procrastinate_jobs WHERE task_name = 'sara:file'")
    assert {"business_id": shop.business_id, "message_id": found["message_id"], "attempt": 0} in [
        job["args"] for job in jobs
    ]
    seal = shop.services.context.seal
    assert seal is not None
    assert await fetch(shop.services, shop.business_id, found["message_id"])
    async with shop.crm.transaction(shop.business_id) as tx:
        assert await inbound_files.get(tx, found["message_id"], seal) == b"\x89PNG picture"
    sealed = await one(shop, "SELECT sealed FROM inbound_file WHERE message_id = %s", found["message_id"])
    assert b"picture" not in sealed["sealed"]


async def test_a_document_that_cannot_be_had_says_why(shop: Shop) -> None:
    gone = {"id": "404404", "mime_type": "application/pdf", "filename": "../../fattura.pdf"}
    await arrives(shop, message("393910000004", "document", gone))
    (found,) = await said(shop, "393910000004")
    assert found["media"]["filename"] == "../../fattura.pdf"
    assert await fetch(shop.services, shop.business_id, found["message_id"])
    async with shop.crm.transaction(shop.business_id) as tx:
        with pytest.raises(UnknownMessage, match="could not be had"):
            await inbound_files.get(tx, found["message_id"], Seal([new_key()]))


async def test_a_file_is_asked_for_as_long_as_the_channel_keeps_it(shop: Shop) -> None:
    assert 6 * DAY_S < sum(_RETRY_S) < 7 * DAY_S
    assert max(_RETRY_S) <= DAY_S
    media = shop.simulator.world.keep_media(b"%PDF-1.4", "application/pdf")
    await arrives(shop, message("393910000044", "document", {"id": media.id, "mime_type": "application/pdf"}))
    (found,) = await said(shop, "393910000044")
    settled = "SELECT problem FROM inbound_file WHERE message_id = %s"
    before, shop.simulator.faults.now = shop.simulator.faults.now, Faults(p_media=1.0)
    try:
        assert not await fetch(shop.services, shop.business_id, found["message_id"], len(_RETRY_S) - 1)
        assert await shop.rows(settled, found["message_id"]) == []
        assert await fetch(shop.services, shop.business_id, found["message_id"], len(_RETRY_S))
    finally:
        shop.simulator.faults.now = before
    assert (await one(shop, settled, found["message_id"]))["problem"]


async def test_an_edit_before_the_turn_replaces_the_words(shop: Shop) -> None:
    first = message("393910000005", "text", {"body": "alle 10"})
    edit = {"original_message_id": first["id"], "message": {"type": "text", "text": {"body": "alle 11"}}}
    await arrives(shop, first)
    await arrives(shop, message("393910000005", "edit", edit))
    assert [one["text"] for one in await said(shop, "393910000005")] == ["alle 11"]
    kept = await one(shop, "SELECT body, earlier_body FROM message WHERE wamid = %s", first["id"])
    assert (kept["body"], kept["earlier_body"]) == ("alle 11", "alle 10")


async def test_an_edit_after_the_turn_is_one_more_message(shop: Shop) -> None:
    first = message("393910000006", "text", {"body": "alle 10"})
    await arrives(shop, first)
    await shop.rows("UPDATE inbox_event SET done_at = now() WHERE done_at IS NULL")
    edit = {"original_message_id": first["id"], "message": {"type": "text", "text": {"body": "alle 11"}}}
    await arrives(shop, message("393910000006", "edit", edit))
    assert [one["text"] for one in await said(shop, "393910000006")] == ["alle 11"]


async def test_an_edit_while_the_turn_runs_is_one_more_message(shop: Shop) -> None:
    """The turn has read the old words; its event is done with its reply only."""
    first = message("393910000056", "text", {"body": "alle 10"})
    await arrives(shop, first)
    conversation = await one(shop, "SELECT conversation_id FROM message WHERE wamid = %s", first["id"])
    lock = f"conv:{conversation['conversation_id']}"
    await shop.rows("UPDATE procrastinate_jobs SET status = 'doing' WHERE lock = %s", lock)
    edit = {"original_message_id": first["id"], "message": {"type": "text", "text": {"body": "alle 11"}}}
    try:
        await arrives(shop, message("393910000056", "edit", edit))
    finally:
        await shop.rows("DELETE FROM procrastinate_jobs WHERE lock = %s AND status = 'doing'", lock)
    events = await shop.rows(
        "SELECT m.body, m.author FROM inbox_event e JOIN message m USING (message_id)"
        " WHERE e.conversation_id = %s AND e.done_at IS NULL ORDER BY event_id",
        conversation["conversation_id"],
    )
    assert [row["body"] for row in events] == ["alle 11", "alle 11"]
    assert {row["author"] for row in events} == {"customer"}


@pytest.mark.parametrize("first_comes", ["before", "after"])
async def test_what_is_taken_back_is_gone_and_not_answered(shop: Shop, first_comes: str) -> None:
    wa_id = f"39391000001{len(first_comes)}"
    first = message(wa_id, "text", {"body": "segreto"})
    back = message(wa_id, "revoke", {"original_message_id": first["id"]})
    for item in (first, back) if first_comes == "before" else (back, first):
        await arrives(shop, item)
    kept = await one(shop, "SELECT body, deleted_at FROM message WHERE wamid = %s", first["id"])
    assert kept["body"] == ""
    assert kept["deleted_at"] is not None
    assert await said(shop, wa_id) == []


@pytest.mark.parametrize("edited", ["before", "after"])
async def test_what_was_edited_is_gone_with_its_message(shop: Shop, edited: str) -> None:
    """An edit of what SARA has seen is one more message: it holds the same words."""
    wa_id = f"39391000006{len(edited)}"
    first = message(wa_id, "text", {"body": "alle 10"})
    await arrives(shop, first)
    await shop.rows("UPDATE inbox_event SET done_at = now() WHERE done_at IS NULL")
    words = {"type": "text", "text": {"body": "il codice 7311"}}
    edit = message(wa_id, "edit", {"original_message_id": first["id"], "message": words})
    back = message(wa_id, "revoke", {"original_message_id": first["id"]})
    for item in (edit, back) if edited == "before" else (back, edit):
        await arrives(shop, item)
    kept = await shop.rows(
        "SELECT m.body, m.earlier_body FROM message m JOIN contact c USING (contact_id) WHERE c.wa_id = %s",
        wa_id,
    )
    assert len(kept) == 3
    assert all(not row["body"] and not row["earlier_body"] for row in kept)
    assert await said(shop, wa_id) == []


async def test_an_advertisement_is_remembered(shop: Shop) -> None:
    referral = {
        "source_type": "ad",
        "source_id": "9",
        "headline": "Estate",
        "body": "-20%",
        "ctwa_clid": "c1",
    }
    await arrives(shop, message("393910000007", "text", {"body": "Ciao"}, referral=referral))
    (found,) = await said(shop, "393910000007")
    assert found["advertised"] == "Estate — -20%"
    kept = await one(
        shop, "SELECT source_id, click_id FROM message_referral WHERE message_id = %s", found["message_id"]
    )
    assert kept == {"source_id": "9", "click_id": "c1"}


async def test_a_changed_number_keeps_the_customer_and_asks_nothing(shop: Shop) -> None:
    await arrives(shop, message("393910000008", "text", {"body": "Ciao"}))
    before = await one(shop, "SELECT contact_id FROM contact WHERE wa_id = '393910000008'")
    await shop.rows("UPDATE inbox_event SET done_at = now() WHERE done_at IS NULL")
    moved = {"type": "user_changed_number", "wa_id": "393910000009", "body": "moved"}
    await arrives(shop, message("393910000008", "system", moved))
    after = await one(shop, "SELECT contact_id FROM contact WHERE wa_id = '393910000009'")
    assert after == before
    assert await said(shop, "393910000009") == []


async def test_a_number_that_is_another_customer_stays_theirs(shop: Shop) -> None:
    await arrives(
        shop, *(message(wa_id, "text", {"body": "Ciao"}) for wa_id in ("393910000020", "393910000021"))
    )
    moved = {"type": "user_changed_number", "wa_id": "393910000021", "body": "moved"}
    await arrives(shop, message("393910000020", "system", moved))
    rows = await shop.rows("SELECT wa_id FROM contact WHERE wa_id IN ('393910000020', '393910000021')")
    assert len(rows) == 2


@pytest.mark.parametrize("kind", ["text", "image"])
async def test_what_the_owner_sends_from_the_phone_takes_the_conversation(shop: Shop, kind: str) -> None:
    wa_id = f"39391000003{len(kind)}"
    await arrives(shop, message(wa_id, "text", {"body": "Ciao"}))
    content = {"body": "Ci penso io"} if kind == "text" else {"id": "5", "caption": "Ci penso io"}
    echo = {**message("390200000001", kind, content), "to": wa_id}
    assert (await arrives(shop, echo, field="message_echoes"))["echoes"] == 1
    assert (await arrives(shop, echo, field="message_echoes"))["duplicates"] == 1
    found = await one(
        shop,
        "SELECT owner, (SELECT body FROM message m WHERE m.conversation_id = c.conversation_id"
        " AND author = 'agent') AS body FROM conversation c JOIN contact USING (contact_id) WHERE wa_id = %s",
        wa_id,
    )
    assert found == {"owner": "human", "body": "Ci penso io"}


@pytest.mark.parametrize(("choice", "out"), [("stop", True), ("resume", False)])
async def test_a_choice_in_whatsapps_own_menu_counts(shop: Shop, choice: str, out: bool) -> None:
    wa_id = f"39391000004{len(choice)}"
    await arrives(shop, message(wa_id, "text", {"body": "Ciao"}))
    await shop.rows(
        "UPDATE contact SET opted_out_at = CASE WHEN %s THEN NULL ELSE now() END WHERE wa_id = %s", out, wa_id
    )
    item = {"wa_id": wa_id, "category": "marketing_messages", "value": choice, "timestamp": "1763500000"}
    await arrives(shop, item, field="user_preferences")
    kept = await one(shop, "SELECT opted_out_at IS NOT NULL AS out FROM contact WHERE wa_id = %s", wa_id)
    assert kept["out"] is out


KINDS: dict[str, tuple[Any, str]] = {
    "video": ({"id": "1", "caption": "guarda"}, "guarda"),
    "sticker": ({"id": "1"}, ""),
    "contacts": ([{"name": {"formatted_name": "Ada"}, "phones": [{"phone": "+39 1"}]}], "Ada +39 1"),
    "interactive": ({"type": "button_reply", "button_reply": {"id": "b", "title": "Sì"}}, "Sì"),
    "button": ({"text": "Confermo", "payload": "p"}, "Confermo"),
    "reaction": ({"message_id": "wamid.x", "emoji": "👍"}, "👍"),
    "order": ({"product_items": [{"product_retailer_id": "x", "quantity": 2}]}, "2 × x"),
    "unsupported": ({"type": "poll_creation"}, ""),
    "hologram": ({"id": "1"}, ""),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_every_other_kind_is_one_event_with_its_words(shop: Shop, kind: str) -> None:
    wa_id = f"3939100001{list(KINDS).index(kind):02d}"
    content, words = KINDS[kind]
    await arrives(shop, message(wa_id, kind, content))
    (found,) = await said(shop, wa_id)
    assert (found["kind"], found["text"]) == (kind, words)
