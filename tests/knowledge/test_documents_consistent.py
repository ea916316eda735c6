"""Documents and record say the same: prices, durations, hours, closures, contacts, people."""

import csv
import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml

from knowledge.business_file import BusinessFile, Service, load_business, seed_documents, seed_files

BUSINESSES = {path.stem: load_business(path) for path in seed_files()}
DOCUMENTS = [(slug, path) for slug in BUSINESSES for path in seed_documents(slug)]
PROSE = [(slug, path) for slug, path in DOCUMENTS if path.suffix != ".csv"]

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
# Amounts that are no service's price: vouchers, a spare swimsuit, promotions, limits, worked examples.
OTHER_AMOUNTS = {
    "aurora": {"15", "50", "100", "150", "89.00", "103.00"},
    "conti": {"420.00", "480.00", "1000.00"},
    "costa-azul": {"100", "195.00", "260.00", "1000.00", "750.00", "80.00"},
}
# (document, services sold together, promotional price)
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
MONEY = re.compile(r"(\d{1,3}(?:\.\d{3})*(?:,\d{2})?)\s?€|€(\d+(?:\.\d{2})?)")


@dataclass(frozen=True)
class Row:
    document: str
    header: list[str]
    cells: list[str]


class _Tables(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.cell: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        self.cell = [] if tag in ("td", "th") else self.cell

    def handle_data(self, data: str) -> None:
        if self.cell is not None:
            self.cell.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th") and self.cell is not None:
            self.rows[-1].append("".join(self.cell).strip())
            self.cell = None


def raw_rows(path: Path) -> list[list[str]]:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".csv":
        return list(csv.reader(text.splitlines(), delimiter=";"))
    if path.suffix == ".html":
        parser = _Tables()
        parser.feed(text)
        return parser.rows
    lines = [line for line in text.splitlines() if line.startswith("|") and not line.startswith("|---")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def rows(path: Path, headers: list[list[str]]) -> Iterator[Row]:
    """Rows standing under one of these headers; another header ends them."""
    header: list[str] = []
    known = [*PRICE_HEADERS, *HOURS_HEADERS, *CLOSURE_HEADERS]
    for cells in raw_rows(path):
        low = [cell.lower() for cell in cells]
        if low in known:
            header = low
        elif header in headers:
            yield Row(path.name, header, cells)


def amounts(text: str) -> list[Decimal]:
    found = MONEY.findall(text)
    return [Decimal(english or euro.replace(".", "").replace(",", ".")) for euro, english in found]


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


def front_matter(path: Path) -> dict[str, object]:
    _, head, _ = path.read_text(encoding="utf-8").split("---\n", 2)
    data: dict[str, object] = yaml.safe_load(head)
    return data


def prose(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    return re.sub(r"<[^>]+>", " ", text) if path.suffix == ".html" else text.split("---\n", 2)[2]


@pytest.mark.parametrize(("slug", "path"), DOCUMENTS, ids=lambda value: getattr(value, "name", value))
def test_every_table_price_and_duration_is_the_records(slug: str, path: Path) -> None:
    business = BUSINESSES[slug]
    found = list(rows(path, PRICE_HEADERS))
    assert found or path.suffix == ".md", f"{path.name} should hold a price table"
    for row in found:
        name, duration, price = row.cells
        service = service_named(business, name)
        assert written_prices(price) == expected_prices(service), row
        assert ("%" in price) == (service.price_unit == "percent"), row
        minutes = None if duration == "—" else int(duration.split()[0])
        assert minutes == service.duration_minutes, row


@pytest.mark.parametrize("slug", BUSINESSES)
def test_price_lists_name_every_service_once(slug: str) -> None:
    services = [service.key for service in BUSINESSES[slug].services]
    lists = [path for path in seed_documents(slug) if path.suffix == ".csv"]
    lists += [
        path for path in seed_documents(slug) if path.name.startswith(("listino.", "tariffe.", "tabela-"))
    ]
    assert len(lists) >= 2
    for path in lists:
        named = [service_named(BUSINESSES[slug], row.cells[0]).key for row in rows(path, PRICE_HEADERS)]
        assert sorted(named) == sorted(services), path.name


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
    language = str(front_matter(path)["language"])
    found = list(rows(path, CLOSURE_HEADERS))
    written = {(row.cells[0], written_date(row.cells[1]), written_date(row.cells[2])) for row in found}
    assert written == {
        (dict(closure.reason)[language], closure.date, closure.until or closure.date)  # type: ignore[index]
        for closure in business.closures
        if closure.location in (None, location)
    }


@pytest.mark.parametrize(("slug", "path"), PROSE, ids=lambda value: getattr(value, "name", value))
def test_every_amount_in_prose_is_known(slug: str, path: Path) -> None:
    known = {price for service in BUSINESSES[slug].services for price in expected_prices(service)}
    known |= {Decimal(amount) for amount in OTHER_AMOUNTS[slug]}
    assert set(amounts(prose(path))) <= known


@pytest.mark.parametrize(("slug", "path"), PROSE, ids=lambda value: getattr(value, "name", value))
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
    assert front_matter(path)["valid_until"] == dt.date(2027, 1, 31)
    assert amounts(prose(path))[:2] == [Decimal(price), full]


@pytest.mark.parametrize(("slug", "path"), PROSE, ids=lambda value: getattr(value, "name", value))
def test_contacts_are_the_records(slug: str, path: Path) -> None:
    business, text = BUSINESSES[slug], prose(path)
    assert set(re.findall(r"\+\d[\d ]{6,}\d", text)) <= {business.display_phone}
    assert set(re.findall(r"[\w.-]+@[\w-]+\.\w+", text)) <= {business.email}


@pytest.mark.parametrize("slug", BUSINESSES)
def test_every_person_is_introduced(slug: str) -> None:
    everything = " ".join(prose(path) for owner, path in PROSE if owner == slug)
    people = [r.name.removeprefix("Avv. ") for r in BUSINESSES[slug].resources if r.kind == "person"]
    assert [name for name in people if name.lower() not in everything.lower()] == []


@pytest.mark.parametrize(("slug", "path"), PROSE, ids=lambda value: getattr(value, "name", value))
def test_documents_are_whole(slug: str, path: Path) -> None:
    assert 250 <= len(prose(path).split()) <= 700
    if path.suffix == ".md":
        head = front_matter(path)
        assert set(head) <= {"title", "language", "valid_from", "valid_until"}
        assert head["title"]
        assert head["language"] in BUSINESSES[slug].languages
        starts, ends = head.get("valid_from"), head.get("valid_until")
        assert all(isinstance(day, dt.date) for day in (starts, ends) if day is not None)
        assert starts is None or ends is None or str(starts) < str(ends)
    else:
        assert re.search(r'<html lang="(it|es)">', path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("slug", BUSINESSES)
def test_each_business_keeps_several_formats(slug: str) -> None:
    suffixes = [path.suffix for path in seed_documents(slug)]
    assert {kind: suffixes.count(kind) for kind in (".html", ".csv")} == {".html": 1, ".csv": 1}
    assert suffixes.count(".md") >= 7
