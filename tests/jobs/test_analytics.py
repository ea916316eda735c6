"""What turns took is kept, and days are summed up by a job that runs by itself."""

from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from crm import businesses, contacts, conversations
from graph.state import Event, Said, State
from jobs.analytics import refresh_once
from jobs.took import of_turn
from nodes.generate import _added
from tests.jobs.shop import Shop

TURNS = "SELECT * FROM turn WHERE conversation_id = %s ORDER BY at"


async def _turns(shop: Shop, conversation_id: int, *texts: str) -> list[dict[str, object]]:
    for text in texts:
        await shop.customer_writes(conversation_id, text)
        await shop.work_until(lambda: _done(shop, conversation_id))
    return await shop.rows(TURNS, conversation_id)


async def _done(shop: Shop, conversation_id: int) -> bool:
    query = "SELECT count(*) AS n FROM inbox_event WHERE conversation_id = %s AND done_at IS NULL"
    return (await shop.rows(query, conversation_id))[0]["n"] == 0


async def test_what_a_turn_came_to_is_kept_once(shop: Shop) -> None:
    conversation = await shop.open_conversation("393878000001")
    [turn] = await _turns(shop, conversation, "Buongiorno, dove siete?")
    [message] = await shop.rows(
        "SELECT message_id FROM message WHERE conversation_id = %s AND author = 'customer'", conversation
    )
    assert turn["message_id"] == message["message_id"]
    assert (turn["outcome"], turn["language"], turn["unanswered"]) == ("answered", "it", False)
    assert 0 < turn["seconds"] < 60  # type: ignore[operator]
    assert (turn["tokens_in"], turn["tokens_out"]) == (0, 0)  # nobody was asked but the extractive responder
    assert await _turns(shop, conversation) == [turn]


async def test_listening_to_a_conversation_that_a_person_has_is_no_turn(shop: Shop) -> None:
    conversation = await shop.open_conversation("393878000002")
    turns = await _turns(shop, conversation, "Voglio parlare con una persona", "è urgente", "grazie")
    assert [turn["outcome"] for turn in turns] == ["handed_over"]


async def test_a_question_without_an_answer_is_one(shop: Shop) -> None:
    conversation = await shop.open_conversation("393878000003")
    turns = await _turns(shop, conversation, "Avete una colonnina per ricaricare l'auto elettrica?")
    assert [turn["unanswered"] for turn in turns] == [True]


async def test_the_worker_sums_up_days(shop: Shop) -> None:
    periodic = shop.app.periodic_registry.periodic_tasks
    assert {("sara:analytics", "analytics"), ("sara:analytics_nightly", "analytics_nightly")} <= set(periodic)
    conversation = await shop.open_conversation("393878000004")
    await _turns(shop, conversation, "Buongiorno")
    await shop.app.tasks["sara:analytics"].defer_async(timestamp=0)
    await shop.work()
    rows = await shop.rows(
        "SELECT name, total FROM metric_day WHERE business_id = %s AND name = 'messages_in'", shop.business_id
    )
    assert sum(row["total"] for row in rows) >= 1
    assert await refresh_once(shop.services, lately=45) >= 1


async def test_a_business_that_fails_for_good_holds_up_no_other_s_sums(shop: Shop) -> None:
    async with shop.crm.outside() as tx:
        other = await businesses.of_slug(tx, "conti")
    assert shop.business_id < other
    async with shop.crm.transaction(other) as tx:
        contact_id = await contacts.seen(tx, wa_id="393878000005", bsuid=None, name=None)
        await conversations.open_for(tx, contact_id, "1002")
    zone = "UPDATE business SET time_zone = %s WHERE business_id = %s"
    await shop.rows(zone, "Europe/Nowhere", shop.business_id)
    try:
        assert await refresh_once(shop.services, lately=3) >= 1
    finally:
        await shop.rows(zone, "Europe/Rome", shop.business_id)
    assert await shop.rows("SELECT 1 FROM metric_refresh WHERE business_id = %s", other)


