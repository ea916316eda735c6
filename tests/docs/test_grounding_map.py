"""The developers' map of the grounding files names each of them, in the order of their imports."""

import re

from tests.docs.conftest import ROOT

INFERENCE = ROOT / "inference"


def rows_of_the_map() -> list[list[str]]:
    text = (ROOT / "docs/developers.md").read_text("utf-8")
    table = text.partition("| what | files `inference/…` |\n|---|---|\n")[2].partition("\n\n")[0]
    return [re.findall(r"`(\w+)\.py`", line) for line in table.splitlines()]


def test_every_file_stands_once() -> None:
    listed = [name for row in rows_of_the_map() for name in row]
    assert len(listed) == len(set(listed))
    assert set(listed) == {"claims", *(file.stem for file in INFERENCE.glob("grounding*.py"))}


def test_nothing_imports_from_a_row_below_its_own() -> None:
    row_of = {name: number for number, row in enumerate(rows_of_the_map()) for name in row}
    below = [
        (name, imported)
        for name, number in row_of.items()
        for imported in re.findall(
            r"from inference\.(\w+) import", (INFERENCE / f"{name}.py").read_text("utf-8")
        )
        if row_of.get(imported, 0) > number
    ]
    assert below == []
