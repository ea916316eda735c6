"""Delivery: once, in order, to the right owner's epoch, inside the window, whatever the channel answers."""

import asyncio
import json
from functools import partial
from typing import Any

import pytest

from channels.simulator.settings import Faults
from channels.simulator.world import SimMessage
from crm import businesses, conversations, desk, handoffs, outbox, takeover
from crm.desk import Words
from crm.outbox import OutboxRow
from tests.chaos.town import NUMBER
from tests.jobs.shop import Shop


def told(shop: Shop, wa_id: str) -> list[str]:
    return [message.text for message in shop.simulator.sent_to(wa_id, NUMBER)]


def changes(*statuses: dict[str, Any]) -> bytes:
    value = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": NUMBER}, "statuses": statuses}
    entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


async def status_comes(shop: Shop, message: SimMessage, status: str = "delivered") -> None:
    item: dict[str, Any] = {
        "id": message.wamid,
        "status": status,
        "timestamp": "1763500000",
        "recipient_id": message.customer,
        "biz_opaque_callback_data": message.callback_data,
    }
    answer = await shop.post(changes(item))
    assert answer.json()["statuses"] == 1


async def another_is_delivered(shop: Shop, wa_id: str) -> None:
    """Somebody else's message goes out on the number and its status comes back."""
    conversation = await shop.open_conversation(wa_id)
    await shop.bot_says(conversation, "altro")
    await shop.work_until(lambda: settled(shop, conversation))
    await status_comes(shop, shop.simulator.sent_to(wa_id)[-1])


async def settled(shop: Shop, conversation_id: int) -> bool:
    return not {"queued", "sending", "unknown"} & set(await shop.states_of(conversation_id))


async def is_unknown(shop: Shop, conversation_id: int) -> bool:
    return "unknown" in await shop.states_of(conversation_id)


async def lost_on_the_way(shop: Shop, wa_id: str, text: str) -> int:
    """A conversation whose reply was broken off before the channel took it, which nobody here can know."""
    conversation = await shop.open_conversation(wa_id)
    shop.simulator.faults.now = Faults(p_reset=1)
    await shop.bot_says(conversation, text)
    await shop.work_until(lambda: is_unknown(shop, conversation))
    shop.simulator.faults.now = Faults()
    return conversation


async def test_messages_go_out_once_in_order_with_our_reference(shop: Shop) -> None:
    conversation = await shop.open_conversation("393800000001")
    await shop.bot_says(conversation, "uno", "due")
    await shop.bot_says(conversation, "tre")
    await asyncio.gather(*(shop.work_until(lambda: settled(shop, conversation)) for _ in range(2)))
    assert told(shop, "393800000001") == ["uno", "due", "tre"]
    rows = await shop.outbox_of(conversation)
    heard = shop.simulator.sent_to("393800000001")
    assert [f"{row['outbox_id']}|" for row in rows] == [m.callback_data for m in heard]
    wamids = await shop.rows(
        "SELECT wamid FROM message JOIN outbox USING (message_id) WHERE outbox.conversation_id = %s"
        " ORDER BY outbox_id",
        conversation,
    )
    assert [row["wamid"] for row in wamids] == [m.wamid for m in heard]


async def unsaid(shop: Shop, conversation: int) -> list[str]:
    async with shop.crm.transaction(shop.business_id) as tx:
        epoch = (await conversations.lock(tx, conversation)).epoch
        return await outbox.unsaid(tx, conversation, epoch)


async def test_words_of_an_older_epoch_stay_unsaid(shop: Shop) -> None:
    conversation = await shop.open_conversation("393800000002")
    await shop.bot_says(conversation, "troppo tardi")
    assert await unsaid(shop, conversation) == []  # it is on its way
    async with shop.crm.transaction(shop.business_id) as tx:
        await conversations.give_to_human(tx, conversation)
    [row] = await shop.outbox_of(conversation)
    assert await unsaid(shop, conversation) == [row["turn_id"]]
    await shop.work_until(lambda: settled(shop, conversation))
    assert await unsaid(shop, conversation) == [row["turn_id"]]
    assert await shop.states_of(conversation) == ["superseded"]
    assert told(shop, "393800000002") == []


