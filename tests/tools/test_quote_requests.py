"""What a quote is asked for: how many of each, choices, what only a person prices; and how quotes stand."""

import pytest

from tests.tools.talk import Room
from tests.tools.test_quotes import ASKED, issued, quotes_of


@pytest.mark.parametrize(
    ("language", "text", "shown"),
    [
        ("it", "Preventivo per 3 massaggi decontratturanti", "3 × Massaggio decontratturante"),
        ("it", "preventivo per 5 sedute di massaggio decontratturante", "5 × Massaggio decontratturante"),
        ("it", "preventivo massaggio decontratturante, 5 sedute", "5 × Massaggio decontratturante"),
        ("en", "a quote for 3 deep tissue massages, please", "3 × Deep tissue massage"),
        ("es", "Presupuesto para tres masajes relajantes", "3 × Masaje relajante"),
        ("pt", "Orçamento para 3 massagens relaxantes", "3 × Massagem relaxante"),
    ],
)
async def test_a_number_before_what_is_asked_for_counts_it(
    room: Room, language: str, text: str, shown: str
) -> None:
    talk = await issued(room, text, language)
    [quote] = await quotes_of(talk)
    [line] = await room.rows("SELECT * FROM quote_line WHERE quote_id = %s", quote["quote_id"])
    assert quote["status"] == "issued"
    assert line["quantity"] == int("5" if "5" in text else "3")
    talk = await room.talk(language=language)
    await talk.say(text, intent="request_quote")
    assert shown in talk.words


async def test_each_service_has_its_own_number(room: Room) -> None:
    talk = await room.talk()
    await talk.say("preventivo per 3 massaggi decontratturanti e 2 percorsi spa", intent="request_quote")
    assert "3 × Massaggio decontratturante" in talk.words
    assert "2 × Percorso spa" in talk.words


@pytest.mark.parametrize(
    "text",
    [
        "preventivo massaggio decontratturante 3 volte a settimana",
        "preventivo per una decina di massaggi decontratturanti",
        "preventivo per 3 massaggi decontratturanti per 4 persone",
        "preventivo massaggio decontratturante di 2 ore",
        "preventivo pacchetto di coppia, 10 massaggi",
    ],
)
async def test_a_number_that_is_not_plain_is_for_a_person(room: Room, text: str) -> None:
    talk = await issued(room, text)
    [quote] = await quotes_of(talk)
    assert quote["status"] == "requested"


@pytest.mark.parametrize(
    "text",
    [
        "preventivo massaggio decontratturante per il 20 novembre alle 15",
        "preventivo massaggio decontratturante, ho 100 euro",
        "Buongiorno, sono Anna Rossi, vorrei un preventivo per massaggio decontratturante, grazie mille",
        "preventivo per mia madre di 70 anni, massaggio decontratturante",
    ],
)
async def test_days_amounts_ages_and_courtesies_leave_a_quote_plain(room: Room, text: str) -> None:
    talk = await issued(room, text)
    [quote] = await quotes_of(talk)
    assert quote["status"] == "issued"
    lines = await room.rows("SELECT * FROM quote_line WHERE quote_id = %s", quote["quote_id"])
    assert [str(line["quantity"]) for line in lines] == ["1.00"]


async def test_of_two_things_the_one_that_is_not_plain_is_asked_about(room: Room) -> None:
    talk = await room.talk()
    await talk.say("Vorrei un preventivo per 2 massaggi e percorso spa", intent="request_quote")
    assert "service:massaggio_decontratturante" in talk.options
    assert "service:percorso_spa" not in talk.options
    await talk.say(option="service:massaggio_decontratturante")
    assert "2 × Massaggio decontratturante" in talk.words
    assert "• Percorso spa" in talk.words
    await talk.say(option="confirm:yes")
    [quote] = await quotes_of(talk)
    lines = await room.rows("SELECT * FROM quote_line WHERE quote_id = %s", quote["quote_id"])
    assert (quote["status"], len(lines)) == ("issued", 2)


@pytest.mark.parametrize(
    "text",
    [
        "preventivo per massaggio decontratturante e un cesto di frutta",
        "Vorrei un preventivo per un cesto di frutta e massaggio decontratturante",
    ],
)
async def test_what_is_no_service_is_priced_by_a_person(room: Room, text: str) -> None:
    talk = await issued(room, text)
    [quote] = await quotes_of(talk)
    lines = await room.rows(
        "SELECT * FROM quote_line WHERE quote_id = %s ORDER BY ordinal", quote["quote_id"]
    )
    assert quote["status"] == "requested"
    assert [line["unit_price"] is None for line in lines] == [False, True]
    assert lines[1]["description"] == "un cesto di frutta"


@pytest.mark.parametrize(
    ("language", "text", "valid"),
    [
        ("it", "Grazie per il preventivo, ci penso", "valido fino a"),
        ("en", "Any news about my quote?", "valid until"),
        ("es", "¿Hasta cuándo es válido el presupuesto?", "válido hasta"),
        ("pt", "O orçamento é muito caro", "válido até"),
    ],
)
async def test_words_about_a_quote_there_is_tell_how_it_stands(
    room: Room, language: str, text: str, valid: str
) -> None:
    talk = await issued(room)
    [quote] = await quotes_of(talk)
    talk.language = language
    for intent in ("request_quote", "quote_status"):
        outcome = await talk.say(text, intent=intent)
        assert (outcome["kind"], outcome["intent"]) == ("done", "quote_status")
        assert quote["number"] in talk.words
        assert "452" in talk.words
        assert valid in talk.words
        assert talk.options == [f"quote:accept:{quote['quote_id']}", f"quote:decline:{quote['quote_id']}"]
    assert len(await quotes_of(talk)) == 1
    assert talk.state["frame"] == {}


async def test_a_quote_that_waits_for_its_price_is_said_to(room: Room) -> None:
    talk = await issued(room, "preventivo per un evento privato")
    await talk.say("A che punto è la mia richiesta di preventivo?", intent="quote_status")
    assert "ancora in preparazione" in talk.words
    thief = await room.talk()
    await thief.say("A che punto è il mio preventivo?", intent="quote_status")
    assert "Non ho preventivi aperti" in thief.words


async def test_only_ones_own_quote_is_told_by_its_number(room: Room) -> None:
    theirs = await issued(room)
    [quote] = await quotes_of(theirs)
    talk = await room.talk()
    await talk.say(f"fino a quando è valido il preventivo {quote['number']}?", intent="quote_status")
    assert "Non trovo quel preventivo" in talk.words
    await theirs.say(f"fino a quando è valido il preventivo {quote['number']}?", intent="quote_status")
    assert "452,00 €" in theirs.words


async def test_the_quote_that_is_being_asked_for_is_meant_while_it_is(room: Room) -> None:
    talk = await room.talk()
    await talk.say(ASKED, intent="request_quote")
    await talk.say("quando mi arriva il preventivo?", intent="quote_status")
    assert talk.state["frame"]["intent"] == "request_quote"