async def _wrote_days_ago(shop: Shop, wa_id: str, days: int) -> int:
    conversation = await shop.open_conversation(wa_id)
    await shop.customer_writes(conversation, "Buongiorno", job=False)
    query = "UPDATE message SET sent_at = now() - make_interval(days => %s) WHERE conversation_id = %s"
    await shop.rows(query, days, conversation)
    return conversation


async def test_the_last_weeks_are_summed_up_once_a_night_whenever_a_worker_runs(shop: Shop) -> None:
    """At the hour of night there may be none: it is made good in the next one that has a worker."""
    job = shop.app.periodic_registry.periodic_tasks["sara:analytics_nightly", "analytics_nightly"]
    assert job.cron.split()[1] == "*"
    first = await _wrote_days_ago(shop, "393878000006", 30)
    await refresh_once(shop.services, lately=45)
    day = "business_id = %s AND day = current_date - 20"
    await shop.rows(
        f"UPDATE metric_refresh SET at = now() - interval '25 hours' WHERE {day}", shop.business_id
    )

    async def nightly() -> datetime:
        await shop.app.tasks["sara:analytics_nightly"].defer_async(timestamp=0)
        await shop.work()
        [row] = await shop.rows(f"SELECT at FROM metric_refresh WHERE {day}", shop.business_id)
        return cast(datetime, row["at"])

    done = await nightly()
    assert done > datetime.now(UTC) - timedelta(minutes=5)
    assert await nightly() == done
    # The first day of the record moves when its customer is erased; the sums of before stay as they are.
    await _wrote_days_ago(shop, "393878000007", 25)
    await shop.rows("DELETE FROM message WHERE conversation_id = %s", first)
    before = "business_id = %s AND day < current_date - 26"
    await shop.rows(
        f"UPDATE metric_refresh SET at = now() - interval '50 hours' WHERE {before}", shop.business_id
    )
    assert await nightly() == done


def _after(event: Event, **state: object) -> State:
    return State(event=event, language="it", **state)  # type: ignore[typeddict-item]


EVENT = Event(kind="customer_message", turn_id="7:3", conversation_id=7, messages=[Said(message_id=11)])


def test_tokens_of_every_answer_asked_for_count() -> None:
    first = {"input_tokens": 700, "output_tokens": 60, "total_tokens": 760}
    asked_again = _added(State(proposal={"usage": first}), {"input_tokens": 710, "output_tokens": 40})
    proposal = {"model": "ollama:llama3.1", "usage": asked_again, "abstained": False}
    outcome = {"kind": "answered", "intent": "answer"}
    turn = of_turn(EVENT, State(), _after(EVENT, proposal=proposal, outcome=outcome), 2.5)
    assert turn is not None
    assert (turn.tokens_in, turn.tokens_out, turn.seconds) == (1410, 100, 2.5)
    assert (turn.model, turn.intent, turn.message_id) == ("ollama:llama3.1", "answer", 11)


@pytest.mark.parametrize(
    ("reason", "unanswered"), [("low_confidence", True), ("ungrounded", True), ("sensitive", False)]
)
def test_handing_over_for_want_of_an_answer_is_a_gap(reason: str, unanswered: bool) -> None:
    state = _after(EVENT, handoff={"open": True, "reason": reason}, outcome={"kind": "handed_over"})
    turn = of_turn(EVENT, State(), state, 1.0)
    assert turn is not None
    assert turn.unanswered is unanswered


@pytest.mark.parametrize(
    ("reason", "unanswered"), [("ungrounded", True), ("model_exhausted", True), ("sensitive", False)]
)
def test_what_is_unanswered_again_after_a_hand_back_is_a_gap_too(reason: str, unanswered: bool) -> None:
    """It is not handed over once more: a person is offered."""
    back = Event(kind="hand_back", turn_id="7:4", conversation_id=7, messages=[Said(message_id=12)])
    state = _after(
        back, handoff={"open": False, "returned": {"reason": reason}}, outcome={"kind": "not_again"}
    )
    turn = of_turn(back, State(handoff={"open": True, "reason": reason}), state, 1.0)
    assert turn is not None
    assert (turn.unanswered, turn.message_id) == (unanswered, 12)
