"""Who is asked whether they would recommend the business, when, and that nobody is asked twice."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from crm import contacts, conversations, desk, handoffs, inbox, messages, outbox, progress, tickets
from crm.messages import Cited, NewMessage, Option
from crm.record import Tx
from jobs import nps as job
from jobs import permission
from jobs.nps import ask_all, ask_once
from knowledge.phrases import Phrases
from tests.jobs.room import formal, jobs
from tests.tools.talk import MORNING, Room, Talk, open_room

HALF_HOUR = timedelta(minutes=31)


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def opened(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Room]:
    async with open_room(tmp_path_factory.mktemp("nps-db")) as room:
        yield room


@pytest_asyncio.fixture(loop_scope="session")
async def room(opened: Room) -> Room:
    """A business that asks, and customers whom earlier tests left out of reach."""
    await opened.clean()
    await opened.rows("TRUNCATE conversation, nps_response, waiting CASCADE")
    await opened.rows("UPDATE business SET asks_nps = slug = 'aurora', nps_every_days = 90")
    return opened


async def look(room: Room) -> int:
    return await ask_once(jobs(room), room.ids["aurora"])


async def say(
    tx: Tx,
    talk: Talk,
    author: str,
    body: str,
    *,
    options: tuple[Option, ...] = (),
    sources: tuple[Cited, ...] = (),
) -> int:
    message_id = await messages.add(
        tx,
        NewMessage(
            talk.conversation_id,
            talk.contact_id,
            author,
            "text",
            tx.now,
            body=body,
            options=options,
            sources=sources,
        ),
    )
    assert message_id is not None
    return message_id


async def answered(
    room: Room,
    *,
    language: str = "it",
    asks: str = "Quanto costa il massaggio?",
    outcome: str = "answered",
    answer: str = "Costa 65,00 €.",
    options: tuple[Option, ...] = (),
    sources: tuple[Cited, ...] = (Cited("listino.md", "Massaggi"),),
) -> Talk:
    """A conversation in which SARA has answered a question from a source."""
    talk = await room.talk(language=language)
    async with room.crm.transaction(talk.business_id) as tx:
        await conversations.customer_wrote(tx, talk.conversation_id, tx.now)
        await contacts.speaks(tx, talk.contact_id, language)
        await say(tx, talk, "customer", asks)
        await say(tx, talk, "bot", answer, options=options, sources=sources)
        await progress.came_to_an_end(tx, talk.conversation_id, up_to=0, intent="answer", outcome=outcome)
    return talk


async def told(room: Room, talk: Talk) -> list[dict[str, Any]]:
    """The questions that went out to a customer."""
    return await room.rows(
        "SELECT m.body, m.kind, m.language, o.conversation_id, o.outbox_id, o.purpose, n.status,"
        " array(SELECT option_id FROM message_option p WHERE p.message_id = m.message_id) AS options"
        " FROM nps_response n JOIN message m USING (message_id) JOIN outbox o USING (message_id)"
        " WHERE n.contact_id = %s ORDER BY n.nps_response_id",
        talk.contact_id,
    )


async def test_half_an_hour_after_an_answer_the_customer_is_asked_once(room: Room) -> None:
    talk = await answered(room)
    room.clock.now = MORNING + timedelta(minutes=29)
    assert await look(room) == 0
    room.clock.now = MORNING + HALF_HOUR
    assert await look(room) == 1
    await room.rows("UPDATE outbox SET state = 'accepted'")
    for minutes in (5, 40, 600):
        room.clock.now = MORNING + HALF_HOUR + timedelta(minutes=minutes)
        assert await look(room) == 0
    [question] = await told(room, talk)
    assert "Aurora" in question["body"]
    assert "da 0 (per niente) a 10" in question["body"]
    assert (question["options"], question["purpose"], question["status"]) == (["nps:no"], "nps", "asked")
    assert question["conversation_id"] == talk.conversation_id
    queued = await room.rows(
        "SELECT 1 FROM procrastinate_jobs WHERE queueing_lock = %s", f"send:{talk.conversation_id}"
    )
    assert len(queued) == 1


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("it", "quanto consiglieresti"),
        ("en", "how likely"),
        ("es", "cuánto recomendarías"),
        ("pt", "quanto recomendaria"),
    ],
)
async def test_the_question_is_in_the_customers_language(room: Room, language: str, words: str) -> None:
    talk = await answered(room, language=language)
    room.clock.now = MORNING + HALF_HOUR
    await look(room)
    [question] = await told(room, talk)
    assert words in question["body"]
    assert question["language"] == language
    assert len(question["body"]) <= 1024


@pytest.mark.parametrize(("language", "words"), [("it", "se vuole"), ("es", "si quiere, dos palabras")])
async def test_the_question_addresses_the_customer_as_the_business_does(
    room: Room, language: str, words: str
) -> None:
    talk = await answered(room, language=language)
    room.clock.now = MORNING + HALF_HOUR
    async with formal(room, language):
        await look(room)
    [question] = await told(room, talk)
    assert words in question["body"]


async def test_a_business_asks_only_when_it_wants_to_and_only_its_own(room: Room) -> None:
    ours, theirs = await answered(room), await room.talk("conti")
    async with room.crm.transaction(theirs.business_id) as tx:
        await conversations.customer_wrote(tx, theirs.conversation_id, tx.now)
        await say(tx, theirs, "customer", "Quando siete aperti?")
        await say(tx, theirs, "bot", "Dalle 9 alle 18.", sources=(Cited("record"),))
        await progress.came_to_an_end(
            tx, theirs.conversation_id, up_to=0, intent="answer", outcome="answered"
        )
    room.clock.now = MORNING + HALF_HOUR
    await room.rows("UPDATE business SET asks_nps = false")
    await ask_all(jobs(room))
    assert await told(room, ours) == []
    await room.rows("UPDATE business SET asks_nps = true WHERE slug = 'aurora'")
    await ask_all(jobs(room))
    assert len(await told(room, ours)) == 1
    assert await told(room, theirs) == []


async def _opted_out(room: Room, talk: Talk) -> None:
    async with room.crm.transaction(talk.business_id) as tx:
        await contacts.opt_out(tx, talk.contact_id)


async def _handed_over(room: Room, talk: Talk) -> int:
    async with room.crm.transaction(talk.business_id) as tx:
        return await handoffs.open_one(
            tx,
            talk.conversation_id,
            turn_id=f"h{talk.conversation_id}",
            reason="customer_request",
            label=None,
            score=None,
            summary="",
            wants="",
            draft="",
        )


async def _sensitive(room: Room, talk: Talk) -> None:
    handoff_id = await _handed_over(room, talk)
    await room.rows("UPDATE handoff SET label = 'medical' WHERE handoff_id = %s", handoff_id)
    async with room.crm.transaction(talk.business_id) as tx:
        await desk.resolve(tx, handoff_id, None, note="")
        await inbox.done(tx, talk.conversation_id, up_to=2**40)


async def _owned(room: Room, talk: Talk) -> None:
    async with room.crm.transaction(talk.business_id) as tx:
        await conversations.give_to_human(tx, talk.conversation_id)


async def _reported(room: Room, talk: Talk) -> None:
    profile = await room.profile("aurora")
    async with room.crm.transaction(talk.business_id) as tx:
        await tickets.open_one(
            tx,
            profile,
            contact_id=talk.contact_id,
            conversation_id=None,
            description="La doccia perde",
            priority="normal",
            idempotency_key=f"t{talk.contact_id}",
        )


async def _wrote_again(room: Room, talk: Talk) -> None:
    async with room.crm.transaction(talk.business_id) as tx:
        message_id = await say(tx, talk, "customer", "Ci siete?")
        await inbox.add(tx, talk.conversation_id, inbox.CUSTOMER_MESSAGE, message_id=message_id)


async def _undelivered(room: Room, talk: Talk) -> None:
    async with room.crm.transaction(talk.business_id) as tx:
        late = NewMessage(talk.conversation_id, talk.contact_id, "bot", "text", tx.now, body="Eccomi")
        await outbox.add(tx, [late], turn_id=f"x{talk.contact_id}", epoch=0, answers=None)


async def _offered(room: Room, talk: Talk) -> None:
    await room.rows(
        "INSERT INTO waiting (business_id, contact_id, service_id, location_id, wanted, language, status,"
        " idempotency_key) SELECT s.business_id, %s, s.service_id, l.location_id, '[2026-11-19,2026-11-20)',"
        " 'it', 'offered', 'w' FROM service s JOIN location l USING (business_id)"
        " WHERE s.business_id = %s LIMIT 1",
        talk.contact_id,
        talk.business_id,
    )


async def _spoken_to_since(room: Room, talk: Talk) -> None:
    room.clock.now = MORNING + timedelta(minutes=20)
    async with room.crm.transaction(talk.business_id) as tx:
        await say(tx, talk, "bot", "Ti ricordo l'appuntamento di domani.")


@pytest.mark.parametrize(
    "happens",
    [
        _opted_out,
        _handed_over,
        _sensitive,
        _owned,
        _reported,
        _wrote_again,
        _undelivered,
        _offered,
        _spoken_to_since,
    ],
)
async def test_it_is_no_moment_to_ask(room: Room, happens: Callable[[Room, Talk], Any]) -> None:
    talk = await answered(room)
    fine = await answered(room)
    await happens(room, talk)
    room.clock.now = MORNING + HALF_HOUR
    await look(room)
    assert await told(room, talk) == []
    assert len(await told(room, fine)) == 1


@pytest.mark.parametrize(
    "ended",
    [
        {"outcome": "asked", "answer": "Per che giorno?"},
        {"outcome": "confirming", "answer": "Confermo venerdì alle 15?"},
        {"outcome": "answered", "answer": "Sì, certo. Per che giorno?"},
        {"outcome": "declined"},
        {"outcome": "answered", "options": (Option("human:yes", "Sì"),)},
        {"outcome": "answered", "sources": ()},  # a greeting, and nothing else
        {"asks": "Siete dei maleducati, che vergogna"},
        {"asks": "Vorrei fare un reclamo"},
        {"asks": "quiero un reembolso"},
    ],
)
async def test_what_did_not_end_well_is_no_reason_to_ask(room: Room, ended: dict[str, Any]) -> None:
    talk = await answered(room, **ended)
    room.clock.now = MORNING + HALF_HOUR
    await look(room)
    assert await told(room, talk) == []


async def test_a_booking_and_a_thank_you_are_a_good_end(room: Room) -> None:
    talk = await room.talk()
    await talk.book("massaggio rilassante venerdì alle 15")
    assert (await talk.say("sì"))["kind"] == "done", talk.words
    async with room.crm.transaction(talk.business_id) as tx:
        await conversations.customer_wrote(tx, talk.conversation_id, tx.now)
        await say(tx, talk, "customer", "Perfetto, grazie!")
        await say(tx, talk, "bot", "A te!")
        await progress.came_to_an_end(
            tx, talk.conversation_id, up_to=0, intent="small_talk", outcome="small_talk"
        )
    room.clock.now = MORNING + HALF_HOUR
    await look(room)
    assert len(await told(room, talk)) == 1


async def test_the_24_hours_are_kept(room: Room) -> None:
    talk = await answered(room)
    room.clock.now = MORNING + timedelta(hours=23, minutes=30)
    await look(room)
    assert await told(room, talk) == []


async def test_quiet_hours_are_kept_and_the_morning_asks(room: Room) -> None:
    room.clock.now = MORNING + timedelta(hours=9, minutes=45)  # 19:45 in Milan
    talk = await answered(room)
    night = room.clock.now + timedelta(hours=2)
    for room.clock.now in (night, night + timedelta(hours=8)):
        await look(room)
        assert await told(room, talk) == []
    room.clock.now = MORNING + timedelta(hours=23, minutes=10)  # 9:10, the day after
    await look(room)
    assert len(await told(room, talk)) == 1


async def test_what_a_person_settled_is_asked_about_in_a_new_conversation(room: Room) -> None:
    talk = await answered(room)
    handoff_id = await _handed_over(room, talk)
    async with room.crm.transaction(talk.business_id) as tx:
        await conversations.give_to_human(tx, talk.conversation_id)
        await desk.resolve(tx, handoff_id, None, note="Fatto")
        await inbox.done(tx, talk.conversation_id, up_to=2**40)
    room.clock.now = MORNING + HALF_HOUR
    await look(room)
    [question] = await told(room, talk)
    assert question["conversation_id"] != talk.conversation_id


@pytest.mark.parametrize("outcome", ["customer_request", "silent"])
@pytest.mark.parametrize(("said", "times"), [("È tutto sistemato.", 1), ("Che giorno preferisci?", 0)])
async def test_what_a_person_handed_back_is_over_unless_they_asked_something(
    room: Room, said: str, times: int, outcome: str
) -> None:
    """Silent is the turn of a hand-back whose customer had thanked the person before it."""
    talk = await answered(room)
    handoff_id = await _handed_over(room, talk)
    async with room.crm.transaction(talk.business_id) as tx:
        await progress.came_to_an_end(tx, talk.conversation_id, up_to=0, intent="handoff", outcome=outcome)
        await conversations.give_to_human(tx, talk.conversation_id)
        await say(tx, talk, "agent", said)
        await desk.hand_back(tx, handoff_id, None, note="")
        await inbox.done(tx, talk.conversation_id, up_to=2**40)
    room.clock.now = MORNING + HALF_HOUR
    await look(room)
    assert len(await told(room, talk)) == times


@pytest.mark.parametrize(("days", "times"), [(89, 1), (91, 2)])
async def test_the_same_customer_is_asked_again_after_so_many_days(room: Room, days: int, times: int) -> None:
    talk = await answered(room)
    room.clock.now = MORNING + HALF_HOUR
    await look(room)
    await room.rows("UPDATE outbox SET state = 'accepted'")
    await room.rows(
        "UPDATE nps_response SET asked_at = asked_at - make_interval(days => %s) WHERE contact_id = %s",
        days,
        talk.contact_id,
    )
    room.clock.now = MORNING + timedelta(hours=2)
    async with room.crm.transaction(talk.business_id) as tx:
        await conversations.customer_wrote(tx, talk.conversation_id, tx.now)
        await say(tx, talk, "customer", "E il peeling?")
        await say(tx, talk, "bot", "Costa 80,00 €.")
        await progress.came_to_an_end(tx, talk.conversation_id, up_to=0, intent="answer", outcome="answered")
    room.clock.now = MORNING + timedelta(hours=3)
    await look(room)
    assert len(await told(room, talk)) == times


async def test_several_workers_at_once_ask_once(room: Room) -> None:
    talks = [await answered(room) for _ in range(3)]
    room.clock.now = MORNING + HALF_HOUR
    asked = await asyncio.gather(*(look(room) for _ in range(4)))
    assert sum(asked) == 3
    for talk in talks:
        assert len(await told(room, talk)) == 1


class _Dumb(Phrases):
    """A worker that dies in the middle of asking: the row is written, the words are not."""

    def speaker(self, language: str, *, formal: bool = False) -> Any:
        raise ConnectionAbortedError(language)


async def test_a_worker_that_dies_in_the_middle_has_not_asked(room: Room) -> None:
    talk = await answered(room)
    room.clock.now = MORNING + HALF_HOUR
    dying = jobs(room, context=replace(room.context, phrases=_Dumb({})))
    with pytest.raises(ConnectionAbortedError):
        await ask_once(dying, room.ids["aurora"])
    assert await room.rows("SELECT 1 FROM nps_response") == []
    assert await look(room) == 1
    assert len(await told(room, talk)) == 1


async def test_who_leaves_before_it_is_sent_does_not_get_it(room: Room) -> None:
    talk = await answered(room)
    room.clock.now = MORNING + HALF_HOUR
    await look(room)
    async with room.crm.transaction(talk.business_id) as tx:
        await contacts.opt_out(tx, talk.contact_id)
        [row] = await outbox.open_rows(tx, talk.conversation_id)
        contact = await contacts.get(tx, talk.contact_id)
        answer = await permission.asked(tx, contact, row, window_open=True)
    assert isinstance(answer, permission.Refusal)
    assert answer.state == "superseded"


async def test_who_writes_between_looking_and_asking_is_not_asked(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk = await answered(room)
    room.clock.now = MORNING + HALF_HOUR
    welcome = job._welcome

    async def writes_first(*given: Any) -> bool:
        await _wrote_again(room, talk)
        return await welcome(*given)

    monkeypatch.setattr(job, "_welcome", writes_first)
    assert await look(room) == 0
    assert await told(room, talk) == []
