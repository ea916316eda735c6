"""What a vertical wants known first: one question at a time, in the customer's language, nothing twice."""

from pathlib import Path

import pytest

from tests.tools.shops import open_shop
from tests.tools.talk import Room, Talk
from tools.details import only_number


async def lead(room: Room, language: str, text: str) -> Talk:
    talk = await room.talk("costa-azul", language)
    await talk.say(text, intent="qualify_lead")
    return talk


def asked(talk: Talk) -> str:
    """The slot of the question that waits."""
    return str(talk.state["frame"]["question"]["slot"])


async def test_one_question_after_the_other_in_order(room: Room) -> None:
    talk = await lead(room, "pt", "Estou interessado nos vossos imóveis")
    assert talk.words == "Quer comprar, arrendar, vender ou pôr a arrendar?"
    assert talk.options[0] == "detail:operation:buy"
    await talk.say(option="detail:operation:buy")
    assert talk.words == "Em que zona ou rua?"
    assert talk.options == []
    await talk.say("Campo de Ourique", intent="answer", reply="Campo de Ourique é um bairro bonito.")
    assert talk.words == "Que orçamento tem em mente, ou quanto espera obter?"
    await talk.say("350.000 €", intent="other")
    assert asked(talk) == "detail:rooms"
    await talk.say("T2", intent="other")
    assert asked(talk) == "detail:moving"
    await talk.say(option="frame:skip")
    assert talk.goto == "open_handoff"
    assert talk.state["handoff"]["slots"] == {
        "wish": "Estou interessado nos vossos imóveis",
        "operation": "Comprar",
        "zone": "Campo de Ourique",
        "budget": "350 000",
        "rooms": "T2",
    }


async def test_what_was_said_is_not_asked(room: Room) -> None:
    talk = await lead(room, "es", "Quiero comprar un piso en Ruzafa, presupuesto 280.000 euros")
    assert talk.words == "¿En qué zona o calle?"
    assert talk.state["frame"]["slots"]["details"] == {"operation": "Comprar", "budget": "280.000"}
    await talk.say("por la calle Cádiz", intent="other")
    assert asked(talk) == "detail:rooms"


@pytest.mark.parametrize(
    ("language", "words", "title"),
    [
        ("en", "I'd like to sell", "Sell"),
        ("es", "alquilar", "alquilar"),
        ("pt", "a primeira", "Comprar"),
        ("it", "la seconda", "Prendere in affitto"),
        ("en", "not sure, maybe both", "not sure, maybe both"),
    ],
)
async def test_a_choice_is_read_from_words_and_kept_as_said_otherwise(
    room: Room, language: str, words: str, title: str
) -> None:
    talk = await lead(room, language, "???")
    await talk.say(words, intent="other")
    assert talk.state["frame"]["slots"]["details"]["operation"] == title


async def test_a_no_answers_the_question_instead_of_dropping_it(room: Room, tmp_path: Path) -> None:
    talk = await room.talk(await open_shop(room, tmp_path, "automotive"), "it")
    await talk.say("Ho un rumore strano davanti", intent="qualify_lead")
    await talk.say("un cigolio quando sterzo")
    await talk.say("Fiat Panda del 2015")
    assert asked(talk) == "detail:drivable"
    await talk.say("no")
    assert asked(talk) == "detail:courtesy_car"
    await talk.say("sì")
    assert talk.goto == "open_handoff"
    slots = talk.state["handoff"]["slots"]
    assert (slots["drivable"], slots["courtesy_car"]) == ("No", "Sì")


async def test_thanks_beside_an_option_leave_it_chosen(room: Room) -> None:
    talk = await lead(room, "pt", "Estou interessado nos vossos imóveis")
    await talk.say("obrigada", option="detail:operation:buy")
    assert talk.state["frame"]["slots"]["details"] == {"operation": "Comprar"}


