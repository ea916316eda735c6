"""Web pages as page builders, old editors and careful hands write them."""

import pytest

from knowledge.readers.document import Document
from knowledge.readers.reading import read


def page(body: str, head: str = "") -> Document:
    return read(
        f"<!doctype html><html lang=it><head>{head}</head><body>{body}</body></html>".encode(), "p.html"
    )


def blocks(document: Document) -> list[tuple[str, str]]:
    return [(block.kind, block.text) for section in document.sections for block in section.blocks]


def test_sections_in_another_language_are_marked() -> None:
    document = page(
        "<h1>Benvenuti</h1><p>Ciao</p><section lang='en-GB'><h2>Welcome</h2><p>Hello</p></section>"
        "<p>Di nuovo in italiano, <span lang=en>check-in</span> compreso</p><div lang=xyz1><p>Fine</p></div>"
    )

    assert document.metadata.language == "it"
    assert [(section.path, section.language) for section in document.sections] == [
        ((), None),
        (("Welcome",), "en"),
        (("Welcome",), None),
    ]
    assert document.sections[2].blocks[0].text == "Di nuovo in italiano, check-in compreso"


def test_definition_lists_keep_term_and_meaning_together() -> None:
    document = page(
        "<dl><dt>Anamnesi<dd>Le domande prima del trattamento.<dt>Serve il costume?<dd>Sì, sempre."
        "<div><dt>Orari</dt><dd>9–13</dd><dd>15–19</dd></div></dl>"
    )

    assert blocks(document) == [
        ("item", "- Anamnesi: Le domande prima del trattamento."),
        ("item", "- Serve il costume? Sì, sempre."),
        ("item", "- Orari: 9–13; 15–19"),
    ]


def test_answers_that_fold_out_stand_under_their_question() -> None:
    document = page(
        "<h1>Domande</h1><details><summary>Si può <b>fumare</b>?</summary><p>No.</p></details>"
        "<details open><summary>E i cani?</summary>Sì, piccoli.<ul><li>col guinzaglio</ul></details>"
        "<p>Fine</p>"
    )

    assert [(section.path, [b.text for b in section.blocks]) for section in document.sections] == [
        (("Si può fumare?",), ["No."]),
        (("E i cani?",), ["Sì, piccoli.", "- col guinzaglio"]),
        ((), ["Fine"]),
    ]


def test_tables_with_spans_and_two_rows_of_names() -> None:
    document = page(
        "<table><caption>Tariffe 2026</caption><thead>"
        "<tr><th rowspan=2>Camera<th colspan=2>Prezzo</tr><tr><th>feriale<th>festivo</tr></thead>"
        "<tr><td rowspan=2>Blu<td>80 €<td>95 €</tr><tr><td>82 €<td>97 €</tr></table>"
    )

    assert blocks(document) == [
        ("text", "Tariffe 2026"),
        ("row", "Camera: Blu | Prezzo feriale: 80 € | Prezzo festivo: 95 €"),
        ("row", "Camera: Blu | Prezzo feriale: 82 € | Prezzo festivo: 97 €"),
    ]


def test_column_names_without_th() -> None:
    document = page(
        "<table><tr><td><b>Voce</b><td><b>Chi</b><tr><td>Luce<td>ospite<tr><td>Gas<td>noi</table>"
    )

    assert blocks(document) == [("row", "Voce: Luce | Chi: ospite"), ("row", "Voce: Gas | Chi: noi")]


def test_names_with_values_are_no_column_names() -> None:
    document = page("<table><tr><td>Indirizzo<td>Via Orti 14<tr><td>Telefono<td>02 5550 1470</table>")

    assert blocks(document) == [("row", "Indirizzo | Via Orti 14"), ("row", "Telefono | 02 5550 1470")]


def test_pages_laid_out_by_tables() -> None:
    document = page(
        "<table><tr><td colspan=2><font size=5><b>Attico a Ruzafa</b></font></td></tr><tr>"
        "<td><table border=1><tr><td>Prezzo<td>545.000 €<tr><td>Piano<td>sesto</table></td>"
        "<td><p>Cucina nuova.</p><p>Niente garage.</p></td></tr></table>"
    )

    assert document.title == "Attico a Ruzafa"
    assert blocks(document) == [
        ("row", "Prezzo | 545.000 €"),
        ("row", "Piano | sesto"),
        ("text", "Cucina nuova."),
        ("text", "Niente garage."),
    ]


def test_what_page_builders_put_around_the_text_is_left_out() -> None:
    document = page(
        "<header class=site><div class=logo><a href=/>Aurora</a></div>"
        "<ul class='main-menu'><li><a href=/a>Listino</a></ul><h1>Parcheggio</h1></header>"
        "<div role=navigation><a href=/>Home</a></div>"
        "<div class='breadcrumbs'><a href=/>Home</a> &gt; <a href=/p>Parcheggio</a></div>"
        "<main><p>Due posti in cortile.</p><div style='display: none'>nascosto</div>"
        "<dialog>Iscriviti!</dialog>"
        "<div id=cookie-banner><p>Usiamo i cookie</p><button>Accetto</button></div></main>"
        "<footer><p>Via Orti 14, Milano – <a href='tel:+390255501470'>02 5550 1470</a></p>"
        "<ul><li><a href=/privacy>Privacy</a><li><a href=/note>Note legali</a></ul></footer>"
    )

    assert blocks(document) == [
        ("text", "Due posti in cortile."),
        ("text", "Via Orti 14, Milano – 02 5550 1470"),
    ]
    assert document.title == "Parcheggio"


