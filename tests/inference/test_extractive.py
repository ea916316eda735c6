"""The responder without a model: what it quotes, what it renders, what it leaves to the tools."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.extractive import quote_for, respond
from inference.material import Material, Piece

SURE_BELOW = 0.35
HOURS = Piece(
    "F1", "fact", "Valencia: on Monday we are open 10:00–14:00.", "en", topic="hours", names=("Valencia",)
)
VISIT = Piece(
    "F1", "fact", "Visita a imóvel: grátis.", "pt", topic="price", names=("Visita a imóvel", "Viewing")
)
FEES = Piece(
    "P1",
    "passage",
    "Serviço: Avaliação no local | Preço: 120,00 €\nServiço: Inventário | Preço: 90,00 €",
    "pt",
    score=0.9,
)
DOGS = Piece("P1", "passage", "I cani non possono entrare.", "it", score=0.91, source="faq.md")


def say(sentence: str, /, **values: str) -> str:
    return sentence.format(**values)


def material(text: str, *pieces: Piece, **more: Any) -> Material:
    made = Material(
        text=text,
        language="it",
        language_name=lambda code: {"it": "italiano", "en": "inglese"}.get(code, code),
        intent="answer",
        confidence=0.9,
        pieces=pieces,
        business="Aurora",
        contact=None,
        first_turn=True,
        abstain_below=SURE_BELOW,
        say=say,
    )
    return replace(made, **more)


def test_a_fact_that_was_asked_for_is_told_as_it_stands() -> None:
    found = respond(material("A che ora aprite?", HOURS))
    assert (found.intent, found.reply, found.citations) == ("answer", HOURS.text, ["F1"])


def test_a_passage_is_quoted_word_for_word_with_its_source() -> None:
    found = respond(material("Posso portare il cane?", DOGS))
    assert found.reply == f"Here is what our documents say: “{DOGS.text}”"
    assert found.citations == ["P1"]


def test_a_passage_in_another_language_is_introduced_in_the_customers() -> None:
    found = respond(material("Posso portare il cane?", replace(DOGS, language="en")))
    assert found.reply == f"This is written in inglese: “{DOGS.text}”"


def test_nothing_near_enough_abstains() -> None:
    found = respond(material("Avete la piscina?", replace(DOGS, score=SURE_BELOW - 0.01)))
    assert found.abstained
    assert DOGS.text not in found.reply
    assert found.citations == []


@pytest.mark.parametrize(
    ("text", "intent", "confidence"),
    [
        ("At what time do you open tomorrow in Valencia?", "book_appointment", 0.93),
        ("¿A qué hora abren mañana?", "book_appointment", 0.93),
        ("Se disdico il giorno prima pago qualcosa?", "reschedule_cancel", 0.79),
        ("If I cancel, do I pay?", "reschedule_cancel", 0.95),
        ("¿Si cancelo la cita pago algo?", "reschedule_cancel", 0.9),
        ("Se cancelar a visita pago alguma coisa?", "reschedule_cancel", 0.9),
        ("Vi occupate di diritto penale?", "qualify_lead", 0.57),
    ],
)
def test_a_question_with_an_answer_at_hand_is_no_wish(text: str, intent: str, confidence: float) -> None:
    found = respond(material(text, HOURS, DOGS, intent=intent, confidence=confidence))
    assert found.intent == "answer"
    assert found.reply == HOURS.text


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("Posso prenotare un massaggio per sabato?", "book_appointment"),
        ("Avete posto domani alle 17?", "book_appointment"),
        ("Could I book a facial for Friday?", "book_appointment"),
        ("¿Puedo reservar para mañana a las 11?", "book_appointment"),
        ("Posso marcar uma visita para amanhã?", "book_appointment"),
        ("Se possibile posso spostare l'appuntamento?", "reschedule_appointment"),
        ("Can I cancel my appointment?", "cancel_appointment"),
        ("My massage was awful, can I get a refund?", "open_ticket"),
        ("Can you call me about selling my flat?", "qualify_lead"),
    ],
)
def test_a_wish_in_the_form_of_a_question_goes_to_its_tool(text: str, intent: str) -> None:
    found = respond(material(text, HOURS, DOGS, intent=intent, confidence=0.9))
    assert (found.intent, found.reply) == (intent, "")
    assert found.arguments.details == text


def test_a_wish_without_an_answer_at_hand_is_believed() -> None:
    found = respond(material("Vi occupate di vendite?", intent="qualify_lead", confidence=0.57))
    assert found.intent == "qualify_lead"


def test_a_passage_that_is_barely_near_does_not_silence_a_wish() -> None:
    near = replace(DOGS, score=SURE_BELOW + 0.05)
    found = respond(material("Se disdico pago?", near, intent="reschedule_cancel", confidence=0.8))
    assert found.intent == "reschedule_cancel"


def test_a_doubtful_classifier_is_not_acted_on() -> None:
    assert respond(material("Mah", intent="book_appointment", confidence=0.3)).intent == "answer"


@pytest.mark.parametrize("text", ["Vorrei un preventivo", "¿Me hace un presupuesto?", "A quote, please"])
def test_naming_a_quote_asks_for_one(text: str) -> None:
    assert respond(material(text, VISIT, intent="answer")).intent == "request_quote"


def test_another_services_price_is_not_told_for_the_one_that_was_asked() -> None:
    text = "Quanto custa uma avaliação do meu apartamento?"
    found = respond(material(text, VISIT, FEES, language="pt", intent="request_quote", confidence=0.5))
    assert "120,00 €" in found.reply
    assert "grátis" not in found.reply
    assert "Inventário" not in found.reply


def test_a_service_named_in_the_question_keeps_its_price() -> None:
    found = respond(material("Quanto custa a visita a um imóvel?", VISIT, FEES, language="pt"))
    assert found.reply == VISIT.text


def test_a_service_found_by_an_alias_keeps_its_price_without_a_better_source() -> None:
    found = respond(material("Quanto custa ver uma casa?", VISIT, DOGS, language="pt"))
    assert found.reply == VISIT.text


def test_a_greeting_is_returned_by_name() -> None:
    found = respond(material("Ciao!", intent="greeting", confidence=0.99, contact="Giulia Ferri"))
    assert (found.intent, "Giulia" in found.reply, "Ferri" in found.reply) == ("greeting", True, False)


def test_a_greeting_with_a_question_behind_it_is_answered() -> None:
    found = respond(material("Ciao, a che ora aprite?", HOURS, intent="greeting", confidence=0.99))
    assert found.reply == HOURS.text


def test_a_quote_keeps_abbreviations_and_stays_whole() -> None:
    passage = "Italiano con tutti. L'avv. Salvi lavora anche in inglese; l'avv. Ferri in spagnolo."
    assert quote_for("Parlate inglese?", passage) == passage


def test_a_long_passage_is_cut_to_what_is_near_the_answer() -> None:
    filler = [f"Frase numero {n} che parla di tutt'altro argomento senza importanza." for n in range(30)]
    passage = " ".join([*filler[:15], "I cani guida sono benvenuti.", *filler[15:]])
    quoted = quote_for("Posso portare i cani?", passage, most=200)
    assert "I cani guida sono benvenuti." in quoted
    assert len(quoted) < 200
    assert quoted in passage


def test_of_a_table_only_the_rows_that_match_are_quoted() -> None:
    assert (
        quote_for("Quanto custa uma avaliação?", FEES.text) == "Serviço: Avaliação no local | Preço: 120,00 €"
    )


@given(st.text(max_size=300), st.text(max_size=300))
def test_a_quote_is_always_part_of_its_passage(question: str, passage: str) -> None:
    quoted = quote_for(question, passage)
    assert all(line in passage for line in quoted.split("\n"))


@given(
    st.text(max_size=200),
    st.sampled_from(["answer", "greeting", "other", "book_appointment", "open_ticket"]),
    st.floats(0, 1),
    st.text(max_size=200),
)
def test_it_always_answers(text: str, intent: str, confidence: float, passage: str) -> None:
    piece = replace(DOGS, text=passage)
    found = respond(material(text, piece, intent=intent, confidence=confidence))
    assert 0 <= found.confidence <= 1
    assert found.reply or found.intent not in ("answer", "greeting", "other")


def test_a_price_row_that_says_more_of_the_question_outdoes_a_service_named_by_chance() -> None:
    service = Piece(
        "F1",
        "fact",
        "Consegna chiavi: 85,00 €.",
        "it",
        topic="price",
        names=("Inventario e consegna chiavi",),
    )
    row = Piece(
        "P1",
        "passage",
        "Voce: Chiave piana | Importo: 6,00 €\nVoce: Chiave di sicurezza | Importo: 24,00 €",
        "it",
        score=0.9,
        source="copie.docx",
        title="Copia di chiavi e duplicati",
    )
    asked = respond(material("Quanto costa una copia della chiave?", service, row))
    assert "6,00 €" in asked.reply
    assert asked.citations == ["P1"]

    plain = respond(material("Quanto costa la consegna delle chiavi?", service, row))
    assert "85,00 €" in plain.reply
