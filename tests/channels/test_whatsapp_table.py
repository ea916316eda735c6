"""docs/whatsapp.md says of all that arrives what SARA does, and which test shows it. Both must hold."""

import re
from functools import cache
from pathlib import Path

import pytest

from channels.simulator.account import FIELDS as SIMULATED
from channels.whatsapp import account, content, parse
from sara.commands.whatsapp import FIELDS

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/whatsapp.md").read_text(encoding="utf-8")
ARRIVES = TEXT.split("## What arrives")[1].split("\n## ")[0]
FILES = dict(re.findall(r"`(tests/[\w/]+\.py)` \((\w)\)", ARRIVES))
LETTERS = {letter: path for path, letter in FILES.items()}
ROWS = [
    [cell.strip() for cell in line.strip().strip("|").split("|")]
    for line in ARRIVES.splitlines()
    if line.startswith("|") and not line.startswith("|---")
][1:]


@cache
def names_in(path: str) -> frozenset[str]:
    """The tests of a file."""
    source = (ROOT / path).read_text(encoding="utf-8")
    return frozenset(re.findall(r"^(?:async )?def (test_\w+)", source, re.MULTILINE))


def everywhere() -> set[str]:
    found = (path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("test_*.py"))
    return {name for path in found for name in names_in(path)}


@pytest.mark.parametrize("row", ROWS, ids=[row[0][:50] for row in ROWS])
def test_every_row_names_tests_that_exist(row: list[str]) -> None:
    assert len(row) == 3, row
    shown = row[2]
    letter = ""
    named = re.findall(r"(?:\b([A-Z]) )?`([^`]+)`", shown)
    assert named, f"{row[0]}: no test is named"
    for given, name in named:
        letter = given or letter
        if name.startswith("tests/"):
            assert (ROOT / name).is_file(), name
        elif letter:
            assert name in names_in(LETTERS[letter]), f"{name} is not in {LETTERS[letter]}"
        else:
            assert name in everywhere(), name


@pytest.mark.parametrize("kind", sorted(content._READERS))
def test_every_message_type_has_a_row(kind: str) -> None:
    assert any(re.search(rf"\b{kind}\b", row[0]) for row in ROWS), kind


@pytest.mark.parametrize("field", sorted(account._READERS))
def test_every_field_of_an_account_has_a_row(field: str) -> None:
    assert any(f"`{field}`" in row[0] for row in ROWS), field


@pytest.mark.parametrize("key", sorted(parse._SERVED_KEYS))
def test_every_list_of_a_change_has_a_row(key: str) -> None:
    words = {"message_echoes": "smb_message_echoes"}.get(key, key)
    assert any(words in row[0] for row in ROWS), key


def test_every_field_that_is_read_is_subscribed_to() -> None:
    """In step 5, in what `sara whatsapp connect` looks for, and at the simulator."""
    read = {"messages", "smb_message_echoes", "user_preferences", *account._READERS}
    [step] = re.findall(r"^5\. .*", TEXT, re.MULTILINE)
    assert set(re.findall(r"\*\*(\w+)\*\*", step)) == set(FIELDS) == set(SIMULATED) == read
    operators = (ROOT / "docs/operators.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`(\w+_(?:update|preferences))`", operators)) <= read
