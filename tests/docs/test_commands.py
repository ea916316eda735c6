"""Every command of the documentation is run, as it stands there but for names and numbers of examples.

What cannot run on a machine of its own is listed with the reason (`ELSEWHERE`), what takes minutes too
(`SLOW`): SARA_DOCS_SLOW=1 runs those as well.
"""

import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import psycopg
import pytest

from sara.cli import main
from tests.docs.conftest import ROOT, Place, edited
from tests.docs.shell import Block, Command, blocks, commands, where

pytestmark = pytest.mark.timeout(600)

DOCS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]

# What a regular expression finds at the beginning of a command: why it is not run here.
ELSEWHERE = {
    r"make (demo|test|setup|check|format|audit)": "what the continuous integration itself runs, or is run by",
    r"python -m knowledge.sources.render$": "writes into the repository: the check behind it is run",
    r"python -m inference.train_(e5|reader)": "wants jax and half an hour, and writes into the repository",
    r"openssl": "no program of ours",
    r"pip install": "changes the installation",
    r"sara whatsapp connect": "asks Meta: tests/sara/test_whatsapp.py, against the simulator",
    r"sara whatsapp web": "a phone has to read a code: tests/sara/test_whatsapp.py",
    r"sara template sync": "asks Meta: tests/sara/test_whatsapp.py, against the simulator",
    r"sara quarantine release": "wants a turn that was given up: tests/chaos/test_poison.py",
    r"sara calendar (caldav|google)": "asks the calendar's server: tests/jobs/test_calendars.py",
    r"sara reindex": "wants a model of Ollama: tests/knowledge/test_reindex.py, with another one",
    r"sara alerts test": "writes to Slack and to a mail server: tests/jobs/test_alerts.py",
    r"sara eval .*--langsmith": "writes to LangSmith: tests/sara/test_langsmith.py",
    r"sara .*--model (ollama|smollm2)": "wants a model that is not installed",
    r"sara replay 1:23": "threads of the record: tests/sara/test_replay.py",
    r"curl -s http://127.0.0.1:2024": "asks LangGraph's server: tests/studio",
    r"sara (demo|studio --no-browser|serve|worker)": "runs until it is stopped: tests/sara/test_contract.py",
}
SLOW = (
    r"make (bench|studio)",
    r"pytest",
    r"python -m (inference|tests\.api\.matrix)",
    r"sara transcribe",
    r"sara eval",
    r"sara (bench|soak)",
    r"sara play",
)


class NothingThere(Exception):
    """The place lacks what an example names by number."""


def reason(words: tuple[str, ...]) -> str | None:
    """Why a command is not run, None for one that is."""
    line = shlex.join(words).replace(".venv/bin/", "")
    for pattern, why in ELSEWHERE.items():
        if re.match(pattern, line):
            return why
    slow = any(re.match(pattern, line) for pattern in SLOW) and "SARA_DOCS_SLOW" not in os.environ
    return "takes minutes: SARA_DOCS_SLOW=1" if slow else None


# Where a command has a number of the example: the groups are replaced by the first that the query finds.
OPEN = "SELECT handoff_id FROM handoff WHERE status IN ('open', 'claimed') ORDER BY status DESC, 1"
OVER = "SELECT appointment_id FROM appointment WHERE status = 'booked' ORDER BY 1"
DELIVERIES = "SELECT webhook_delivery_id FROM webhook_delivery ORDER BY 1"
REFUSED = "SELECT outbox_id FROM outbox WHERE state IN ('refused', 'queued') ORDER BY state DESC, 1"
CUSTOMER = (
    "SELECT max(contact_id) FROM contact JOIN business USING (business_id)"
    " WHERE slug = 'aurora' AND erased_at IS NULL"
)
NUMBERS = {
    r"sara handoff \w+ (\d+)": OPEN,
    r"curl .*/handoffs/(\d+)": OPEN,
    r"curl .*/outbox/(\d+)": REFUSED,
    r"sara agenda \w+ (\d+)": OVER,
    r"sara follow-up done (\d+)": "SELECT follow_up_id FROM follow_up WHERE status = 'open' ORDER BY 1",
    r"sara facts \w+ --business \w+ (\d+)(?: (\d+))?": (
        "SELECT proposal_id FROM fact_proposal WHERE status = 'open' ORDER BY similar_to NULLS LAST, 1"
    ),
    r"sara quote issue (\d+)": "SELECT quote_id FROM quote WHERE status = 'requested' ORDER BY 1",
    r"sara ticket \w+ (\d+)": "SELECT ticket_id FROM ticket WHERE status <> 'closed' ORDER BY 1",
    r"sara webhooks (?:rotate|remove) --business \w+ (\d+)": (
        "SELECT webhook_subscription_id FROM webhook_subscription ORDER BY 1"
    ),
    r"sara webhooks replay --business \w+ (\d+) (\d+)": DELIVERIES,
    r"sara outbox \w+ --business \w+ (\d+)": REFUSED,
    r"sara audit .*--contact '#(\d+)'": CUSTOMER,
    r"sara contact erase '#(\d+)'": CUSTOMER,
}


