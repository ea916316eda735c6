"""What is known of a language beforehand: the conversation decides, else the phone and the house count."""

import pytest

from inference.language_prior import COUNTRY, HOUSE, language_prior


def test_the_conversation_decides_alone() -> None:
    prior = language_prior(spoken="es", wa_id="393331112222", languages=["it", "es"])
    assert list(prior) == ["es"]
    assert prior["es"] > HOUSE * COUNTRY - 0.01


@pytest.mark.parametrize(
    ("wa_id", "likeliest"),
    [
        ("393331112222", "it"),
        ("34600111222", "es"),
        ("525512345678", "es"),
        ("351910000000", "pt"),
        ("551187654321", "pt"),  # an old number of eight digits, which is no valid number any more
        ("447700900123", "en"),
        ("12125550100", "en"),
    ],
)
def test_a_new_customers_phone_counts_more_than_the_house(wa_id: str, likeliest: str) -> None:
    prior = language_prior(spoken=None, wa_id=wa_id, languages=["it", "en", "es", "pt"])
    assert max(prior, key=lambda code: prior[code]) == likeliest


@pytest.mark.parametrize("wa_id", [None, "", "x", "0", "999999999999", "33612345678"])
def test_without_a_telling_phone_the_house_counts(wa_id: str | None) -> None:
    assert language_prior(spoken=None, wa_id=wa_id, languages=["it", "en"]) == {"it": HOUSE}


def test_a_house_without_languages_has_no_prior() -> None:
    assert language_prior(spoken=None, wa_id="393331112222", languages=[]) == {}
