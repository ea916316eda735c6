"""What Whisper writes on silence is known; what customers say is not taken for it."""

import pytest

from inference.phantoms import only_music, phantom


@pytest.mark.parametrize(
    "text",
    [
        "Sottotitoli creati dalla comunità Amara.org",
        "Sottotitoli e revisione a cura di QTSS",
        "Subtítulos realizados por la comunidad de Amara.org",
        "Legendas pela comunidade Amara.org",
        "Thanks for watching!",
        "Thank you for watching! Please subscribe to my channel.",
        "Grazie per la visione!",
        "¡Gracias por ver el video!",
        "Obrigado por assistir.",
        "[Musica]",
        "(risate)",
        "*applause*",
        "♪ ♪",
        "...",
    ],
)
def test_credits_and_asides_are_nobodys_words(text: str) -> None:
    assert phantom(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Grazie.",
        "Thank you!",
        "Thank you for listening to me, I need a room for two",
        "Fate anche i sottotitoli per i video?",
        "Vi seguo sul canale, quanto costa un massaggio?",
        "Obrigada por ver se há uma hora livre amanhã",
        "Ho sentito [rumore] domani alle 15",
    ],
)
def test_a_customers_words_are_kept(text: str) -> None:
    assert not phantom(text)


@pytest.mark.parametrize(
    ("text", "music"),
    [
        ("♪", True),
        ("[Música]", True),
        ("♪ la la la ♪", True),
        ("[Musica] quanto costa?", False),
        ("[risate]", False),
    ],
)
def test_music_is_told_from_other_asides(text: str, music: bool) -> None:
    assert only_music(text) is music
