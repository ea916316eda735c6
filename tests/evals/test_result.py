import math
from pathlib import Path

import yaml

from evals.result import GATES, Gate, Result, Table, shown
from sara.commands.evaluate import SUITES


def test_a_gate_that_cannot_be_measured_does_not_hold() -> None:
    assert Gate("recall", 0.95, at_least=0.95, at_most=None).holds
    assert not Gate("recall", 0.94, at_least=0.95, at_most=None).holds
    assert Gate("false", 0.05, at_least=None, at_most=0.05).holds
    assert not Gate("false", 0.06, at_least=None, at_most=0.05).holds
    assert not Gate("recall", math.nan, at_least=0.95, at_most=None).holds


def test_a_gate_on_a_figure_the_run_lacks_fails(tmp_path: Path) -> None:
    gates = tmp_path / "gates.yaml"
    gates.write_text("retrieval:\n  recall@3: {at_least: 0.9}\n  gone: {at_most: 1}\n")
    result = Result("retrieval", {"recall@3": 0.91})
    assert [(gate.figure, gate.holds) for gate in result.gates(gates)] == [
        ("recall@3", True),
        ("gone", False),
    ]


def test_every_suite_has_gates_and_every_gate_a_suite() -> None:
    assert set(yaml.safe_load(GATES.read_text())) == set(SUITES)


def test_a_result_is_readable() -> None:
    table = Table("by language", ("", "n", "recall"), (("it", 3, 1 / 3), ("en", 0, math.nan)))
    result = Result(
        *("retrieval", {}, (table,), ({"question": "dove?", "found": "a.md"},), {"rows": 3}, ("x:2",)),
        of_other_splits=7,
    )

    text = shown(result, [Gate("recall", 0.5, 0.9, None), Gate("false", 0.0, None, 0.1)])

    assert "it  3   0.333" in text
    assert "en  0       -" in text
    assert "FAIL recall = 0.500 (wanted >= 0.9)" in text
    assert "ok   false = 0.000 (wanted <= 0.1)" in text
    assert "dove? | a.md" in text
    assert "1 broken rows left out" in text
    assert "7 rows of other splits left out" in text
