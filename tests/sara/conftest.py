"""The command line as a shell would use it, without the cost of a new interpreter for each command."""

import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from sara.cli import main
from sara.settings import Settings


@dataclass(frozen=True)
class Ran:
    """A command that ended."""

    code: int
    out: str
    err: str

    @property
    def one_line(self) -> str:
        """The single line a known failure consists of."""
        assert self.code == 1, self
        assert "Traceback" not in self.err
        lines = [line for line in self.err.splitlines() if line.startswith("sara: ")]
        assert len(lines) == 1, self.err
        assert self.err.rstrip("\n").endswith(lines[0]), self.err
        return lines[0]


Cli = Callable[..., Ran]


@pytest.fixture
def bare(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Runs `sara` with these arguments in this process, with whatever settings the environment has."""
    monkeypatch.setenv("SARA_LLM", "extractive")
    monkeypatch.setenv("COLUMNS", "300")  # what is said is not broken where a long path ends a line

    def run(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["sara", *map(str, arguments)])
        code: object = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code or 0
        assert isinstance(code, int)
        return Ran(code, *capsys.readouterr())

    return run


@pytest.fixture
def sara(
    bare: Cli, settings: Settings, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Cli:
    """The same on a database with the three businesses: the served one for a test with all of SARA."""
    database = "served_dsn" if "whole" in request.fixturenames else "commanded_dsn"
    monkeypatch.setenv("SARA_DATABASE_URL", request.getfixturevalue(database))
    monkeypatch.setenv("SARA_DATA_DIR", str(settings.data_dir))
    return bare