@pytest.mark.parametrize(
    ("html", "words"),
    [
        (
            "<section id=menu class=menu><h2><a href=/primi>Primi</a></h2><ul>"
            "<li><a href=/c>Carbonara <span>12,00 €</span></a>"
            "<li><a href=/g>Gricia <span>11,00</span></a></ul>"
            "</section>",
            ["Carbonara 12,00 €", "Gricia 11,00"],
        ),
        (
            "<main class=menu><div class=menu-list><a href=/c><h3>Carbonara</h3><p>Con guanciale</p>"
            "<span>12,00 €</span></a></div></main>",
            ["Con guanciale", "12,00 €"],
        ),
        (
            "<section id=cookies><h2>Cookies</h2><table><tr><th>Item<th>Price</tr>"
            "<tr><td>Oat<td>2.20</tr><tr><td>Nut<td>2.50</tr></table></section>",
            ["Item: Oat | Price: 2.20"],
        ),
        (
            "<ul><li class='product product_cat-cookies'>Chocolate chip, sea salt</ul>",
            ["Chocolate chip"],
        ),
        ("<div class='cookies'><p>Our cookies are baked every morning.</p></div>", ["baked every morning"]),
        ("<div class=cookies><p>Fresh cookies. We accept cards.</p></div>", ["accept cards"]),
        ("<div class=cookies><p>I nostri cookie. Accettiamo carte.</p></div>", ["Accettiamo carte"]),
        ("<div class=menu><a href=/c>Carrello 0,00 €</a> <a href=/p>Carbonara € 12</a></div>", ["Carbonara"]),
        ("<div id=cookie-box class=cookie-message><p>A box of twelve: £18</p></div>", ["twelve: £18"]),
    ],
)
def test_a_menu_or_product_that_is_for_sale_is_no_navigation(html: str, words: list[str]) -> None:
    text = page(f"<h1>Da Gino</h1><p>Aperto.</p>{html}").text
    assert all(word in text for word in words), text


@pytest.mark.parametrize(
    "html",
    [
        "<div id=cookies class=banner>Usiamo i cookie <a href=/x>Accetta</a></div>",
        "<div class=cookie>This site uses cookies to help your browser. <button>OK</button></div>",
        "<div class=cookieBar>Usamos cookies. Aceptar</div>",
        "<div id=cookies-eu>Usamos cookies para mejorar su navegación.</div>",
        "<div class=menu><a href=/a>Primi</a> <a href=/b>Secondi</a></div>",
        "<ul class=menu><li><a href=/>Home</a><li><a href=/cart>Carrello / 0,00 €</a></ul>",
        "<div class=nav><a href=/>Home</a> <a href=/c>Cart $0.00</a> <a href=/c>Cart: $12.50</a></div>",
        "<ul class='main-menu menu'><li><a href=/>Home</a><li><a href=/saldi>Saldi -50%</a></ul>",
        "<div class=menu><a href=/>Home</a> <a href=/orari>Aperti 9.00-19.00</a></div>",
        "<div id=cookie-wrapper>Il sito utilizza i cookie. Continuando accetti il loro uso. <a>OK</a></div>",
        "<div id=cookieChoiceInfo class=cookie-choices-info>Usa cookie di Google. <a>OK</a></div>",
        "<div id=cookies-eu-banner>Usamos cookies propias y de terceros. <a>Aceptar</a></div>",
        "<div class=cookies-box>Cookies próprios e de terceiros. <a>Aceitar</a></div>",
        "<div class=cookies-box>We use only cookies that we need.</div>",
        "<div class=cookie-consent>Usiamo i cookie per offrirti il 100% dei servizi. Accetta</div>",
    ],
)
def test_banners_and_navigation_are_left_out(html: str) -> None:
    assert page(f"<h1>Da Gino</h1><p>Aperto.</p>{html}").text == "Aperto."


def test_a_page_about_cookies_is_no_banner() -> None:
    document = page("<section class='cookie-policy'><h1 id=cookie>Cookie</h1><p>Solo tecnici.</p></section>")

    assert blocks(document) == [("text", "Solo tecnici.")]


def test_line_breaks_items_with_paragraphs_and_links() -> None:
    document = page(
        "<p>Via Orti 14<br>20122\nMilano</p><ul><li><p>Portare il costume</p><p>e le ciabatte</p>"
        "<li>Vedi <a href='https://aurora.example/spa'>la spa</a><ol><li>prima</ol></ul>"
        "<pre>riga uno</pre>"
    )

    assert blocks(document) == [
        ("text", "Via Orti 14\n20122 Milano"),
        ("item", "- Portare il costume"),
        ("text", "e le ciabatte"),
        ("item", "- Vedi la spa (https://aurora.example/spa)"),
        ("item", "- prima"),
        ("text", "riga uno"),
    ]
