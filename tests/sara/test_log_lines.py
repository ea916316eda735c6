"""Lines of the log hold nobody's numbers and addresses, whoever wrote them into an error."""

import json
import logging

import pytest
import structlog

from sara.commands.loop import configure_logging


def test_what_is_somebodys_is_masked_and_ids_stay(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])  # basicConfig leaves those alone that are there
    monkeypatch.setattr(root, "level", root.level)
    configure_logging("info")
    log = structlog.get_logger("sara")
    try:
        raise ValueError("no contact +39 347 6655443 (ottavia@posta.example)")
    except ValueError:
        log.exception(
            "turn_failed",
            error="no contact 393476655443",
            row={"wa_id": "393476655443", "text": "IBAN IT60X0542811101000000123456"},
            turn_id="1:2345678",
            thread_id="1:2345678",
            attempt=3,
            phone_number_id="106540352242922",
        )
    logging.getLogger("psycopg").error("duplicate key: (wa_id)=(%s)", "393476655443")
    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    shown = json.dumps([first, second])
    for secret in ("6655443", "posta.example", "X0542811101"):
        assert secret not in shown
    assert "no contact [phone] ([e-mail])" in first["exception"]
    assert "ValueError" in first["exception"]
    assert (first["event"], first["attempt"], first["error"]) == ("turn_failed", 3, "no contact [number]")
    assert (first["turn_id"], first["thread_id"]) == ("1:2345678", "1:2345678")
    assert first["phone_number_id"] == "106540352242922"
    assert second["event"] == "duplicate key: (wa_id)=([number])"
    assert second["logger"] == "psycopg"
    assert first["timestamp"].startswith("20")
