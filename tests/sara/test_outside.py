"""`sara alerts` and `sara webhooks` as an operator uses them."""

import base64
import io
import json
import sys
from collections.abc import Iterator

import psycopg
import pytest

from sara.commands.doctor import _outward
from sara.commands.loop import run
from sara.settings import load
from tests.outside import PASSWORD, free_port, mail_server

KEY = base64.urlsafe_b64encode(b"k" * 32).decode()


@pytest.fixture(autouse=True)
def clean(commanded_dsn: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SARA_SECRET_KEY", KEY)
    yield
    with psycopg.connect(commanded_dsn, autocommit=True) as owner:
        owner.execute("DELETE FROM alert_target")
        owner.execute("DELETE FROM webhook_subscription")


def test_a_place_is_added_tried_and_removed(sara) -> None:
    with mail_server() as box:
        added = sara("alerts", "add", "--business", "conti", "--name", "desk", box.address())
        assert added.code == 0
        assert added.out.startswith("desk: E-Mail. Try it: sara alerts test --business conti desk")
        assert sara("alerts", "test", "--business", "conti", "desk").out == "desk: taken\n"
    [mail] = box.mails
    assert "Prova" in str(mail["subject"])
    listed = sara("alerts", "list", "--business", "conti", "--json")
    assert json.loads(listed.out)["name"] == "desk"
    assert PASSWORD not in listed.out + added.out + sara("alerts", "list", "--business", "conti").out
    again = sara("alerts", "add", "--business", "conti", "--name", "desk", box.address())
    assert "a place called 'desk' already" in again.one_line
    refused = sara("alerts", "test", "--business", "conti")  # its server is gone
    assert refused.code == 1
    assert "not taken: desk" in refused.err
    assert PASSWORD not in refused.out + refused.err
    assert sara("alerts", "remove", "--business", "conti", "desk").out == "removed\n"
    assert "no place called 'desk'" in sara("alerts", "remove", "--business", "conti", "desk").one_line
    assert "no place to tell" in sara("alerts", "test", "--business", "conti").one_line


def test_an_address_can_come_by_standard_input(sara, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("tgram://123456789:abcdefg_hijklmnop-ABCDEFG/12315544/\n"))
    added = sara("alerts", "add", "--business", "conti", "--name", "phone", "--queue", "nobody", "-")
    assert added.out.startswith("phone: Telegram (the queue of conti is ")


def test_what_is_no_address_and_a_missing_key_are_one_line(sara, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = sara("alerts", "add", "--business", "conti", "--name", "x", "carrier-pigeon://roof")
    assert "No service has such an address" in wrong.one_line
    assert sara("alerts", "list", "--business", "nowhere").one_line
    monkeypatch.delenv("SARA_SECRET_KEY")
    for command in (
        ("alerts", "add", "--business", "conti", "--name", "x", "json://127.0.0.1/"),
        ("webhooks", "add", "--business", "conti", "https://1.1.1.1/hook"),
    ):
        assert "set SARA_SECRET_KEY" in sara(*command).one_line
    monkeypatch.setenv("SARA_SECRET_KEY", "short")
    assert "SARA_SECRET_KEY: " in sara("alerts", "list", "--business", "conti").one_line


def test_patience_is_shown_and_changed(sara) -> None:
    assert sara("alerts", "patience", "--business", "conti").out == "unanswered 15 min, due soon 60 min\n"
    changed = sara("alerts", "patience", "--business", "conti", "--unanswered", 5)
    assert changed.out == "unanswered 5 min, due soon 60 min\n"
    sara("alerts", "patience", "--business", "conti", "--unanswered", 15)


def test_a_receiver_from_its_secret_to_its_end(sara) -> None:
    added = sara(
        "webhooks", "add", "--business", "conti", "--event", "quote.*", "https://1.1.1.1/s3cr3t-hook"
    )
    first, secret = added.out.split("\n")[:2]
    number = first.split()[-1]
    assert secret.startswith("whsec_")
    listed = sara("webhooks", "list", "--business", "conti", "--json").out
    shown = json.loads(listed)
    assert (shown["host"], shown["events"], shown["with_content"]) == ("1.1.1.1", ["quote.*"], False)
    assert "s3cr3t-hook" not in listed
    assert "sealed" not in listed
    rotated = sara("webhooks", "rotate", "--business", "conti", number)
    assert rotated.out.startswith("whsec_")
    assert rotated.out.strip() != secret
    assert sara("webhooks", "replay", "--business", "conti", "--dead").out == "0 queued again\n"
    assert sara("webhooks", "log", "--business", "conti").out == ""
    assert "no receiver" in sara("webhooks", "rotate", "--business", "aurora", number).one_line
    assert sara("webhooks", "remove", "--business", "conti", number).out == "removed\n"
    assert "no receiver" in sara("webhooks", "remove", "--business", "conti", number).one_line


@pytest.mark.parametrize(
    "url",
    ["http://example.com/", "https://127.0.0.1/", "https://localhost/", "https://169.254.169.254/", "x"],
)
def test_private_addresses_are_refused(sara, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    assert sara("webhooks", "add", "--business", "conti", url).one_line
    if url.startswith("https://127"):
        monkeypatch.setenv("SARA_WEBHOOKS_ALLOW_PRIVATE", "true")
        assert sara("webhooks", "add", "--business", "conti", url).code == 0


def test_doctor_names_what_was_given_up(sara, commanded_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sara("alerts", "add", "--business", "conti", "--name", "desk", f"json://127.0.0.1:{free_port()}/")
    [finding] = run(_outward(load()))
    assert (finding.state, finding.detail) == ("ok", "1 places of the team, 0 other systems")
    with psycopg.connect(commanded_dsn, autocommit=True) as owner:
        owner.execute(
            "INSERT INTO alert (business_id, alert_target_id, kind, key, title, body, urgent, state, error,"
            "   next_attempt_at, created_at)"
            " SELECT business_id, alert_target_id, 'handoff_opened', 'x', 'Conti: x', 'x', false, 'dead',"
            "   'gone', now(), now() FROM alert_target"
        )
    [finding] = run(_outward(load()))
    assert finding.state == "warning"
    assert finding.detail == "conti, desk (JSON): 1 given up, 0 waiting"
    assert "desk             Conti: x: gone" in sara("alerts", "dead", "--business", "conti").out
    assert sara("alerts", "dead", "--business", "conti", "--retry").out == "1 queued again\n"
    monkeypatch.delenv("SARA_SECRET_KEY")
    assert run(_outward(load()))[0].state == "failed"
