"""Documents and record say the same: prices, durations, hours, closures, contacts, people."""

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

from knowledge.business_file import BusinessFile, Service, load_business, seed_documents, seed_files
from knowledge.readers.document import Document
from knowledge.readers.reading import read
from knowledge.validity import validity_of

BUSINESSES = {path.stem: load_business(path) for path in seed_files()}
DOCUMENTS = [(slug, path) for slug in BUSINESSES for path in seed_documents(slug)]
WRITTEN_ON = dt.date(2026, 11, 26)

PRICE_HEADERS = [
    ["servizio", "durata", "prezzo"],
    ["service", "duration", "price"],
    ["servicio", "duración", "precio"],
    ["serviço", "duração", "preço"],
]
HOURS_HEADERS = [
    ["giorno", "apertura", "chiusura"],
    ["día", "apertura", "cierre"],
    ["dia", "abertura", "fecho"],
]
CLOSURE_HEADERS = [["chiusura", "dal", "al"], ["cierre", "desde", "hasta"], ["encerramento", "de", "até"]]
FREE = {"gratuito", "free"}
ON_REQUEST = {"su preventivo", "on request"}
DAYS = {
    "mon": ("lunedì", "lunes", "segunda-feira"),
    "tue": ("martedì", "martes", "terça-feira"),
    "wed": ("mercoledì", "miércoles", "quarta-feira"),
    "thu": ("giovedì", "jueves", "quinta-feira"),
    "fri": ("venerdì", "viernes", "sexta-feira"),
    "sat": ("sabato", "sábado"),
    "sun": ("domenica", "domingo"),
}
MONTHS = [
    ("gennaio", "enero", "janeiro"),
    ("febbraio", "febrero", "fevereiro"),
    ("marzo", "março"),
    ("aprile", "abril"),
    ("maggio", "mayo", "maio"),
    ("giugno", "junio", "junho"),
    ("luglio", "julio", "julho"),
    ("agosto",),
    ("settembre", "septiembre", "setembro"),
    ("ottobre", "octubre", "outubro"),
    ("novembre", "noviembre", "novembro"),
    ("dicembre", "diciembre", "dezembro"),
]
# Amounts that are no service's price: vouchers, products, promotions, limits, worked examples. A price that
# changed in the record is found because the old one is not among them.
OTHER_AMOUNTS = Path(__file__).with_name("other_amounts.txt")
# (document, services sold together, promotional price, last day)
PROMOTIONS = [
    ("aurora", "promozione-inverno-lento.md", ("percorso_spa", "massaggio_rilassante"), "89.00"),
    (
        "conti",
        "promozione-pacchetto-affitto.md",
        ("redazione_locazione", "registrazione_locazione"),
        "420.00",
    ),
    ("costa-azul", "campana-vender-en-invierno.md", ("avaliacao", "fotografia"), "195.00"),
]
# What a customer must not be told any more on the day the documents were written.
OUTDATED = {
    "aurora": {"listino-2025-2026.md", "promozione-estate-leggera.docx", "avviso-ferie-estive.docx"},
    "conti": {
        "promozione-video-di-primavera.md",
        "tariffe-stagione-2025-2026.pdf",
        "avviso-chiusura-estiva-2026.html",
    },
    "costa-azul": {"precos-2025-2026.md", "promocion-verano-vacacional.md", "aviso-natal-2025.md"},
}
MONEY = re.compile(
    r"(\d{1,3}(?:\.\d{3})+(?:,\d{2})?|\d+(?:,\d{2})?)\s?€|€\s?(\d{1,3}(?:,\d{3})+(?:\.\d{2})?|\d+(?:\.\d{2})?)"
)


@dataclass(frozen=True)
class Row:
    document: str
    header: list[str]
    cells: list[str]


@cache
def document_of(path: Path) -> Document:
    return read(path.read_bytes(), path.name)


def outdated(path: Path) -> bool:
    ends = validity_of(document_of(path)).ends
    return ends is not None and ends < WRITTEN_ON


CURRENT = [(slug, path) for slug, path in DOCUMENTS if not outdated(path)]


