"""A human is needed: one hand-over, everything at hand in it, and words for the customer."""

from dataclasses import replace

from langgraph.runtime import Runtime

from nodes.open_handoff import open_handoff
from tests.nodes.stage import SUNDAY_NIGHT, WORKDAY, Scripted, Stage, says

WANTS = "Vorrei parlare con una persona"


async def test_run_twice_it_opens_one_hand_over_and_speaks_once(stage: Stage) -> None:
    thread = await stage.customer()
    state = await thread.say(WANTS)
    before = await thread.conversation()
    command = await open_handoff(state, Runtime(context=thread.context))
    assert command.goto == "await_human"
    after = await thread.conversation()
    (handoff,) = await thread.handoffs()
    assert command.update is not None
    assert command.update["handoff"]["handoff_id"] == handoff["handoff_id"]
    assert (after.owner, after.epoch) == ("human", before.epoch)
    assert len(await thread.outbox()) == 1
    history = await stage.rows("SELECT kind FROM crm_event WHERE contact_id = %s", thread.contact_id)
    assert [row["kind"] for row in history] == ["handed_over"]


async def test_the_packet_holds_what_an_agent_needs(stage: Stage) -> None:
    thread = await stage.customer(name="Livia Conte")
    await thread.say("Quanto costa un massaggio rilassante?")
    await thread.say("Ho un dolore forte al petto e non respiro bene, cosa prendo?")
    packet = thread.state["handoff"]["packet"]
    assert set(packet) == {
        "reason",
        "sensitivity",
        "summary",
        "wants",
        "slots",
        "contact",
        "messages",
        "sources",
        "draft",
        "window_seconds_left",
        "conversation_id",
        "handoff_id",
        "queue",
        "voice_notes",
        "files",
    }
    assert packet["queue"] == {"key": "front_desk", "name": "Reception"}
    (handoff,) = await thread.handoffs()
    assert handoff["queue"] == "front_desk"
    assert packet["reason"] == "sensitive"
    assert packet["sensitivity"]["label"] == "emergency"
    assert packet["wants"].startswith("Ho un dolore forte")
    assert "Livia Conte" in packet["summary"]
    assert "Quanto costa un massaggio rilassante?" in packet["summary"]
    assert packet["contact"]["name"] == "Livia Conte"
    assert packet["window_seconds_left"] == 24 * 3600
    assert [line["author"] for line in packet["messages"]] == ["customer", "bot", "customer"]
    value = (await thread.snapshot()).tasks[0].interrupts[0].value
    assert {key: value[key] for key in packet} == packet


async def test_slots_already_known_travel_with_it(stage: Stage) -> None:
    booking = says("", intent="book_appointment")
    thread = await stage.customer(chat=Scripted(booking))
    await thread.say("Vorrei prenotare un massaggio rilassante")
    await thread.say(WANTS)
    assert thread.state["handoff"]["packet"]["slots"]["service"] == "massaggio_rilassante"


async def test_during_opening_hours_an_answer_is_promised_shortly(stage: Stage) -> None:
    stage.clock.now = WORKDAY
    thread = await stage.customer()
    await thread.say(WANTS)
    say = stage.context.phrases.speaker("it")
    assert say("We are open now: you will get an answer shortly.") in thread.words


async def test_outside_them_the_next_opening_is_named(stage: Stage) -> None:
    stage.clock.now = SUNDAY_NIGHT
    thread = await stage.customer()
    await thread.say(WANTS)
    assert "lunedì 23 novembre, 10:00" in thread.words
    assert thread.state["language"] == "it"


async def test_an_emergency_is_told_the_number_first(stage: Stage) -> None:
    stage.clock.now = SUNDAY_NIGHT
    thread = await stage.customer("costa-azul")
    await thread.say("Tengo un dolor muy fuerte en el pecho y no puedo respirar")
    (message,) = await thread.spoken()
    assert "112" in message.body.split(".")[0]


async def test_people_are_notified(stage: Stage) -> None:
    told: list[tuple[int, int]] = []

    async def notify(business_id: int, handoff_id: int, alarm: str | None = None) -> None:
        told.append((business_id, handoff_id))

    thread = await stage.customer()
    thread.context = replace(thread.context, notify=notify)
    await thread.say(WANTS)
    (handoff,) = await thread.handoffs()
    assert told == [(thread.business_id, handoff["handoff_id"])]


async def test_bot_words_still_waiting_are_outdated_and_its_own_are_not(stage: Stage) -> None:
    thread = await stage.customer()
    await thread.say("Ciao")
    await thread.say(WANTS)
    epoch = (await thread.conversation()).epoch
    greeting, holding = await thread.outbox()
    assert greeting["epoch"] < epoch
    assert holding["epoch"] == epoch


async def test_the_words_of_an_act_are_no_draft(stage: Stage) -> None:
    chat = Scripted(says("Certo, ti rimborsiamo 65 € entro domani.", intent="escalate_to_human"))
    thread = await stage.customer(chat=chat)
    await thread.say("È la terza volta che sbagliate")
    assert (await thread.conversation()).owner == "human"
    assert thread.state["handoff"]["packet"]["draft"] == ""
    [handoff] = await thread.handoffs()
    assert handoff["draft"] in (None, "")
