"""What is said about the time before."""

import pytest

from inference.last_time import as_last_time, asks_last_time


@pytest.mark.parametrize(
    "text",
    [
        "Vorrei prenotare lo stesso dell'ultima volta",
        "come la volta scorsa, venerdì alle 15",
        "il solito, per favore",
        "Can I book the same as last time?",
        "the usual please",
        "same massage as my last visit",
        "Quiero lo mismo que la última vez",
        "lo de siempre, el viernes",
        "Queria o mesmo da última vez",
        "como da outra vez",
    ],
)
def test_the_same_again(text: str) -> None:
    assert as_last_time(text)
    assert not asks_last_time(text)


@pytest.mark.parametrize(
    "text",
    [
        "Che massaggio ho fatto l'ultima volta?",
        "Quand'è stata la mia ultima visita?",
        "con chi ero l'ultima volta?",
        "What did I have last time?",
        "When was my last appointment?",
        "¿Qué me hice la última vez?",
        "¿Cuándo fue mi última visita?",
        "O que fiz da última vez?",
        "Quando foi a minha última marcação?",
    ],
)
def test_what_it_was(text: str) -> None:
    assert asks_last_time(text)


@pytest.mark.parametrize(
    "text",
    [
        "Vorrei prenotare un massaggio",
        "L'ultima volta mi avete fatto aspettare mezz'ora",
        "Last time the towels were wet",
        "Quando posso venire?",
        "La última vez no me gustó nada",
        "A última vez foi horrível",
        "È la stessa via dell'altro centro?",
        "Do you have time this week?",
    ],
)
def test_neither(text: str) -> None:
    assert not as_last_time(text)
    assert not asks_last_time(text)
