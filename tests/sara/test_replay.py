"""Past turns run again: what they would come to, and that nothing of it happens."""

import asyncio
import itertools
import json
import secrets
from dataclasses import replace

import pytest
import pytest_asyncio

from crm import businesses
from crm.record import Crm
from crm.rehearsal import Rehearsal
from db.tenancy import tenant
from graph.replay import CheckpointGone
from graph.run import remembered
from inference.chat import Answered, Proposal, Request
from sara.exchange import Customer, exchange
from sara.local import Local
from sara.play import Script, play
from sara.replay import Stage, latest, of_thread, overrides, replay, under

_senders = itertools.count(secrets.randbelow(10**8) * 1000 + 395 * 10**11)
KEPT = (
    *("message", "outbox", "appointment", "ticket", "quote", "lead", "handoff", "crm_event", "contact"),
    *("conversation", "inbox_event", "follow_up", "checkpoints", "checkpoint_writes"),
)
WORDS = [
    "Buongiorno!",
    "Quanto costa un massaggio rilassante?",
    "Avete il parcheggio?",
    "Posso pagare con la carta?",
    "Quanto costa la riparazione di un motore fuoribordo?",
    "grazie",
    "Che ore sono sulla luna in questo momento?",
]


class Stranger:
    """A model that always says the same and is never unsure."""

    name = "stranger"

    async def propose(self, request: Request) -> Answered:
        return Answered(Proposal(reply="", intent="escalate_to_human", confidence=0.99), self.name, 0.0)


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def here(whole: Local) -> Stage:
    return Stage(whole.crm, whole.services.machine, whole.services.context)


async def said(whole: Local, words: list[str]) -> tuple[str, dict[str, dict]]:
    """A thread in which a new customer said these words, and the state after each of them."""
    customer, states, thread = Customer("aurora", str(next(_senders)), "Anna"), {}, ""
    for text in words:
        came = await exchange(whole, customer, text=text)
        business_id = await owner(whole.crm, "aurora")
        thread = f"{business_id}:{came.conversation_id}"
        with tenant(business_id):
            states[text] = dict(await remembered(whole.services.machine, thread))
    return thread, states


async def owner(crm: Crm, slug: str) -> int:
    async with crm.outside() as tx:
        return await businesses.of_slug(tx, slug)


async def fingerprint(crm: Crm, thread: str) -> dict[str, object]:
    """Every row of the tables a turn may write, as one number a table."""
    business, _, conversation = thread.partition(":")
    found: dict[str, object] = {}
    async with crm.transaction(int(business)) as tx:
        for table in KEPT:
            query = f"SELECT count(*) AS n, sum(hashtext(t::text)) AS rows FROM {table} t"
            found[table] = await (await tx.connection.execute(query)).fetchone()
        jobs = "SELECT count(*) AS n FROM procrastinate_jobs WHERE args->>'conversation_id' = %s"
        found["jobs"] = await (await tx.connection.execute(jobs, (conversation,))).fetchone()
    return found


async def at_rest(crm: Crm, thread: str) -> dict[str, object]:
    """The same once deliveries and their statuses are through."""
    before = await fingerprint(crm, thread)
    while True:
        await asyncio.sleep(2)
        now = await fingerprint(crm, thread)
        if now == before:
            return now
        before = now


async def test_one_changed_threshold_lists_exactly_the_turns_that_change(whole: Local, here: Stage) -> None:
    thread, states = await said(whole, WORDS)
    sure = {
        text: state["proposal"]["confidence"]
        for text, state in states.items()
        if state.get("proposal") and not state["proposal"]["abstained"]
    }
    steps = sorted(set(sure.values()))
    assert len(steps) > 1, "the words must be answered with more than one confidence"
    limit = (steps[0] + steps[1]) / 2
    expected = {text for text, confidence in sure.items() if confidence < limit}
    assert 0 < len(expected) < len(sure)

    settings = whole.settings.model_copy(update={"confidence_below": limit, "llm_fallback": None})
    done = await replay(here, await of_thread(here, thread), under(here.context, settings))

    assert [one.turn.text for one in done] == WORDS
    assert {one.turn.text for one in done if one.changed} == expected
    assert {one.after.handoff for one in done if one.changed and one.after} == {"low_confidence"}


async def test_a_threshold_that_changes_nothing_lists_nothing(whole: Local, here: Stage) -> None:
    thread, _ = await said(whole, WORDS[:3])
    done = await replay(here, await of_thread(here, thread), under(here.context, whole.settings))
    assert [one.changed for one in done] == [(), (), ()]


async def test_under_the_same_settings_a_turn_says_what_it_said(whole: Local, here: Stage) -> None:
    thread, states = await said(whole, [*WORDS[:4], "Ho un forte dolore al petto"])
    done = await replay(here, await of_thread(here, thread), None)
    assert [(one.after, one.problem) for one in done] == [(one.turn.told, None) for one in done]
    assert done[-1].turn.told.handoff == "sensitive"
    assert done[-1].turn.told.label == "emergency"
    assert "112" in done[-1].turn.told.reply
    assert done[1].turn.told.reply == states[WORDS[1]]["outcome"]["replies"][0]["text"]


