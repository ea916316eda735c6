"""Answers withheld because somebody took the conversation: given back without a word, all is answered."""

from channels.simulator.settings import Faults
from crm import alert_watch, businesses, desk, handoffs, queue, takeover
from tests.chaos.town import NUMBER
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


async def test_the_rest_of_an_answer_is_said_after_a_hand_back(shop: Shop) -> None:
    conversation = await shop.open_conversation("393500000021")
    await shop.bot_says(conversation, "la prima metà", "la seconda")
    await shop.work_until(lambda: settled(shop, conversation))
    await shop.rows(
        "UPDATE outbox SET state = 'queued', next_attempt_at = now()"
        " WHERE ordinal = 1 AND conversation_id = %s",
        conversation,
    )
    handoff_id, agent_id = await taken(shop, conversation)
    async with shop.crm.transaction(shop.business_id) as tx:
        await queue.send(tx, conversation)
    await shop.work_until(lambda: settled(shop, conversation))
    assert await shop.states_of(conversation) == ["accepted", "superseded"]
    await given_back(shop, handoff_id, agent_id)
    await shop.work_until(lambda: settled(shop, conversation))
    assert await shop.states_of(conversation) == ["accepted", "accepted"]


async def test_what_tells_of_an_act_is_said_as_it_stands_and_the_yes_not_read_anew(shop: Shop) -> None:
    conversation = await shop.open_conversation("393500000022")
    await shop.customer_writes(conversation, "Vorrei prenotare un massaggio rilassante venerdì alle 15")
    await shop.work_until(lambda: all_taken_in(shop, conversation))
    await shop.work_until(lambda: settled(shop, conversation))
    assert "Prenoto" in told(shop, "393500000022")[-1]
    shop.simulator.faults.now = Faults(p500=1)
    await shop.customer_writes(conversation, "sì")
    await shop.work_until(lambda: all_taken_in(shop, conversation))
    handoff_id, agent_id = await taken(shop, conversation)
    shop.simulator.faults.now = Faults()
    await shop.rows("UPDATE outbox SET next_attempt_at = now() WHERE conversation_id = %s", conversation)
    async with shop.crm.transaction(shop.business_id) as tx:
        await queue.send(tx, conversation)
    await shop.work_until(lambda: settled(shop, conversation))
    said = len(told(shop, "393500000022"))
    await given_back(shop, handoff_id, agent_id)
    await shop.work_until(lambda: all_taken_in(shop, conversation))
    await shop.work_until(lambda: settled(shop, conversation))
    [done] = told(shop, "393500000022")[said:]
    assert done.startswith("Fatto!")
    booked = await shop.rows("SELECT status FROM appointment WHERE conversation_id = %s", conversation)
    assert [row["status"] for row in booked] == ["booked"]


async def test_an_act_of_a_turn_that_was_taken_over_in_its_middle_is_told_too(shop: Shop) -> None:
    conversation = await shop.open_conversation("393500000023")
    await shop.customer_writes(conversation, "Vorrei prenotare un massaggio rilassante venerdì alle 17")
    await shop.work_until(lambda: all_taken_in(shop, conversation))
    await shop.work_until(lambda: settled(shop, conversation))
    said = len(told(shop, "393500000023"))
    await shop.rows(
        "CREATE FUNCTION takes_over() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN"
        " UPDATE conversation SET owner = 'human', epoch = epoch + 1"
        f" WHERE conversation_id = {conversation} AND owner = 'bot'; RETURN NULL; END $$;"
        "CREATE TRIGGER takes_over AFTER INSERT ON appointment FOR EACH ROW EXECUTE FUNCTION takes_over();"
    )
    try:
        await shop.customer_writes(conversation, "sì")
        await shop.work_until(lambda: all_taken_in(shop, conversation))
    finally:
        await shop.rows("DROP FUNCTION takes_over CASCADE")
    await shop.work_until(lambda: settled(shop, conversation))
    assert len(told(shop, "393500000023")) == said, "somebody else has the conversation"
    await given_back(shop, *await taken(shop, conversation))
    await shop.work_until(lambda: all_taken_in(shop, conversation))
    await shop.work_until(lambda: settled(shop, conversation))
    [done] = told(shop, "393500000023")[said:]
    assert done.startswith("Fatto!")


async def test_what_waited_while_an_agent_answered_and_resolved_is_not_answered_again(shop: Shop) -> None:
    conversation = await shop.open_conversation("393500000024")
    await shop.customer_writes(conversation, WHERE, job=False)
    handoff_id, agent_id = await taken(shop, conversation)
    async with shop.crm.transaction(shop.business_id) as tx:
        await desk.answer(tx, handoff_id, agent_id, ["In via Roma."])
    async with shop.crm.transaction(shop.business_id) as tx:
        await desk.resolve(tx, handoff_id, agent_id, note="")
    await shop.work_until(lambda: all_taken_in(shop, conversation))
    await shop.work_until(lambda: settled(shop, conversation))
    assert told(shop, "393500000024") == ["In via Roma."]
    [state] = await shop.rows(
        "SELECT status, owner FROM conversation WHERE conversation_id = %s", conversation
    )
    assert state["status"] == "closed"


async def test_what_the_owner_writes_on_the_phone_is_an_answer(shop: Shop) -> None:
    """Message and hand-over are of one transaction."""
    conversation = await shop.open_conversation("393500000025")
    async with shop.crm.transaction(shop.business_id) as tx:
        await takeover.echoed(
            tx,
            phone_number_id=NUMBER,
            wa_id="393500000025",
            bsuid=None,
            wamid="wamid.393500000025",
            text="Ci penso io",
            at=tx.now.replace(microsecond=0),
        )
    async with shop.crm.transaction(shop.business_id) as tx:
        handoff_id = await handoffs.open_of(tx, conversation)
        assert handoff_id is not None
        assert await handoffs.unanswered(tx, handoff_id) == []
        [waits] = [row for row in await alert_watch.handoffs(tx) if row.handoff_id == handoff_id]
    assert waits.answered
