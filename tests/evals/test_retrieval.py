"""The retrieval suite judges what was found, and its gold set is what it claims to be."""

import json
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from evals.suites import retrieval
from evals.suites.retrieval import Answered, judge
from knowledge.business_file import seed_documents

GOLD = retrieval.load()
LANGUAGES = {("shop", "a.md"): "it", ("shop", "b.pdf"): "en"}


def _row(language: str, *documents: str, **more: object) -> dict[str, object]:
    return {"business": "shop", "question": "?", "language": language, "documents": list(documents), **more}


def test_the_figures() -> None:
    answered = [
        Answered(_row("it", "a.md"), ("a.md", "b.pdf"), 0.9),
        Answered(_row("en", "a.md", "b.pdf"), ("c.md", "b.pdf"), 0.8),
        Answered(_row("es", "a.md"), ("c.md", "d.md", "e.md", "a.md"), 0.7),
        Answered(_row("pt", "b.pdf"), (), 0.0),
        Answered(_row("it", kind="near"), ("a.md",), 0.75),
        Answered(_row("it", "a.md", tier="hard"), ("b.pdf",), 0.5),
    ]

    figures = judge(answered, LANGUAGES).figures

    assert figures["recall@3"] == pytest.approx(2 / 4)
    assert figures["recall@1"] == pytest.approx(1 / 4)
    assert figures["mrr"] == pytest.approx((1 + 1 / 2 + 1 / 4 + 0) / 4)
    assert figures["recall@3_cross_lingual"] == 0  # the two of languages no document is in
    assert figures["abstention_auc"] == pytest.approx(2 / 4)
    assert (figures["recall@3_it"], figures["recall@3_worst_language"]) == (1, 0)
    assert figures["hard_recall@3"] == 0


@pytest.mark.parametrize("language", ["it", "en", "es", "pt"])
def test_the_worst_language_is_one_that_has_rows(language: str) -> None:
    figures = judge([Answered(_row(language, "a.md"), ("b.pdf",), 0.4)], LANGUAGES).figures
    assert figures["recall@3_worst_language"] == 0


def test_every_miss_is_listed() -> None:
    result = judge([Answered(_row("it", "a.md"), ("b.pdf",), 0.4)], LANGUAGES)
    assert [(miss["wanted"], miss["found"]) for miss in result.failures] == [("a.md", "b.pdf")]


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"business": "Shop"}, "no business 'Shop': there are shop"),
        ({"documents": [{"name": "a.md"}]}, "documents must be a list of names"),
        ({"documents": ["a.md", None]}, "documents must be a list of names"),
        ({"question": "dove? \ud83d"}, "half of a character"),
    ],
)
def test_a_row_that_would_end_the_run_is_broken(tmp_path: Path, wrong: dict[str, object], why: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in (_row("it", "a.md"), {**_row("it"), **wrong})))
    found = retrieval.load(path, ["shop"])
    assert len(found.rows) == 1
    [line] = found.broken
    assert line.startswith("rows.jsonl:2: ")
    assert why in line


def test_the_gold_set_is_whole() -> None:
    assert GOLD.broken == ()
    ids = Counter(row["id"] for row in GOLD.rows)
    questions = Counter((row["business"], row["question"].casefold()) for row in GOLD.rows)
    assert max(ids.values()) == max(questions.values()) == 1
    names = {slug: {path.name for path in seed_documents(slug)} for slug in ("aurora", "conti", "costa-azul")}
    assert [row["id"] for row in GOLD.rows if not set(row["documents"]) <= names[row["business"]]] == []


def test_the_gold_set_is_as_large_as_it_must_be() -> None:
    for tier in ("everyday", "hard"):
        rows = [row for row in GOLD.rows if row["tier"] == tier]
        answerable = [row for row in rows if row["documents"]]
        assert len(answerable) >= 400
        assert len(rows) - len(answerable) >= 100
        assert min(Counter(row["language"] for row in answerable).values()) >= 90
        assert {"typos", "voice", "short"} <= {row["style"] for row in answerable}


def test_rows_about_one_document_are_in_one_split() -> None:
    splits = defaultdict(set)
    for row in GOLD.rows:
        assert row["split"] in ("dev", "test")
        if row["documents"]:
            splits[row["business"], row["documents"][0]].add(row["split"])
    assert [key for key, found in splits.items() if len(found) > 1] == []


def test_no_question_is_in_the_training_pairs() -> None:
    from inference.train_aim import DATA, read_rows

    trained = {q["text"].casefold() for row in read_rows(DATA) for q in row["questions"]}
    assert [row["id"] for row in GOLD.rows if row["question"].casefold() in trained] == []
