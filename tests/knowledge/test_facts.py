"""Price lists and opening hours as typed values: four languages, and nothing that is not certain."""

import io
from contextlib import suppress
from datetime import date, time
from decimal import Decimal
from time import monotonic

import pytest
from babel.numbers import format_currency, format_decimal
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from knowledge.facts.columns import role_of
from knowledge.facts.duration import minutes_of
from knowledge.facts.fact import Facts, ServiceFact, Unclear
from knowledge.facts.money import Price, amount_of, read_price
from knowledge.facts.reading import Stated, read_facts, spoken_in
from knowledge.facts.week import spans_of, split_line, weekdays_of
from knowledge.readers.reading import read
from knowledge.validity import Validity

TODAY = date(2026, 11, 26)
LOCALES = ("it_IT", "en_GB", "es_ES", "pt_PT", "pt_BR", "de_CH")


def stated(text: str, name: str = "list.csv", currency: str = "EUR") -> Stated:
    return read_facts(read(text.encode(), name), currency=currency, on=TODAY)


def facts(text: str, name: str = "list.csv", currency: str = "EUR") -> Facts:
    return stated(text, name, currency).facts


def services(text: str, name: str = "list.csv") -> dict[str, tuple[int | None, str]]:
    found = facts(text, name)
    assert not found.unread, found.unread
    return {fact.name: (fact.duration_minutes, shown(fact)) for fact in found.services}


def shown(fact: ServiceFact) -> str:
    if fact.on_request:
        return "on request"
    high = f"-{fact.price_max}" if fact.price_max is not None else ""
    return f"{fact.price}{high}{f' {fact.price_unit}' if fact.price_unit else ''}"


@pytest.mark.parametrize(
    ("written", "low", "high", "unit"),
    [
        ("65,00 €", "65.00", None, None),
        ("€ 1.200", "1200.00", None, None),
        ("€1,200.50", "1200.50", None, None),
        ("1.200,50 euro", "1200.50", None, None),
        ("1 200,50 €", "1200.50", None, None),
        ("65,- €", "65.00", None, None),
        ("EUR 65", "65.00", None, None),
        ("65", "65.00", None, None),
        ("da 220,00 € a 480,00 €", "220.00", "480.00", None),
        ("from €220.00 to €480.00", "220.00", "480.00", None),
        ("de 150,00 € a 320,00 €", "150.00", "320.00", None),
        ("entre 80 y 120 €", "80.00", "120.00", None),
        ("desde 80 € hasta 120 €", "80.00", "120.00", None),
        ("de 80 até 120 €", "80.00", "120.00", None),
        ("80–120 €", "80.00", "120.00", None),
        ("5,00 %", "5.00", None, "percent"),
        ("3-5 %", "3.00", "5.00", "percent"),
        ("18,00 € a persona", "18.00", None, "person"),
        ("€18 per person", "18.00", None, "person"),
        ("18 € por persona", "18.00", None, "person"),
        ("18 €/pessoa", "18.00", None, "person"),
        ("18 € p.p.", "18.00", None, "person"),
        ("150 €/h", "150.00", None, "hour"),
        ("150 € all'ora", "150.00", None, "hour"),
        ("€150 per hour", "150.00", None, "hour"),
        ("150 € por hora", "150.00", None, "hour"),
        ("150 € à hora", "150.00", None, "hour"),
        ("49,90 € al mese", "49.90", None, "month"),
        ("€49.90 per month", "49.90", None, "month"),
        ("49,90 € mensuales", "49.90", None, "month"),
        ("49,90 € por mês", "49.90", None, "month"),
        ("60 € a seduta", "60.00", None, "session"),
        ("300 € a pratica", "300.00", None, "case"),
        ("gratuito", "0.00", None, None),
        ("Free", "0.00", None, None),
        ("gratis", "0.00", None, None),
        ("Grátis", "0.00", None, None),
        ("122,00 € IVA inclusa", "122.00", None, None),
        ("122,00 € (IVA incl.)", "122.00", None, None),
    ],
)
def test_prices_as_people_write_them(written: str, low: str, high: str | None, unit: str | None) -> None:
    price = read_price(written, "EUR")
    assert (price.low, price.high, price.unit) == (Decimal(low), Decimal(high) if high else None, unit)
    assert not isinstance(price.low, float)


