"""Nobody repeats what the conversation is about: "book it", "and how long does it take?"."""

import pytest

from tests.nodes.stage import Scripted, Stage, says


@pytest.mark.parametrize(
    ("asks", "books", "service"),
    [
        ("Quanto costa un massaggio rilassante?", "Perfetto, vorrei prenotarlo", "Massaggio rilassante"),
        ("How much is a hot stone massage?", "Great, please book it for me", "Hot stone massage"),
        ("¿Cuánto cuesta el drenaje linfático?", "Vale, quiero reservarlo", "Drenaje linfático"),
        (
            "Quanto custa o tratamento facial hidratante?",
            "Ótimo, quero marcar",
            "Tratamento facial hidratante",
        ),
    ],
)
async def test_what_was_asked_about_is_booked(stage: Stage, asks: str, books: str, service: str) -> None:
    thread = await stage.customer()
    await thread.say(asks)
    assert thread.state["outcome"]["kind"] == "answered"
    await thread.say(books)
    assert thread.state["proposal"]["intent"] == "book_appointment"
    assert thread.state["outcome"]["kind"] == "asked"
    assert service in thread.words
    offered = thread.state["outcome"]["replies"][-1]["options"]
    assert any(option["id"].startswith("slot:") for option in offered)


async def test_a_short_question_is_about_what_was_spoken_of(stage: Stage) -> None:
    thread = await stage.customer()
    await thread.say("Quanto costa il massaggio con pietre calde?")
    await thread.say("e quanto dura?")
    assert "75 minuti" in thread.words


async def test_what_was_spoken_of_long_ago_is_not_meant(stage: Stage) -> None:
    thread = await stage.customer()
    await thread.say("Quanto costa un massaggio rilassante?")
    for text in ("Dove siete?", "Avete un parcheggio?", "Accettate carte?", "Siete aperti domenica?"):
        await thread.say(text)
    await thread.say("Vorrei prenotare")
    assert "Cosa vorresti prenotare?" in thread.words


@pytest.mark.parametrize("text", ["El drenaje linfático", "massaggio prenatale", "The hot stone massage"])
async def test_the_name_of_a_service_is_no_cry_for_help(stage: Stage, text: str) -> None:
    thread = await stage.customer()
    await thread.say(text)
    assert not thread.state["sensitivity"]["escalate"]
    assert (await thread.conversation()).owner == "bot"


async def test_a_quoted_message_says_what_is_meant(stage: Stage) -> None:
    thread = await stage.customer()
    await thread.say("Quanto costa il massaggio con pietre calde?")
    quoted = (await thread.spoken())[-1].body
    await thread.say("E il drenaggio linfatico quanto costa?")
    event = await thread.wrote("e questo quanto dura?")
    event["messages"][0]["quoted"] = quoted
    await thread.deliver(event)
    assert "75 minuti" in thread.words


async def test_an_advertisement_says_what_is_meant(stage: Stage) -> None:
    thread = await stage.customer()
    event = await thread.wrote("Ciao, quanto dura questo?")
    event["messages"][0]["advertised"] = "Massaggio con pietre calde: prenota ora"
    await thread.deliver(event)
    assert "75 minuti" in thread.words


async def test_a_model_reads_what_is_quoted(stage: Stage) -> None:
    chat = Scripted(says("Dura 75 minuti."))
    thread = await stage.customer(chat=chat)
    event = await thread.wrote("e questo quanto dura?")
    event["messages"][0]["quoted"] = "Il massaggio >>> con pietre calde"
    await thread.deliver(event)
    assert "[> Il massaggio" in chat.asked[0].turn
    assert ">>>\ncon" not in chat.asked[0].turn.replace(" con", "\ncon"), "what closes the data is taken out"


@pytest.mark.parametrize(
    ("first", "then", "day"),
    [
        ("Siete aperti sabato?", "E domenica?", "domenica"),
        ("Are you open on Saturday?", "What about Sunday?", "Sunday"),
        ("¿Abrís el sábado?", "¿y el domingo?", "domingo"),
        ("Estão abertos no sábado?", "e no domingo?", "domingo"),
    ],
)
async def test_another_day_is_asked_about_the_same_way(stage: Stage, first: str, then: str, day: str) -> None:
    thread = await stage.customer()
    await thread.say(first)
    await thread.say(then)
    [asked] = [fact for fact in thread.state["facts"] if fact["kind"] in ("hours", "closure")][:1]
    assert day.casefold() in asked["text"].casefold()
    assert day.casefold() in thread.words.casefold()
    await thread.say("Quanto costa un massaggio rilassante?")
    assert "hours" not in thread.state["topic"]
