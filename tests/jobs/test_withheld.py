"""Answers withheld because somebody took the conversation: given back without a word, all is answered."""

from channels.simulator.settings import Faults
from crm import businesses, desk, takeover
from tests.jobs.shop import Shop
from tests.jobs.test_drain import all_taken_in
from tests.jobs.test_send import another_is_delivered, is_unknown, settled, status_comes, told

WHERE, PRICE, OPEN = "Dove siete?", "Quanto costa un massaggio rilassante?", "A che ora aprite domani?"
TAKES_OVER = """
CREATE OR REPLACE FUNCTION takes_over() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
    UPDATE conversation SET owner = 'human', epoch = epoch + 1 WHERE conversation_id = {0} AND owner = 'bot';
    RETURN NULL;
END $$;
CREATE TRIGGER takes_over AFTER INSERT ON checkpoints FOR EACH ROW
    WHEN (NEW.thread_id LIKE '%:{0}' AND NEW.metadata ->> 'step' = '8') EXECUTE FUNCTION takes_over();
"""


async def taken(shop: Shop, conversation: int) -> tuple[int, int]:
    async with shop.crm.transaction(shop.business_id) as tx:
        agent_id = (await businesses.agents(tx))[0].agent_id
        return await takeover.take(tx, conversation, agent_id), agent_id


async def given_back(shop: Shop, handoff_id: int, agent_id: int) -> None:
    async with shop.crm.transaction(shop.business_id) as tx:
        await desk.hand_back(tx, handoff_id, agent_id, note="")


async def withheld(shop: Shop, conversation: int, *texts: str) -> list[str]:
    """Each message a turn whose answer waits, because WhatsApp is out of order; their wamids."""
    shop.simulator.faults.now = Faults(p500=1)
    wamids = []
    for text in texts:
        wamids += await shop.customer_writes(conversation, text)
        await shop.work_until(lambda: all_taken_in(shop, conversation))
    assert {row["state"] for row in await shop.outbox_of(conversation)} == {"queued"}
    return wamids


async def answered(shop: Shop, conversation: int) -> list[str]:
    """The messages whose answers arrived, in the order in which they did."""
    await shop.work_until(lambda: all_taken_in(shop, conversation))
    await shop.work_until(lambda: settled(shop, conversation))
    arrived = [row for row in await shop.outbox_of(conversation) if row["state"] == "accepted"]
    by_turn = dict.fromkeys((row["turn_id"], row["answers"]) for row in arrived)
    return [wamid for _, answers in by_turn for wamid in answers.split(",")]


async def test_every_turn_that_was_withheld_is_answered_and_what_was_written_meanwhile(shop: Shop) -> None:
    conversation = await shop.open_conversation("393500000001")
    asked = await withheld(shop, conversation, WHERE, PRICE)
    handoff_id, agent_id = await taken(shop, conversation)
    asked += await shop.customer_writes(conversation, OPEN)
    await shop.work_until(lambda: all_taken_in(shop, conversation))  # it waits for the agent
    await given_back(shop, handoff_id, agent_id)
    shop.simulator.faults.now = Faults()
    assert await answered(shop, conversation) == asked
    assert "65,00" in "".join(told(shop, "393500000001"))


async def test_what_was_withheld_is_answered_once_however_often_it_is_taken_and_given_back(
    shop: Shop,
) -> None:
    conversation = await shop.open_conversation("393500000002")
    asked = await withheld(shop, conversation, WHERE, PRICE)
    for _ in range(2):  # the answer after the first hand-back is withheld as well
        await given_back(shop, *await taken(shop, conversation))
        await shop.work_until(lambda: all_taken_in(shop, conversation))
    shop.simulator.faults.now = Faults()
    assert await answered(shop, conversation) == asked
    await given_back(shop, *await taken(shop, conversation))
    assert await answered(shop, conversation) == asked


async def test_what_an_agent_has_answered_stays_withheld(shop: Shop) -> None:
    conversation = await shop.open_conversation("393500000003")
    await withheld(shop, conversation, WHERE, PRICE)
    handoff_id, agent_id = await taken(shop, conversation)
    shop.simulator.faults.now = Faults()
    async with shop.crm.transaction(shop.business_id) as tx:
        await desk.answer(tx, handoff_id, agent_id, ["In via Roma, 65 euro."])
    await given_back(shop, handoff_id, agent_id)
    await shop.work_until(lambda: all_taken_in(shop, conversation))
    await shop.work_until(lambda: settled(shop, conversation))
    assert told(shop, "393500000003") == ["In via Roma, 65 euro."]


async def test_what_is_written_before_a_hand_back_that_nobody_took_in_yet_is_not_lost(shop: Shop) -> None:
    """Taken in the middle of a turn, which is superseded; the customer writes again; given back: all of it
    before a worker looks again."""
    conversation = await shop.open_conversation("393500000004")
    shop.simulator.faults.now = Faults()
    await shop.rows(TAKES_OVER.format(conversation))
    try:
        asked = await shop.customer_writes(conversation, WHERE)
        await shop.work_until(lambda: all_taken_in(shop, conversation))
    finally:
        await shop.rows("DROP FUNCTION takes_over CASCADE")
    assert await shop.outbox_of(conversation) == [], "somebody took it in the middle of the turn"
    handoff_id, agent_id = await taken(shop, conversation)
    asked += await shop.customer_writes(conversation, PRICE, job=False)
    await given_back(shop, handoff_id, agent_id)
    assert await answered(shop, conversation) == asked


async def test_an_answer_on_its_way_is_still_one_when_the_next_question_was_answered(shop: Shop) -> None:
    conversation = await shop.open_conversation("393500000005")
    shop.simulator.faults.now = Faults(p_reset=1)
    asked = await shop.customer_writes(conversation, WHERE)
    await shop.work_until(lambda: is_unknown(shop, conversation))
    await given_back(shop, *await taken(shop, conversation))
    asked += await shop.customer_writes(conversation, PRICE)
    await shop.work_until(lambda: all_taken_in(shop, conversation))
    shop.simulator.faults.now = Faults()
    await another_is_delivered(shop, "393500000105")
    assert await answered(shop, conversation) == asked


async def test_the_rest_of_an_answer_whose_beginning_arrived_is_said(shop: Shop) -> None:
    conversation = await shop.open_conversation("393500000006")
    shop.simulator.faults.now = Faults(p_lost_answer=1)  # the channel took it, its answer was lost
    await shop.bot_says(conversation, "la risposta", "e il resto")
    await shop.work_until(lambda: is_unknown(shop, conversation))
    shop.simulator.faults.now = Faults()
    await given_back(shop, *await taken(shop, conversation))
    await shop.work_until(lambda: all_taken_in(shop, conversation))
    await status_comes(shop, shop.simulator.sent_to("393500000006")[-1])
    await shop.work_until(lambda: settled(shop, conversation))
    assert told(shop, "393500000006") == ["la risposta", "e il resto"]


async def test_what_the_customer_took_back_is_not_answered(shop: Shop) -> None:
    conversation = await shop.open_conversation("393500000007")
    asked = await withheld(shop, conversation, WHERE, PRICE)
    await shop.rows("UPDATE message SET body = '', deleted_at = now() WHERE wamid = %s", asked[0])
    await given_back(shop, *await taken(shop, conversation))
    shop.simulator.faults.now = Faults()
    assert await answered(shop, conversation) == asked[1:]
