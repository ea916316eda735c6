"""`sara whatsapp connect` and `sara outbox`, against a simulated Meta over HTTP."""

from typing import Any

import pytest

from channels.messages import OutboundMessage
from sara.commands import whatsapp
from sara.local import Local

HELLO = OutboundMessage(kind="template", template="hello_world", code="en_US")


@pytest.fixture
def connected(whole: Local, monkeypatch: pytest.MonkeyPatch) -> Local:
    """The settings of the running whole, as a command would read them."""
    settings = whole.settings
    for name, value in {
        "SARA_DATABASE_URL": whole.dsn,
        "SARA_PUBLIC_URL": whole.url,
        "SARA_WHATSAPP_BASE_URL": settings.whatsapp_base_url,
        "SARA_WHATSAPP_ACCESS_TOKEN": settings.whatsapp_access_token.get_secret_value(),
        "SARA_WHATSAPP_VERIFY_TOKEN": settings.whatsapp_verify_token.get_secret_value(),
        "SARA_WHATSAPP_APP_SECRET": settings.whatsapp_app_secret.get_secret_value(),
    }.items():
        monkeypatch.setenv(name, value)
    return whole


async def connect(**options: Any) -> int:
    return await whatsapp._connect(
        "aurora", options.get("to"), HELLO, None, subscribe=options.get("subscribe", False)
    )


async def test_every_step_succeeds_and_the_template_arrives(
    connected: Local, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await connect(to="393470000001") == 0
    out = capsys.readouterr().out
    assert "FAIL" not in out
    assert [line.split()[1] for line in out.splitlines() if line.startswith("  ok")] == [
        "token",
        "number",
        "account",
        "subscribed",
        "app's",
        "webhook",
        "test",
    ]
    (seen,) = connected.simulator.sent_to("393470000001")
    assert (seen.type, seen.text) == ("template", "[hello_world]")


async def test_a_missing_subscription_is_found_and_made(
    connected: Local, capsys: pytest.CaptureFixture[str]
) -> None:
    connected.simulator.subscribed = False
    assert await connect() == 1
    assert "--subscribe" in capsys.readouterr().out
    assert await connect(subscribe=True) == 0


async def test_an_expired_token_and_a_wrong_verify_token_are_told(
    connected: Local, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SARA_WHATSAPP_ACCESS_TOKEN", "an-old-one")
    monkeypatch.setenv("SARA_WHATSAPP_VERIFY_TOKEN", "another")
    assert await connect() > 2
    out = capsys.readouterr().out
    assert "expired or revoked" in out
    assert "SARA_WHATSAPP_VERIFY_TOKEN" in out


async def test_another_apps_subscription_is_not_taken_for_ours(
    connected: Local, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connected.simulator, "subscribed", False)
    monkeypatch.setattr(connected.simulator.account, "other_apps", {"77": "Somebody Elses App"})
    assert await connect() == 1
    said = capsys.readouterr().out
    assert "app 1 does not get this account's webhooks, but Somebody Elses App (77) does" in said
    assert "--subscribe" in said
    assert await connect(subscribe=True) == 0
    assert "Simulator (1); so does Somebody Elses App (77)" in capsys.readouterr().out
    assert connected.simulator.subscribed


async def test_a_wrong_app_secret_is_found_before_a_webhook_is_refused(
    connected: Local, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for wrong, told in {
        "of-another-app": "Meta refuses SARA_WHATSAPP_APP_SECRET as that of app 1 (Simulator)",
        "": "SARA_WHATSAPP_APP_SECRET is not set",
        "sécret": "holds characters that no secret has",
    }.items():
        monkeypatch.setenv("SARA_WHATSAPP_APP_SECRET", wrong)
        assert await connect() == 1
        said = capsys.readouterr().out
        assert told in said
        assert not wrong or wrong not in said


async def test_where_meta_posts_and_which_fields(
    connected: Local, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    account = connected.simulator.account
    monkeypatch.setattr(account, "callback_url", "https://old-provider.example/hook")
    assert await connect() == 1
    assert "Meta posts to https://old-provider.example/hook instead of http" in capsys.readouterr().out
    monkeypatch.setattr(account, "callback_url", None)
    monkeypatch.setattr(account, "fields", ("messages", "account_update"))
    assert await connect() == 0
    assert "without smb_message_echoes, user_preferences" in capsys.readouterr().out
    for none in (("account_update",), ()):
        monkeypatch.setattr(account, "fields", none)
        assert await connect() == 1
        assert "does not get the field messages" in capsys.readouterr().out
