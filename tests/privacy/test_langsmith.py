"""From a traced turn over an agent's correction of it to its erasure at LangSmith, by the command line."""

import json
import re
import secrets
from collections.abc import Iterator

import pytest

from tests.langsmith_server import KEY, LangSmithServer, langsmith_server

WHO = ["--business", "conti"]
WORDS = "Vorrei parlare con una persona: mi chiamo Ottavia Quarantotti, il mio numero è 347 6655443"
ANSWER = "Gentile Ottavia Quarantotti, la richiamo domani al 347 6655443. Un saluto, mi chiamo Ermenegilda."
SECRETS = ("ottavia", "quarantotti", "6655443", "ermenegilda")


@pytest.fixture
def langsmith(monkeypatch: pytest.MonkeyPatch) -> Iterator[LangSmithServer]:
    with langsmith_server() as server:
        monkeypatch.setenv("LANGSMITH_TRACING", "true")
        monkeypatch.setenv("LANGSMITH_API_KEY", KEY)
        monkeypatch.setenv("LANGSMITH_ENDPOINT", server.url)
        monkeypatch.setenv("LANGSMITH_PROJECT", "town")
        yield server


def test_a_turn_is_traced_corrected_and_forgotten(cli, langsmith: LangSmithServer) -> None:
    phone = f"44779{secrets.randbelow(10**7):07d}"
    turn = json.loads(cli("chat", *WHO, "--from", phone, "--text", WORDS, "--json").out)
    [root] = langsmith.wait_for(1)
    cli("handoff", "reply", turn["handoff"], ANSWER)
    cli("handoff", "resolve", turn["handoff"], "--note", "richiamata Ottavia")

    first = cli("eval", "corrections", "--langsmith")
    assert first.code == 0, first.err
    # Other tests' corrections are of turns nobody traced.
    assert re.search(r"corrections of conti: \d+ rows, 2 feedback, \d+ untraced", first.out)
    assert {one["run_id"] for one in langsmith.feedback.values()} == {root["id"]}
    told = {one["key"]: one for one in langsmith.feedback.values()}
    assert set(told) == {"agent_answer", "agent_resolution"}
    assert "la richiamo domani al [number]" in told["agent_answer"]["correction"]["reply"]
    thread = root["extra"]["metadata"]["thread_id"]
    rows = [row for row in langsmith.examples.values() if row["metadata"]["thread_id"] == thread]
    assert {row["metadata"]["kind"] for row in rows} == {"answer", "resolved"}
    assert "persona" in rows[0]["inputs"]["question"]

    sent = langsmith.everything().casefold()
    for secret in (*SECRETS, phone):
        assert secret not in sent

    erased = cli("contact", "erase", phone, *WHO, "--yes", "--close")
    assert "LangSmith was asked to delete the traces; 2 dataset rows are deleted" in erased.out, erased
    [request] = langsmith.of("/api/v1/runs/delete")
    assert request.json == {"metadata": {"thread_id": [thread]}}
    assert not [row for row in langsmith.examples.values() if row["metadata"]["thread_id"] == thread]
