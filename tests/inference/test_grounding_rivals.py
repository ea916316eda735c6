"""Small words that turn a statement round, in four languages; what only looks like one passes."""

import pytest

from inference.ground_rows import ground_row
from inference.grounding import Source, check, ruled

PASSAGES = [
    "Corso di yoga: martedì sera, 12 €. Massimo 4 persone. Si paga dopo il trattamento, con la carta.",
    "Yoga class: Tuesday evenings, £12 a lesson. Maximum 4 people. You pay after the treatment, by card.",
    "Clase de yoga: martes por la tarde. Máximo 4 personas. Se paga después del tratamiento, con tarjeta.",
    "Aula de ioga: terça à noite, 12 €. No máximo 4 pessoas. Paga-se depois do tratamento, com cartão.",
    "Il parcheggio è davanti al negozio. Sconto del 10 % per i pensionati.",
    "Si disdice fino a 24 ore prima. Sabato dalle 9 alle 13, chiusi il pomeriggio.",
]
LANGUAGES = ("it", "en", "es", "pt")


def supported(answer: str, at: int) -> bool:
    sources = [Source(str(n), text) for n, text in enumerate((PASSAGES[at], *PASSAGES[4:]))]
    return check(answer, sources, LANGUAGES[at]).supported


@pytest.mark.parametrize(
    ("answer", "at"),
    [
        ("Il corso di yoga è il martedì mattina.", 0),
        ("Servono almeno 4 persone.", 0),
        ("Si paga prima del trattamento.", 0),
        ("Il trattamento si paga in contanti.", 0),
        ("Il parcheggio è dietro il negozio.", 0),
        ("Lo sconto del 10 % è per gli studenti.", 0),
        ("The yoga class is on Tuesday mornings.", 1),
        ("You need at least 4 people.", 1),
        ("You pay before the treatment.", 1),
        ("You pay in cash after the treatment.", 1),
        ("La clase de yoga es el martes por la mañana.", 2),
        ("Hacen falta al menos 4 personas.", 2),
        ("Se paga antes del tratamiento.", 2),
        ("A aula de ioga é terça de manhã.", 3),
        ("São precisas pelo menos 4 pessoas.", 3),
        ("Paga-se antes do tratamento.", 3),
    ],
)
def test_a_rival_in_its_place_is_refused(answer: str, at: int) -> None:
    assert not supported(answer, at)


@pytest.mark.parametrize(
    ("answer", "at"),
    [
        ("Il corso di yoga è il martedì sera e costa 12 €.", 0),
        ("Possono venire al massimo 4 persone.", 0),
        ("Si paga dopo il trattamento.", 0),
        ("Può disdire almeno 24 ore prima.", 0),
        ("Il sabato mattina siamo aperti dalle 9 alle 13.", 0),
        ("The yoga class is on Tuesday evenings.", 1),
        ("You pay by card after the treatment.", 1),
        ("La clase de yoga es el martes por la tarde.", 2),
        ("No máximo 4 pessoas.", 3),
    ],
)
def test_what_the_source_says_passes(answer: str, at: int) -> None:
    assert supported(answer, at)


@pytest.mark.parametrize(
    ("answer", "passage"),
    [
        ("Sì, puoi pagare con carta di credito.", "Si paga in contanti o carta di credito."),
        ("Sì, puoi pagare con carta.", "Accettiamo contanti e carte di credito. Il pagamento è in sede."),
        ("You can pay by card.", "Payment: cash, Visa, Mastercard."),
        ("Good morning! The massage costs 65 €.", "Massage: 65 €. Evening appointments on request."),
        ("Good evening! Breakfast is included.", "Breakfast is included and served in the morning."),
        ("Buona sera, la colazione è inclusa.", "La colazione è inclusa ed è servita la mattina."),
        ("Si paga solo dopo la consegna e mai prima della consegna.", "Si paga solo dopo la consegna."),
        ("You pay after delivery, nothing before delivery.", "You pay after delivery."),
        ("Siamo di fronte alla stazione.", "Via Roma 1, fronte stazione. Parcheggio dietro l'edificio."),
        ("The group must have at least 10 people.", "Groups from 10 people. Dogs up to 10 kg."),
        ("Seniors get 10% off.", "10% off for students and people over 65."),
        ("La tinta è senza ammoniaca.", "Tinta senza ammoniaca che non rovina i capelli."),
        ("Il nostro gelato è senza latte.", "Il gelato senza latte non contiene uova."),
        ("O gelado é sem leite.", "O nosso gelado sem leite não contém ovos."),
    ],
)
def test_no_rule_of_rivals_refuses_what_is_true(answer: str, passage: str) -> None:
    _, kinds, refused = ruled(answer, [Source("1", passage)], None)
    assert not refused, kinds


@pytest.mark.parametrize(
    ("answer", "passage"),
    [
        ("Sim, temos produtos sem glúten.", "Não temos produtos sem glúten."),
        ("Sì, abbiamo dolci senza glutine.", "Non abbiamo dolci senza glutine."),
        ("We sell beer without alcohol.", "We do not sell beer without alcohol."),
    ],
)
def test_without_is_a_denial_of_its_own(answer: str, passage: str) -> None:
    assert not ground_row({"answer": answer, "passages": [passage]})["supported"]
    assert ground_row({"answer": passage, "passages": [passage]})["supported"]


@pytest.mark.parametrize("code", ["pt", "pt_BR", "PT", "pt-PT"])
def test_a_language_is_known_however_its_code_is_written(code: str) -> None:
    row = {
        "answer": "São precisas às 9h da manhã duas pessoas.",
        "passages": ["Abre às 9h."],
        "language": code,
    }
    assert ground_row(row) == ground_row({**row, "language": "pt"})


def test_a_live_fact_of_a_row_outranks_its_documents() -> None:
    passages = [{"text": "Taglio: 22 €", "trusted": True}, {"text": "Taglio: 20 €"}]
    assert not ground_row({"answer": "Il taglio costa 20 €.", "passages": passages})["supported"]
    assert ground_row({"answer": "Il taglio costa 22 €.", "passages": passages})["supported"]
