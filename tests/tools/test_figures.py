"""How measured figures are written, in four languages."""

import pytest

from tools.figures import written, written_difference


@pytest.mark.parametrize(
    ("value", "unit", "language", "shown"),
    [
        (None, "share", "en", "–"),
        (0.0, "count", "en", "0"),
        (3.24, "seconds", "en", "3.2 s"),
        (3.24, "seconds", "it", "3,2 s"),
        (59.96, "seconds", "en", "1 min"),
        (125, "seconds", "pt", "2 min 5 s"),
        (3599.7, "seconds", "en", "1 h"),
        (7500, "seconds", "es", "2 h 5 min"),
        (400_000, "seconds", "en", "111 h 7 min"),
        (0.123, "share", "es", "12,3 %"),
        (1.0, "share", "en", "100 %"),
        (1204, "count", "en", "1,204"),
        (1204, "tokens", "it", "1.204"),
        (14, "points", "en", "+14"),
        (-5.5, "points", "it", "−5,5"),
        (0.0, "points", "en", "0"),
    ],
)
def test_a_figure_with_its_unit(value: float | None, unit: str, language: str, shown: str) -> None:
    assert written(value, unit, language) == shown


@pytest.mark.parametrize(
    ("value", "unit", "language", "shown"),
    [
        (-0.8, "seconds", "en", "−0.8 s"),
        (0.032, "share", "en", "+3.2 pp"),
        (-0.032, "share", "pt", "−3,2 p.p."),
        (204, "count", "it", "+204"),
        (0, "count", "en", "±0"),
        (-19.5, "points", "en", "−19.5"),
    ],
)
def test_a_difference_has_its_sign(value: float, unit: str, language: str, shown: str) -> None:
    assert written_difference(value, unit, language) == shown
