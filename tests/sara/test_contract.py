"""What every command keeps: help, exit codes, one line for a known failure."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

CONTRACT = [
    "demo", "serve", "worker", "migrate", "doctor", "chat", "play", "ingest", "search", "score", "classify",
    "ground", "when", "transcribe", "studio",
    "handoff", "handoff list", "handoff show", "handoff reply", "handoff back", "handoff resolve",
    "handoff corrections", "appointment", "appointment complete", "appointment no-show", "follow-up",
    "follow-up list", "follow-up done",
    "business", "business add", "business list", "business token",
    "business verticals", "facts", "facts propose", "facts list", "facts accept", "facts reject",
    "contact", "contact export", "contact erase", "contact basis", "backup", "restore",
    "bench", "eval", "replay", "reindex", "quote", "quote list", "quote issue",
    "ticket", "ticket list", "ticket take", "ticket close",
    "alerts", "alerts list", "alerts add", "alerts remove", "alerts test", "alerts dead", "alerts patience",
    "webhooks", "webhooks list", "webhooks add", "webhooks remove", "webhooks rotate", "webhooks log",
    "webhooks replay",
]  # fmt: skip

BAD_USAGE = [
    "",
    "dance",
    "chat",
    "chat --business aurora",
    "chat --business aurora --from giulia --text ciao",
    "chat --business aurora --from +393331112222 --text ciao --voice pyproject.toml",
    "chat --business aurora --from +393331112222 --voice no-such-note.ogg",
    "play",
    "play no-such-script.yaml",
    "demo --port eight",
    "demo --port 70000",
    "serve --port -1",
    "handoff show twelve",
    "handoff back 1 --fact without-a-value",
    "business add no-such-file.yaml",
    "ingest no-such-folder --business aurora",
    "ingest pyproject.toml",
    "search --business aurora --input q.jsonl",
    "search --business aurora --input q.jsonl --output o.jsonl --k 0",
    "score --input r.jsonl",
    "when --input r.jsonl --output o.jsonl",
    "when --now yesterday --timezone Europe/Rome --input r.jsonl --output o.jsonl",
    "when --now 2026-11-16T09:00 --timezone Europe/Atlantis --input r.jsonl --output o.jsonl",
    "transcribe no-such-note.ogg",
    "quote issue 1 --business aurora --price much",
    "contact erase +393331112222",
    "contact erase +393331112222 --business aurora --yes --invoices burn",
    "contact basis +393331112222 --business aurora --purpose marketing",
    "restore no-such.dump",
    "backup",
    "quote issue 1 --business aurora --price -5",
    "ticket close one --business aurora",
    "follow-up done one --business aurora",
    "follow-up list --business aurora --days -1",
    "appointment complete",
    "bench turn --rounds 0",
    "bench tune",
    "eval tune",
    "eval retrieval --dataset no-such-rows.jsonl",
    "replay",
    "replay 1:2 --last 5",
    "replay --last 0",
    "replay --last 5 --at 1f0c9a52",
    "replay 1:2 --business aurora",
    "replay --handoffs --set SARA_DATABASE_URL=x",
    "replay --handoffs --set ABSTAIN_BELOW=1",
    "eval intents --compare no-such-run.json",
    "alerts add --business aurora --name desk --kind gossip json://127.0.0.1:9/",
    "alerts patience --business aurora --unanswered 0",
    "webhooks add --business aurora --event weather.* https://example.com/hook",
    "webhooks replay --business aurora",
]


@pytest.mark.parametrize("command", CONTRACT)
def test_help(bare, command: str) -> None:
    ran = bare(*command.split(), "--help")
    assert ran.code == 0
    assert f"sara {command} [OPTIONS]" in " ".join(ran.out.split())


@pytest.mark.parametrize("command", BAD_USAGE)
def test_bad_usage_exits_2(bare, command: str) -> None:
    ran = bare(*command.split())
    assert ran.code == 2
    assert "Usage: sara" in ran.out + ran.err
    assert "Traceback" not in ran.err


def test_an_unreachable_database_is_one_line(bare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SARA_DATABASE_URL", "postgresql://127.0.0.1:1/nothing")
    for command in ("business list", "handoff list", "migrate", "serve --port 0", "worker"):
        assert "PostgreSQL does not answer" in bare(*command.split()).one_line


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SARA_GATHER_SECONDS", "soon", "SARA_GATHER_SECONDS: Input should be a valid number"),
        (
            "SARA_WORKER_CONCURRENCY",
            "0",
            "SARA_WORKER_CONCURRENCY: Input should be greater than or equal to 1",
        ),
    ],
)
def test_a_wrong_setting_is_named(
    bare, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    assert said in bare("business", "list").one_line


def test_an_unknown_log_level_is_named(bare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SARA_LOG_LEVEL", "loud")
    assert "SARA_LOG_LEVEL='loud' is not one of critical, error" in bare("serve", "--port", 0).one_line


def test_an_unknown_model_is_named(sara, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SARA_LLM", "crystal:ball")
    said = sara("chat", "--business", "aurora", "--from", "+393331112222", "--text", "ciao").one_line
    assert "SARA_LLM='crystal:ball' is not known: write ollama:NAME" in said


def test_an_unknown_business_or_handoff_is_named(sara) -> None:
    chat = sara("chat", "--business", "nowhere", "--from", "+393331112222", "--text", "ciao")
    assert "no business is called 'nowhere'" in chat.one_line
    for queue in ("handoff", "quarantine"):
        assert "no business is called 'nowhere'" in sara(queue, "list", "--business", "nowhere").one_line
    for arguments in (["show", 999999], ["reply", 999999, "ciao"], ["back", 999999], ["resolve", 999999]):
        assert "no hand-over 999999" in sara("handoff", *arguments).one_line
    assert sara("business", "token", "nobody@nowhere.example").one_line


def test_a_taken_port_is_one_line(sara) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for command in ("demo", "serve"):
            assert f"cannot listen on port {port}" in sara(command, "--port", port).one_line


def test_the_installed_command_serves_the_demo_until_it_is_interrupted(commanded_dsn: str, settings) -> None:
    """The only test that pays for an interpreter: entry point, pages, interruption."""
    import os

    import httpx

    environment = os.environ | {
        "SARA_DATABASE_URL": commanded_dsn,
        "SARA_DATA_DIR": str(settings.data_dir),
        "SARA_LLM": "extractive",
    }
    command = [Path(sys.executable).parent / "sara", "demo", "--port", "0"]
    with subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        # A shell's background job ignores the interruption, and so would what it starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    ) as demo:
        assert demo.stdout is not None
        said: dict[str, str] = {}
        for line in demo.stdout:
            name, _, rest = line.strip().partition("  ")
            said[name] = rest.strip()
            if line.startswith("Stop"):
                break
        try:
            phone = said["Phone"].split()[0]
            base = phone.removesuffix("/phone")
            assert "Phone simulator" in httpx.get(phone, follow_redirects=True).text
            assert "swagger" in httpx.get(f"{base}/docs").text
            assert httpx.get(f"{base}/readyz").json() == {"status": "ready"}
            url, key = f"{base}/api/businesses/aurora/handoffs", said["API token"]
            assert httpx.get(url).status_code == 401
            assert isinstance(httpx.get(url, headers={"Authorization": f"Bearer {key}"}).json(), list)
        finally:
            demo.send_signal(signal.SIGINT)
        assert demo.wait(30) == 130
