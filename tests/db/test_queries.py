"""Named SQL blocks."""

from pathlib import Path

import pytest

from crm.record import QUERIES
from db.queries import Queries, UnknownQuery


def test_blocks_are_found_by_their_names(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text(
        "-- one -- the first\nSELECT 1;\n\n-- two -- the second\n-- remark\nSELECT\n2;\n"
    )
    queries = Queries.load(tmp_path)
    assert len(queries) == 2
    assert queries["one"] == "SELECT 1;"
    assert queries["two"] == "-- remark\nSELECT\n2;"


def test_a_name_used_twice_is_refused_over_all_files(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text("-- one -- the first\nSELECT 1;\n")
    (tmp_path / "b.sql").write_text("-- one -- again\nSELECT 2;\n")
    with pytest.raises(ValueError, match=r"b\.sql: the query one is defined twice"):
        Queries.load(tmp_path)


def test_an_unknown_name_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownQuery, match="missing"):
        Queries.load(tmp_path)["missing"]


def test_every_query_of_the_record_is_used_and_every_used_one_exists() -> None:
    code = "\n".join(file.read_text() for file in sorted(QUERIES.parent.rglob("*.py")))
    headings = [
        line.split(" -- ")[0].removeprefix("-- ")
        for file in sorted(QUERIES.glob("*.sql"))
        for line in file.read_text().splitlines()
        if line.startswith("-- ") and line.count(" -- ") >= 1
    ]
    assert len(headings) == len(Queries.load(QUERIES))
    assert [name for name in headings if f'"{name}"' not in code] == []
