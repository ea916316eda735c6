import io
from collections.abc import Sequence
from datetime import date

import pytest
from openpyxl import Workbook

from knowledge.readers.document import Block, Document, Metadata, Section
from knowledge.readers.reading import read
from knowledge.validity import (
    ALWAYS,
    Validity,
    stated,
    validity_of,
    validity_of_section,
    validity_of_sections,
)

ENDS_JANUARY = Validity(None, date(2027, 1, 31))


def _document(title: str, *texts: str, metadata: Metadata | None = None) -> Document:
    section = Section((), tuple(Block("text", text) for text in texts))
    return Document(title, metadata or Metadata(), (section,))


@pytest.mark.parametrize(
    ("text", "starts", "ends"),
    [
        ("Listino valido dal 1 settembre 2026 al 31 agosto 2027", date(2026, 9, 1), date(2027, 8, 31)),
        ("Prezzi validi fino al 31/12/2025", None, date(2025, 12, 31)),
        ("L'offerta termina il 15.09.2026", None, date(2026, 9, 15)),
        ("La promozione è valida dal 1° luglio al 15 settembre 2026", date(2026, 7, 1), date(2026, 9, 15)),
        ("Tariffe in vigore dal 1 settembre 2026", date(2026, 9, 1), None),
        ("Valid until 31 January 2027", None, date(2027, 1, 31)),
        ("This offer ends on September 30, 2026", None, date(2026, 9, 30)),
        ("Offer valid from 1st June to 31st August 2026", date(2026, 6, 1), date(2026, 8, 31)),
        ("Prices valid through 2026-08-31.", None, date(2026, 8, 31)),
        ("Oferta válida hasta el 31 de enero de 2027.", None, date(2027, 1, 31)),
        ("Tarifas vigentes del 1 de enero al 31 de diciembre de 2025", date(2025, 1, 1), date(2025, 12, 31)),
        (
            "Campaña válida entre el 1 de mayo y el 30 de septiembre de 2026",
            date(2026, 5, 1),
            date(2026, 9, 30),
        ),
        ("Promoção válida até 28 de fevereiro de 2027", None, date(2027, 2, 28)),
        ("Preçário em vigor de 1 de janeiro a 31 de outubro de 2026", date(2026, 1, 1), date(2026, 10, 31)),
        ("Preços válidos a partir de 1 de setembro de 2026", date(2026, 9, 1), None),
    ],
)
def test_what_a_text_says_of_itself(text: str, starts: date | None, ends: date | None) -> None:
    assert stated(text) == Validity(starts, ends)


@pytest.mark.parametrize(
    "text",
    [
        "Siamo aperti dal lunedì al venerdì fino alle 21:00",
        "Il buono regalo è valido fino al 31 dicembre 2027",
        "The gift voucher is valid until 31 December 2026.",
        "El bono de diez clases caduca el 30 de junio de 2027.",
        "Dal 9 al 22 agosto 2027 siamo chiusi",
        "Valido fino al 31 febbraio 2026",
        "L'offerta è pensata per chi ha poco tempo.",
        "Valid until further notice",
        "",
    ],
)
def test_what_says_nothing_of_itself(text: str) -> None:
    assert stated(text) is None


def test_a_range_under_the_heading_of_an_offer_is_when_it_holds() -> None:
    text = "Dal 16 novembre 2026 al 31 gennaio 2027, dal lunedì al giovedì, il percorso spa costa 89,00 €."
    assert stated(text) is None
    assert stated(text, "Promozione Inverno lento") == Validity(date(2026, 11, 16), date(2027, 1, 31))


def test_a_programme_is_known_before_it_begins() -> None:
    text = "Valido dal 1 dicembre 2026 al 31 marzo 2027"
    assert stated(text, "Programma degli incontri") == Validity(None, date(2027, 3, 31))
    assert stated(text, "Listino prezzi") == Validity(date(2026, 12, 1), date(2027, 3, 31))


def test_a_notice_is_over_afterwards_but_known_before() -> None:
    text = "De 3 a 23 de agosto de 2026 o escritório está fechado."
    assert stated(text, "Aviso: férias de verão") == Validity(None, date(2026, 8, 23))


