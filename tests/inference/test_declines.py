"""A model's refusal is told from an answer, and from not knowing one."""

import pytest

from inference.declines import declines


@pytest.mark.parametrize(
    "reply",
    [
        "I'm sorry, but I can't assist with that.",
        "I’m sorry, I cannot help you with this request.",
        "Sorry, I am unable to fulfill your request.",
        "Mi dispiace, non posso aiutarti con questa richiesta.",
        "Non posso aiutarla.",
        "Lo siento, no puedo ayudarte con eso.",
        "Desculpe, não posso ajudar com esse pedido.",
    ],
)
def test_a_refusal(reply: str) -> None:
    assert declines(reply)


@pytest.mark.parametrize(
    "reply",
    [
        "You can't bring pets, but we can help with a sitter.",
        "Non posso confermare io l'orario: un collega ti risponde qui.",
        "I don't have this information at hand. Would you like a colleague to answer you?",
        "Mi dispiace, la domenica siamo chiusi.",
        "No puedo decirte el precio, pero una compañera te lo dice enseguida.",
        "Não temos essa informação. Quer que um colega responda?",
        "I can't help you with that, but my colleague Marco can: call 02 1234567.",
        "Non posso aiutarla con questo, ma il nostro ortopedico sì: riceve il lunedì.",
        "Sorry, we cannot help with this on Sundays; we open Monday at 9.",
        "Lo siento, no puedo ayudarte con eso, ¿quieres que te llame un compañero?",
        "We cannot help with removals on Sundays, only from Monday to Saturday.",
    ],
)
def test_no_refusal(reply: str) -> None:
    assert not declines(reply)
