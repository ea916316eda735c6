"""Quiet hours by the country and zone of a phone number; files of consents."""

from datetime import UTC, datetime

import pytest

from crm import consent
from crm.consent import BadConsents
from crm.quiet import country_of, quiet_until

ROME = "393331112222"
SAO_PAULO = "5511987654321"
MANAUS = "5592987654321"
LONDON = "447700900123"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("wa_id", "now", "until"),
    [
        (ROME, "2026-11-26T10:00", None),
        (ROME, "2026-11-26T20:00", "2026-11-27T08:00"),  # 21 o'clock in Rome
        (ROME, "2026-11-26T07:40", "2026-11-26T08:00"),
        (ROME, "2026-11-28T21:00", "2026-11-30T08:00"),  # Saturday night: Sunday is quiet too
        (ROME, "2026-11-29T12:00", "2026-11-30T08:00"),
        (LONDON, "2026-11-29T12:00", None),  # a Sunday
        (SAO_PAULO, "2026-11-26T10:00", "2026-11-26T12:00"),
        (MANAUS, "2026-11-26T12:30", "2026-11-26T13:00"),  # an hour behind São Paulo
        (SAO_PAULO, "2026-11-26T12:30", None),
        (ROME, "2026-03-28T21:00", "2026-03-30T07:00"),  # the clocks went forward meanwhile
        ("999", "2026-11-26T20:30", "2026-11-27T08:00"),  # of nowhere: as at home
        (None, "2026-11-26T10:00", None),
    ],
)
def test_nobody_is_woken(wa_id: str | None, now: str, until: str | None) -> None:
    assert quiet_until(wa_id, at(now), home="Europe/Rome") == (at(until) if until else None)


def test_the_country_is_the_phone_s() -> None:
    assert [country_of(n) for n in (ROME, SAO_PAULO, LONDON, "12", None)] == ["IT", "BR", "GB", None, None]


def read(*lines: str) -> list[consent.Imported]:
    """A file's lines as an Italian shop enters them on a certain evening."""
    return consent.read(lines, country="IT", now=at("2026-11-26T20:00"))


def test_a_file_of_consents_is_read() -> None:
    written = ("+39 333 111 2222", "333 1112222", "0039 333 111 2222", ROME)
    rows = read(
        "phone,given_at,evidence,name",
        *(f'"{phone}",2026-03-01T10:00+01:00,paper form 17,Anna' for phone in written),
    )
    assert {(row.wa_id, row.evidence, row.name) for row in rows} == {(ROME, "paper form 17", "Anna")}
    assert len(rows) == len(written)
    assert rows[0].at == at("2026-03-01T09:00")


@pytest.mark.parametrize("short", ["33312345", "+3461234567", "1187654"])
def test_a_digit_short_is_no_number_of_another_country(short: str) -> None:
    with pytest.raises(BadConsents, match="line 2"):
        read("phone,given_at,evidence", f"{short},2026-01-01,form")


@pytest.mark.parametrize("wa_id", ["5215512345678", "+5215512345678", "551196543210"])
def test_old_numbers_of_mexico_and_brazil_are_what_the_channel_calls_them(wa_id: str) -> None:
    (row,) = read("phone,given_at,evidence", f"{wa_id},2026-01-01,form")
    assert row.wa_id == wa_id.lstrip("+")


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["phone,given_at"], "evidence"),
        (["phone,given_at,evidence", "12,2026-01-01,x"], "line 2"),
        (["phone,given_at,evidence", "555-CALL-NOW,2026-01-01,x"], "line 2"),
        (["phone,given_at,evidence", f"{ROME},2026-11-27T00:00Z,x"], "still to come"),
        (["phone,given_at,evidence", f"{ROME},yesterday,x"], "yesterday"),
        (["phone,given_at,evidence", f"{ROME},2026-01-01,x", f"{ROME},2026-01-01, "], "line 3"),
    ],
)
def test_a_proof_without_date_or_source_is_none(lines: list[str], words: str) -> None:
    with pytest.raises(BadConsents, match=words):
        read(*lines)