async def test_a_greeting_and_a_function_word_answer_nothing(room: Room, tmp_path: Path) -> None:
    talk = await room.talk(await open_shop(room, tmp_path, "fitness"), "es")
    await talk.say("Buenas tardes, quisiera apuntarme al gimnasio", intent="qualify_lead")
    assert "times" not in talk.state["frame"]["slots"].get("details", {})
    talk = await room.talk(await open_shop(room, tmp_path, "medical"), "it")
    await talk.say("Vorrei l'apparecchio per mia figlia", intent="qualify_lead")
    assert "patient" not in talk.state["frame"]["slots"].get("details", {})


async def test_never_mind_drops_the_questions(room: Room) -> None:
    talk = await lead(room, "it", "Vorrei essere richiamato")
    await talk.say("lascia stare")
    assert talk.state["frame"] == {}
    assert talk.goto == "reply"


async def test_a_question_in_the_middle_is_answered_and_asked_again(room: Room) -> None:
    talk = await lead(room, "en", "I am interested in a flat")
    first = talk.words
    await talk.say("do you charge for viewings?", intent="answer", reply="No, they are free.")
    assert [part["text"] for part in talk.state["outcome"]["replies"]] == ["No, they are free.", first]
    assert "details" not in talk.state["frame"]["slots"]


async def test_a_number_is_never_taken_for_the_button_that_skips(room: Room, tmp_path: Path) -> None:
    pack = "  lead:\n    occasion: null\n    people: {required: false}\n    period: null\n"
    talk = await room.talk(await open_shop(room, tmp_path, "wellness", pack), "it")
    await talk.say("un buono regalo", intent="qualify_lead")
    assert talk.options == ["frame:skip"]
    await talk.say("1")
    assert talk.state["handoff"]["slots"]["people"] == "1"


@pytest.mark.parametrize("skipped", ["no", "salta", "frame:skip"])
async def test_an_optional_question_can_be_skipped(room: Room, tmp_path: Path, skipped: str) -> None:
    pack = "  lead:\n    occasion: null\n    people: null\n"
    talk = await room.talk(await open_shop(room, tmp_path, "wellness", pack), "it")
    await talk.say("un buono regalo", intent="qualify_lead")
    await (talk.say(option=skipped) if ":" in skipped else talk.say(skipped))
    assert talk.goto == "open_handoff"
    assert talk.state["handoff"]["slots"] == {"wish": "un buono regalo"}


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("it", "No, niente grazie"),
        ("en", "no, don't bother"),
        ("es", "mejor no, gracias"),
        ("pt", "não, obrigado"),
    ],
)
async def test_a_no_that_may_drop_all_skips_an_optional_question(
    room: Room, tmp_path: Path, language: str, words: str
) -> None:
    pack = "  lead:\n    occasion: null\n    people: null\n"
    talk = await room.talk(await open_shop(room, tmp_path, "wellness", pack), language)
    await talk.say("un buono regalo", intent="qualify_lead")
    assert talk.options == ["frame:skip"]
    await talk.say(words)
    assert talk.goto == "open_handoff"
    assert talk.state["handoff"]["slots"] == {"wish": "un buono regalo"}


@pytest.mark.parametrize(("language", "words"), [("it", "no, lascia stare"), ("en", "forget it")])
async def test_what_drops_all_still_does_at_an_optional_question(
    room: Room, tmp_path: Path, language: str, words: str
) -> None:
    pack = "  lead:\n    occasion: null\n    people: null\n"
    talk = await room.talk(await open_shop(room, tmp_path, "wellness", pack), language)
    await talk.say("un buono regalo", intent="qualify_lead")
    await talk.say(words)
    assert (talk.goto, talk.state["frame"]) == ("reply", {})


async def test_a_booking_waits_for_what_the_trade_needs(room: Room, tmp_path: Path) -> None:
    talk = await room.talk(await open_shop(room, tmp_path, "automotive"), "it")
    await talk.book("massaggio rilassante venerdì alle 15")
    assert talk.words == "Mi scrive la targa? Così prepariamo i ricambi giusti."
    outcome = await talk.say("AB 123 CD", intent="other")
    assert outcome["kind"] == "confirming"
    assert "• AB 123 CD\n" in talk.words
    assert (await talk.say("sì"))["kind"] == "done"
    assert len(await talk.appointments()) == 1
    history = await room.rows("SELECT kind, detail FROM crm_event WHERE contact_id = %s", talk.contact_id)
    assert {"kind": "details_given", "detail": "plate: AB 123 CD"} in history


