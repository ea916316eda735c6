"""When a picture or document has to be looked at by a person."""

import pytest

from graph.state import Event, Said
from tools.unseen import described, files, points_at_file


@pytest.mark.parametrize(
    ("text", "language", "points"),
    [
        ("Quanto costa questo?", "it", True),
        ("Ecco la foto", "it", True),
        ("Quanto costa il massaggio rilassante?", "it", False),
        ("Can you fix this?", "en", True),
        ("How much is a relaxing massage?", "en", False),
        ("¿Cuánto cuesta esto?", "es", True),
        ("Quanto custa isto?", "pt", True),
        ("A que horas abrem?", "pt", False),
        ("Questo " + "davvero " * 12, "it", False),
        ("questo", "de", False),
    ],
)
def test_captions_that_need_the_picture(text: str, language: str, points: bool) -> None:
    assert points_at_file(text, language) is points


def test_an_agent_is_told_what_came() -> None:
    event = Event(
        messages=[
            Said(message_id=1, kind="document", media={"id": "9", "filename": "fattura.pdf"}),
            Said(message_id=2, kind="image", media={"id": "8"}, text="Va bene?"),
            Said(message_id=3, kind="sticker", media={"id": "7"}),
        ]
    )
    assert [one["message_id"] for one in files(event)] == [1, 2]
    told = described(event, "Va bene?", lambda sentence, **values: sentence.format(**values))
    assert told == "The customer sent a document fattura.pdf, a picture. Va bene?"