def test_a_range_across_new_year_takes_the_year_before() -> None:
    assert stated("Offerta valida dal 16 novembre al 31 gennaio 2027") == Validity(
        date(2026, 11, 16), date(2027, 1, 31)
    )


def test_a_documents_own_description_comes_first() -> None:
    described = Metadata(valid_until=date(2030, 1, 1))
    document = _document("Listino", "Valido fino al 31 gennaio 2027", metadata=described)
    assert validity_of(document) == Validity(None, date(2030, 1, 1))
    assert validity_of(_document("Listino", "Valido fino al 31 gennaio 2027")) == ENDS_JANUARY


def test_it_may_stand_at_the_end() -> None:
    texts = [
        *(f"Paragrafo numero {n} su altro." for n in range(9)),
        "Offerta valida fino al 31 gennaio 2027.",
    ]
    assert validity_of(_document("Regali", *texts)) == ENDS_JANUARY


@pytest.mark.parametrize("title", ["Listino prezzi 2025", "Tarifas 2024-2025", "Price list 2024/25"])
def test_a_price_list_named_after_a_year_ends_with_it(title: str) -> None:
    assert validity_of(_document(title, "Massaggio 50 €")) == Validity(None, date(2025, 12, 31))


def test_other_titles_with_a_year_do_not_end() -> None:
    assert (
        validity_of(_document("La nostra storia dal 1998 al 2025", "Abbiamo aperto in via Orti.")) == ALWAYS
    )


def test_a_section_may_end_alone() -> None:
    offer = Section(
        ("Novità", "Promozione estate"), (Block("text", "Fino al 31 agosto 2026 sconto del 10 %."),)
    )
    rest = Section(("Novità", "Parcheggio"), (Block("text", "Il garage è in via Lamarmora."),))
    assert validity_of_section(offer) == Validity(None, date(2026, 8, 31))
    assert validity_of_section(rest) == ALWAYS


def test_two_limits_leave_the_days_on_which_both_hold() -> None:
    one, other = Validity(date(2026, 1, 1), date(2026, 12, 31)), Validity(None, date(2026, 6, 30))
    assert one.within(other) == other.within(one) == Validity(date(2026, 1, 1), date(2026, 6, 30))


def _sections(title: str, *parts: tuple[str, str]) -> Document:
    made = (Section((head,) if head else (), (Block("text", text),)) for head, text in parts)
    return Document(title, Metadata(), tuple(made))


@pytest.mark.parametrize(
    ("title", "parts"),
    [
        ("La nostra spa", (("", "Hammam e sauna."), ("Promozione estate",
        "Fino al 31 agosto 2026 sconto del 10 %."))),
        ("Listino prezzi", (("", "Massaggio 65 €"), ("", "Chiusura estiva dal 10 al 23 agosto 2026."))),
        ("Price list", (("", "Massage £60"), ("", "We are closed from 10 to 23 August 2026."))),
        ("Tarifas", (("", "Masaje 60 €"), ("Vacaciones", "Cerrado del 10 al 23 de agosto de 2026."))),
    ],
)  # fmt: skip
def test_a_part_that_ends_does_not_end_the_whole(title: str, parts: tuple[tuple[str, str], ...]) -> None:
    assert validity_of(_sections(title, *parts)) == ALWAYS


@pytest.mark.parametrize(
    ("title", "parts"),
    [
        ("Listino prezzi", (("", "Massaggio 65 €"), ("Note",
        "I prezzi sono validi fino al 31 gennaio 2027."))),
        ("Promozioni", (("", "Massaggio"), ("", "Offerta valida fino al 31 gennaio 2027."))),
        ("Price list", (("", "Massage £60"), ("Validity", "Valid until 31 January 2027."))),
    ],
)  # fmt: skip
def test_the_last_words_may_speak_of_the_whole(title: str, parts: tuple[tuple[str, str], ...]) -> None:
    assert validity_of(_sections(title, *parts)) == ENDS_JANUARY


ENDS_2025 = Validity(None, date(2025, 12, 31))
ENDS_AUGUST = Validity(None, date(2025, 8, 31))