async def test_a_wrong_detail_can_be_changed_before_the_yes(room: Room, tmp_path: Path) -> None:
    talk = await room.talk(await open_shop(room, tmp_path, "automotive"), "it")
    await talk.book("massaggio rilassante venerdì alle 15")
    await talk.say("AB 123 CD", intent="other")
    await talk.say("no")
    assert "change:details" in talk.options
    await talk.say(option="change:details")
    assert talk.words.startswith("Mi scrive la targa?")
    await talk.say("EF 456 GH", intent="other")
    assert "EF 456 GH" in talk.words
    assert "AB 123 CD" not in talk.words


async def test_a_quote_and_a_ticket_ask_for_theirs(room: Room, tmp_path: Path) -> None:
    slug = await open_shop(room, tmp_path, "retail")
    quote = await room.talk(slug, "es")
    await quote.say("Presupuesto para el masaje relajante", intent="request_quote")
    assert quote.words == "¿Cuántas unidades necesitas?"
    outcome = await quote.say("20", intent="other")
    assert outcome["kind"] == "confirming"
    ticket = await room.talk(slug, "en")
    await ticket.say("the parcel arrived with a broken lamp inside", intent="open_ticket")
    assert ticket.words == "What is the order number? It is in your confirmation e-mail."
    await ticket.say("A-1007", intent="other")
    await ticket.say(option="detail:wanted:refund")
    assert ticket.words.startswith("• A-1007\n• Refund\n")
    assert (await ticket.say("yes"))["kind"] == "done"


@pytest.mark.parametrize(
    ("vertical", "answer", "times", "status"),
    [
        ("restaurant", "siamo in 30", 30, "issued"),
        ("restaurant", "una trentina", 1, "requested"),
        ("retail", "20 pezzi", 20, "issued"),
        ("retail", "venti", 20, "issued"),
        ("retail", "15 o 20", 1, "requested"),
        ("retail", "una ventina", 1, "requested"),
        ("retail", "2 dozzine", 1, "requested"),
    ],
)
async def test_a_quote_is_for_as_many_as_were_answered(
    room: Room, tmp_path: Path, vertical: str, answer: str, times: int, status: str
) -> None:
    talk = await room.talk(await open_shop(room, tmp_path, vertical), "it")
    await talk.say("Preventivo per il massaggio decontratturante", intent="request_quote")
    while asked(talk) not in ("detail:guests", "detail:quantity"):
        await talk.say("salta")
    await talk.say(answer)
    while asked(talk) != "confirm":
        await talk.say("salta")
    assert (f"{times} ×" in talk.words) == (times > 1)
    await talk.say("sì")
    [quote] = await room.rows(
        "SELECT status, quantity FROM quote JOIN quote_line USING (quote_id) WHERE contact_id = %s",
        talk.contact_id,
    )
    assert (quote["quantity"], quote["status"]) == (times, status)


async def test_the_number_said_last_is_the_quotes(room: Room, tmp_path: Path) -> None:
    talk = await room.talk(await open_shop(room, tmp_path, "retail"), "it")
    await talk.say("Preventivo massaggio decontratturante per 4 persone", intent="request_quote")
    await talk.say("20")
    assert "20 ×" in talk.words
    await talk.say("no, siamo in 5", intent="request_quote")
    assert "5 ×" in talk.words
    assert "20" not in talk.words


@pytest.mark.parametrize(
    ("vertical", "words"),
    [
        ("hotel", ["preventivo per 2 massaggi decontratturanti", "4"]),
        ("hotel", ["preventivo per 2 massaggi decontratturanti per 4 persone"]),
        ("restaurant", ["preventivo per una decina di massaggi decontratturanti", "siamo in 30"]),
    ],
)
async def test_how_many_come_leaves_what_was_counted(
    room: Room, tmp_path: Path, vertical: str, words: list[str]
) -> None:
    talk = await room.talk(await open_shop(room, tmp_path, vertical), "it")
    first, *answers = words
    await talk.say(first, intent="request_quote")
    while asked(talk) != "confirm":
        people = asked(talk) in ("detail:people", "detail:guests")
        await talk.say(answers.pop() if people and answers else "salta")
    assert answers == []
    assert ("2 × Massaggio decontratturante" in talk.words) == ("2 massaggi" in first)
    await talk.say("sì")
    [quote] = await room.rows("SELECT status FROM quote WHERE contact_id = %s", talk.contact_id)
    assert quote["status"] == "requested"  # two of them, or as many as people?