async def test_outside_the_window_a_message_is_held(shop: Shop) -> None:
    conversation = await shop.open_conversation("393800000003")
    await shop.rows(
        "UPDATE conversation SET last_customer_at = now() - interval '25 h' WHERE conversation_id = %s",
        conversation,
    )
    await shop.bot_says(conversation, "eccomi")
    await shop.work_until(lambda: settled(shop, conversation))
    assert await shop.states_of(conversation) == ["held"]
    assert told(shop, "393800000003") == []


async def test_an_unknown_outcome_is_sent_again_only_when_later_statuses_flow(shop: Shop) -> None:
    conversation = await shop.open_conversation("393800000004")
    shop.simulator.faults.now = Faults(p_reset=1)  # broken off before the channel took it
    await shop.bot_says(conversation, "una volta")
    await shop.work_until(lambda: is_unknown(shop, conversation))
    shop.simulator.faults.now = Faults()
    await shop.work_for(1.2)  # three times the grace
    assert await shop.states_of(conversation) == ["unknown"], "without evidence nothing is sent twice"
    assert told(shop, "393800000004") == []
    await another_is_delivered(shop, "393800000104")
    await shop.work_until(lambda: settled(shop, conversation))
    assert told(shop, "393800000004") == ["una volta"]
    (row,) = await shop.outbox_of(conversation)
    assert (row["state"], row["attempts"]) == ("accepted", 2)


async def taken_and_given_back(shop: Shop, conversation: int, *, says: str | None = None) -> None:
    """By an agent, while something is on its way; with words of theirs, or without."""
    async with shop.crm.transaction(shop.business_id) as tx:
        agent_id = (await businesses.agents(tx))[0].agent_id
        handoff_id = await takeover.take(tx, conversation, agent_id)
        if says:
            await desk.answer(tx, handoff_id, agent_id, [says])
        await desk.hand_back(tx, handoff_id, agent_id, note="")


async def test_a_reply_that_was_not_sent_is_still_one_when_an_agent_had_nothing_to_say(shop: Shop) -> None:
    conversation = await shop.open_conversation("393800000024")
    shop.simulator.faults.now = Faults(p_reset=1)
    await shop.bot_says(conversation, "la risposta", "e il resto")
    await shop.work_until(lambda: is_unknown(shop, conversation))
    await taken_and_given_back(shop, conversation)
    assert await unsaid(shop, conversation) == [], "it may have been said"
    shop.simulator.faults.now = Faults()
    await another_is_delivered(shop, "393800000124")
    await shop.work_until(lambda: settled(shop, conversation))
    assert told(shop, "393800000024") == ["la risposta", "e il resto"]


async def test_a_reply_that_was_not_sent_is_withdrawn_when_an_agent_has_spoken(shop: Shop) -> None:
    conversation = await lost_on_the_way(shop, "393800000025", "la risposta")
    await taken_and_given_back(shop, conversation, says="Rispondo io.")
    await another_is_delivered(shop, "393800000125")
    await shop.work_until(lambda: settled(shop, conversation))
    assert told(shop, "393800000025") == ["Rispondo io."]
    assert await shop.states_of(conversation) == ["superseded", "accepted"]


async def waits_for_whatsapp(shop: Shop, wa_id: str, text: str) -> int:
    """A conversation that goes to a person while WhatsApp is out of order: what SARA says of it waits."""
    conversation = await shop.open_conversation(wa_id)
    shop.simulator.faults.now = Faults(p500=1)
    await shop.customer_writes(conversation, text)

    async def tried() -> bool:
        return [(row["state"], row["attempts"] > 0) for row in await shop.outbox_of(conversation)] == [
            ("queued", True)
        ]

    await shop.work_until(tried)
    return conversation


async def claimed(shop: Shop, conversation: int, *, passed_on: bool = False) -> None:
    """By an agent, who may pass it on to a queue."""
    async with shop.crm.transaction(shop.business_id) as tx:
        agent_id = (await businesses.agents(tx))[0].agent_id
        handoff_id = await handoffs.open_of(tx, conversation)
        assert handoff_id is not None
        await desk.claim(tx, handoff_id, agent_id)
        if passed_on:
            await takeover.transfer(tx, handoff_id, agent_id, to_queue="front")