def rows(path: Path, headers: list[list[str]]) -> Iterator[Row]:
    """Table rows that stand under one of these column names."""
    for section in document_of(path).sections:
        for block in section.blocks:
            header = [name.lower() for name, _ in block.cells]
            if any(header == known[: len(header)] for known in headers) and len(header) > 1:
                yield Row(path.name, header, [cell for _, cell in block.cells])


def amounts(text: str) -> list[Decimal]:
    found = MONEY.findall(text)
    return [
        Decimal(english.replace(",", "") or euro.replace(".", "").replace(",", "."))
        for euro, english in found
    ]


def other_amounts(slug: str) -> set[Decimal]:
    """Lines `business amount amount …`."""
    lines = (line.split() for line in OTHER_AMOUNTS.read_text().splitlines())
    return {Decimal(amount) for business, *found in lines if business == slug for amount in found}


def service_named(business: BusinessFile, name: str) -> Service:
    return next(service for service in business.services if name in service.names.values())


def expected_prices(service: Service) -> list[Decimal]:
    return [price for price in (service.price, service.price_max) if price is not None]


def written_prices(cell: str) -> list[Decimal]:
    if cell in FREE:
        return [Decimal("0.00")]
    if cell in ON_REQUEST:
        return []
    if percent := re.fullmatch(r"(\d+),(\d{2}) %", cell):
        return [Decimal(f"{percent[1]}.{percent[2]}")]
    found = amounts(cell)
    assert found, f"no price can be read in {cell!r}"
    return found


def written_date(text: str) -> dt.date:
    match = re.fullmatch(r"(\d{1,2}) (?:de )?(\w+) (?:de )?(\d{4})", text)
    assert match, f"no date can be read in {text!r}"
    month = next(number for number, names in enumerate(MONTHS, 1) if match[2] in names)
    return dt.date(int(match[3]), month, int(match[1]))


def prose(path: Path) -> str:
    document = document_of(path)
    headings = (heading for section in document.sections for heading in section.path)
    return "\n".join([document.title, *headings, document.text])


@pytest.mark.parametrize(("slug", "path"), CURRENT, ids=lambda value: getattr(value, "name", value))
def test_every_table_price_and_duration_is_the_records(slug: str, path: Path) -> None:
    business = BUSINESSES[slug]
    for row in rows(path, PRICE_HEADERS):
        name, duration, price, *_ = row.cells
        service = service_named(business, name)
        assert written_prices(price) == expected_prices(service), row
        assert ("%" in price) == (service.price_unit == "percent"), row
        minutes = None if duration == "—" else int(duration.split()[0])
        assert minutes == service.duration_minutes, row


@pytest.mark.parametrize("slug", BUSINESSES)
def test_price_lists_name_every_service_once(slug: str) -> None:
    services = sorted(service.key for service in BUSINESSES[slug].services)
    whole = {
        path.name
        for owner, path in CURRENT
        if owner == slug
        and sorted(service_named(BUSINESSES[slug], row.cells[0]).key for row in rows(path, PRICE_HEADERS))
        == services
    }
    assert len(whole) >= 2


OPENING_TIMES = [
    ("aurora", "orari-e-festivita.md", "milano"),
    ("conti", "orari-e-chiusure.md", "roma"),
    ("costa-azul", "horario-e-feriados-lisboa.md", "lisboa"),
    ("costa-azul", "horario-y-festivos-valencia.md", "valencia"),
]


def document(slug: str, name: str) -> Path:
    return next(path for path in seed_documents(slug) if path.name == name)


@pytest.mark.parametrize(("slug", "name", "location"), OPENING_TIMES)
def test_opening_times_are_the_records(slug: str, name: str, location: str) -> None:
    path, business = document(slug, name), BUSINESSES[slug]
    written = set()
    for row in rows(path, HOURS_HEADERS):
        day = next(key for key, names in DAYS.items() if row.cells[0].lower() in names)
        written.add((day, dt.time.fromisoformat(row.cells[1]), dt.time.fromisoformat(row.cells[2])))
    here = [row for row in business.hours if row.location == location]
    assert written == {(day, row.opens, row.closes) for row in here for day in row.days}