@pytest.mark.parametrize(
    "written",
    ["su preventivo", "On request", "price on request", "bajo presupuesto", "A consultar", "sob consulta"],
)
def test_a_price_on_request_is_none(written: str) -> None:
    assert read_price(written, "EUR") == Price(None)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("from €95", "a lowest price without a highest"),
        ("da 95,00 €", "a lowest price without a highest"),
        ("a partire da 95 €", "a lowest price without a highest"),
        ("a partir de 95 €", "a lowest price without a highest"),
        ("desde 95 €", "a lowest price without a highest"),
        ("95 €+", "a lowest price without a highest"),
        ("65 € + IVA", "without tax"),
        ("€65 plus VAT", "without tax"),
        ("65 € IVA esclusa", "without tax"),
        ("65 € sin IVA", "without tax"),
        ("£65", "kept in EUR"),
        ("$65", "kept in EUR"),
        ("65 € o 80 €", "no price"),
        ("circa 65 €", "no price"),
        ("65,00 € a notte", "the record knows prices per"),
        ("120 - 80 €", "ends below"),
        ("-5 €", "no price"),
        ("1.200.50 €", "no amount"),
        ("0.500 €", "no amount"),
        ("12.3456 €", "no amount"),
        ("120 %", "more than 100"),
        ("99.999.999.999,00 €", "more than a price"),
        ("vedi sotto", "no price"),
        ("", "no price"),
    ],
)
def test_what_is_not_certain_is_no_price(written: str, reason: str) -> None:
    with pytest.raises(Unclear, match=reason):
        read_price(written, "EUR")


def test_a_sign_stands_for_the_currencies_that_use_it() -> None:
    assert read_price("$50", "MXN").low == Decimal(50)
    assert read_price("R$ 90,00", "BRL").low == Decimal(90)
    with pytest.raises(Unclear, match="kept in BRL"):
        read_price("US$ 90", "BRL")


amounts = st.decimals(min_value=0, max_value=9_999_999, places=2)


@given(amounts, st.sampled_from(LOCALES))
def test_money_round_trips_in_every_convention(amount: Decimal, locale: str) -> None:
    assert read_price(format_currency(amount, "EUR", locale=locale), "EUR").low == amount
    assert amount_of(format_decimal(amount, format="#,##0.00", locale=locale)) == amount


@given(amounts, amounts, st.sampled_from(["da {} a {}", "from {} to {}", "entre {} y {}", "de {} até {}"]))
def test_ranges_round_trip(one: Decimal, other: Decimal, form: str) -> None:
    low, high = sorted((one, other))
    text = form.format(*(format_currency(amount, "EUR", locale="es_ES") for amount in (low, high)))
    if low == high:
        with pytest.raises(Unclear):
            read_price(text, "EUR")
    else:
        price = read_price(text, "EUR")
        assert (price.low, price.high) == (low, high)


@given(st.text(max_size=30))
def test_any_cell_is_read_or_refused(cell: str) -> None:
    for read_cell in (
        lambda: read_price(cell, "EUR"),
        lambda: minutes_of(cell),
        lambda: weekdays_of(cell),
        lambda: spans_of([cell]),
    ):
        with suppress(Unclear):
            read_cell()


@pytest.mark.parametrize("piece", ["1 ", "1.", "€1", "a1", "lun,", "da ", "1h", "10:00,"])
def test_a_very_long_cell_is_refused_at_once(piece: str) -> None:
    cell, started = piece * 50_000, monotonic()
    for read_cell in (lambda: read_price(cell, "EUR"), lambda: minutes_of(cell), lambda: weekdays_of(cell)):
        with pytest.raises(Unclear):
            read_cell()
    with suppress(Unclear):
        spans_of([cell])
    assert split_line(cell) is None
    assert monotonic() - started < 1


