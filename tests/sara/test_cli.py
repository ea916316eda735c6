"""The command line imports a command when it is asked for."""

import json
import subprocess
import sys

import pytest
import typer

from sara.cli import COMMANDS, app

LOADED = """
import json, sys
sys.argv = ["sara", *sys.argv[1:]]
from sara.cli import main
try:
    main()
except SystemExit as stop:
    pass
print(json.dumps([name for name in sys.modules if name.startswith("sara.commands.")]), file=sys.stderr)
"""


def commands_after(*arguments: str) -> set[str]:
    ran = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments], capture_output=True, text=True, check=True
    )
    return set(json.loads(ran.stderr.splitlines()[-1]))


def test_a_command_does_not_import_the_others() -> None:
    found = commands_after("serve", "--help")
    assert "sara.commands.run" in found
    assert not {f"sara.commands.{name}" for name in ("bench", "evaluate", "knowledge", "known")} & found


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_there(name: str) -> None:
    command = typer.main.get_command(app).commands[name]  # type: ignore[attr-defined]
    assert command.name == name
    assert command.help or command.callback is None