@pytest.mark.parametrize("passed_on", [False, True])
async def test_an_emergency_number_goes_out_whoever_has_the_conversation(shop: Shop, passed_on: bool) -> None:
    wa_id = "393800000066" if passed_on else "393800000067"
    conversation = await waits_for_whatsapp(shop, wa_id, "Aiuto, mio padre è svenuto e non respira")
    await claimed(shop, conversation, passed_on=passed_on)
    shop.simulator.faults.now = Faults()
    await shop.work_until(lambda: settled(shop, conversation))
    [said] = told(shop, wa_id)
    assert "112" in said


async def test_a_number_that_waits_comes_before_the_words_of_whoever_takes_it(shop: Shop) -> None:
    """Called for while a person had the conversation; claimed, answered and given back meanwhile."""
    conversation = await waits_for_whatsapp(shop, "393800000068", "Vorrei parlare con una persona")
    await shop.customer_writes(conversation, "Aiuto, mio padre è svenuto e non respira")

    async def raised() -> bool:
        return len(await shop.outbox_of(conversation)) == 2

    await shop.work_until(raised)
    async with shop.crm.transaction(shop.business_id) as tx:
        agent_id = (await businesses.agents(tx))[0].agent_id
        handoff_id = await handoffs.open_of(tx, conversation)
        assert handoff_id is not None
        await desk.answer(tx, handoff_id, agent_id, ["Arrivo."])
        await desk.hand_back(tx, handoff_id, agent_id, note="")
    shop.simulator.faults.now = Faults()
    await shop.work_until(lambda: settled(shop, conversation))
    *_, number, last = told(shop, "393800000068")
    assert "112" in number
    assert last == "Arrivo."


async def test_other_words_that_wait_are_dropped_when_somebody_takes_it(shop: Shop) -> None:
    conversation = await waits_for_whatsapp(shop, "393800000069", "Vorrei parlare con una persona")
    await claimed(shop, conversation)
    shop.simulator.faults.now = Faults()
    await shop.work_until(lambda: settled(shop, conversation))
    assert await shop.states_of(conversation) == ["superseded"]
    assert told(shop, "393800000069") == []


async def test_silence_while_nobody_took_webhooks_in_proves_nothing(shop: Shop) -> None:
    """The status may have knocked at a closed door: what was accepted must not be sent again."""
    conversation = await shop.open_conversation("393800000014")
    await shop.rows("DELETE FROM web_uptime")
    try:
        shop.simulator.faults.now = Faults(p_lost_answer=1)  # the channel took it, its answer was lost
        await shop.bot_says(conversation, "una volta")
        await shop.work_until(lambda: is_unknown(shop, conversation))
        shop.simulator.faults.now = Faults()
        await another_is_delivered(shop, "393800000114")
        await shop.work_for(1.2)
        assert await shop.states_of(conversation) == ["unknown"]
        assert told(shop, "393800000014") == ["una volta"]
    finally:
        await shop.webhooks_were_taken_in()


async def test_a_late_status_settles_an_unknown_outcome(shop: Shop) -> None:
    conversation = await shop.open_conversation("393800000005")
    shop.simulator.faults.now = Faults(p_lost_answer=1)  # the channel took it, its answer was lost
    await shop.bot_says(conversation, "una volta sola")
    await shop.work_until(lambda: is_unknown(shop, conversation))
    shop.simulator.faults.now = Faults()
    (message,) = shop.simulator.sent_to("393800000005")
    await status_comes(shop, message)
    assert await shop.states_of(conversation) == ["accepted"]
    await another_is_delivered(shop, "393800000105")
    await shop.work_for(1.0)
    assert told(shop, "393800000005") == ["una volta sola"]
    (kept,) = await shop.rows(
        "SELECT wamid, status FROM message JOIN outbox USING (message_id) WHERE outbox.conversation_id = %s",
        conversation,
    )
    assert kept == {"wamid": message.wamid, "status": "delivered"}


