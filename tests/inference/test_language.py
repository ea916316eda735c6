"""Language identification: right on sentences, sticky on scraps."""

import pytest

from inference.language import LanguageIdentifier

FOUR = ("it", "en", "es", "pt")


@pytest.fixture(scope="module")
def identifier() -> LanguageIdentifier:
    return LanguageIdentifier()


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("quanto costa il massaggio rilassante?", "it"),
        ("how much is the relaxing massage", "en"),
        ("¿cuánto cuesta el masaje relajante?", "es"),
        ("quanto custa a massagem relaxante? tem vaga amanhã?", "pt"),
    ],
)
def test_sentences(identifier: LanguageIdentifier, text: str, language: str) -> None:
    guess = identifier.detect(text, allowed=FOUR, prior=None)
    assert guess.language == language
    assert guess.confidence > 0.5


def test_a_clear_sentence_changes_the_conversation(identifier: LanguageIdentifier) -> None:
    text = "I would like to know whether you are open on Sunday"
    assert identifier.detect(text, allowed=FOUR, prior="it").language == "en"


@pytest.mark.parametrize("text", ["ok", "no", "si", "Milano", "15:30", "👍👍", "", "https://example.com"])
@pytest.mark.parametrize("prior", ["pt", "es"])
def test_scraps_keep_the_conversation(identifier: LanguageIdentifier, text: str, prior: str) -> None:
    assert identifier.detect(text, allowed=FOUR, prior=prior).language == prior


def test_nothing_to_read_gives_the_business_language(identifier: LanguageIdentifier) -> None:
    guess = identifier.detect("😂 12345", allowed=("pt", "en"), prior=None)
    assert (guess.language, guess.confidence) == ("pt", 0.0)


def test_a_foreign_language_is_reported_only_when_clear(identifier: LanguageIdentifier) -> None:
    german = "Guten Tag, ich möchte gerne wissen, wie viel eine Massage bei Ihnen kostet"
    assert identifier.detect(german, allowed=("it", "en"), prior="it").language == "de"
    assert identifier.detect("bonjour", allowed=("it", "en"), prior="it").language == "it"


def test_some_language_must_be_named(identifier: LanguageIdentifier) -> None:
    with pytest.raises(ValueError, match="language"):
        identifier.detect("ciao", allowed=(), prior=None)


@pytest.mark.parametrize(
    ("text", "language"),
    [("Hello", "en"), ("Olá!", "pt"), ("Oi", "pt"), ("Hola", "es"), ("Ciao", "it"), ("Bom dia", "pt")],
)
def test_a_first_hello_is_answered_in_its_language(
    identifier: LanguageIdentifier, text: str, language: str
) -> None:
    assert identifier.detect(text, allowed=FOUR, prior=None).language == language


@pytest.mark.parametrize("text", ["Ciao", "Hi", "Oi"])
def test_one_word_of_greeting_changes_no_conversation(identifier: LanguageIdentifier, text: str) -> None:
    assert identifier.detect(text, allowed=FOUR, prior="es").language == "es"
