"""What customers ask and change about their own records: reports, name, e-mail, language, messages."""

from datetime import UTC, datetime, timedelta

import pytest

from crm import tickets
from tests.tools.talk import Room, Talk
from tools import open_ticket, ticket_status, update_contact

WET = "gli asciugamani erano bagnati e nessuno rispondeva"


async def reported(room: Room, text: str = WET, slug: str = "aurora", language: str = "it") -> Talk:
    talk = await room.talk(slug, language)
    await talk.say(text, intent="open_ticket")
    assert (await talk.say(option="confirm:yes"))["kind"] == "done", talk.words
    return talk


async def ticket_of(talk: Talk) -> dict[str, object]:
    [row] = await talk.room.rows("SELECT * FROM ticket WHERE contact_id = %s", talk.contact_id)
    return row


async def contact_of(talk: Talk) -> dict[str, object]:
    [row] = await talk.room.rows("SELECT * FROM contact WHERE contact_id = %s", talk.contact_id)
    return row


async def test_due_times_are_counted_in_opening_hours(room: Room) -> None:
    """It is Wednesday, 10:00 in Milan: 8 hours of opening later it is 18:00, 24 hours later Friday noon."""
    talk = await reported(room)
    ticket = await ticket_of(talk)
    assert (ticket["priority"], ticket["queue"], ticket["status"]) == ("normal", "front_desk", "open")
    assert ticket["answer_due"] == datetime(2026, 11, 18, 17, tzinfo=UTC)
    assert ticket["solve_due"] == datetime(2026, 11, 20, 11, tzinfo=UTC)
    assert "mercoledì 18 novembre 2026, ore 18:00" in talk.words


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("è urgente, la sauna perde acqua dappertutto", "it"),
        ("please look at this right away, my card was charged twice", "en"),
    ],
)
async def test_who_says_urgent_is_answered_within_the_hour(room: Room, text: str, language: str) -> None:
    ticket = await ticket_of(await reported(room, text, language=language))
    assert ticket["priority"] == "urgent"
    assert ticket["answer_due"] == datetime(2026, 11, 18, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "Non è urgente, ma la maniglia dell'armadietto è allentata",
        "non è affatto urgente ma il rubinetto gocciola un po'",
        "non è più urgente, la sauna si è accesa da sola",
        "non mi sembra urgente ma la porta cigola",
        "it's no longer urgent, the tap has stopped dripping",
        "no parece urgente, la puerta chirría",
        "no hay urgencia, cuando puedan revisen la ducha",
        "No es urgente: la puerta del vestuario no cierra bien",
        "It's not urgent, but the locker door is loose",
        "this isn’t urgent, one of the lamps flickers",
        "Não é urgente, mas o cacifo está avariado",
        "non è poi così urgente, lo specchio è rotto",
        "non c'è niente di urgente, solo lo specchio rotto",
        "nothing urgent, the mirror is broken",
        "senza urgenza: lo specchio è rotto",
        "there is no urgency, the mirror is broken",
        "no es nada urgente, el espejo está roto",
        "não tem urgência, o espelho está partido",
        "nessuna urgenza, il phon dello spogliatoio fa rumore",
        "Ho subito un danno alla giacca nello spogliatoio",
        "abbiamo già subìto un furto nello spogliatoio ieri",
        "vorrei segnalare il danno subito alla mia borsa",
        "já fui aí ontem e as toalhas estavam molhadas",
        "il rumore viene dalle immediate vicinanze della sauna",
    ],
)
def test_what_is_not_urgent_is_not_made_so(text: str) -> None:
    assert open_ticket.priority_of(text, "lead") == "normal"


@pytest.mark.parametrize(
    "text",
    [
        "non si chiude l'acqua, è urgente",
        "la porta non si apre ed è urgente",
        "no es posible entrar, es urgente",
        "No it's urgent, the shower floods the room",
        "rispondete subito per favore, la sauna fuma",
        "ho subito bisogno di qualcuno, la sauna fuma",
        "sono senza corrente urgente",
        "no hay agua urgente",
        "non funziona niente urgente",
        "non funziona niente è urgente",
        "we have no heating urgent",
        "estamos sem água urgente",
        "venham agora mesmo, a água não pára",
    ],
)
def test_what_presses_is_urgent_beside_a_no_to_something_else(text: str) -> None:
    assert open_ticket.priority_of(text, "lead") == "urgent"


