from pathlib import Path

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


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(DatasetMissing, match="--dataset"):
        read(tmp_path / "none.jsonl", FIELDS)