async def test_a_status_may_come_before_the_answer(shop: Shop) -> None:
    conversation = await shop.open_conversation("393800000006")
    await shop.bot_says(conversation, "veloce")
    shop.simulator.faults.now = Faults(p_timeout=1, timeout_s=0.8)
    working = asyncio.create_task(shop.work_until(lambda: settled(shop, conversation)))
    for _ in range(200):
        if shop.simulator.sent_to("393800000006"):
            break
        await asyncio.sleep(0.02)
    (message,) = shop.simulator.sent_to("393800000006")
    assert await shop.states_of(conversation) == ["sending"]
    await status_comes(shop, message, "sent")
    assert await shop.states_of(conversation) == ["accepted"]
    await working
    await shop.work_for(0.3)
    assert told(shop, "393800000006") == ["veloce"]
    assert await shop.states_of(conversation) == ["accepted"]


async def failure_comes(shop: Shop, wa_id: str, wamid: str, outbox_id: int) -> None:
    """WhatsApp took it, and tells that it could not deliver it now."""
    error = {"code": 131000, "title": "Something went wrong"}
    item = {"id": wamid, "status": "failed", "timestamp": "1763500000", "recipient_id": wa_id}
    answer = await shop.post(
        changes({**item, "biz_opaque_callback_data": f"{outbox_id}|", "errors": [error]})
    )
    assert answer.json()["statuses"] == 1


async def test_a_failure_that_comes_before_the_answer_is_not_undone_by_it(shop: Shop) -> None:
    conversation = await shop.open_conversation("393800000041")
    await shop.bot_says(conversation, "da rifare")
    await shop.rows(
        "UPDATE outbox SET state = 'sending', attempts = 1, attempted_at = now() WHERE conversation_id = %s",
        conversation,
    )
    async with shop.crm.transaction(shop.business_id) as tx:
        [row] = await outbox.open_rows(tx, conversation)
    await failure_comes(shop, "393800000041", "wamid.early.41", row.outbox_id)
    assert await shop.states_of(conversation) == ["queued"]
    await outbox.sent(shop.crm, shop.business_id, row, "wamid.early.41")
    assert await shop.states_of(conversation) == ["queued"]
    [kept] = await shop.rows("SELECT wamid FROM message WHERE message_id = %s", row.message_id)
    assert kept["wamid"] is None
    await shop.rows("UPDATE outbox SET next_attempt_at = now() WHERE conversation_id = %s", conversation)
    await shop.rows(
        "UPDATE procrastinate_jobs SET scheduled_at = NULL WHERE lock = %s", f"send:{conversation}"
    )
    await shop.work_until(lambda: settled(shop, conversation))
    assert told(shop, "393800000041") == ["da rifare"]
    assert await shop.states_of(conversation) == ["accepted"]


async def test_what_failed_later_goes_out_although_it_was_taken_and_given_back_meanwhile(shop: Shop) -> None:
    conversation = await shop.open_conversation("393800000042")
    await shop.bot_says(conversation, "la risposta")
    await shop.work_until(lambda: settled(shop, conversation))
    [sent], [row] = shop.simulator.sent_to("393800000042"), await shop.outbox_of(conversation)
    await taken_and_given_back(shop, conversation)
    await failure_comes(shop, "393800000042", sent.wamid, row["outbox_id"])
    await shop.rows("UPDATE outbox SET next_attempt_at = now() WHERE conversation_id = %s", conversation)
    await shop.rows(
        "UPDATE procrastinate_jobs SET scheduled_at = NULL WHERE lock = %s", f"send:{conversation}"
    )
    await shop.work_until(lambda: settled(shop, conversation))
    assert await shop.states_of(conversation) == ["accepted"]
    assert told(shop, "393800000042") == ["la risposta"] * 2


async def test_what_follows_an_unknown_outcome_waits_but_not_for_ever(shop: Shop) -> None:
    conversation = await lost_on_the_way(shop, "393800000007", "prima")
    await shop.bot_says(conversation, "seconda")
    await shop.work_for(0.6)
    assert told(shop, "393800000007") == [], "order is kept"

    async def second_is_out() -> bool:
        return told(shop, "393800000007") == ["seconda"]

    await shop.work_until(second_is_out)  # the number is silent: only what follows can bring evidence
    await status_comes(shop, shop.simulator.sent_to("393800000007")[0])
    await shop.work_until(lambda: settled(shop, conversation))
    assert told(shop, "393800000007") == ["seconda", "prima"]