async def test_a_business_has_its_own_due_times(room: Room) -> None:
    ticket = await ticket_of(await reported(room, "urgente: il portale non apre i miei documenti", "conti"))
    assert ticket["solve_due"] == datetime(2026, 11, 18, 14, 30, tzinfo=UTC)  # 4 hours; lunch is not opening


async def test_a_client_comes_before_others(room: Room) -> None:
    talk = await room.talk()
    await room.rows("UPDATE contact SET lifecycle = 'client' WHERE contact_id = %s", talk.contact_id)
    await talk.say(WET, intent="open_ticket")
    await talk.say(option="confirm:yes")
    assert (await ticket_of(talk))["priority"] == "high"


async def test_status_is_told_as_it_moves(room: Room) -> None:
    talk = await reported(room)
    ticket_id = int(str((await ticket_of(talk))["ticket_id"]))
    await talk.say("a che punto è la mia segnalazione?", intent="ticket_status")
    assert f"La segnalazione {ticket_id}" in talk.words
    assert "è aperta" in talk.words
    async with room.crm.transaction(talk.business_id) as tx:
        await tickets.take(tx, ticket_id, None)
    await talk.say(option=f"ticket:{ticket_id}")
    assert "è in lavorazione" in talk.words
    room.clock.now += timedelta(days=4)
    await talk.say("novità?", intent="ticket_status")
    assert "è in ritardo" in talk.words
    async with room.crm.transaction(talk.business_id) as tx:
        await tickets.close(tx, ticket_id)
    await talk.say("e la mia segnalazione?", intent="ticket_status")
    assert "è stata chiusa domenica 22 novembre 2026" in talk.words
    room.clock.now += timedelta(days=31)
    await talk.say("e la mia segnalazione?", intent="ticket_status")
    assert "Non hai segnalazioni aperte" in talk.words


async def test_a_report_of_somebody_else_is_not_told(room: Room) -> None:
    theirs = await ticket_of(await reported(room))
    talk = await room.talk()
    await talk.say(f"stato del ticket {theirs['ticket_id']}", intent="ticket_status")
    assert "Non trovo la segnalazione" in talk.words
    assert "asciugamani" not in talk.words
    await talk.say(option=f"ticket:{theirs['ticket_id']}")
    assert "asciugamani" not in talk.words


@pytest.mark.parametrize(
    ("language", "words", "field", "value"),
    [
        ("it", "la mia nuova email è Anna.Rossi@Example.IT", "email", "Anna.Rossi@example.it"),
        ("en", "please change my name, my name is Anna Bianchi", "name", "Anna Bianchi"),
        ("es", "escríbanme en inglés, por favor", "told_language", "en"),
        ("pt", "podem escrever-me em espanhol?", "told_language", "es"),
    ],
)
async def test_customers_change_their_own_data(
    room: Room, language: str, words: str, field: str, value: str
) -> None:
    talk = await room.talk(language=language)
    outcome = await talk.say(words, intent="update_contact", name="Mallory")
    assert outcome["kind"] == "confirming"
    await talk.say(option="confirm:yes")
    assert (await contact_of(talk))[field] == value
    [event] = await room.rows("SELECT kind FROM crm_event WHERE contact_id = %s", talk.contact_id)
    assert event["kind"] == "contact_updated"


@pytest.mark.parametrize("name", ["🌸🌸", "12345", "<script>alert(1)</script>", "'); DROP TABLE contact;--"])
async def test_what_is_no_name_is_asked_again(room: Room, name: str) -> None:
    talk = await room.talk()
    await talk.say("vorrei cambiare il mio nome", intent="update_contact")
    assert talk.words == "Che nome segno?"
    await talk.say(name)
    assert "solo con lettere" in talk.words
    await talk.say("Seán Ó'Brien-Müller")
    await talk.say("sì")
    assert (await contact_of(talk))["name"] == "Seán Ó'Brien-Müller"