@pytest.mark.parametrize(("words", "answer"), [("3 eventi privati", "3"), ("eventi privati", "3 pezzi")])
async def test_pieces_count_whatever_they_are(room: Room, tmp_path: Path, words: str, answer: str) -> None:
    """A private event is paid by the case."""
    talk = await room.talk(await open_shop(room, tmp_path, "retail"), "it")
    await talk.say(f"Preventivo per {words}", intent="request_quote")
    await talk.say(answer)
    while asked(talk) != "confirm":
        await talk.say("salta")
    await talk.say("sì")
    [line] = await room.rows(
        "SELECT description, quantity FROM quote JOIN quote_line USING (quote_id) WHERE contact_id = %s",
        talk.contact_id,
    )
    assert (line["description"], line["quantity"]) == ("Spa in esclusiva", 3)


async def test_one_number_for_what_was_counted_apart_is_for_a_person(room: Room, tmp_path: Path) -> None:
    talk = await room.talk(await open_shop(room, tmp_path, "retail"), "it")
    await talk.say("Preventivo per 3 massaggi decontratturanti e 2 percorsi spa", intent="request_quote")
    await talk.say("5")
    while asked(talk) != "confirm":
        await talk.say("salta")
    assert "3 × Massaggio decontratturante" in talk.words
    assert "2 × Percorso spa" in talk.words
    await talk.say("sì")
    [quote] = await room.rows("SELECT status FROM quote WHERE contact_id = %s", talk.contact_id)
    assert quote["status"] == "requested"


async def test_without_questions_of_its_own_a_business_is_asked_nothing(room: Room) -> None:
    talk = await room.talk("conti", "it")
    outcome = await talk.book("prima consulenza giovedì 26 novembre alle 10")
    assert outcome["kind"] in ("asked", "confirming")
    assert not asked(talk).startswith("detail:")


@pytest.mark.parametrize(
    ("language", "said", "read"),
    [
        ("it", "3 notti", "3"),
        ("it", "tre", "3"),
        ("it", "2 settimane", None),
        ("it", "una settimana", None),
        ("es", "una semana", None),
        ("es", "una docena", None),
        ("pt", "uma semana", None),
        ("pt", "uma dúzia", None),
        ("en", "one", "1"),
        ("en", "a couple", None),
        ("en", "1 night", "1"),
    ],
)
def test_what_counts_something_else_keeps_its_words(language: str, said: str, read: str | None) -> None:
    assert only_number(said, language) == read


@pytest.mark.parametrize(
    ("language", "said", "kept"),
    [
        ("it", "il 10 novembre", "martedì 10 novembre 2026"),
        ("it", "lunedì scorso", "lunedì 16 novembre 2026"),
        ("it", "domani", "domani"),
        ("en", "two weeks ago or so", "two weeks ago or so"),
        ("es", "el lunes pasado", "lunes, 16 de noviembre de 2026"),
        ("pt", "20 de dezembro", "sábado, 20 de dezembro de 2025"),
    ],
)
async def test_the_day_something_happened_on_is_a_day_that_is_past(
    room: Room, tmp_path: Path, language: str, said: str, kept: str
) -> None:
    talk = await room.talk(await open_shop(room, tmp_path, "insurance"), language)
    await talk.say("la vetrina del negozio è rotta e piove dentro", intent="open_ticket")
    assert asked(talk) == "detail:policy_number"
    await talk.say("POL-778", intent="other")
    assert asked(talk) == "detail:when_it_happened"
    await talk.say(said, intent="other")
    assert asked(talk) == "confirm"
    assert talk.state["frame"]["slots"]["details"]["when_it_happened"] == kept