async def test_nothing_of_a_replay_happens(whole: Local, here: Stage) -> None:
    customer = str(next(_senders))
    steps = [
        {"text": "Vorrei prenotare un massaggio rilassante"},
        {"press_until": "^Fatto"},
        {"text": "Voglio fare un reclamo: la doccia era fredda"},
        {"button": "."},
        {"text": "STOP"},
        {"text": "Vorrei parlare con una persona"},
    ]
    script = Script(business="aurora", customer=customer, steps=steps)  # type: ignore[arg-type]
    journey = await play(whole, script, base=whole.settings.data_dir)
    last = journey.steps[-1].result
    assert last is not None
    assert last.owner == "human"
    thread = f"{await owner(whole.crm, 'aurora')}:{last.conversation_id}"
    turns = await of_thread(here, thread)
    outcomes = {turn.told.outcome for turn in turns}
    assert {"done", "opted_out", None} <= outcomes  # a booking, an opt-out and a hand-over are among them

    before = await at_rest(whole.crm, thread)
    done = await replay(here, turns, replace(here.context, chat=Stranger()))
    after = await fingerprint(whole.crm, thread)

    assert [one.problem for one in done] == [None] * len(turns)
    assert any(one.changed for one in done)
    assert after == before


async def test_another_model_is_compared_turn_by_turn(whole: Local, here: Stage) -> None:
    thread, states = await said(whole, WORDS[:3])
    done = await replay(here, await of_thread(here, thread), replace(here.context, chat=Stranger()))
    modelled = [text for text, state in states.items() if state.get("proposal")]
    assert [one.turn.text for one in done if one.after and one.after.handoff] == modelled
    assert all("handoff" in one.changed for one in done if one.turn.text in modelled)


async def test_a_turn_goes_on_from_a_checkpoint(whole: Local, here: Stage) -> None:
    thread, _ = await said(whole, WORDS[:2])
    turns = await of_thread(here, thread)
    for checkpoint in turns[1].checkpoints[:-1]:
        (only,) = await of_thread(here, thread, at=checkpoint)
        assert only.turn_id == turns[1].turn_id
        (done,) = await replay(here, [only], None, at=checkpoint)
        assert done.after == turns[1].told, checkpoint
    with pytest.raises(CheckpointGone):
        await of_thread(here, thread, at="1f000000-0000-0000-0000-000000000000")


async def test_the_last_turns_are_the_last(whole: Local, here: Stage) -> None:
    first, _ = await said(whole, WORDS[:2])
    second, _ = await said(whole, ["Vorrei parlare con una persona"])
    turns = await latest(here, 3, business="aurora")
    assert [turn.thread_id for turn in turns] == [first, first, second]
    handed = await latest(here, 1, business="aurora", handed_over=True)
    assert [turn.thread_id for turn in handed] == [second]
    assert handed[0].told.handoff == "customer_request"


async def test_a_rehearsal_sees_its_own_writes_and_nobody_else_does(whole: Local) -> None:
    business_id = await owner(whole.crm, "aurora")
    insert = "INSERT INTO contact (business_id, wa_id) VALUES (%s, %s)"
    look = "SELECT count(*) AS n FROM contact WHERE wa_id = %s"
    number = str(next(_senders))
    async with Rehearsal.of(whole.crm, whole.crm.clock) as rehearsal:
        async with rehearsal.transaction(business_id) as tx:
            await tx.connection.execute(insert, (business_id, number))
        async with rehearsal.transaction(business_id) as tx:
            inside = await (await tx.connection.execute(look, (number,))).fetchone()
        async with whole.crm.transaction(business_id) as tx:
            outside = await (await tx.connection.execute(look, (number,))).fetchone()
        with pytest.raises(RuntimeError):
            async with rehearsal.as_owner():
                pass
    async with whole.crm.transaction(business_id) as tx:
        later = await (await tx.connection.execute(look, (number,))).fetchone()
    assert (inside, outside, later) == ({"n": 1}, {"n": 0}, {"n": 0})


def test_overrides_name_what_can_be_tried() -> None:
    assert overrides(["SARA_ABSTAIN_BELOW=0.6"], "smollm2") == {"abstain_below": "0.6", "llm": "smollm2"}
    for wrong in ("ABSTAIN_BELOW=0.6", "SARA_ABSTAIN_BELOW", "SARA_DATABASE_URL=x"):
        with pytest.raises(ValueError, match=wrong.partition("=")[0]):
            overrides([wrong], None)


async def test_the_command_names_what_changes(sara, whole: Local) -> None:
    thread, states = await said(whole, WORDS[:2])
    ran = await asyncio.to_thread(sara, "replay", thread, "--set", "SARA_CONFIDENCE_BELOW=1", "--json")
    assert ran.code == 0, ran.err
    rows = [json.loads(line) for line in ran.out.splitlines()]
    assert [row["text"] for row in rows] == WORDS[:2]
    unsure = [
        text
        for text, state in states.items()
        if state.get("proposal")
        and not state["proposal"]["abstained"]
        and state["proposal"]["confidence"] < 1
    ]
    assert [row["text"] for row in rows if row["changed"]] == unsure
    assert unsure