@pytest.mark.parametrize(
    ("written", "minutes"),
    [
        ("50 minuti", 50),
        ("50 min.", 50),
        ("50'", 50),
        ("50’", 50),
        ("1h", 60),
        ("1 h 30", 90),
        ("1h30", 90),
        ("1 h 30 min", 90),
        ("1:30 h", 90),
        ("1,5 ore", 90),
        ("90 min", 90),
        ("un'ora", 60),
        ("un'ora e mezza", 90),
        ("due ore", 120),
        ("mezz'ora", 30),
        ("half an hour", 30),
        ("an hour and a half", 90),
        ("2 hours", 120),
        ("una hora", 60),
        ("hora y media", 90),
        ("media hora", 30),
        ("uma hora e meia", 90),
        ("meia hora", 30),
        ("45 minutos", 45),
    ],
)
def test_lengths_as_people_write_them(written: str, minutes: int) -> None:
    assert minutes_of(written) == minutes


@pytest.mark.parametrize(
    "written", ["50", "30-45 min", "circa 1 h", "2 giorni", "0 min", "30 h", "1,37 h", "h"]
)
def test_a_length_that_is_not_certain_is_none(written: str) -> None:
    with pytest.raises(Unclear):
        minutes_of(written)


def test_a_column_says_what_a_bare_number_counts() -> None:
    assert minutes_of("50", "Durata (min)") == 50
    assert minutes_of("50", "Duração em minutos") == 50


@pytest.mark.parametrize(
    ("column", "role"),
    [
        *[(name, "name") for name in ("Servizio", "Trattamento", "Prodotto", "Prestazione")],
        *[(name, "name") for name in ("Service", "Treatment", "Item", "Servicio", "Tratamiento", "Producto")],
        *[(name, "name") for name in ("Serviço", "Tratamento", "Produto")],
        *[(name, "duration") for name in ("Durata", "Duration", "Duración", "Duração")],
        *[(name, "price") for name in ("Prezzo", "Costo", "Tariffa", "Importo", "Price", "Fee", "Rate")],
        *[(name, "price") for name in ("Precio", "Tarifa", "Importe", "Preço", "Valor", "50' (€)")],
        *[
            (name, "not a price")
            for name in ("Sconto", "IVA %", "IVA 22%", "Acconto", "Discounted price", "Vecchio prezzo")
        ],
        *[(name, "not a price") for name in ("Imponibile", "Prezzo netto", "Net price", "Base imponible")],
        *[(name, "code") for name in ("Codice", "Codice articolo", "Product code", "Cod. servizio", "SKU")],
        *[(name, "code") for name in ("Código", "Ref.", "Item no.", "ID", "Código do produto")],
        *[(name, "other") for name in ("Note", "Massaggi", "Giorno")],
    ],
)
def test_columns_by_their_names(column: str, role: str) -> None:
    assert role_of(column) == role


@pytest.mark.parametrize(
    "text",
    [
        "Servizio;Durata;Prezzo\nMassaggio;50 minuti;65,00 €\nSpa;—;su preventivo\n",
        "Treatment,Duration,Price\nMassaggio,50 min,€65.00\nSpa,,on request\n",
        "Tratamiento;Duración;Tarifa\nMassaggio;50 minutos;65,00 €\nSpa;-;bajo presupuesto\n",
        "Serviço;Duração;Valor\nMassaggio;50 min;65 €\nSpa;—;sob consulta\n",
        "Massaggi;Durata (min);Prezzo (€)\nMassaggio;50;65\nSpa;;su richiesta\n",
        "Massaggio;50 min;65,00 €\nSpa;;su preventivo\n",
    ],
)
def test_a_price_list_in_four_languages_and_without_column_names(text: str) -> None:
    assert services(text) == {"Massaggio": (50, "65.00"), "Spa": (None, "on request")}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Taglio;da 20,00 € a 30,00 €\nPiega;20 €\n",
            {"Taglio": (None, "20.00-30.00"), "Piega": (None, "20.00")},
        ),
        ("Trattamento;50'\nMassaggio;65 €\n", {"Massaggio (50')": (50, "65.00")}),
    ],
)
def test_what_a_reader_took_for_column_names_or_for_data(
    text: str, expected: dict[str, tuple[int | None, str]]
) -> None:
    assert services(text) == expected


