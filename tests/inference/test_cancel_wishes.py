"""What cancels an appointment, what keeps it, and what drops only what is being arranged."""

import pytest

from inference import extract
from inference.appointment_wishes import keeps_appointment, names_other, says_cancel


@pytest.mark.parametrize(
    "text",
    [
        "annullalo", "sì, annulla", "sì annullalo pure, grazie", "cancella",
        "disdici l'appuntamento per favore",
        "cancel it", "yes cancel it please", "go ahead and cancel", "please cancel my booking",
        "cancélala", "sí, cancela la cita por favor", "anúlala ya",
        "pode cancelar", "sim, cancela a marcação", "quero cancelar", "voglio disdire", "I want to cancel it",
    ],
)  # fmt: skip
def test_an_order_to_cancel(text: str) -> None:
    assert says_cancel(text)
    assert not keeps_appointment(text)


@pytest.mark.parametrize(
    "text",
    [
        "No, don't cancel it", "please do not cancel", "don’t cancel", "I'll keep it",
        "no, non annullarlo", "Ho detto di non disdirlo!", "non voglio disdire", "no non lo cancellare",
        "no la canceles", "no quiero cancelar", "me la quedo",
        "não cancele", "não, não quero cancelar", "fico com ela",
    ],
)  # fmt: skip
def test_a_wish_to_keep_it(text: str) -> None:
    assert keeps_appointment(text)
    assert not says_cancel(text)


@pytest.mark.parametrize(
    "text",
    [
        "Do I pay anything if I cancel?", "se annullo pago qualcosa?", "se annullo pago qualcosa",
        "no, cancel the other one", "no, cancela la otra", "Não, cancela a outra",
        "annulla quello di martedì",
        "cancel tomorrow's and keep Friday's", "¿hasta cuándo puedo cancelar?", "quando posso disdire",
        "can I move it instead of cancelling", "when", "",
    ],
)  # fmt: skip
def test_neither(text: str) -> None:
    assert not says_cancel(text)
    assert not keeps_appointment(text)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("cancel the other one", True), ("no, l'altro", True), ("la otra", True), ("a outra", True),
        ("cancel it", False), ("annullalo", False), ("otro día me va mejor", False),
        ("un'altra volta", False),
    ],
)  # fmt: skip
def test_the_other_one(text: str, other: bool) -> None:
    assert names_other(text) is other


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("annulla", "it"), ("cancella", "it"), ("no, lascia stare, grazie", "it"),
        ("scusi, ho cambiato idea", "it"),
        ("non voglio più prenotare", "it"), ("niente, lascia", "it"),
        ("ho cambiato idea, non lo voglio più", "it"),
        ("never mind, sorry", "en"), ("ok forget it then", "en"), ("actually I changed my mind", "en"),
        ("cancel that please", "en"), ("leave it", "en"), ("I don't want it anymore", "en"),
        ("mejor no, gracias", "es"), ("ya no quiero la cita", "es"), ("déjalo, lo siento", "es"),
        ("deixa", "pt"), ("afinal já não quero", "pt"), ("esquece, obrigada", "pt"), ("cancela tudo", "pt"),
    ],
)  # fmt: skip
def test_what_drops_what_is_being_arranged(text: str, language: str) -> None:
    assert extract.cancel_words(text, language)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Me da igual", "es"), ("no importa", "es"), ("mejor no el viernes, el sábado", "es"),
        ("ya no quiero el viernes, quiero el sábado", "es"), ("mejor no por la mañana", "es"),
        ("non importa, quando c'è posto", "it"), ("non voglio più venerdì, meglio sabato", "it"),
        ("ho cambiato idea, preferisco sabato", "it"), ("Il tecnico lascia sempre la porta aperta", "it"),
        ("lascia il resto come prima", "it"),
        ("não importa o dia", "pt"), ("Deixa para sexta às 10h", "pt"), ("a torneira deixa passar água",
        "pt"),
        ("leave it at 3 then", "en"), ("I'll leave it to you", "en"),
        ("I changed my mind, make it Friday", "en"),
        ("don't bother with the towels", "en"),
    ],
)  # fmt: skip
def test_what_changes_it_or_answers_a_question(text: str, language: str) -> None:
    assert not extract.cancel_words(text, language)


@pytest.mark.parametrize("word", ["Cancella", "Voltar", "alta", "attiva", "entrar", "remover"])
def test_everyday_words_speak_of_what_is_being_arranged(word: str) -> None:
    assert extract.opt_out(word) or extract.opt_in(word)
    assert not extract.opt_out(word, amid=True)
    assert not extract.opt_in(word, amid=True)


@pytest.mark.parametrize(
    "word", ["STOP", "unsubscribe", "Disiscrivimi", "BAJA", "sair", "parar", "basta messaggi"]
)
def test_words_that_mean_nothing_else_end_messages_at_any_time(word: str) -> None:
    assert extract.opt_out(word, amid=True)
