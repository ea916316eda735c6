import json
from pathlib import Path
from typing import Any

import pytest

from evals.dataset import DatasetMissing, read

FIELDS = {"question": str, "documents": list}


def test_broken_rows_are_named_and_the_rest_used(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(
        '\ufeff{"question": "a", "documents": []}\n\nnot json\n["a"]\n{"question": "b"}\n'
        '{"question": 1, "documents": []}\n{"question": "c\u2028d", "documents": ["x.md"]}\n',
        encoding="utf-8",
    )

    dataset = read(file, FIELDS)

    assert [row["question"] for row in dataset.rows] == ["a", "c\u2028d"]
    assert [line.split(":")[1] for line in dataset.broken] == ["3", "4", "5", "6"]
    assert "documents is missing" in dataset.broken[2]
    assert "question must be str" in dataset.broken[3]


def test_a_row_without_a_split_is_in_every_one(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    splits: list[dict[str, Any]] = [{}, {"split": None}, {"split": "test"}, {"split": "dev"}, {"split": "x"}]
    file.write_text("\n".join(json.dumps({"question": "a", "documents": [], **one}) for one in splits))
    dataset = read(file, FIELDS)
    assert [len(dataset.of_split(split)) for split in ("test", "dev", None)] == [3, 3, 5]
    assert [dataset.of_others(split) for split in ("test", "dev", None)] == [2, 2, 0]


def test_languages_are_read_by_their_first_part(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    codes = ["it-IT", "pt_BR", "PT", "en", "de-AT", "cmn", "", None]
    file.write_text(
        "\n".join(json.dumps({"question": "a", "documents": [], "language": code}) for code in codes)
    )
    read_as = [row["language"] for row in read(file, FIELDS).rows]
    assert read_as == ["it", "pt", "pt", "en", "de-AT", "cmn", "", None]


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(DatasetMissing, match="--dataset"):
        read(tmp_path / "none.jsonl", FIELDS)


def test_what_is_nested_too_deeply_is_one_broken_row(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text("[" * 100_000 + '\n{"question": "a", "documents": []}\n')
    dataset = read(file, FIELDS)
    assert len(dataset.rows) == 1
    assert dataset.broken == ("rows.jsonl:1: nested too deeply",)


def test_a_suite_readies_its_rows_or_says_why_it_cannot(tmp_path: Path) -> None:
    def ready(row: dict[str, Any]) -> dict[str, Any]:
        if not row["documents"]:
            raise ValueError("nothing to find")
        return {**row, "question": row["question"].upper()}

    file = tmp_path / "rows.jsonl"
    file.write_text('{"question": "a", "documents": []}\n{"question": "b", "documents": ["c"]}\n')
    dataset = read(file, FIELDS, ready)
    assert [row["question"] for row in dataset.rows] == ["B"]
    assert dataset.broken == ("rows.jsonl:1: nothing to find",)