def test_a_row_that_lost_cells_is_not_lined_up_by_guess() -> None:
    found = facts("Trattamento;50';80'\nMassaggio;65 €;92 €\nScrub;;42 €\n")
    assert {fact.name for fact in found.services} == {"Massaggio (50')", "Massaggio (80')"}
    assert [row.row for row in found.unread] == ["Scrub | 42 €"]


def test_markdown_and_html_tables_and_their_language() -> None:
    markdown = "---\nlanguage: it\n---\n# Listino\n\n| Servizio | Prezzo |\n|---|---|\n| Taglio | 25,00 € |\n"
    [cut] = facts(markdown, "a.md").services
    assert (cut.name, cut.price, cut.language) == ("Taglio", Decimal("25.00"), "it")
    page = "<html lang=es><table><tr><th>Servicio<th>Precio<tr><td>Corte<td>25 €</table></html>"
    [cut] = facts(page, "a.html").services
    assert (cut.name, cut.price) == ("Corte", Decimal("25.00"))
    untold = facts("Servizio;Prezzo\nTaglio;25 €\n")
    assert untold.untold
    assert spoken_in(untold, "it").services[0].language == "it"


def test_a_table_of_something_else_is_no_price_list() -> None:
    for text in (
        "Chiusura;Dal;Al\nFerie;9 agosto 2027;22 agosto 2027\n",
        "Preavviso;Costo\nMeno di 24 ore;50 %\n",
        "Quando;Importo\nAlla firma;600,00 €\n",
        "Nome;Città\nAnna;Roma\n",
        "Terraza;48 m²\nPrecio;545.000 €\nPlanta;6.ª\n",
    ):
        assert facts(text) == Facts()


def test_columns_of_prices_are_services_of_their_own() -> None:
    assert services("Trattamento;50';80'\nMassaggio;65 €;92 €\n") == {
        "Massaggio (50')": (50, "65.00"),
        "Massaggio (80')": (80, "92.00"),
    }
    assert services("Corso;Prezzo;Prezzo soci\nYoga;18 €;15 €\n") == {
        "Yoga": (None, "18.00"),
        "Yoga (soci)": (None, "15.00"),
    }
    assert services("Class,Members,Non-members\nYoga,€15,€18\n") == {
        "Yoga (Members)": (None, "15.00"),
        "Yoga (Non-members)": (None, "18.00"),
    }
    assert services("Servizio;Prezzo listino;Sconto\nTaglio;25 €;10 %\n") == {"Taglio": (None, "25.00")}


def test_two_prices_nobody_can_tell_apart_are_not_guessed() -> None:
    found = facts("Servizio;Costo;Prezzo\nTaglio;12 €;25 €\n")
    assert not found.services
    [unread] = found.unread
    assert unread.reason == (
        "«12 €»: nothing tells which of several prices this is; "
        "«25 €»: nothing tells which of several prices this is"
    )


def test_namesakes_are_told_apart_by_length_group_or_another_column() -> None:
    assert services("Servizio;Durata;Prezzo\nMassaggio;50 min;65 €\nMassaggio;80 min;92 €\n") == {
        "Massaggio (50 min)": (50, "65.00"),
        "Massaggio (80 min)": (80, "92.00"),
    }
    grouped = "# Listino\n\n## {}\n\n|Servizio|Prezzo|\n|---|---|\n|Taglio|25 €|\n"
    text = grouped.format("Uomo") + "\n## Donna\n\n|Servizio|Prezzo|\n|---|---|\n|Taglio|35 €|\n"
    assert services(text, "a.md") == {"Taglio (Uomo)": (None, "25.00"), "Taglio (Donna)": (None, "35.00")}
    assert services("Item;Destination;Price\nCourier;Spain;€38\nCourier;Brazil;€66\n") == {
        "Courier (Spain)": (None, "38.00"),
        "Courier (Brazil)": (None, "66.00"),
    }
    assert len(facts("Servizio;Prezzo\nTaglio;25 €\nTaglio;30 €\n").services) == 2


def test_a_length_behind_the_name_is_a_length() -> None:
    [fact] = facts("Servizio;Prezzo\nMassaggio rilassante 80 min;92 €\n").services
    assert (fact.base, fact.duration_minutes, fact.by_length) == ("Massaggio rilassante", 80, True)


