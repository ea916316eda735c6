"""Nothing unsupported leaves, whatever the model writes."""

import pytest

from crm import messages
from inference.material import Piece
from nodes.check_grounding import MOST_ATTEMPTS, _sources
from nodes.generate import _unmarked
from tests.nodes.stage import Scripted, Stage, says

QUESTION = "Quanto costa un massaggio rilassante?"
ALTERED = says("Il massaggio rilassante costa 49,00 €.")
RIGHT = says("Il massaggio rilassante costa 65,00 €.", citations=["F1"])


async def test_an_altered_price_is_refused_and_the_second_try_is_told_why(stage: Stage) -> None:
    chat = Scripted(ALTERED, RIGHT)
    thread = await stage.customer(chat=chat)
    await thread.say(QUESTION)
    assert thread.words == RIGHT.reply
    assert len(chat.asked) == 2
    assert "49,00" in chat.asked[1].turn
    assert "49,00" not in chat.asked[0].turn
    assert thread.state["grounding"]["supported"] is True
    assert thread.state["grounding"]["attempts"] == 2
    assert any("65,00" in entry["claim"] for entry in thread.state["grounding"]["ledger"])


async def test_a_model_that_insists_is_replaced_by_quotes(stage: Stage) -> None:
    chat = Scripted(ALTERED)
    thread = await stage.customer(chat=chat)
    await thread.say(QUESTION)
    assert len(chat.asked) == MOST_ATTEMPTS - 1
    assert thread.state["proposal"]["model"] == stage.context.last_resort.name
    assert "65,00" in thread.words
    assert "49" not in " ".join(message.body for message in await thread.spoken())


@pytest.mark.parametrize(
    "reply",
    [
        "Siamo aperti fino alle 23:30.",
        "Scrivi a truffa@example.org per lo sconto.",
        "Chiama il +39 02 9999 8888.",
        "Il massaggio rilassante è in offerta al 40%.",
        "Ti faccio il massaggio gratis, promesso!",
        "",
    ],
)
async def test_hours_addresses_numbers_and_promises_need_a_source_too(stage: Stage, reply: str) -> None:
    thread = await stage.customer(chat=Scripted(says(reply)))
    await thread.say(QUESTION)
    assert not reply or all(reply not in message.body for message in await thread.spoken())
    assert await thread.spoken()


@pytest.mark.parametrize(
    "reply",
    [
        "Мы открыты в воскресенье, массаж для вас бесплатный.",
        "Il massaggio rilassante costa 65,00 €. 取消预约完全免费，随时可以退款。",
        "The relaxing massage costs €65.00 and you can book it here.",
        "El masaje relajante cuesta 65,00 € y lo puedes reservar aquí mismo.",
        "I'm sorry, but I can't assist with that.",
        "...",
        "\u200b",
        "{}",
    ],
)
async def test_what_a_customer_cannot_read_or_use_is_not_sent(stage: Stage, reply: str) -> None:
    thread = await stage.customer(chat=Scripted(says(reply)))
    await thread.say(QUESTION)
    assert "65,00" in thread.words
    assert all(reply not in message.body for message in await thread.spoken())


async def test_services_and_streets_are_called_the_same_in_every_language(stage: Stage) -> None:
    thread = await stage.customer(chat=Scripted(says("Massaggio rilassante: 65,00 €.", citations=["F1"])))
    await thread.say("Hello, how much is the relaxing massage, please?")
    assert thread.state["language"] == "en"
    assert thread.words == "Massaggio rilassante: 65,00 €."


async def test_a_model_is_told_which_language_to_answer_in(stage: Stage) -> None:
    chat = Scripted(says("The relaxing massage costs €65.00 and you can book it here."), RIGHT)
    thread = await stage.customer(chat=chat)
    await thread.say(QUESTION)
    assert thread.words == RIGHT.reply
    assert "another language than Italian" in chat.asked[1].turn


async def test_a_name_in_other_letters_may_be_called_by(stage: Stage) -> None:
    right = says("Ciao Олена! Il massaggio rilassante costa 65,00 €.", citations=["F1"])
    thread = await stage.customer(name="Олена", chat=Scripted(right))
    await thread.say(QUESTION)
    assert thread.words == right.reply


async def test_marks_of_the_prompt_are_not_sent(stage: Stage) -> None:
    marked = says("Il massaggio\u200b rilassante costa 65,00 € [F1]. (F1, P2)", citations=["F1"])
    thread = await stage.customer(chat=Scripted(marked))
    await thread.say(QUESTION)
    assert thread.words == RIGHT.reply


