"""What says nothing but when, and what says more."""

from datetime import UTC, datetime

import pytest

from tools.wanted_time import only_time

NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("it", "no, alle 15"),
        ("it", "meglio sabato mattina"),
        ("en", "no, make it 1 pm please"),
        ("en", "Friday at 10 then"),
        ("es", "mejor el viernes a las 10"),
        ("pt", "não, quarta às 11"),
    ],
)
def test_a_time_alone(language: str, text: str) -> None:
    assert only_time(text, language, NOW)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("it", "alle 15 mi fa male il petto"),
        ("it", "stasera mi ammazzo"),
        ("en", "I took 20 pills at 3"),
        ("en", "is Friday ok for the dog?"),
        ("es", "sí"),
        ("pt", ""),
    ],
)
def test_more_than_a_time_or_none(language: str, text: str) -> None:
    assert not only_time(text, language, NOW)