async def test_what_follows_waits_for_as_long_as_it_takes_where_the_number_is_alive(shop: Shop) -> None:
    """Nobody took webhooks in when it was attempted: that it is lost shows once what is repeated has come."""
    conversation = await shop.open_conversation("393800000027")
    await shop.rows("DELETE FROM web_uptime")
    try:
        shop.simulator.faults.now = Faults(p_reset=1)
        await shop.bot_says(conversation, "prima")
        await shop.work_until(lambda: is_unknown(shop, conversation))
        shop.simulator.faults.now = Faults()
        await shop.bot_says(conversation, "seconda")
        await another_is_delivered(shop, "393800000127")
        await shop.work_for(2.5)  # longer than it is waited for where nothing else is sent
        assert told(shop, "393800000027") == []
    finally:
        await shop.webhooks_were_taken_in()
    await shop.work_until(lambda: settled(shop, conversation))
    assert told(shop, "393800000027") == ["prima", "seconda"]


async def test_an_agent_does_not_wait_for_an_answer_that_is_not_one_any_more(shop: Shop) -> None:
    conversation = await lost_on_the_way(shop, "393800000028", "la risposta")
    await taken_and_given_back(shop, conversation, says="Rispondo io.")
    await shop.work_for(0.3)
    assert told(shop, "393800000028") == ["Rispondo io."]
    assert await shop.states_of(conversation) == ["unknown", "accepted"]


async def test_a_new_conversation_waits_for_what_the_one_before_it_has_to_try_again(shop: Shop) -> None:
    wa_id = "393800000029"
    first = await shop.open_conversation(wa_id)
    shop.simulator.faults.now = Faults(p500=1)
    await shop.bot_says(first, "prima")
    await shop.work_for(0.3)
    assert await shop.states_of(first) == ["queued"]
    await shop.rows(
        "UPDATE outbox SET created_at = now() - interval '5 min' WHERE conversation_id = %s", first
    )
    async with shop.crm.transaction(shop.business_id) as tx:
        await conversations.close(tx, first)
    second = await shop.open_conversation(wa_id)
    await shop.bot_says(second, "seconda")
    await shop.work_for(0.3)
    shop.simulator.faults.now = Faults()
    await shop.work_until(lambda: settled(shop, second))
    assert told(shop, wa_id) == ["prima", "seconda"]


async def test_a_new_conversation_waits_for_the_last_words_of_the_one_before(shop: Shop) -> None:
    wa_id = "393800000017"
    first = await shop.open_conversation(wa_id)
    shop.simulator.faults.now = Faults(p_reset=1)
    await shop.bot_says(first, "prima")
    await shop.work_until(lambda: is_unknown(shop, first))
    shop.simulator.faults.now = Faults()
    async with shop.crm.transaction(shop.business_id) as tx:
        await conversations.close(tx, first)
    second = await shop.open_conversation(wa_id)
    assert second != first
    await shop.bot_says(second, "seconda")
    await shop.work_for(0.6)
    assert told(shop, wa_id) == [], "order is kept"

    async def second_is_out() -> bool:
        return told(shop, wa_id) == ["seconda"]

    await shop.work_until(second_is_out)  # but not for ever


async def test_a_passing_fault_is_tried_again_later(shop: Shop) -> None:
    conversation = await shop.open_conversation("393800000008")
    shop.simulator.faults.now = Faults(p500=1)
    await shop.bot_says(conversation, "ora o dopo", "e poi questa")
    await shop.work()
    first, second = await shop.outbox_of(conversation)
    assert (first["state"], first["error_code"], first["attempts"]) == ("queued", 131000, 1)
    assert first["next_attempt_at"] > first["attempted_at"]
    assert (second["state"], second["attempts"]) == ("queued", 0), "what follows waits behind it"
    shop.simulator.faults.now = Faults()
    await shop.work_until(lambda: settled(shop, conversation))
    assert told(shop, "393800000008") == ["ora o dopo", "e poi questa"]