@pytest.mark.parametrize(("slug", "name", "location"), OPENING_TIMES)
def test_closures_are_the_records(slug: str, name: str, location: str) -> None:
    path, business = document(slug, name), BUSINESSES[slug]
    language = str(document_of(path).metadata.language)
    found = list(rows(path, CLOSURE_HEADERS))
    written = {(row.cells[0], written_date(row.cells[1]), written_date(row.cells[2])) for row in found}
    assert written == {
        (dict(closure.reason)[language], closure.date, closure.until or closure.date)  # type: ignore[index]
        for closure in business.closures
        if closure.location in (None, location)
    }


@pytest.mark.parametrize(("slug", "path"), CURRENT, ids=lambda value: getattr(value, "name", value))
def test_every_amount_in_prose_is_known(slug: str, path: Path) -> None:
    known = {price for service in BUSINESSES[slug].services for price in expected_prices(service)}
    assert sorted(set(amounts(prose(path))) - known - other_amounts(slug)) == []


@pytest.mark.parametrize(("slug", "path"), CURRENT, ids=lambda value: getattr(value, "name", value))
def test_every_span_of_hours_is_a_shift_or_a_lunch_break(slug: str, path: Path) -> None:
    business = BUSINESSES[slug]
    shifts = [*business.hours, *(shift for person in business.resources for shift in person.hours or ())]
    known = {(f"{row.opens:%H:%M}", f"{row.closes:%H:%M}") for row in shifts}
    known |= {
        (f"{row.closes:%H:%M}", f"{later.opens:%H:%M}")
        for row in business.hours
        for later in business.hours
        if (row.location, row.days) == (later.location, later.days) and row.closes < later.opens
    }
    spans = re.findall(r"(\d\d:\d\d)\s+(?:alle|às|a|to)\s+(?:las\s+)?(\d\d:\d\d)", prose(path))
    assert set(spans) <= known


@pytest.mark.parametrize(("slug", "name", "keys", "price"), PROMOTIONS)
def test_promotions_end_and_add_up(slug: str, name: str, keys: tuple[str, ...], price: str) -> None:
    path, business = document(slug, name), BUSINESSES[slug]
    full = sum(service.price or 0 for service in business.services if service.key in keys)
    assert validity_of(document_of(path)).ends == dt.date(2027, 1, 31)
    assert amounts(prose(path))[:2] == [Decimal(price), full]


@pytest.mark.parametrize(("slug", "path"), CURRENT, ids=lambda value: getattr(value, "name", value))
def test_contacts_are_the_records(slug: str, path: Path) -> None:
    business, text = BUSINESSES[slug], prose(path)
    assert set(re.findall(r"\+\d[\d ]{6,}\d", text)) <= {business.display_phone}
    assert set(re.findall(r"[\w.-]+@[\w-]+\.\w+", text)) <= {business.email}


@pytest.mark.parametrize("slug", BUSINESSES)
def test_every_person_is_introduced(slug: str) -> None:
    everything = " ".join(prose(path) for owner, path in CURRENT if owner == slug)
    people = [r.name.removeprefix("Avv. ") for r in BUSINESSES[slug].resources if r.kind == "person"]
    assert [name for name in people if name.lower() not in everything.lower()] == []


@pytest.mark.parametrize(("slug", "path"), DOCUMENTS, ids=lambda value: getattr(value, "name", value))
def test_documents_are_whole(slug: str, path: Path) -> None:
    document = document_of(path)
    assert 60 <= len(prose(path).split()) <= 700
    assert document.title != path.stem
    assert document.metadata.language in (None, *BUSINESSES[slug].languages)
    valid = validity_of(document)
    assert valid.starts is None or valid.ends is None or valid.starts < valid.ends


@pytest.mark.parametrize("slug", BUSINESSES)
def test_what_is_over_says_so_in_whatever_format(slug: str) -> None:
    assert {path.name for owner, path in DOCUMENTS if owner == slug and outdated(path)} == OUTDATED[slug]


@pytest.mark.parametrize("slug", BUSINESSES)
def test_each_business_keeps_what_such_a_business_has(slug: str) -> None:
    kinds = Counter(path.suffix for path in seed_documents(slug))
    assert kinds.total() == 58
    assert set(kinds) == {".md", ".html", ".pdf", ".docx", ".xlsx", ".csv"}
    assert min(kinds.values()) >= 3
    languages = {document_of(path).metadata.language for path in seed_documents(slug)}
    assert set(BUSINESSES[slug].languages) <= languages
