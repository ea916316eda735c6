"""The business files load, and a wrong one names its line and what to write instead."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import ValidationError

from knowledge.business_file import (
    LANGUAGES,
    BusinessFile,
    BusinessFileError,
    load_business,
    seed_documents,
    seed_files,
)


def seed(slug: str) -> Path:
    return next(path for path in seed_files() if path.stem == slug)


def service_price(business: BusinessFile, key: str) -> Decimal | None:
    return next(service.price for service in business.services if service.key == key)


def broken(tmp_path: Path, slug: str, old: str, new: str) -> tuple[Path, str]:
    """A copy of a seed file with one change; the change must apply exactly where it is meant to."""
    text = seed(slug).read_text(encoding="utf-8")
    assert old in text
    changed = text.replace(old, new, 1)
    path = tmp_path / f"{slug}.yaml"
    path.write_text(changed, encoding="utf-8")
    return path, changed


def test_three_seeds_with_their_numbers() -> None:
    numbers = {b.slug: (b.phone_number_id, b.languages, b.vertical) for b in map(load_business, seed_files())}
    assert numbers == {
        "aurora": ("1001", ("it", "en"), "wellness"),
        "conti": ("1002", ("it", "en"), "legal"),
        "costa-azul": ("1003", ("pt", "es", "en"), "real_estate"),
    }


@pytest.mark.parametrize("path", seed_files(), ids=lambda path: path.stem)
def test_every_seed_is_complete(path: Path) -> None:
    business = load_business(path)
    assert business.slug == path.stem
    assert 8 <= len(business.services) <= 16
    assert all(service.names[language] for service in business.services for language in LANGUAGES)
    assert any(service.bookable for service in business.services)
    assert any(service.quotable and service.price is None for service in business.services) or any(
        service.price_max for service in business.services
    )
    assert {agent.role for agent in business.agents} >= {"agent", "admin"}
    assert len(seed_documents(business.slug)) >= 9


def test_values_are_exact() -> None:
    aurora = load_business(seed("aurora"))
    assert service_price(aurora, "massaggio_rilassante") == Decimal("65.00")
    sunday = next(row for row in aurora.hours if "sun" in row.days)
    assert (sunday.opens, sunday.closes) == (dt.time(10), dt.time(16))
    assert aurora.closures[0].until == dt.date(2026, 12, 26)
    costa = load_business(seed("costa-azul"))
    assert {place.key: place.time_zone for place in costa.locations} == {
        "lisboa": "Europe/Lisbon",
        "valencia": "Europe/Madrid",
    }


def test_a_business_cannot_be_changed_after_loading() -> None:
    business = load_business(seed("conti"))
    with pytest.raises(ValidationError, match="frozen"):
        business.services[0].price = Decimal("1.00")  # type: ignore[misc]


def test_unquoted_clock_and_price_keep_their_meaning(tmp_path: Path) -> None:
    """YAML 1.1 would read 20:00 as 1200 and 65.10 as a binary float."""
    path, _ = broken(tmp_path, "aurora", 'closes: "20:00"', "closes: 20:00")
    assert next(row for row in load_business(path).hours if "sat" in row.days).closes == dt.time(20)
    path, _ = broken(tmp_path, "aurora", 'price: "65.00"', "price: 65.10")
    assert service_price(load_business(path), "massaggio_rilassante") == Decimal("65.10")


@pytest.mark.parametrize(
    ("slug", "old", "new", "reason"),
    [
        ("aurora", 'phone_number_id: "1001"', "phone_number_id: 1001", "in quotes"),
        ("aurora", 'display_phone: "+39 02 5550 1470"', 'display_phone: "02 5550 1470"', "country code"),
        ("aurora", "time_zone: Europe/Rome", "time_zone: Europe/Milan", "IANA name"),
        ("aurora", "country: IT", "country: Italia", "two capital letters"),
        ("aurora", "currency: EUR", "currency: euro", "three capital letters"),
        ("aurora", "vertical: wellness", "vertical: welness", "'wellness'"),
        ("aurora", "languages: [it, en]", "languages: [it, de]", "'it', 'en', 'es' or 'pt'"),
        ("aurora", "languages: [it, en]", "languages: [it, it]", "`it` is already used"),
        ("aurora", 'price: "65.00"', "price: 65,00", "a dot and two digits"),
        ("aurora", 'price: "65.00"', 'price: "-65.00"', "a dot and two digits"),
        ("aurora", 'price: "65.00"', 'price: "65"', "a dot and two digits"),
        ("aurora", "price_unit: session", "price_unit: sitting", "'session'"),
        ("aurora", "duration_minutes: 50", 'duration_minutes: "50"', "valid integer"),
        ("aurora", "capacity: 12", "capacity: 0", "greater than or equal to 1"),
        ("aurora", "bookable: true", "bookable: yes", "valid boolean"),
        ("aurora", "lead_time_minutes: 120", "lead_time: 120", "not a key of a business file"),
        ("aurora", "cancel_notice_hours: 24", "nps_every_days: 3\ncancel_notice_hours: 24", "equal to 7"),
        ("aurora", "slug: aurora", "slug: Aurora Milano", "small letters"),
        ("aurora", "slug: aurora", "slug: a", "2 to 41"),
        ("aurora", "country: IT", "country: UK", "IT or GB"),
        ("aurora", "- date: 2026-12-25", "- date: 25/12/2026", "year-month-day"),
        ("aurora", "cancel_notice_hours: 24", "lead_time_minutes: 24", "written twice"),
        (
            "aurora",
            "agents:\n",
            "sensitive: {thresholds: {medical: 6}}\nagents:\n",
            "less than or equal to 1",
        ),
        ("aurora", "agents:\n", "sensitive: {thresholds: {medicine: 0.6}}\nagents:\n", "'medical'"),
        ("conti", "  - key: segreteria\n", "  - key: marta_salvi\n", "`marta_salvi` is already used"),
        ("conti", "    skills: [consegna_documenti]", "    skills: [consegne]", "`consegne` is not defined"),
        ("conti", 'days: [fri], opens: "14:30"', 'days: [fri], opens: "18:30"', "later than `opens`"),
        ("conti", 'days: [fri], opens: "14:30"', 'days: [fri], opens: "12:30"', "overlaps"),
        ("conti", "{location: roma, days: [fri]", "{location: rome, days: [fri]", "`rome` is not defined"),
        ("conti", "role: supervisor", "role: boss", "'supervisor'"),
        ("conti", "email: segreteria@studioconti.example", "email: segreteria", "write an address"),
        ("conti", "website: https://studioconti.example", "website: studioconti.example", "https://"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, slug: str, old: str, new: str, reason: str) -> None:
    path, text = broken(tmp_path, slug, old, new)
    with pytest.raises(BusinessFileError) as caught:
        load_business(path)
    assert reason in caught.value.reason
    assert new.strip().splitlines()[0] in text.splitlines()[caught.value.line - 1]
    assert str(caught.value) == f"{path}:{caught.value.line}: {caught.value.reason}"


@pytest.mark.parametrize(
    ("slug", "old", "new", "line_holds", "reason"),
    [
        ("aurora", "name: Aurora Centro Benessere\n", "", "slug: aurora", "`name` is missing"),
        ("aurora", "it: Percorso spa, en: Spa circuit, es: Circuito spa", "it: Percorso spa, en: Spa circuit",
         "key: percorso_spa", "lacks es"),
        ("aurora", "    skills: [percorso_spa]", "    skills: [scrub_sale]", "key: percorso_spa",
         "nobody at milano has the skill"),
        ("aurora", "    duration_minutes: 120\n", "    duration_minutes: null\n", "key: percorso_spa",
         "needs `duration_minutes`"),
        ("aurora", '    price: null\n    price_unit: case\n    bookable: false\n    quotable: true',
         '    price: null\n    price_unit: case\n    bookable: false\n    quotable: false',
         "key: evento_privato", "must be `quotable` or `bookable`"),
        ("aurora", "it: [scrub corpo, peeling corpo]", "it: [scrub corpo, hot stone]", "key: scrub_sale",
         "also names `pietre_calde`"),
        ("aurora", 'days: [sun], opens: "10:00", closes: "16:00"}\n  - key: elena',
         'days: [sun], opens: "10:00", closes: "18:00"}\n  - key: elena', 'closes: "18:00"}',
         "not open all this time on sun"),
        ("aurora", "    until: 2026-12-26", "    until: 2026-12-24", "date: 2026-12-25", "`until` is before"),
        ("aurora", "reason: {it: Capodanno, en: New Year's Day}", "reason: {it: Capodanno}",
         "{it: Capodanno}", "lacks en"),
        ("aurora", "time_zone: Europe/Rome", "time_zone: Europe/Lisbon", "time_zone: Europe/Lisbon",
         "none of its locations is there: write Europe/Rome"),
        ("conti", 'price_max: "480.00"', 'price_max: "180.00"', "key: revisione_contratto", "`price_max` is"),
        ("costa-azul", 'price: "75.00"', 'price: "175.00"', "key: procura_inquilino", "at most 100.00"),
    ],
)  # fmt: skip
def test_parts_that_disagree_are_named(
    tmp_path: Path, slug: str, old: str, new: str, line_holds: str, reason: str
) -> None:
    path, text = broken(tmp_path, slug, old, new)
    with pytest.raises(BusinessFileError) as caught:
        load_business(path)
    assert reason in caught.value.reason
    assert line_holds in text.splitlines()[caught.value.line - 1]


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        (b"", 1, "`key: value`"),
        (b"- slug: aurora\n", 1, "`key: value`"),
        (b"slug: aurora\nname: [unclosed\nvertical: wellness\n", 3, "not valid YAML"),
        (b"slug: aurora\n\tname: tab\n", 2, "not valid YAML"),
        (b"slug: \xff\xfe\n", 1, "UTF-8"),
        (b"slug: aurora\nname: \x00\n", 1, "not valid YAML"),
        (b"slug: &a aurora\nname: *a\n", 1, "anchors"),
        (b"slug: &a [*a]\n", 1, "anchors"),
        (b"slug: " + b"[" * 2_000, 1, "not valid YAML"),
        (b"slug: aurora\nslug: conti\n", 2, "written twice"),
    ],
)
def test_what_is_not_a_business_file(tmp_path: Path, content: bytes, line: int, reason: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_bytes(content)
    with pytest.raises(BusinessFileError) as caught:
        load_business(path)
    assert (caught.value.line, reason in caught.value.reason) == (line, True)


def test_a_missing_file_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(BusinessFileError, match="cannot be read"):
        load_business(tmp_path / "nowhere.yaml")


def test_losing_any_line_is_either_harmless_or_explained(tmp_path: Path) -> None:
    lines = seed("conti").read_text(encoding="utf-8").splitlines(keepends=True)
    path = tmp_path / "conti.yaml"
    refusals: list[BusinessFileError] = []
    for lost in range(0, len(lines), 19):
        path.write_text("".join(lines[:lost] + lines[lost + 1 :]), encoding="utf-8")
        try:
            load_business(path)
        except BusinessFileError as error:
            refusals.append(error)
    assert refusals
    assert all(1 <= error.line <= len(lines) and error.reason for error in refusals)
