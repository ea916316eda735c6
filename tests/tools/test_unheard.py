"""One kind sentence for each way a voice note can fail, in four languages, and no word that nobody spoke."""

from typing import Any, get_args

import pytest

from inference.audio import Reason
from knowledge.phrases import Phrases
from tools.unheard import QUOTED, question, shortened

LANGUAGES = ("it", "en", "es", "pt")
REASONS = (*get_args(Reason), "no_speech", "music", "unsupported_language", "unavailable")
DOUBTS = ("language_uncertain", "low_confidence", "repetitive", "no_words")
PHRASES = Phrases.load()


def asked(language: str, *unheard: dict[str, Any]) -> str:
    say = PHRASES.speaker(language)
    return question(unheard, say, language=language, languages=["it", "en"], most_seconds=300)


def rejected(reason: str, language: str | None = None) -> dict[str, Any]:
    return {"status": "rejected", "reason": reason, "text": "", "language": language}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_has_its_words(language: str, reason: str) -> None:
    words = asked(language, rejected(reason, "de"))
    assert len(words) > 30
    assert words.endswith("?")
    assert "_" not in words
    assert "{" not in words


def test_different_reasons_are_told_apart() -> None:
    told = {reason: asked("it", rejected(reason, "de")) for reason in REASONS}
    assert len(set(told.values())) == 9
    assert "5 minuti" in told["too_long"]
    assert "musica" in told["music"]
    assert told["video"] == told["no_audio_stream"]
    assert "tedesco" in told["unsupported_language"]
    assert "italiano o inglese" in told["unsupported_language"]


@pytest.mark.parametrize(
    ("language", "said"), [("it", "un minuto"), ("en", "a minute"), ("es", "un minuto"), ("pt", "um minuto")]
)
def test_one_minute_is_told_as_one(language: str, said: str) -> None:
    say = Phrases.load().speaker(language)
    words = question([rejected("too_long", "de")], say, language=language, languages=["it"], most_seconds=60)
    assert said in words


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_doubtful_note_is_quoted(language: str) -> None:
    words = asked(language, {"status": "unclear", "reason": "low_confidence", "text": "domani alle sei"})
    assert "“domani alle sei”" in words


@pytest.mark.parametrize("reason", DOUBTS)
def test_without_a_guess_nothing_is_quoted(reason: str) -> None:
    words = asked("en", {"status": "unclear", "reason": reason, "text": ""})
    assert "“" not in words
    assert "make out" in words


def test_a_language_nobody_has_named_is_called_by_its_code() -> None:
    assert "xx" in asked("en", rejected("unsupported_language", "xx"))


def test_quotes_end_between_words() -> None:
    assert shortened("breve") == "breve"
    cut = shortened("parola " * 200)
    assert cut.endswith("parola…")
    assert len(cut) <= QUOTED + 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_of_several_notes_each_way_to_fail_is_told_once(language: str) -> None:
    guessed = {"status": "unclear", "reason": "low_confidence", "text": "domani alle sei"}
    several = [rejected("video"), guessed, rejected("no_audio_stream"), rejected("too_short")]
    told = [asked(language, one) for one in (guessed, rejected("video"), rejected("too_short"))]
    assert asked(language, *several) == "\n".join(told)
