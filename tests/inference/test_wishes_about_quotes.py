"""What is said outright about a quote: taken, refused, spoken of, or asked for anew."""

import pytest

from inference.extractive import said_outright
from inference.wishes import decides_quote, has_quote


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


@pytest.mark.parametrize(
    "text",
    [
        "Grazie per il preventivo, ci penso",
        "grazie mille del preventivo!",
        "A che punto è il mio preventivo?",
        "A che punto è la mia richiesta di preventivo?",
        "Fino a quando è valido il preventivo 2026/5?",
        "Il preventivo è troppo caro",
        "il preventivo 2026/5 mi sembra un po' alto",
        "quando arriva il preventivo?",
        "Any news about my quote?",
        "Is the quote still valid?",
        "When will I get my quote?",
        "Thank you for the quote, I'll think about it",
        "your quote is too expensive",
        "Gracias por el presupuesto, lo pienso",
        "¿Cómo va mi presupuesto?",
        "¿Hasta cuándo es válido el presupuesto?",
        "El presupuesto es demasiado caro",
        "Obrigada pelo orçamento, vou pensar",
        "Em que ponto está o meu orçamento?",
        "Até quando é válido o orçamento?",
        "O orçamento é muito caro",
    ],
)
def test_what_is_said_of_a_quote_there_is_tells_its_state(text: str) -> None:
    assert said_outright(text) == "quote_status"


@pytest.mark.parametrize(
    "text",
    [
        "Devo ancora pensare al preventivo",
        "ho una domanda sul preventivo",
        "preventivo 2026/5",
        "I have a question about the quote",
        "tengo una duda sobre el presupuesto",
        "tenho uma dúvida sobre o orçamento",
    ],
)
def test_a_question_about_a_quote_there_is_begins_no_other(text: str) -> None:
    assert said_outright(text) is None
    assert has_quote(text)


@pytest.mark.parametrize(
    "text",
    [
        "Grazie per il preventivo, vorrei un altro preventivo per il percorso spa",
        "Novità? Mi fate un preventivo per tre massaggi?",
        "Thanks for the quote, could you send me another quote for two people?",
        "Gracias por el presupuesto, necesito otro presupuesto para dos personas",
        "Obrigado pelo orçamento, queria outro orçamento para duas pessoas",
        "ho bisogno del preventivo per un evento",
        "when can I get a quote for a massage?",
        "Quiero pedir presupuesto para un masaje",
    ],
)
def test_another_one_asked_for_beside_it_is_a_request(text: str) -> None:
    assert said_outright(text) == "request_quote"


@pytest.mark.parametrize(
    "text",
    [
        "polizza in scadenza vorrei preventivo",
        "l'assicurazione scade domani mi fate preventivo?",
        "la polizza scade domani vorrei il preventivo",
        "vorrei il preventivo per la polizza che scade a maggio",
        "el seguro vence en mayo quiero presupuesto",
        "my cover is valid until May I need quote",
        "o seguro vence em maio quero orçamento",
        "Ho letto sul sito che fate preventivi gratuiti, quanto verrebbe un massaggio?",
        "potete valutare e mandarmi il preventivo per 3 massaggi?",
        "ho visto il sito, mi fate il preventivo per tre massaggi?",
        "Attendo un vostro preventivo per 3 massaggi",
    ],
)
def test_a_first_request_is_no_question_about_a_quote_there_is(text: str) -> None:
    assert said_outright(text) == "request_quote"
    assert not has_quote(text)


@pytest.mark.parametrize(
    "text",
    [
        "sto valutando il vostro preventivo",
        "ho letto con attenzione il preventivo",
        "Ho letto con attenzione il vostro preventivo",
        "Ne parlo con mia moglie del preventivo e vi faccio sapere",
        "Ho visto che il preventivo non comprende la consegna",
        "I saw that the quote doesn't include delivery",
        "Sto pensando se procedere con il preventivo",
        "validità del preventivo?",
        "Scadenza preventivo?",
        "Quando scade l'ultimo preventivo?",
        "quando scade il vostro ultimo preventivo",
        "Avete novità, ci serve il preventivo per venerdì",
        "il preventivo che scade domani",
        "until when is valid your quote?",
        "¿cuándo caduca mi presupuesto?",
        "quando vence o orçamento?",
    ],
)
def test_what_is_thought_of_or_runs_out_is_a_quote_there_is(text: str) -> None:
    assert has_quote(text)


def test_advertised_offers_are_no_quotes() -> None:
    assert said_outright("ci sono novità sulle offerte?") is None
    assert said_outright("quando scade l'offerta?") is None