def test_units_come_from_the_cell_the_column_or_the_heading() -> None:
    for text in (
        "Servizio;Prezzo\nSpa;38 € a persona\n",
        "Servizio;Prezzo a persona\nSpa;38 €\n",
        "Servizio;Prezzo;Unità\nSpa;38 €;a persona\n",
        "Commissione;Tariffa %\n".replace("Commissione", "Servizio") + "Spa;38\n",
    ):
        assert services(text)["Spa"][1] in ("38.00 person", "38.00 percent")
    markdown = "# L\n\n## Prezzi al mese\n\n|Servizio|Prezzo|\n|---|---|\n|Palestra|49 €|\n"
    assert services(markdown, "a.md") == {"Palestra": (None, "49.00 month")}
    [row] = facts("Servizio;Prezzo per notte\nCamera;74 €\n").unread
    assert "Prezzo per notte" in row.reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Servizio;Prezzo\nTaglio;da 25 €\n", "a lowest price without a highest"),
        ("Servizio;Prezzo\nTaglio;—\nPiega;20 €\n", "no price is written"),
        ("Servizio;Prezzo;Note\n;20 €;x2\nPiega;20 €;\n", "the row names no service"),
        ("Servizio;Prezzo;Servizio;Prezzo\nTaglio;25 €;Piega;20 €\n", "two services stand in one row"),
        ("Servizio;Prezzo\nTaglio;25 €\nSconto soci;5 %\n", "«Sconto soci» is no service"),
        ("Taglio;25 €\nPrezzo;20 €\n", "«Prezzo» is no service"),
        ("Servizio;Prezzo senza IVA\nTaglio;25 €\n", "without tax"),
        ("Taglio;25 €;30 €\nPiega;20 €;22 €\n", "one name and one price"),
        ("Service,Price (GBP)\nCut,25\nTrim,20\n", "kept in EUR"),
    ],
)
def test_rows_that_are_not_certain_are_listed_with_the_reason(text: str, reason: str) -> None:
    unread = facts(text).unread
    assert any(reason in row.reason for row in unread), unread


def test_an_unreadable_length_does_not_hide_a_price() -> None:
    found = facts("Servizio;Durata;Prezzo\nTaglio;30-45 min;25 €\n")
    assert [(fact.price, fact.duration_minutes) for fact in found.services] == [(Decimal("25.00"), None)]
    assert "«30-45 min»" in found.unread[0].reason


def test_prices_that_the_text_says_are_without_tax_are_not_taken() -> None:
    text = "# Listino\n\nTutti i prezzi sono IVA esclusa.\n\n|Servizio|Prezzo|\n|---|---|\n|Taglio|25 €|\n"
    found = facts(text, "a.md")
    assert not found.services
    assert "without tax" in found.unread[0].reason
    assert facts(text.replace("IVA esclusa", "IVA inclusa"), "a.md").services


def test_a_document_out_of_force_states_nothing() -> None:
    list_of = "# valid_{}: {}\nServizio;Prezzo\nTaglio;25 €\n"
    assert stated(list_of.format("until", "2026-11-25")) == Stated(Facts(), "valid until 2026-11-25")
    assert stated(list_of.format("from", "2026-11-27")) == Stated(Facts(), "valid from 2026-11-27")
    assert stated(list_of.format("until", "2026-11-26")).facts.services


@pytest.mark.parametrize(
    "lines",
    [
        "Codice articolo;Descrizione;Prezzo\nMAS-RIL50;Massaggio rilassante;55,00\n",
        "Product code;Product;Price\nMAS-RIL50;Massaggio rilassante;55.00\n",
        "Cod. servizio;Servizio;Prezzo\nRIL50;Massaggio rilassante;55,00\n",
        "Codice;Massaggi;Prezzo\nRIL50;Massaggio rilassante;55,00\n",
        "Servizio;Prezzo senza IVA;Prezzo con IVA\nMassaggio rilassante;45,08;55,00\n",
        "Service;Price without VAT;Price with VAT\nMassaggio rilassante;45.08;55.00\n",
        "Serviço;Preço sem IVA;Preço com IVA\nMassaggio rilassante;45,08;55,00\n",
        "Servizio;Imponibile;IVA;Totale\nMassaggio rilassante;45,08 €;9,92 €;55,00 €\n",
        "Servizio;Imponibile;IVA 22%;Totale\nMassaggio rilassante;45,08 €;9,92 €;55,00 €\n",
    ],
)
def test_codes_are_no_names_and_what_is_without_tax_no_price(lines: str) -> None:
    found = facts(lines)
    assert [(fact.name, fact.price) for fact in found.services] == [("Massaggio rilassante", Decimal(55))]
    assert not found.unread


