"""What a customer did two weeks ago is known in the next conversation, and a client is treated as one."""

from datetime import timedelta

import pytest

from crm import attendance
from tests.nodes.stage import Stage, Thread

# Book; yes; greet; the same again; what it was; the service and the greeting as they are said.
SAID = {
    "it": (
        "Vorrei prenotare un massaggio rilassante con Giulia venerdì 8 gennaio alle {hour}",
        "sì",
        "Ciao!",
        "Vorrei prenotare lo stesso dell'ultima volta, il 29 gennaio alle {hour}",
        "Che massaggio avevo fatto l'ultima volta?",
        ("Massaggio rilassante", "ritrovarti, Anna"),
    ),
    "en": (
        "I'd like to book a relaxing massage with Giulia on Friday 8 January at {hour}:00",
        "yes",
        "Hello!",
        "Could I book the same as last time, on 29 January at {hour}:00",
        "What did I have the last time?",
        ("Relaxing massage", "Welcome back, Anna"),
    ),
    "es": (
        "Quiero reservar un masaje relajante con Giulia el viernes 8 de enero a las {hour}",
        "sí",
        "¡Hola!",
        "Quería reservar lo mismo que la última vez, el 29 de enero a las {hour}",
        "¿Qué me hice la última vez?",
        ("Masaje relajante", "leerte de nuevo, Anna"),
    ),
    "pt": (
        "Queria marcar uma massagem relaxante com a Giulia na sexta-feira 8 de janeiro às {hour}h",
        "sim",
        "Olá!",
        "Queria marcar o mesmo da última vez, no dia 29 de janeiro às {hour}h",
        "O que fiz da última vez?",
        ("Massagem relaxante", "Que bom ter notícias suas, Anna"),
    ),
}


async def came(stage: Stage, thread: Thread, hour: int, book: str, yes: str) -> None:
    """Books, comes, and lets two weeks go by."""
    await thread.say(book.format(hour=hour))
    assert thread.state["outcome"]["kind"] == "confirming", thread.words
    await thread.say(yes)
    assert thread.state["outcome"]["kind"] == "done", thread.words
    [row] = await stage.rows(
        "SELECT appointment_id, upper(during) AS ends FROM appointment WHERE contact_id = %s",
        thread.contact_id,
    )
    stage.clock.now = row["ends"] + timedelta(minutes=5)
    async with stage.crm.transaction(thread.business_id) as tx:
        await attendance.attended(tx, row["appointment_id"])
    stage.clock.now += timedelta(days=14)


@pytest.mark.parametrize(("language", "hour"), [("it", 14), ("en", 15), ("es", 16), ("pt", 17)])
async def test_two_weeks_later_the_last_time_is_known(stage: Stage, language: str, hour: int) -> None:
    book, yes, hello, same, what, (service, greeting) = SAID[language]
    thread = await stage.customer()
    await came(stage, thread, hour, book, yes)
    before = thread.conversation_id
    await thread.say(hello)
    assert thread.conversation_id != before
    assert thread.state["contact"]["lifecycle"] == "client"
    assert greeting in thread.words
    assert "SARA" not in thread.words  # somebody who has been here needs no introduction
    await thread.say(what)
    assert service in thread.words
    assert "2027" in thread.words
    assert "Giulia" in thread.words
    await thread.say(same.format(hour=hour))
    assert thread.state["outcome"]["kind"] == "confirming", thread.words
    assert service in thread.words
    assert "Giulia" in thread.words
    assert f"{hour}:00" in thread.words


async def test_without_a_visit_nothing_is_invented(stage: Stage) -> None:
    thread = await stage.customer()
    await thread.say("Che massaggio avevo fatto l'ultima volta?")
    assert "Non trovo una visita precedente" in thread.words
    await thread.say("Vorrei prenotare lo stesso dell'ultima volta")
    assert thread.state["outcome"]["kind"] == "asked"
    assert "Cosa vorresti prenotare?" in thread.words
