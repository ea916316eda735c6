"""Words that plainly ask for a booking, and words that only speak of one."""

import pytest

from inference.wishes import wants_booking


@pytest.mark.parametrize(
    "text",
    [
        "Perfetto, vorrei prenotarlo",
        "posso prenotare per domani?",
        "prenotami per venerdì",
        "Great, please book it for me",
        "Can I book a table?",
        "I'd like to book",
        "Vale, quiero reservarlo",
        "me gustaría reservar",
        "Ótimo, quero marcar",
        "Queria agendar uma consulta",
    ],
)
def test_a_booking_is_asked_for(text: str) -> None:
    assert wants_booking(text)


@pytest.mark.parametrize(
    "text",
    [
        "Devo prenotare?",
        "Come si prenota?",
        "Ho prenotato ieri",
        "si può venire senza prenotare?",
        "Do I need to book?",
        "How do I book?",
        "I booked yesterday, where are you?",
        "¿Hay que reservar?",
        "preciso marcar?",
        "Quero saber o preço",
    ],
)
def test_a_booking_is_only_spoken_of(text: str) -> None:
    assert not wants_booking(text)