@pytest.mark.parametrize(
    ("lines", "offered", "net"),
    [
        ("Intervento;Prezzo IVA esclusa;Costo trasferta\nCaldaia;90 €;25 €\n", {"Caldaia (trasferta)"}, "90"),
        ("Corso;Tariffa mensile + IVA;Quota iscrizione\nYoga;60 €;20 €\n", {"Yoga (iscrizione)"}, "60"),
        ("Servizio;Prezzo IVA esclusa;Prezzo soci\nTaglio;50 €;40 €\n", {"Taglio (soci)"}, "50"),
        ("Servizio;Prezzo;Prezzo soci IVA esclusa\nTaglio;50 €;40 €\n", {"Taglio"}, "40"),
    ],
)
def test_a_price_without_tax_is_not_replaced_by_one_of_something_else(
    lines: str, offered: set[str], net: str
) -> None:
    found = facts(lines)
    assert {fact.name for fact in found.services} == offered
    assert [f"«{net} €»: a column without tax" in row.reason for row in found.unread] == [True]


@pytest.mark.parametrize(
    "columns",
    ["Prezzo + IVA;Prezzo ivato", "Prezzo soci + IVA;Prezzo soci IVA inclusa", "Costo + IVA;Totale €"],
)
def test_a_price_without_tax_beside_its_twin_with_tax_goes_unmentioned(columns: str) -> None:
    found = facts(f"Servizio;{columns}\nTaglio;50 €;61 €\n")
    assert [fact.price for fact in found.services] == [Decimal(61)]
    assert not found.unread


@pytest.mark.parametrize(
    "column",
    ["Prezzo (IVA escl.)", "Preço s/IVA", "Preço s/ IVA", "Price (ex. VAT)", "Precio (IVA no incl.)",
     "Prezzo IVA 22% esclusa", "Price excl. VAT", "Prezzo (IVA non incl.)", "Preço (não incl. IVA)"],
)  # fmt: skip
def test_a_price_is_without_tax_in_short_too(column: str) -> None:
    found = facts(f"Servizio;{column}\nTaglio;50 €\n")
    assert not found.services
    assert "without tax" in found.unread[0].reason
    assert [f.price for f in facts(f"Servizio;{column};Prezzo\nTaglio;50 €;61 €\n").services] == [Decimal(61)]
    assert not facts(f"Servizio;Prezzo\nTaglio;50 € {column.removeprefix('Prezzo')}\n").services


@pytest.mark.parametrize("column", ["Prezzo IVA incl.", "Preço c/ IVA", "Preço c/IVA", "Price (inc. VAT)"])
def test_a_price_is_with_tax_in_short_too(column: str) -> None:
    for beside, net in (("", ""), (";Prezzo s/ IVA", ";50 €")):
        found = facts(f"Servizio;{column}{beside}\nTaglio;61 €{net}\n")
        assert [(fact.name, fact.price) for fact in found.services] == [("Taglio", Decimal(61))]
    members = facts(f"Servizio;{column};Prezzo soci\nTaglio;61 €;55 €\n")
    assert {fact.name for fact in members.services} == {"Taglio", "Taglio (soci)"}


@pytest.mark.parametrize(
    "lines",
    [
        "Descrizione e codice;Prezzo\nMassaggio (M01);55,00 €\n",
        "Trattamento/Cod.;Durata;Prezzo\nMassaggio;50 min;55 €\n",
        "Servicio (ref.);Precio\nMassaggio;55 €\n",
        "Codice servizio;Prezzo\nMASSAGGIO;55 €\n",
        "Codice servizio;Sede;Prezzo\nMassaggio;Milano;55 €\n",
        "Cod.;Note;Prezzo\nMassaggio;con olio caldo;55 €\n",
    ],
)
def test_a_column_of_codes_with_words_in_it_is_that_of_the_names(lines: str) -> None:
    [fact] = facts(lines).services
    assert fact.name.casefold().removesuffix(" (m01)") == "massaggio"
    assert fact.price == Decimal(55)