def _days_by_path(document: Document) -> dict[tuple[str, ...], Validity]:
    paths = [section.path for section in document.sections]
    return dict(zip(paths, validity_of_sections(document), strict=True))


@pytest.mark.parametrize(
    ("heading", "ends"),
    [
        ("Promozione estate - valida fino al 31 agosto 2025", date(2025, 8, 31)),
        ("Offerta di maggio – fino al 31 maggio 2025", date(2025, 5, 31)),
        ("Summer offer – until 31 August 2025", date(2025, 8, 31)),
        ("Oferta de verano, válida hasta el 31 de agosto de 2025", date(2025, 8, 31)),
        ("Promoção de verão, válida até 31 de agosto de 2025", date(2025, 8, 31)),
    ],
)
def test_a_heading_may_say_when_what_is_below_it_ends(heading: str, ends: date) -> None:
    row = (Block("row", "Massaggio | 45 €"),)
    offer, below = Section((heading,), row), Section((heading, "Viso"), row)
    document = Document("Novità", Metadata(), (offer, below, Section(("Listino",), row)))
    assert list(_days_by_path(document).values()) == [Validity(None, ends), Validity(None, ends), ALWAYS]
    assert validity_of(document) == ALWAYS


def test_what_stands_right_under_a_heading_holds_below_its_subheadings() -> None:
    document = read(
        b"# Listino\n\nI nostri trattamenti.\n\n## Promozione estate\n\nValida fino al 31 agosto 2025.\n\n"
        b"### Viso\n\nPulizia a 39.\n\n### Corpo\n\nMassaggio a 45.\n\n## Sempre\n\nTisana gratis.\n",
        "offerte.md",
    )
    promotion = "Promozione estate"
    assert _days_by_path(document) == {
        (): ALWAYS,
        (promotion,): ENDS_AUGUST,
        (promotion, "Viso"): ENDS_AUGUST,
        (promotion, "Corpo"): ENDS_AUGUST,
        ("Sempre",): ALWAYS,
    }


def test_an_offer_told_above_subheadings_that_are_not_of_it_does_not_end_them() -> None:
    document = read(
        b"# Centro\n\nSiamo qui.\n\n## Trattamenti\n\nPromozione sul viso fino al 31 agosto 2025.\n\n"
        b"### Corpo\n\nMassaggio a 45.\n",
        "centro.md",
    )
    assert _days_by_path(document)["Trattamenti", "Corpo"] == ALWAYS


@pytest.mark.parametrize(
    "lines",
    [
        "Listino prezzi;;\nValido fino al 31 dicembre 2025;;\n",
        "Centro Aurora;;\nListino prezzi;;\nValido fino al 31 dicembre 2025;;\n",
    ],
)
def test_the_caption_of_a_table_file_may_end_the_whole(lines: str) -> None:
    table = "Servizio;Durata;Prezzo\nMassaggio;50 min;65,00\nCorpo;;\nPeeling;20 min;35,00\n"
    assert validity_of(read((lines + table).encode(), "prezzi.csv")) == ENDS_2025


def _workbook(*rows: Sequence[object]) -> bytes:
    book, held = Workbook(), io.BytesIO()
    book.active.title = "Foglio1"
    for row in rows:
        book.active.append(row)
    book.save(held)
    return held.getvalue()


@pytest.mark.parametrize(
    "rows",
    [
        [["Listino valido fino al 31/12/2025"], ["Servizio", "Prezzo"], ["Massaggio", "65 €"]],
        [["Listino"], ["Valido fino al", date(2025, 12, 31)], [], ["Servizio", "Prezzo"], ["Viso", "65 €"]],
        [["Listino"], ["Valido fino al", date(2025, 12, 31)], ["Servizio", "Prezzo"], ["Viso", "65 €"]],
        [["Valid until", "31 December 2025"], [], ["Service", "Price"], ["Massage", "65 €"]],
    ],
)
def test_a_workbooks_caption_or_labelled_cell_may_end_the_whole(rows: list[list[object]]) -> None:
    assert validity_of(read(_workbook(*rows), "listino.xlsx")) == ENDS_2025