async def test_a_full_quota_never_gives_a_message_up(shop: Shop) -> None:
    conversation = await shop.open_conversation("393800000009")
    await shop.bot_says(conversation, "con calma")
    await shop.rows("UPDATE outbox SET attempts = 40 WHERE conversation_id = %s", conversation)
    shop.simulator.faults.now = Faults(p429=1)
    await shop.work()
    (row,) = await shop.outbox_of(conversation)
    assert (row["state"], row["error_code"], row["attempts"]) == ("queued", 130429, 41)
    wait = row["next_attempt_at"] - row["attempted_at"]
    assert 299 < wait.total_seconds() < 303
    await shop.rows("UPDATE outbox SET state = 'held' WHERE conversation_id = %s", conversation)


async def test_a_refusal_stands(shop: Shop) -> None:
    conversation = await shop.open_conversation(None, bsuid="IT.nobodyhasthis")
    await shop.bot_says(conversation, "non arriva")
    await shop.work_until(lambda: settled(shop, conversation))
    (row,) = await shop.outbox_of(conversation)
    assert (row["state"], row["error_code"], row["attempts"]) == ("refused", 131026, 1)
    await shop.bot_says(conversation, "nemmeno questa")
    await shop.work_until(lambda: settled(shop, conversation))
    assert [row["attempts"] for row in await shop.outbox_of(conversation)] == [1, 1]


async def test_a_row_left_sending_by_a_dead_worker_waits_for_its_status(shop: Shop) -> None:
    conversation = await shop.open_conversation("393800000010")
    await shop.bot_says(conversation, "forse")
    async with shop.crm.transaction(shop.business_id) as tx:
        (row,) = await outbox.open_rows(tx, conversation)
        contact_id = (await conversations.get(tx, conversation)).contact_id
        take = partial(
            outbox.take,
            tx,
            row.outbox_id,
            NUMBER,
            contact_id,
            campaign=False,
            initiated=False,
            patience_s=0.0,
        )
        taken = await take()
        assert taken is not None
        assert taken.taken
        assert await take() is None, "one sender only"
    await shop.work()
    assert await shop.states_of(conversation) == ["unknown"]
    assert told(shop, "393800000010") == []
    await another_is_delivered(shop, "393800000110")
    await shop.work_until(lambda: settled(shop, conversation))
    assert told(shop, "393800000010") == ["forse"]


async def test_a_status_may_come_at_the_same_moment_as_the_answer(shop: Shop) -> None:
    """Both write the message and its row, in the same order: neither has to try again."""
    conversation = await shop.open_conversation("393800000011")
    await shop.bot_says(conversation, *(str(number) for number in range(25)))
    await shop.rows(
        "UPDATE outbox SET state = 'sending', attempts = 1, attempted_at = now() WHERE conversation_id = %s",
        conversation,
    )
    async with shop.crm.transaction(shop.business_id) as tx:
        rows = await outbox.open_rows(tx, conversation)

    async def answered(row: OutboxRow) -> bool:
        return await outbox.sent(shop.crm, shop.business_id, row, f"wamid.same.{row.outbox_id}")

    async def reported(row: OutboxRow) -> None:
        await shop.post(
            changes(
                {
                    "id": f"wamid.same.{row.outbox_id}",
                    "status": "sent",
                    "timestamp": "1763500000",
                    "recipient_id": "393800000011",
                    "biz_opaque_callback_data": f"{row.outbox_id}|",
                }
            )
        )

    for row in rows:
        await asyncio.gather(answered(row), reported(row))
    assert set(await shop.states_of(conversation)) == {"accepted"}
    assert not await answered(rows[-1]), "nothing is left"


async def test_an_agents_template_is_one_also_when_the_window_has_opened_meanwhile(shop: Shop) -> None:
    conversation = await shop.open_conversation("393800000130")
    async with shop.crm.transaction(shop.business_id) as tx:
        agent_id = (await businesses.agents(tx))[0].agent_id
        handoff_id = await takeover.take(tx, conversation, agent_id)
        chosen = Words("Ci scriva ancora", template_name="ci_scriva_ancora", template_code="it")
        await desk.answer(tx, handoff_id, agent_id, [chosen])
    await shop.work_until(lambda: settled(shop, conversation))
    [sent] = shop.simulator.sent_to("393800000130", NUMBER)
    assert sent.type == "template"
    assert sent.raw["template"]["language"] == {"code": "it"}
