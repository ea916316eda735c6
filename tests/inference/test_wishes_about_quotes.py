"""What is said outright about a quote: taken, refused, spoken of, or asked for anew."""

import pytest

from inference.extractive import said_outright
from inference.wishes import decides_quote


@pytest.mark.parametrize(
    "text",
    [
        "Accetto il preventivo",
        "Sì, accetto il preventivo",
        "si accetto il preventivo",
        "Si' confermo il preventivo",
        "Non ho altre domande, accetto il preventivo",
        "no problem\nI accept the quote",
        "no problem I accept the quote",
        "no hay problema acepto el presupuesto",
        "non c'è problema accetto il preventivo",
        "no no va bene il preventivo",
        "why not\nI accept the quote",
        "Sí, acepto el presupuesto",
        "sí acepto el presupuesto",
        "Yes, I accept the quote",
        "Sim, aceito o orçamento",
    ],
)
def test_a_quote_is_accepted(text: str) -> None:
    assert decides_quote(text) == "accept"
    assert said_outright(text) == "accept_quote"


@pytest.mark.parametrize(
    "text",
    [
        "Non accettiamo il preventivo",
        "non confermo il preventivo",
        "Non va bene il preventivo",
        "Non possiamo accettare il preventivo",
        "no aceptamos el presupuesto",
        "no quiero aceptar el presupuesto",
        "não aceitamos o orçamento",
        "Não quero aceitar o orçamento",
        "We don't accept the quote",
        "I cannot accept your offer",
        "I'm not happy with the quote",
    ],
)
def test_a_negation_makes_it_a_no(text: str) -> None:
    assert decides_quote(text) == "decline"


@pytest.mark.parametrize(
    "text",
    [
        "Non so se accettare il preventivo",
        "Non abbiamo ancora deciso se accettare il preventivo",
        "y si acepto el presupuesto, cuándo empezáis?",
        "Se non accetto il preventivo devo pagare qualcosa?",
        "Come accetto il preventivo?",
        "if I accept the quote, when do you start?",
    ],
)
def test_what_may_be_accepted_is_not_decided(text: str) -> None:
    assert decides_quote(text) is None
    assert said_outright(text) != "accept_quote"


@pytest.mark.parametrize(
    "text",
    [
        "Il preventivo va bene, procediamo",
        "non ho ancora ricevuto il preventivo",
        "Sto aspettando il preventivo",
        "I have received your quote",
        "I'm waiting for the quote",
        "Todavía no he recibido el presupuesto",
        "El presupuesto no me ha llegado",
        "Ainda não recebi o orçamento",
        "Non so se accettare il preventivo",
    ],
)
def test_a_quote_there_is_or_was_asked_for_is_not_asked_for_anew(text: str) -> None:
    assert said_outright(text) != "request_quote"


@pytest.mark.parametrize(
    "text",
    [
        "Vorrei ricevere un preventivo",
        "Va bene, mandatemi un preventivo",
        "Ho ricevuto la vostra mail, vorrei un preventivo",
        "I'd like to receive a quote for ten people",
        "Quisiera un presupuesto para confirmar la fecha",
        "Queria um orçamento, por favor",
        "Espero un presupuesto vuestro",
    ],
)
def test_a_new_one_still_is(text: str) -> None:
    assert said_outright(text) == "request_quote"
