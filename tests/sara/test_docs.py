"""The documentation against the program: commands, options, settings, links, the picture."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import typer

from graph.build import build
from sara.cli import app
from sara.settings import Settings

ROOT = Path(__file__).parents[2]
DOCS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
FENCE = re.compile(r"^ *```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)")


def blocks(path: Path, language: str) -> list[str]:
    return [text for name, text in FENCE.findall(path.read_text("utf-8")) if name == language]


def words_of(line: str) -> list[str]:
    return shlex.split(line.replace("$(", "(").rstrip("\\"), comments=True)


def sara_commands(path: Path) -> Iterator[list[str]]:
    """The arguments of every `sara …` in bash blocks and in `code` of the text."""
    text = path.read_text("utf-8")
    lines = [
        line.strip() for block in blocks(path, "bash") for line in block.replace("\\\n", " ").split("\n")
    ]
    lines += [code for code in re.findall(r"`([^`\n]+)`", FENCE.sub("", text)) if "…" not in code]
    for line in lines:
        words = words_of(line) if "sara" in line else []
        if words and words[0] in ("sara", ".venv/bin/sara"):
            yield words[1:]


@pytest.fixture(scope="module")
def root() -> click.Command:
    return typer.main.get_command(app)


def named(root: click.Command, arguments: list[str]) -> tuple[click.Command, list[str]]:
    command = root
    while hasattr(command, "commands") and arguments and not arguments[0].startswith("-"):
        assert arguments[0] in command.commands, f"no such command: {arguments[0]}"
        command, arguments = command.commands[arguments[0]], arguments[1:]
    return command, arguments


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_every_command_and_option_in_the_docs_exists(root: click.Command, path: Path) -> None:
    for arguments in sara_commands(path):
        command, rest = named(root, arguments)
        options = {
            name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)
        }
        for word in rest:
            if word.startswith("--"):
                assert word in options | {"--help"}, f"{path.name}: sara {' '.join(arguments)}"


def test_the_docs_show_the_commands_there_are(root: click.Command) -> None:
    shown = {tuple(a[:1]) for path in DOCS for a in sara_commands(path)}
    assert {(name,) for name in root.commands} <= shown  # type: ignore[attr-defined]


def default_of(name: str) -> str:
    field = Settings.model_fields[name]
    if field.default_factory is not None:
        return "number of cores"
    value = field.default.get_secret_value() if hasattr(field.default, "get_secret_value") else field.default
    return "unset" if value in (None, "") else f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def test_every_setting_is_documented_with_its_default() -> None:
    table = (ROOT / "docs/operators.md").read_text("utf-8")
    for name in Settings.model_fields:
        assert f"| `SARA_{name.upper()}` | {default_of(name)} | " in table


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_every_setting_named_exists(path: Path) -> None:
    named = set(re.findall(r"SARA_[A-Z][A-Z_]*[A-Z]", path.read_text("utf-8")))
    assert named <= {f"SARA_{name.upper()}" for name in Settings.model_fields}


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    for target, anchor in LINK.findall(path.read_text("utf-8")):
        file = (path.parent / target) if target else path
        assert file.exists(), f"{path.name} → {target}"
        assert not anchor or anchor in anchors(file), f"{path.name} → {target}#{anchor}"


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_every_file_named_exists(path: Path) -> None:
    rooms = "sara|api|jobs|graph|nodes|tools|inference|knowledge|crm|channels|db|evals|tests"
    for name in re.findall(rf"`((?:{rooms})/[\w./-]*)`", path.read_text("utf-8")):
        assert "my_" in name or (ROOT / name).exists(), f"{path.name}: {name}"


def test_the_picture_of_the_machine_is_the_machine() -> None:
    """To draw it anew, put the output of the command above it in the README into its block."""
    drawn = build(None).get_graph().draw_mermaid()
    assert blocks(ROOT / "README.md", "mermaid") == [drawn]


def test_pictures_are_small() -> None:
    assert (ROOT / "docs/phone.png").stat().st_size <= 200_000
