"""Rules of the house that a reader of one file cannot see broken."""

import ast
from functools import cache
from pathlib import Path

import pytest

HOUSE = Path(__file__).parent.parent.parent
ROOMS = (
    "sara",
    "evals",
    "api",
    "jobs",
    "graph",
    "nodes",
    "tools",
    "inference",
    "knowledge",
    "crm",
    "channels",
    "db",
)


@cache
def sources() -> list[tuple[str, ast.Module]]:
    """Every module of the program by its path in the house."""
    return [
        (file.relative_to(HOUSE).as_posix(), ast.parse(file.read_text(encoding="utf-8")))
        for room in ROOMS
        for file in sorted((HOUSE / room).rglob("*.py"))
    ]


def naming(*names: str) -> set[str]:
    """The files in whose code (not in whose words) one of these names stands."""
    return {
        path
        for path, tree in sources()
        for node in ast.walk(tree)
        if (isinstance(node, ast.Attribute) and node.attr in names)
        or (isinstance(node, ast.Name) and node.id in names)
        or (isinstance(node, ast.alias) and node.name.rpartition(".")[2] in names)
    }


def test_only_the_road_in_runs_the_graph() -> None:
    # A LangChain model is run by the same name; that room cannot import the graph.
    # The benchmark's baseline runs a bare graph of its own.
    assert naming("ainvoke") - {"inference/chat.py", "sara/bench/baseline.py"} == {"graph/run.py"}
    assert naming("aupdate_state", "update_state") == {"graph/run.py"}
    assert naming("invoke") == set()


def test_only_the_settings_read_the_environment() -> None:
    assert naming("environ", "getenv", "environb") == {"sara/settings.py"}


def test_only_the_pause_interrupts() -> None:
    assert naming("interrupt") == {"nodes/await_human.py"}


def test_the_interrupt_is_the_first_statement_of_its_node() -> None:
    tree = ast.parse((HOUSE / "nodes/await_human.py").read_text(encoding="utf-8"))
    (node,) = [n for n in tree.body if isinstance(n, ast.AsyncFunctionDef) and n.name == "await_human"]
    first = node.body[1]  # after the docstring
    assert "interrupt(" in ast.unparse(first)


def test_packages_re_export_nothing() -> None:
    assert [path for path, tree in sources() if path.endswith("__init__.py") and tree.body] == []


def test_nothing_prints_but_the_command_line() -> None:
    allowed = ("sara/cli.py", "sara/commands/")
    assert [path for path in naming("print") if not path.startswith(allowed)] == []


@pytest.mark.parametrize("limit", [400])
def test_no_file_outgrows_its_reader(limit: int) -> None:
    lengths = {path: len((HOUSE / path).read_text(encoding="utf-8").splitlines()) for path, _ in sources()}
    assert {path: length for path, length in lengths.items() if length > limit} == {}


def test_no_function_outgrows_its_reader() -> None:
    long = {
        f"{path}:{node.name}": node.end_lineno - node.lineno + 1
        for path, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > 60
    }
    assert long == {}
