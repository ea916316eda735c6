"""What E5 is taught with. The training itself wants jax and half an hour."""

import numpy as np
import pytest

from inference.e5_packed import packaged_file, read_packed
from inference.embed import Vector, unit
from inference.train_e5_rows import (
    PASSAGE_PIECES,
    Business,
    Lesson,
    Recipe,
    Texts,
    businesses,
    found,
    held_out,
    kept_close,
    weights_of,
)

ROWS = [
    {
        "business": "prova",
        "language": "it",
        "title": "Orari",
        "passage": "Apriamo alle nove. " * 100,
        "questions": [{"language": "en", "text": "when do you open?"}, {"language": "it", "text": "Ακόμα;"}],
    },
    {"business": "prova", "questions": [{"language": "it", "text": "vendete gomme?"}]},
    {
        "business": "altra",
        "language": "es",
        "title": "Precios",
        "passage": "Un corte cuesta 18 €.",
        "questions": [{"language": "es", "text": "¿cuánto vale un corte?"}],
    },
]


def business(start: int, passages: int, questions: int) -> Business:
    answers = np.arange(questions) % passages
    return Business(
        f"b{start}",
        np.arange(start, start + passages),
        np.arange(start + passages, start + passages + questions),
        answers,
        np.array(["it", "en", "es", "pt"])[np.arange(questions) % 4],
        np.array(["it"] * passages),
    )


def vectors(count: int, seed: int) -> Vector:
    return unit(np.random.default_rng(seed).normal(size=(count, 12)))


def test_rows_become_pieces_without_other_scripts_and_cut() -> None:
    texts = Texts(read_packed(packaged_file()))
    altra, prova = businesses(ROWS, texts)
    assert (altra.name, prova.name) == ("altra", "prova")
    assert list(prova.asked) == ["en"]
    assert list(altra.told) == ["es"]
    assert len(texts.pieces) == 4
    assert len(texts.pieces[int(prova.passages[0])]) == PASSAGE_PIECES


def test_a_gradient_is_what_the_loss_does() -> None:
    row, at = business(0, 4, 9), vectors(13, 1)
    recipe = Recipe(foreign=0.3, hold=2.0, temperature=0.2)
    lesson = Lesson(row, vectors(5, 4), vectors(13, 2), recipe, weights_of([row]))
    _, slope = lesson.loss(at)
    step = np.random.default_rng(3).normal(size=at.shape) * 1e-3
    ahead, _ = lesson.loss((at + step).astype(np.float32))
    behind, _ = lesson.loss((at - step).astype(np.float32))
    assert float((slope * step).sum()) == pytest.approx((ahead - behind) / 2, rel=1e-2)


def test_languages_count_the_same() -> None:
    rows = [business(0, 2, 7), business(10, 3, 5)]
    asked, weights = np.concatenate([row.asked for row in rows]), weights_of(rows)
    totals = [weights[code] * (asked == code).sum() for code in ("it", "en", "es", "pt")]
    assert np.allclose(totals, len(asked) / 4)


def test_a_passage_is_found_among_its_own_business() -> None:
    rows = [business(0, 4, 8)]
    at = np.zeros((12, 4), np.float32)
    at[:4] = np.eye(4)
    at[4:] = np.eye(4)[rows[0].answers]
    assert found(rows, at)["recall_at_1"] == dict.fromkeys(
        ("all", "cross_lingual", "it", "en", "es", "pt"), 1
    )
    at[4] = (0.1, 0.2, 0.3, 0.4)  # the right one comes last
    assert found(rows, at)["recall_at_3"] == {**dict.fromkeys(("cross_lingual", "en", "es", "pt"), 1)} | {
        "all": 0.875,
        "it": 0.5,
    }


def test_how_far_vectors_have_gone() -> None:
    at = vectors(12, 1)
    assert kept_close([business(0, 4, 8)], at, at) == pytest.approx(1)
    assert kept_close([business(0, 4, 8)], at, -at) == pytest.approx(-1)


def test_one_business_in_six_is_held_out() -> None:
    share = np.mean([held_out(f"business-{number}") for number in range(3000)])
    assert share == pytest.approx(1 / 6, abs=0.03)