def placed(place: Place, command: Command) -> list[str]:
    """The words of a command with what a reader would put for the names and numbers of the example."""
    known = {"H": "Authorization: Bearer $TOKEN", "A": f"{place.url}/api/businesses/aurora"}
    known |= {**command.environment, "TOKEN": place.token}
    words = [_expanded(word, known) for word in command.words]
    words[0] = words[0].removeprefix(".venv/bin/")
    line = re.sub(r"^(sara (?:outbox|limits) .*--business) mine\b", r"\1 aurora", shlex.join(words))
    for example, ours in (
        ("http://127.0.0.1:8000", place.url),
        ("/var/backups/sara/sara-20261126T031500Z.dump", place.newest("backups/*.dump")),
        ("/var/backups/sara", str(place.folder / "backups")),
        ("my-slug", "mine"),
        ("sara audit --business mine --contact", "sara audit --business aurora --contact"),
        ("T…/B…/…", "T00000000/B00000000/X" + "x" * 23),
        ("erp.example.com", "192.0.0.9"),  # a public address that needs no look-up
        ("crm.example.com", "192.0.0.10"),
        ("2026-12-01T10:00:00", f"{date.today() + timedelta(days=1)}T10:00:00"),
    ):
        line = line.replace(example, ours)
    for pattern, query in NUMBERS.items():
        found = re.match(pattern, line)
        if found:
            ids = place.ids(query)
            groups = [group for group in range(1, len(found.groups()) + 1) if found[group]]
            if len(ids) < len(groups):
                raise NothingThere(f"the place has nothing for: {line}")
            for group in reversed(groups):
                line = line[: found.start(group)] + ids[group - 1] + line[found.end(group) :]
    return shlex.split(line)


def _expanded(word: str, known: dict[str, str]) -> str:
    for _ in range(3):
        word = re.sub(r"\$([A-Z]+)", lambda found: known.get(found[1], found[0]), word)
    return word


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_every_command_runs(
    path: Path, place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failed, ran = [], 0
    for block in blocks(path, "bash"):
        for command in commands(block):
            if reason(command.words):
                continue
            ran += 1
            with monkeypatch.context() as patch:
                patch.chdir(place.folder)
                try:
                    code = run(place, command, patch)
                except NothingThere as error:
                    code = 1
                    print(error, file=sys.stderr)
                told = capsys.readouterr()
            if code:
                failed.append(
                    f"{path.name}:{block.line}: {command.line}\n    {code} {told.err.strip()[-500:]}"
                )
    assert not failed, "\n".join(["", *failed])


def run(place: Place, command: Command, patch: pytest.MonkeyPatch) -> int:
    """The exit code."""
    for name, value in {**place.keys, **command.environment}.items():
        patch.setenv(name, value)
    place.ready_for([command.words[0].removeprefix(".venv/bin/"), *command.words[1:]])
    words = placed(place, command)
    if words[0] == "sara":
        return in_process(words, command, place, patch)
    if words[0] == "curl":
        words[1:1] = ["-sS", "--fail-with-body"]
    if words[0] == "cp":
        shutil.copy(place.folder / words[1], place.folder / words[2])
        edited(place.folder)
        return 0
    line = shlex.join(words)
    if words[0] == "python":
        words[0] = sys.executable
    ended = subprocess.run(words, capture_output=True, text=True, check=False, timeout=300)
    print(line, ended.stdout, ended.stderr, file=sys.stderr)
    return ended.returncode


def in_process(words: list[str], command: Command, place: Place, patch: pytest.MonkeyPatch) -> int:
    """`sara …` without a new interpreter. A restore gets a database of its own."""
    given = (
        (place.folder / command.stdin_file).read_text("utf-8")
        if command.stdin_file
        else command.stdin or "y\n"
    )
    patch.setattr(sys, "stdin", io.StringIO(given))
    patch.setattr(sys, "argv", words)
    patch.setenv("SARA_DATABASE_URL", place.empty() if words[1] == "restore" else place.dsn)
    patch.delenv("SARA_DATABASE_DIRECT_URL", raising=False)
    patch.setenv("SARA_DATA_DIR", str(place.folder / "data"))
    patch.setenv("SARA_LLM", "extractive")
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


@pytest.mark.parametrize("block", [block for path in DOCS for block in blocks(path, "sql")], ids=where)
def test_sql_runs(block: Block, place: Place) -> None:
    dsn = place.dsn
    drop = ("DROP DATABASE IF EXISTS sara WITH (FORCE)", "DROP ROLE IF EXISTS sara_owner")
    for statement in (part.strip() for part in block.text.replace("\\c sara\n", "\\c sara;\n").split(";")):
        if statement == r"\c sara":
            dsn = dsn.replace("/documented?", "/sara?")
            continue
        if not statement:
            continue
        with psycopg.connect(dsn, autocommit=True) as owner:
            owner.execute(statement)
    with psycopg.connect(place.dsn, autocommit=True) as owner:
        for statement in drop:
            owner.execute(statement)
