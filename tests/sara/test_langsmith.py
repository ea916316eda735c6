"""`sara eval --langsmith`: rows and results of a suite, masked, each state of them once."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crm.corrections import TracedRow
from graph.langsmith import run_id_of
from sara.langsmith import opened
from sara.langsmith_erasure import forget
from sara.langsmith_upload import corrections
from sara.settings import LangSmith
from tests.langsmith_server import KEY, LangSmithServer, langsmith_server

ROWS = [
    {
        "text": "Vorrei prenotare un massaggio, sono al 347 6655443",
        "language": "it",
        "intent": "book_appointment",
    },
    {
        "text": "Vorrei prenotare un massaggio, sono al 347 6655444",
        "language": "it",
        "intent": "book_appointment",
    },
    {"text": "Hello, my name is Octavia Fortyeight", "language": "en", "intent": "greeting"},
    {"text": "Bom dia", "language": "pt", "intent": "opt_out"},
]


@pytest.fixture
def langsmith(monkeypatch: pytest.MonkeyPatch) -> Iterator[LangSmithServer]:
    with langsmith_server() as server:
        monkeypatch.setenv("LANGSMITH_API_KEY", KEY)
        monkeypatch.setenv("LANGSMITH_ENDPOINT", server.url)
        yield server


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in ROWS))
    return path


def test_an_experiment_is_sent_once_for_what_it_is(bare, langsmith: LangSmithServer, rows: Path) -> None:
    ran = bare("eval", "intents", "--dataset", rows, "--langsmith")
    assert "gates that do not hold" in ran.one_line  # and it was sent all the same
    [request] = langsmith.of("/datasets/upload-experiment")
    sent = request.json
    about = sent["experiment_metadata"]
    assert sent["experiment_name"].startswith(
        f"intents extractive prompt {about['prompt']} weights {about['weights sha256']} "
    )
    assert sent["dataset_name"].startswith("sara intents ")
    assert len({row["row_id"] for row in sent["results"]}) == len(ROWS)
    last = sent["results"][3]
    assert last["expected_outputs"] == {"intent": "opt_out"}
    assert last["actual_outputs"]["intent"] == "greeting"
    assert {"key": "right", "score": 0.0} in last["evaluation_scores"]
    assert {"key": "gate right", "score": 0} in sent["summary_experiment_scores"]
    everything = langsmith.everything()
    assert not any(secret in everything for secret in ("6655", "Octavia", "Fortyeight"))
    assert "sono al [number]" in everything

    again = bare("eval", "intents", "--dataset", rows, "--langsmith")
    assert "has it already" in again.out
    assert len(langsmith.of("/datasets/upload-experiment")) == 1

    rows.write_text("\n".join(json.dumps(row) for row in ROWS[:3]))
    bare("eval", "intents", "--dataset", rows, "--langsmith")
    [_, other] = langsmith.of("/datasets/upload-experiment")
    assert other.json["dataset_name"] != sent["dataset_name"]


@pytest.mark.parametrize("trouble", ["refused", "nobody", "no key"])
def test_what_langsmith_does_not_take_is_one_line(
    bare, langsmith: LangSmithServer, rows: Path, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if trouble == "refused":
        langsmith.status = 403
    elif trouble == "nobody":
        monkeypatch.setenv("LANGSMITH_ENDPOINT", "http://127.0.0.1:9")
    else:
        monkeypatch.delenv("LANGSMITH_API_KEY")
    ran = bare("eval", "intents", "--dataset", rows, "--langsmith")
    assert ("LANGSMITH_API_KEY" if trouble == "no key" else "LangSmith did not take intents") in ran.one_line


def test_without_the_option_nothing_is_sent(bare, langsmith: LangSmithServer, rows: Path) -> None:
    bare("eval", "intents", "--dataset", rows)
    assert not langsmith.requests


def test_a_variable_nobody_can_read_is_one_line(bare, rows: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGSMITH_TRACING", "perhaps")
    assert "LANGSMITH_TRACING" in bare("eval", "intents", "--dataset", rows, "--langsmith").one_line


CORRECTION = TracedRow(
    correction_id=1,
    kind="answer",
    reason="asked_for_a_person",
    label=None,
    language="it",
    question="Sono Octavia: avete posto?",
    draft="Sì, abbiamo posto alle 10.",
    sent="Sì Octavia, abbiamo posto alle 11. Fortyeight è segnata, +39 347 6655443. Marta",
    at=datetime(2026, 11, 26, tzinfo=UTC),
    turn_id="7:41",
    thread_id="1:7",
    contact_name="Octavia Fortyeight",
    wa_id="393476655443",
    email=None,
    agent_name="Marta Verdi",
)


def test_feedback_goes_to_turns_that_were_traced(langsmith: LangSmithServer) -> None:
    options = LangSmith(project="shop")
    traced, other = CORRECTION, replace(CORRECTION, correction_id=2, turn_id="7:42", kind="note")
    run_id = str(run_id_of("shop", 1, traced.turn_id))
    langsmith.runs[run_id] = {}
    langsmith.sessions["shop"] = "00000000-0000-0000-0000-000000000007"
    client = opened(options)
    told = corrections(client, "shop", 1, [traced, other])
    assert told == {"rows": 2, "feedback": 1, "untraced": 1}
    [feedback] = langsmith.feedback.values()
    assert feedback["run_id"] == run_id
    assert 0 < feedback["score"] < 1
    assert feedback["correction"]["reply"].startswith("Sì [name], abbiamo posto alle 11. [name] è segnata, [")
    everything = langsmith.everything()
    assert not any(name in everything for name in ("Octavia", "Fortyeight", "6655443", "Marta"))
    assert corrections(client, "shop", 1, [traced, other]) == {"rows": 0, "feedback": 0, "untraced": 1}


def test_an_erasure_says_what_became_of_the_traces(langsmith: LangSmithServer) -> None:
    options = LangSmith(project="shop")
    assert forget(options, ["1:7"])["status"] == "asked"
    [request] = langsmith.of("/api/v1/runs/delete")
    assert request.json == {"metadata": {"thread_id": ["shop:1:7"]}}
    langsmith.status = 503
    told = forget(options, ["1:8"])
    assert told["status"] == "failed"
    assert "503" in told["problem"]
    assert told["post"] == f"{langsmith.url}/api/v1/runs/delete"
    assert told["body"] == {"metadata": {"thread_id": ["shop:1:8"]}}
    asked = len(langsmith.requests)
    assert forget(LangSmith(project="shop", api_key=None), ["1:7"])["status"] == "not_used"
    assert forget(options, [])["status"] == "not_used"
    assert len(langsmith.requests) == asked