@pytest.mark.parametrize("column", ["Prezzo netto", "Imponibile", "Price (net of VAT)", "Precio neto"])
def test_a_net_price_alone_is_listed_and_beside_its_gross_goes_unmentioned(column: str) -> None:
    [row] = facts(f"Servizio;{column}\nTaglio;50 €\n").unread
    assert "without tax" in row.reason
    both = facts(f"Servizio;{column};Costo trasferta\nTaglio;50 €;9 €\n")
    assert ([fact.name for fact in both.services], len(both.unread)) == (["Taglio (trasferta)"], 1)
    gross = facts(f"Servizio;{column};Prezzo\nTaglio;50 €;61 €\n")
    assert ([fact.price for fact in gross.services], gross.unread) == ([Decimal(61)], ())
    weight = facts("Servizio;Peso netto;Prezzo\nMiele;500 g;8 €\n")
    assert ([fact.name for fact in weight.services], weight.unread) == (["Miele"], ())


def test_a_list_of_codes_alone_offers_nothing() -> None:
    assert facts("Codice articolo;Prezzo\nRIL50;55,00 €\n") == Facts()


def test_days_given_by_hand_count_instead_of_the_documents_own() -> None:
    lines = "# Listino\n\nValido fino al 31 agosto 2026.\n\n|Servizio|Prezzo|\n|---|---|\n|Taglio|25 €|\n"
    offer = "\n## Promozione\n\nFino al 30 settembre 2026.\n\n|Servizio|Prezzo|\n|---|---|\n|Piega|15 €|\n"
    document = read((lines + offer).encode(), "listino.md")

    def held(valid: Validity | None) -> Stated:
        return read_facts(document, currency="EUR", on=TODAY, valid=valid)

    assert held(None).not_in_force == "valid until 2026-08-31"
    assert held(Validity(date(2027, 1, 1), None)) == Stated(Facts(), "valid from 2027-01-01")
    longer = held(Validity(None, date(2026, 12, 31))).facts
    assert [service.name for service in longer.services] == ["Taglio"]
    assert [entry.reason for entry in longer.unread] == ["valid until 2026-09-30"]


def test_a_computed_price_is_what_its_cell_shows() -> None:
    book, held = Workbook(), io.BytesIO()
    for row in (["Servizio", "Prezzo"], ["Manicure", "=22.5*1.15"], ["Massaggio", 43.125]):
        book.active.append(row)
    for cell in ("B2", "B3"):
        book.active[cell].number_format = '#,##0.00 "€"'
    book.save(held)
    services = read_facts(read(held.getvalue(), "listino.xlsx"), currency="EUR", on=TODAY).facts.services
    assert [service.price for service in services] == [Decimal("25.88"), Decimal("43.13")]


def test_prices_below_an_offer_that_has_ended_are_not_read() -> None:
    table = "| Servizio | Prezzo |\n|---|---|\n| {} | 45 € |\n\n"
    found = facts(
        "# Listino\n\nTutto.\n\n## Promozione estate\n\nValida fino al 31 agosto 2026.\n\n### Viso\n\n"
        + table.format("Pulizia viso")
        + "## Offerta di maggio – fino al 31 maggio 2026\n\n"
        + table.format("Peeling")
        + "## Corpo\n\n"
        + table.format("Massaggio"),
        "listino.md",
    )
    assert [service.name for service in found.services] == ["Massaggio"]
    assert [entry.reason for entry in found.unread] == ["valid until 2026-08-31", "valid until 2026-05-31"]