def test_a_row_with_a_day_of_its_own_is_no_word_about_the_others() -> None:
    rows = [["Listino"], [], ["Servizio", "Note", "Fine"], ["Sconto studenti", "fino al", date(2025, 8, 31)]]
    document = read(_workbook(*rows, ["Viso", "35 €", ""]), "listino.xlsx")
    assert validity_of(document) == ALWAYS
    assert set(validity_of_sections(document)) == {ALWAYS}


PROMOTION = "Massaggio a 45 €. {} fino al 31 agosto 2025."


@pytest.mark.parametrize(
    "parts",
    [
        (
            ("Promozione di agosto", "Offerta valida fino al 31 agosto 2025: 45 €."),
            ("Listino", "65 €"),
        ),
        (("Promozione di agosto", "Valida fino al 31 agosto 2025."), ("Orari", "9-19"), ("Listino", "65 €")),
        (("", "Siamo in via Orti."), ("Promozione estate", PROMOTION.format("Questa offerta è valida"))),
        (("", "Siamo in via Orti."), ("Promozione estate", PROMOTION.format("Valida"))),
        (("", "We are in High Street."), ("Summer offer", "Cut and colour €45. Valid until 31 August 2025.")),
        (("Massaggi", "Fino al 31 agosto 2025 sconto del 10 % sui massaggi."), ("Listino", "65 €")),
    ],
)
def test_an_offer_beside_other_things_does_not_end_them(parts: tuple[tuple[str, str], ...]) -> None:
    document = _sections("Centro Aurora: listino e promozioni", *parts)
    assert validity_of(document) == ALWAYS
    offer = next(section for section in document.sections if "2025" in section.blocks[0].text)
    assert validity_of_section(offer).ends == date(2025, 8, 31) or offer.path == ("Massaggi",)


PRICES = "\n\n|Servizio|Prezzo|\n|---|---|\n|Massaggio|50 €|\n\n"


@pytest.mark.parametrize(
    "text",
    [
        f"# Listino\n\n## Prezzi estivi (validi fino al 31 agosto 2025){PRICES}## Prezzi invernali{PRICES}",
        "# Orari\n\n## Orario estivo\n\nValido fino al 31 agosto 2025.\n\n"
        "## Orario invernale\n\nValido dal 1 settembre 2025.\n",
        "# Orari\n\n## Validità orario estivo: fino al 31/08/2025\n\nLunedì 9-18\n\n## Inverno\n\n9-19\n",
        f"# Listino lido\n\n## Tariffe ombrelloni valide fino al 31/08/2025{PRICES}## Ristorante{PRICES}",
        f"# Studio\n\n## Orario estivo\n\nQuesto orario è valido fino al 31/08/2025.\n\n## Listino{PRICES}",
        f"# Listino\n\n## Novità\n\nValido fino al 31/08/2025: 2x1 sui massaggi.\n\n## Listino{PRICES}",
        f"# Listino\n\n## Viso{PRICES}## Pacchetto estate\n\n2 per 80 €.\n\nValido fino al 31/08/2025.\n",
        f"# Listino\n\n## Viso\n\nPrezzi validi fino al 31 agosto 2025.{PRICES}## Prezzi invernali{PRICES}",
        f"# Listino\n\n## Viso{PRICES}## Corpo\n\nPrezzi validi fino al 31 agosto 2025.{PRICES}",
        f"# Price list\n\n## Winter{PRICES}## Summer\n\nPrices valid until 31 August 2025.{PRICES}",
    ],
)
def test_the_days_of_one_section_are_in_doubt_its_own(text: str) -> None:
    document = read(text.encode(), "listino.md")
    assert validity_of(document) == ALWAYS
    assert [days.ends for days in validity_of_sections(document)].count(date(2025, 8, 31)) == 1
    page = "<title>Lido</title><h1>Noi</h1><h2>Estate: prezzi validi fino al 31/08/2025</h2>a<h2>Bar</h2>b"
    assert validity_of(read(page.encode(), "listino.html")) == ALWAYS


TABLE = "\n\n|Servizio|Prezzo|Validità|\n|---|---|---|\n"


