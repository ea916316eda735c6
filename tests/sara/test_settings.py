"""What is copied into settings from Meta's pages: slips that nobody sees are mended, others are told."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from sara.settings import load
from tests.sara.conftest import Cli

SECRETS = ("whatsapp_app_secret", "whatsapp_verify_token", "whatsapp_access_token")


@pytest.mark.parametrize("name", SECRETS)
def test_spaces_and_line_ends_around_a_secret_are_no_part_of_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"SARA_{name.upper()}", " abc123 \r\n")
    assert getattr(load(), name).get_secret_value() == "abc123"


@pytest.mark.parametrize("name", SECRETS)
def test_nor_are_they_in_a_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(f"SARA_{name.upper()}", raising=False)
    (tmp_path / ".env").write_text(f"SARA_{name.upper()}='abc123 '\r\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert getattr(load(), name).get_secret_value() == "abc123"


@pytest.mark.parametrize("wrong", ["EAAG one", "EAAG\u00e8", "EAAG\u200b", "EAAG\tEAAG", "EAAG\nEAAG"])
def test_an_access_token_that_fits_no_header_is_one_line_without_the_token(
    wrong: str, bare: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SARA_WHATSAPP_ACCESS_TOKEN", wrong)
    said = bare("doctor").one_line
    assert said.startswith("sara: SARA_WHATSAPP_ACCESS_TOKEN: ")
    assert "copy it again" in said
    assert "EAAG" not in said


@pytest.mark.parametrize(
    "wrong", ["sara.example.com", "192.168.1.5:8000", "https://", "//sara", "ftp://sara.example.com"]
)
def test_what_is_no_address_is_told(wrong: str, bare: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SARA_PUBLIC_URL", wrong)
    said = bare("doctor").one_line
    assert "SARA_PUBLIC_URL" in said
    assert "https" in said


@pytest.mark.parametrize(
    "right",
    ["https://sara.example.com", "http://127.0.0.1:8000", "http://192.168.1.5:8000", "http://[::1]:80"],
)
def test_an_address_of_the_world_or_of_one_s_own_network_is_fine(right: str) -> None:
    assert load(public_url=f" {right}\n").public_url == right


def test_no_address_is_none_also_where_the_line_is_there() -> None:
    assert load(public_url="").public_url is None
    with pytest.raises(ValidationError):
        load(public_url="http://")


@pytest.mark.parametrize("blank", ["", "  ", "\n"])
def test_no_server_is_none_also_where_the_line_is_there(
    blank: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("SARA_DATABASE_URL=postgresql://db.internal/sara\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SARA_DATABASE_URL", raising=False)
    monkeypatch.setenv("SARA_DATABASE_DIRECT_URL", blank)
    assert load().database_url == "postgresql://db.internal/sara"
    assert load().pooled is False
    monkeypatch.setenv("SARA_DATABASE_URL", blank)
    assert (load().database_url, load().database_direct_url) == (None, None)