def test_what_only_looks_like_a_mark_stays() -> None:
    pieces = [
        Piece("F1", "fact", "Massaggio: 65 €", "it"),
        Piece("A5", "passage", "formato (A5): 30 €", "it"),
    ]
    said = "Con il modello (F24), formato (A5), livello (B1): 65 € [F1] (F1, A5)."
    assert _unmarked(said, pieces) == "Con il modello (F24), formato (A5), livello (B1): 65 € (F1, A5)."


async def test_a_passage_stands_below_its_headings(stage: Stage) -> None:
    """A row of a table says its price, the headings say of what: a reply may use their words."""
    thread = await stage.customer(chat=Scripted(RIGHT))
    await thread.say(QUESTION)
    texts = {source.id: source.text for source in _sources(thread.state, lambda text, **_: text)}
    for passage in thread.state["passages"]:
        above, _, below = texts[passage["id"]].rpartition(passage["text"])
        assert above.split("\n")[0] == passage["title"]
        assert passage["section"] in above
        assert not below


async def test_a_customers_profile_name_supports_nothing(stage: Stage) -> None:
    """People choose their names: who is called Nadia Corsi does not thereby give massages here."""
    said = says("Il massaggio rilassante lo fa Nadia Corsi.")
    thread = await stage.customer(chat=Scripted(said), name="Nadia Corsi Massaggiatrice")
    await thread.say("Buongiorno, che massaggi fate?")
    assert thread.state["contact"]["name"].startswith("Nadia")
    texts = [source.text for source in _sources(thread.state, lambda text, **_: text)]
    assert not any("Nadia" in text for text in texts)
    assert all("Nadia" not in message.body for message in await thread.spoken())


async def test_nothing_supportable_to_say_goes_to_a_human(stage: Stage) -> None:
    liar = Scripted(ALTERED)
    liar.name = stage.context.last_resort.name  # not even the last resort may say it
    thread = await stage.customer(chat=liar)
    await thread.say(QUESTION)
    (handoff,) = await thread.handoffs()
    assert handoff["reason"] == "ungrounded"
    assert thread.state["handoff"]["packet"]["draft"] == ""  # the row may have got one by the brief's job
    assert "49" not in " ".join(message.body for message in await thread.spoken())


async def test_the_models_own_flag_can_only_escalate(stage: Stage) -> None:
    thread = await stage.customer(chat=Scripted(says("Prendi un'aspirina.", sensitive=True)))
    await thread.say("Ho le spalle un po' rigide, cosa consigliate?")
    (handoff,) = await thread.handoffs()
    assert handoff["reason"] == "sensitive"
    assert all("aspirina" not in message.body for message in await thread.spoken())


async def test_what_a_human_just_handed_back_is_neither_answered_nor_handed_over_again(stage: Stage) -> None:
    chat = Scripted(says("You will surely win.", sensitive=True))
    thread = await stage.customer("conti", chat=chat)
    await thread.say("My landlord wants to evict me, can I sue him and would I win?")
    await thread.say("Would I win against my landlord if I sue him?")
    await thread.handed_back("She comes in on Monday.")
    assert len(await thread.handoffs()) == 1
    assert (await thread.conversation()).owner == "bot"
    assert all("win" not in message.body for message in await thread.spoken())
    async with stage.crm.transaction(thread.business_id) as tx:
        offered = await messages.options(tx, (await thread.spoken())[-1].message_id)
    assert [option.option_id for option in offered] == ["human:yes", "human:no"]


async def test_the_words_of_an_action_are_the_tools_and_never_the_models(stage: Stage) -> None:
    chat = Scripted(
        says("Prenotato alle 3, gratis!", intent="book_appointment", arguments={"service": "sauna"})
    )
    thread = await stage.customer(chat=chat)
    await thread.say("Vorrei prenotare un massaggio rilassante venerdì")
    assert all("gratis" not in message.body for message in await thread.spoken())
    assert thread.state["outcome"]["intent"] == "book_appointment"
    assert await stage.rows("SELECT 1 FROM appointment WHERE contact_id = %s", thread.contact_id) == []


@pytest.mark.parametrize(
    ("reply", "label"),
    [
        ("Prenda 500 mg di paracetamolo ogni otto ore.", "medical"),
        ("Non ho dubbi: il ricorso lo vincerà lei.", "legal"),
        ("Le conviene investire in bitcoin.", "financial"),
    ],
)
async def test_advice_about_to_be_said_goes_to_a_human(stage: Stage, reply: str, label: str) -> None:
    thread = await stage.customer(chat=Scripted(says(reply)))
    await thread.say(QUESTION)
    (handoff,) = await thread.handoffs()
    assert (handoff["reason"], handoff["label"]) == ("sensitive", label)
    assert thread.state["handoff"]["by"] == "output"
    assert all(reply not in message.body for message in await thread.spoken())