@pytest.mark.parametrize(
    "text",
    [
        f"# Listino\n\n## Prezzi{TABLE}|Massaggio|50 €|prezzo valido fino al 31/08/2025|\n|Viso|40 €||\n",
        f"# Offerte{TABLE}|Massaggio|50 €|fino al 31/08/2025|\n|Viso|40 €|fino al 31/12/2025|\n",
        f"# Listino{TABLE}|Viso|50 €|valido fino al 31/08/2025|\n|Corpo|40 €|valido fino al 31/12/2025|\n",
        f"# Listino{TABLE}|Massaggio||prezzo valido fino al 31/08/2025|\n|Viso|40 €||\n",
        f"# Offerte{TABLE}|Massaggio a 50 € fino al 31/08/2025|||\n|Viso|40 €||\n",
    ],
)
def test_a_row_about_one_price_speaks_for_itself_alone(text: str) -> None:
    document = read(text.encode(), "listino.md")
    assert validity_of(document) == ALWAYS
    assert set(validity_of_sections(document)) == {ALWAYS}


@pytest.mark.parametrize(
    "row", ["Valido fino al|31/08/2025", "Validità|fino al 31/08/2025", "Prezzi|validi fino al 31/08/2025"]
)
def test_a_row_of_a_label_and_its_day_speaks_of_the_whole(row: str) -> None:
    text = f"# Listino\n\n|Voce|Valore|\n|---|---|\n|{row}|\n|Massaggio|50 €|\n"
    assert validity_of(read(text.encode(), "listino.md")) == ENDS_AUGUST


def test_one_promotions_conditions_do_not_end_the_list() -> None:
    promotion = (
        "## Promozione estate\n\nSconto 20%.\n\n## Condizioni della promozione\n\nValida {} 31 agosto 2025.\n"
    )
    for days in ("fino al", "dal 1 giugno al"):
        text = f"# Listino prezzi\n\n## Trattamenti{PRICES}{promotion.format(days)}"
        assert validity_of(read(text.encode(), "listino.md")) == ALWAYS
    under = f"# Listino{PRICES}## {{}}\n\nValidi fino al 31 agosto 2025.\n"
    for heading in ("Condizioni della promozione", "Prezzi estivi"):
        assert validity_of(read(under.format(heading).encode(), "listino.md")) == ALWAYS
    named = f"# Listino{PRICES}## Condizioni\n\nPromozione estate: validità fino al 31 agosto 2025.\n"
    assert validity_of(read(named.encode(), "listino.md")) == ALWAYS
    assert validity_of(read(under.format("Condizioni").encode(), "listino.md")) == ENDS_AUGUST


@pytest.mark.parametrize(
    "end",
    [
        "## Corpo\n\n65 €\n\nIl presente listino è valido fino al 31 agosto 2025.",
        "## Note\n\nPrezzi validi fino al 31 agosto 2025.",
        "## Condizioni generali\n\nI prezzi sono validi fino al 31 agosto 2025.",
    ],
)
def test_a_closing_word_about_the_list_ends_it(end: str) -> None:
    assert validity_of(read(f"# Listino\n\n## Viso{PRICES}{end}\n".encode(), "listino.md")) == ENDS_AUGUST


@pytest.mark.parametrize(
    "text",
    [
        f"# Promozione\n\n## Prezzi scontati{PRICES}## Durata dell'offerta\n\nValida fino al 31/08/2025.\n",
        f"# Promozione estate\n\n## Prezzi scontati{PRICES}## Quando\n\nValida fino al 31/08/2025.\n",
        f"# Promozione estate\n\n## Sconto 20%\n\nOfferta valida fino al 31/08/2025.\n\n## Prezzi{PRICES}",
        f"# Promozione estate\n\n## Viso{PRICES}## Quando\n\nOfferta valida fino al 31/08/2025.\n",
        f"# Summer offer\n\n## The offer\n\nValid until 31 August 2025.\n\n## Treatments{PRICES}",
        f"# Oferta de verano\n\n## Duración\n\nVálida hasta el 31/08/2025.\n\n## Cara{PRICES}",
    ],
)
def test_an_offers_own_leaflet_ends_with_it(text: str) -> None:
    assert validity_of(read(text.encode(), "volantino.md")) == ENDS_AUGUST