async def test_after_a_no_a_bare_name_takes_the_place_of_the_one_read_back(room: Room) -> None:
    talk = await room.talk()
    await talk.say("cambia il mio nome: mi chiamo Ana Biancchi", intent="update_contact")
    await talk.say("no")
    outcome = await talk.say("Anna Bianchi", intent="other")
    assert outcome["kind"] == "confirming"
    assert "Anna Bianchi" in talk.words
    assert "Ana Biancchi" not in talk.words
    await talk.say("no")
    await talk.say("il nome", intent="other")
    assert talk.words == "Che nome segno?"
    await talk.say("Anna Bianco")
    await talk.say("sì")
    assert (await contact_of(talk))["name"] == "Anna Bianco"


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("it", "Mi chiamo Marco Di Stefano, la mia mail è marco@example.com"),
        ("en", "Please change my name to Marco Di Stefano and my email to marco@example.com"),
        ("es", "mi correo es marco@example.com y me llamo Marco Di Stefano"),
    ],
)
async def test_name_and_address_in_one_message_are_both_noted(room: Room, language: str, words: str) -> None:
    talk = await room.talk(language=language)
    await talk.say(words, intent="update_contact")
    await talk.say(option="confirm:yes")
    contact = await contact_of(talk)
    assert (contact["name"], contact["email"]) == ("Marco Di Stefano", "marco@example.com")


async def test_a_nationality_beside_an_address_is_no_language_to_write_in(room: Room) -> None:
    call = await (await room.talk()).call("sono italiano, la mia mail è a@example.com")
    assert await update_contact.fill(call, {}, {}) == {"email": "a@example.com"}
    call = await (await room.talk()).call("la mia mail è a@example.com, scrivimi in inglese")
    assert await update_contact.fill(call, {}, {}) == {"email": "a@example.com", "language": "en"}


async def test_a_broken_address_is_asked_again(room: Room) -> None:
    talk = await room.talk(language="en")
    await talk.say("I want to change my email", intent="update_contact")
    await talk.say("anna at example")
    assert "does not look like an e-mail" in talk.words
    await talk.say("anna@example.com")
    assert talk.state["frame"]["question"]["slot"] == "confirm"


async def test_a_sentence_stops_messages_after_a_yes(room: Room) -> None:
    talk = await room.talk(language="pt")
    outcome = await talk.say("não quero receber mais mensagens", intent="opt_out")
    assert outcome["kind"] == "confirming"
    assert (await contact_of(talk))["opted_out_at"] is None
    await talk.say("sim", turn_id="leaving")
    assert (await contact_of(talk))["opted_out_at"] is not None
    assert len(await room.rows("SELECT 1 FROM crm_event WHERE kind = 'opted_out'")) == 1


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("it", "A che punto è la mia segnalazione di 3 giorni fa?"),
        ("it", "novità sulla segnalazione? sono in camera numero 12"),
        ("en", "any news about my report 2 weeks ago"),
        ("es", "¿en qué estado está la queja por las 3 sillas?"),
        ("pt", "novidades sobre a reclamação de 10/11?"),
    ],
)
async def test_a_number_that_names_no_report_is_none(room: Room, language: str, words: str) -> None:
    call = await (await room.talk(language=language)).call(words)
    assert "ticket" not in await ticket_status.fill(call, {}, {})


@pytest.mark.parametrize(
    "words",
    [
        "12345", "#12345", "la 12345", "stato del ticket 12345", "segnalazione n. 12345",
        "segnalazione nº 12345",
        "la segnalazione numero 12345 di 3 giorni fa", "report no. 12345", "my ticket number is 12345",
        "la queja 12345", "reclamação n.º 12345", "ticket #12345",
    ],
)  # fmt: skip
async def test_a_number_that_names_a_report_is_it(room: Room, words: str) -> None:
    call = await (await room.talk()).call(words)
    assert (await ticket_status.fill(call, {}, {}))["ticket"] == 12345
