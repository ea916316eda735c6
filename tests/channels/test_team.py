"""Alerts over the wire: a real mail server, Slack's own request on loopback."""

import json
import logging

import pytest
from apprise.plugins.slack import NotifySlack

from channels.team import AddressRefused, NotTold, OnlyAtTheServer, public_service_of, service_of, tell
from tests.outside import PASSWORD, free_port, mail_server, receiver

TOKENS = ("T1JJ3T3L2", "A1BRTD4JD", "TIiajkdnlazkcOXrIdevi7FQ")


async def test_mail_arrives_whole() -> None:
    with mail_server() as box:
        await tell(box.address(), "Aurora: Perché no?", "Prima riga\n«è già qui»")
    [mail] = box.mails
    assert mail["subject"] == "Aurora: Perché no?"
    assert mail["to"] == "team@example.com"
    assert box.texts()[0].splitlines()[:2] == ["Prima riga", "«è già qui»"]


async def test_slack_gets_the_request_it_expects(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiver() as slack:
        monkeypatch.setattr(NotifySlack, "webhook_url", slack.url("/services"))
        await tell(f"https://hooks.slack.com/services/{'/'.join(TOKENS)}", "Title", "The words", urgent=True)
    [request] = slack.taken
    assert request.path == f"/services/{'/'.join(TOKENS)}"
    said = json.dumps(json.loads(request.body))
    assert "The words" in said
    assert "Title" in said


@pytest.mark.parametrize("status", [403, 404, 500])
async def test_a_refusal_is_said_without_the_address(status: int) -> None:
    async with receiver() as slack:
        slack.answers = [status]
        with pytest.raises(NotTold) as refused:
            await tell(f"mmost://127.0.0.1:{slack.port}/{TOKENS[2]}", "Title", "Body")
    assert str(status) in str(refused.value)
    assert TOKENS[2] not in str(refused.value)


async def test_a_wrong_password_or_a_server_that_is_down_is_said_without_the_password(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("apprise").setLevel(logging.DEBUG)
    secret = "wrong-but-still-secret"
    with mail_server() as box:
        addresses = [box.address(password=secret)]
        with pytest.raises(NotTold) as wrong:
            await tell(addresses[0], "Title", "Body")
        assert box.mails == []
    down = (
        f"mailto://sara:{PASSWORD}@127.0.0.1:{free_port()}/?to=a@example.com&from=b@example.com&mode=insecure"
    )
    with pytest.raises(NotTold) as unanswered:
        await tell(down, "Title", "Body")
    printed = "".join(capfd.readouterr())
    for told in (str(wrong.value), str(unanswered.value), caplog.text, printed):
        assert secret not in told
        assert PASSWORD not in told
    assert str(wrong.value).startswith("E-Mail: ")


@pytest.mark.parametrize("address", ["", "nonsense", "https://example.com/", "slack://short", "mailto://"])
def test_what_no_service_knows_is_refused(address: str) -> None:
    with pytest.raises(AddressRefused):
        service_of(address)


@pytest.mark.parametrize(
    "address",
    [
        "json://ollama:11434/api/delete?method=DELETE&:model=llama3.1",
        "xml://169.254.169.254/latest",
        "ntfys://push.example/topic",
        "mmosts://chat.internal/token",
        "mailtos://user:pass@salone.example?smtp=10.0.0.5",
        "mailtos://user:pass@gmail.com?smtp=database:5432",
        "mailto://user:pass@localhost",
        "syslog://",
    ],
)
def test_what_could_reach_into_the_servers_network_is_entered_at_the_server(address: str) -> None:
    with pytest.raises(OnlyAtTheServer, match="sara alerts add"):
        public_service_of(address)


@pytest.mark.parametrize("address", ["", "nonsense", "https://example.com/"])
def test_what_no_service_knows_is_refused_there_too(address: str) -> None:
    with pytest.raises(AddressRefused, match="No service"):
        public_service_of(address)


def test_services_with_a_host_of_their_own_can_be_entered_by_anybody() -> None:
    assert public_service_of(f"slack://{'/'.join(TOKENS)}") == "Slack"
    assert public_service_of(f"https://hooks.slack.com/services/{'/'.join(TOKENS)}") == "Slack"
    assert public_service_of("tgram://123456789:abcdefg_hijklmnop-ABCDEFG/12315544/") == "Telegram"
    assert public_service_of("mailtos://user:pass@gmail.com") == "E-Mail"


def test_services_are_named() -> None:
    assert service_of(f"slack://{'/'.join(TOKENS)}") == "Slack"
    assert service_of("tgram://123456789:abcdefg_hijklmnop-ABCDEFG/12315544/") == "Telegram"
