"""A model's word for an action counts only where nothing in the message speaks against it."""

from dataclasses import replace
from typing import Any

import pytest

from inference.chat import Intent, Proposal
from inference.material import Material, Piece
from inference.witness import witnessed

PRICE = Piece(
    "F1", "fact", "Riflessologia: 48,00 €, 45 minuti", "it", topic="price", names=("riflessologia",)
)


def say(sentence: str, /, **values: str) -> str:
    return sentence.format(**values)


def material(text: str, scores: dict[str, float], *pieces: Piece, **more: Any) -> Material:
    best = max(scores, key=lambda name: scores[name])
    made = Material(
        text=text,
        language="it",
        language_name=str,
        intent=best,
        confidence=scores[best],
        scores=scores,
        pieces=pieces,
        business="Aurora",
        contact=None,
        first_turn=False,
        abstain_below=0.35,
        say=say,
    )
    return replace(made, **more)


def proposal(intent: Intent, reply: str = "Va bene.", **more: Any) -> Proposal:
    return Proposal(reply=reply, intent=intent, confidence=0.9, **more)


ASKS = material("quanto costa la riflessologia?", {"answer": 0.93, "book_appointment": 0.03}, PRICE)


@pytest.mark.parametrize(
    "intent", ["cancel_appointment", "list_my_appointments", "open_ticket", "accept_quote", "update_contact"]
)
def test_an_action_that_nothing_in_the_message_asks_for_is_denied(intent: Intent) -> None:
    found = witnessed(proposal(intent), ASKS)
    assert (found.intent, found.reply) == ("answer", PRICE.text)


def test_a_question_whose_answer_is_at_hand_accepts_no_quote() -> None:
    near = replace(ASKS, scores={"answer": 0.7, "request_quote": 0.2}, confidence=0.7)
    assert witnessed(proposal("accept_quote"), near).reply == PRICE.text
    quoting = replace(ASKS, intent="request_quote", scores={"request_quote": 0.6}, confidence=0.4)
    assert witnessed(proposal("accept_quote"), quoting).reply == PRICE.text
    meant = proposal("accept_quote")
    assert witnessed(meant, replace(near, pieces=())) is meant


def test_an_action_the_classifier_holds_possible_stands() -> None:
    unsure = replace(ASKS, scores={"answer": 0.6, "book_appointment": 0.3})
    meant = proposal("book_appointment")
    assert witnessed(meant, unsure) is meant


def test_a_word_that_names_the_act_is_enough() -> None:
    spoken = material("e per disdire?", {"answer": 0.97, "reschedule_cancel": 0.01})
    meant = proposal("cancel_appointment")
    assert witnessed(meant, spoken) is meant


def test_an_answer_where_the_customer_plainly_asks_for_an_action_starts_it() -> None:
    spoken = material("vorrei prenotare un massaggio", {"answer": 0.5, "book_appointment": 0.4})
    assert witnessed(proposal("answer", "Certo, quando?"), spoken).intent == "book_appointment"


@pytest.mark.parametrize("intent", ["request_quote", "list_my_appointments"])
def test_what_is_said_outright_goes_before_another_action(intent: Intent) -> None:
    spoken = material("perfetto, vorrei prenotarlo", {"book_appointment": 0.5, "request_quote": 0.3})
    assert witnessed(proposal(intent), spoken).intent == "book_appointment"


def test_a_narrower_word_for_the_same_matter_stands() -> None:
    spoken = material("sabato non ce la faccio proprio", {"reschedule_cancel": 0.95, "other": 0.05})
    meant = proposal("cancel_appointment")
    assert witnessed(meant, spoken) is meant


def test_an_answer_stands_where_the_classifier_is_not_sure_of_an_action() -> None:
    spoken = material("il massaggio di sabato", {"book_appointment": 0.7, "answer": 0.2})
    meant = proposal("answer", "Il massaggio è di sabato.")
    assert witnessed(meant, spoken) is meant


def test_answers_to_a_pending_question_start_nothing_else() -> None:
    short = material("cancellalo", {"reschedule_cancel": 0.97, "answer": 0.01})
    assert witnessed(proposal("other"), short).intent == "reschedule_cancel"
    meant = proposal("other")
    assert witnessed(meant, short, pending="book_appointment") is meant
    again = proposal("request_quote")
    assert witnessed(again, short, pending="request_quote") is again


def test_calling_a_person_needs_no_second_witness() -> None:
    meant = proposal("escalate_to_human")
    assert witnessed(meant, ASKS) is meant


@pytest.mark.parametrize(
    "alarming",
    [
        proposal("open_ticket", sensitive=True),
        proposal("answer", "Prenda 500 mg di paracetamolo ogni otto ore."),
    ],
)
def test_what_leads_to_a_person_is_not_hidden(alarming: Proposal) -> None:
    assert witnessed(alarming, ASKS) is alarming


def test_a_price_that_was_asked_for_is_told_even_if_the_model_talks_around_it() -> None:
    assert witnessed(proposal("answer", "Quale intende di questi?"), ASKS).reply == PRICE.text
    meant = proposal("answer", "La riflessologia viene 48 €.")
    assert witnessed(meant, ASKS) is meant
    wrong = proposal("answer", "La riflessologia viene 49 €.")
    assert witnessed(wrong, ASKS) is wrong


def test_without_the_classifiers_scores_the_model_is_believed() -> None:
    meant = proposal("open_ticket")
    assert witnessed(meant, replace(ASKS, scores={})) is meant