@pytest.mark.parametrize(
    "text",
    [
        "# Offerta\n\n## Offerta viso\n\nValida fino al 31/08/2025.\n\n## Offerta corpo\n\nSempre.\n",
        "# Promozioni\n\n## Promo viso\n\nValida fino al 31/08/2025.\n\n## Corpo\n\nMassaggio 45 €\n",
        "# Offerta estate\n\n## Viso\n\n39 €\n\n## Orario estivo\n\nValido fino al 31/08/2025.\n",
    ],
)
def test_one_of_several_offers_does_not_end_their_page(text: str) -> None:
    assert validity_of(read(text.encode(), "volantino.md")) == ALWAYS


def test_a_sheet_of_offers_does_not_end_the_workbook() -> None:
    book, held = Workbook(), io.BytesIO()
    book.active.title = "Promo"
    for row in (
        ["Promozione"],
        ["Valida fino al 31/08/2025."],
        ["Servizio", "Prezzo"],
        ["Massaggio", "45 €"],
    ):
        book.active.append(row)
    prices = book.create_sheet("Listino")
    for row in (["Servizio", "Prezzo"], ["Massaggio", "65 €"]):
        prices.append(row)
    book.save(held)
    document = read(held.getvalue(), "centro.xlsx")
    assert validity_of(document) == ALWAYS
    assert list(_days_by_path(document).values()) == [ENDS_AUGUST, ALWAYS]


@pytest.mark.parametrize(
    ("title", "parts"),
    [
        (
            "Listino",
            (("Listino viso", "Valido fino al 31 agosto 2025."), ("Listino corpo", "Massaggio 65 €")),
        ),
        ("Listino", (("Validità", "I prezzi sono validi fino al 31 agosto 2025."), ("Viso", "65 €"))),
        ("Novità", (("Promozione", "Valida fino al 31 agosto 2025."),)),
        ("Promozione", (("Viso", "39 €"), ("Condizioni della promozione", "Valida fino al 31 agosto 2025."))),
    ],
)
def test_a_price_list_or_an_offer_alone_ends_with_its_first_or_last_words(
    title: str, parts: tuple[tuple[str, str], ...]
) -> None:
    assert validity_of(_sections(title, *parts)) == ENDS_AUGUST


@pytest.mark.parametrize(
    ("name", "year"),
    [
        ("Listino_2025-26.csv", 2026),
        ("Listino 2025-2026.csv", 2026),
        ("Listino 2025_26.csv", 2026),
        ("Listino 2025.csv", 2025),
        ("Listino 2025-12.csv", 2025),
        ("Listino 2025 30 trattamenti.csv", 2025),
    ],
)
def test_a_season_in_a_files_name_ends_with_its_second_year(name: str, year: int) -> None:
    document = read("Servizio;Prezzo\nCorso di nuoto;65,00 €\n".encode(), name)
    assert validity_of(document) == Validity(None, date(year, 12, 31))


def test_lists_with_days_of_their_own_end_one_by_one() -> None:
    book, held = Workbook(), io.BytesIO()
    for title, until in (("Estate", "31/08/2025"), ("Inverno", "31/12/2025")):
        sheet = book.create_sheet(title)
        for row in ([f"Listino valido fino al {until}"], ["Servizio", "Prezzo"], ["Massaggio", "45 €"]):
            sheet.append(row)
    book.save(held)
    document = read(held.getvalue(), "centro.xlsx")
    assert validity_of(document) == ALWAYS
    assert validity_of_sections(document) == (ENDS_AUGUST, ENDS_2025)


def test_a_heading_over_everything_is_as_good_as_the_title() -> None:
    page = (
        "<!doctype html><html><head><title>Avviso: chiusura estiva</title></head><body><h1>Chiusura</h1>"
        "<p>Avviso valido dal 1 al 31 agosto 2025.</p><h2>Prima</h2><p>Ritiri entro luglio.</p></body></html>"
    )
    assert validity_of(read(page.encode(), "avviso.html")) == ENDS_AUGUST
