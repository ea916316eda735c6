"""What `make audit` stands on: ruff's security rules are on, and the bill of materials can be written."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


def test_the_security_rules_are_on_for_everything_but_tests() -> None:
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["ruff"]["lint"]
    assert "S" in lint["select"]
    assert not [rule for rule in lint["ignore"] if rule.startswith("S") and rule[1:].isdigit()]
    exempt = [place for place, rules in lint["per-file-ignores"].items() if "S" in rules]
    assert exempt == ["tests/**"]


def test_make_audit_runs_all_three() -> None:
    recipe = (ROOT / "Makefile").read_text("utf-8").split("\naudit:")[1].split("\n\n")[0]
    for program in (
        "ruff check --select S",
        "cyclonedx-py environment",
        "pip-audit --strict --require-hashes",
    ):
        assert program in recipe
        assert (BIN / program.split()[0]).exists()


def test_the_bill_of_materials_names_what_is_installed(tmp_path: Path) -> None:
    file = tmp_path / "sbom.json"
    written = subprocess.run(
        [BIN / "cyclonedx-py", "environment", "--no-validate", "--short-PURLs", "-o", file, sys.executable],
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert written.returncode == 0, written.stderr.decode()[-1000:]
    bill = json.loads(file.read_text("utf-8"))
    parts = {part["name"].lower(): part for part in bill["components"]}
    for name in ("fastapi", "langgraph", "cryptography", "pyotp"):
        assert parts[name]["version"]
        assert parts[name]["purl"].startswith(f"pkg:pypi/{name}@")