@pytest.mark.parametrize(
    ("written", "days"),
    [
        ("Lunedì", (0,)),
        ("lun", (0,)),
        ("lunedì–venerdì", (0, 1, 2, 3, 4)),
        ("Mon to Fri", (0, 1, 2, 3, 4)),
        ("lunes a viernes", (0, 1, 2, 3, 4)),
        ("segunda a sexta-feira", (0, 1, 2, 3, 4)),
        ("2ª a 6ª feira", (0, 1, 2, 3, 4)),
        ("Dal martedì al sabato", (1, 2, 3, 4, 5)),
        ("sabato e domenica", (5, 6)),
        ("Tuesdays", (1,)),
        ("lun, mer, ven", (0, 2, 4)),
        ("dias úteis", (0, 1, 2, 3, 4)),
        ("todos los días", (0, 1, 2, 3, 4, 5, 6)),
    ],
)
def test_days_of_the_week(written: str, days: tuple[int, ...]) -> None:
    assert weekdays_of(written) == days


@pytest.mark.parametrize(
    ("cells", "spans"),
    [
        (["10:00", "21:00"], [(time(10), time(21))]),
        (["09:00", "13:00", "14:30", "18:30"], [(time(9), time(13)), (time(14, 30), time(18, 30))]),
        (["9:00–13:00, 14.30–18.30"], [(time(9), time(13)), (time(14, 30), time(18, 30))]),
        (["dalle 9 alle 13 e dalle 15 alle 19"], [(time(9), time(13)), (time(15), time(19))]),
        (["9am–5:30pm"], [(time(9), time(17, 30))]),
        (["9h30 – 19h"], [(time(9, 30), time(19))]),
        (["chiuso"], []),
        (["closed", "—"], []),
    ],
)
def test_spans_of_a_day(cells: list[str], spans: list[tuple[time, time]]) -> None:
    assert list(spans_of(cells)) == spans


@pytest.mark.parametrize(
    "cells", [["18:00–02:00"], ["9-5"], ["10:00"], ["10–14, 13–18"], ["su appuntamento"]]
)
def test_hours_that_are_not_certain(cells: list[str]) -> None:
    with pytest.raises(Unclear):
        spans_of(cells)


@pytest.mark.parametrize(
    "text",
    [
        "Giorno;Apertura;Chiusura\nLunedì–venerdì;10:00;21:00\nDomenica;chiuso;\n",
        "Day,Opens,Closes\nMon-Fri,10:00,21:00\nSunday,closed,\n",
        "Día;Apertura;Cierre\nLunes a viernes;10:00;21:00\nDomingo;cerrado;\n",
        "Dia;Abertura;Fecho\nSegunda a sexta;10:00;21:00\nDomingo;fechado;\n",
        "# title: Orari di apertura\nlunedì–venerdì;10:00–21:00\ndomenica;chiuso\n",
    ],
)
def test_opening_hours_in_four_languages(text: str) -> None:
    found = facts(text)
    assert not found.unread
    assert [fact.weekday for fact in found.hours] == [0, 1, 2, 3, 4, 6]
    assert found.hours[0].spans == ((time(10), time(21)),)
    assert found.hours[-1].spans == ()


def test_two_rows_of_one_day_are_two_spans_and_the_place_is_in_the_context() -> None:
    text = (
        "# Orari Lisboa\n\n|Giorno|Apertura|Chiusura|\n|-|-|-|\n|Lunedì|15:00|19:00|\n|Lunedì|9:00|13:00|\n"
    )
    [monday] = facts(text, "orari.md").hours
    assert monday.spans == ((time(9), time(13)), (time(15), time(19)))
    assert "Orari Lisboa" in monday.context
    by_place = facts("Sede;Giorno;Orario\nRoma;Lunedì;9:00-13:00\nMilano;Lunedì;10:00-14:00\n")
    assert [unread.reason for unread in by_place.unread] == [
        "nothing says that these are opening hours: put it in the heading"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "# Yoga\n\n## Lezioni\n\n|Giorno|Dalle|Alle|\n|-|-|-|\n|Lunedì|18:30|19:30|\n",
        "# Orari\n\n|Giorno|Lezione|Dalle|\n|-|-|-|\n|Lunedì|Hatha|18:30|\n",
        "# Studio\n\n|Giorno|Dalle|Alle|\n|-|-|-|\n|Lunedì|18:30|19:30|\n",
    ],
)
def test_a_week_of_something_else_is_not_opening_hours(text: str) -> None:
    found = facts(text, "a.md")
    assert not found.hours
    assert len(found.unread) == 1
