"""Deterministic slot extractors, in the four languages, with the traps that look like a slot."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference import extract
from inference.extract import ServiceNames, match_service
from inference.introduced import person_name

LANGUAGES = st.sampled_from(["it", "en", "es", "pt", "pt-BR", "fr", ""])


@pytest.mark.parametrize(
    ("text", "language", "people"),
    [
        ("siamo in 4", "it", 4), ("per due persone", "it", 2), ("un tavolo per tre", "it", 3),
        ("3", "it", 3),
        ("2 adulti e 3 bambini", "it", 5), ("solo io", "it", 1), ("alle 3 di domani", "it", None),
        ("table for two", "en", 2), ("there are 3 of us", "en", 3), ("just me", "en", 1),
        ("5 people please", "en", 5),
        ("at 5", "en", None), ("we are open at 9", "en", None), ("somos cuatro", "es", 4),
        ("mesa para 6 a las 9", "es", 6), ("dos personas", "es", 2), ("somos 3", "pt", 3),
        ("duas pessoas", "pt", 2),
        ("só eu", "pt", 1), ("uma massagem de 50 minutos", "pt", None), ("100000 persone", "it", None),
    ],
)  # fmt: skip
def test_party_size(text: str, language: str, people: int | None) -> None:
    assert extract.party_size(text, language) == people


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("la mia mail è Anna.Rossi+wa@Example.IT.", "Anna.Rossi+wa@example.it"),
        ("scrivimi su anna@studio-conti.co.uk grazie", "anna@studio-conti.co.uk"),
        ("@anna su instagram", None),
        ("anna@localhost", None),
        ("", None),
    ],
)
def test_email(text: str, address: str | None) -> None:
    assert extract.email(text) == address


@pytest.mark.parametrize(
    ("text", "language", "amount"),
    [
        ("60 euro", "it", "60"), ("ho un budget di 1.150,50 €", "it", "1150.50"),
        ("€1,150.50", "en", "1150.50"),
        ("250.000 euros", "es", "250000"), ("R$ 90,00", "pt", "90.00"), ("200 mil euros", "pt", "200000"),
        ("300k €", "en", "300000"), ("sessanta euro", "it", "60"), ("1.5 €", "en", "1.5"),
        ("alle 15", "it", None),
        ("60 minuti", "it", None), ("1150€", "it", "1150"),
    ],
)  # fmt: skip
def test_money(text: str, language: str, amount: str | None) -> None:
    found = extract.money(text, language)
    assert found == (Decimal(amount) if amount else None)


@pytest.mark.parametrize(
    ("text", "language", "minutes"),
    [
        ("massaggio da 50 minuti", "it", 50), ("un'ora e mezza", "it", 90), ("due ore", "it", 120),
        ("mezz'ora", "it", 30), ("an hour and a half", "en", 90), ("half an hour", "en", 30),
        ("2 hours", "en", 120),
        ("two and a half hours", "en", 150), ("una hora y cuarto", "es", 75), ("media hora", "es", 30),
        ("1h30", "pt", 90), ("uma hora e meia", "pt", 90), ("45 min", "pt", 45),
        ("un'ora e 20 minuti", "it", 80),
        ("alle 15", "it", None), ("domani", "it", None), ("às 15h", "pt", None),
    ],
)  # fmt: skip
def test_duration(text: str, language: str, minutes: int | None) -> None:
    assert extract.duration_minutes(text, language) == minutes


@pytest.mark.parametrize(
    ("text", "language", "verdict"),
    [
        ("Sì", "it", "yes"), ("va bene, grazie!", "it", "yes"), ("confermo 👍", "it", "yes"),
        ("👍🏽", "it", "yes"),
        ("no grazie", "it", "no"), ("non va bene", "it", "no"), ("sì ma alle 5", "it", None),
        ("forse", "it", None),
        ("yes please", "en", "yes"), ("sounds good", "en", "yes"), ("not ok", "en", "no"),
        ("nope", "en", "no"),
        ("no, friday", "en", None), ("of course not", "en", "no"), ("vale, perfecto", "es", "yes"),
        ("claro que no", "es", "no"), ("sim, pode ser", "pt", "yes"), ("não, obrigada", "pt", "no"),
        ("pode marcar", "pt", "yes"), ("❌", "pt", "no"), ("", "it", None), ("👍👎", "it", None),
        ("ok", "es", "yes"),
    ],
)  # fmt: skip
def test_yes_no(text: str, language: str, verdict: str | None) -> None:
    assert extract.yes_no(text, language) == verdict


@pytest.mark.parametrize(
    ("text", "language", "dropped"),
    [
        ("lascia stare", "it", True), ("ho cambiato idea, grazie", "it", True),
        ("vorrei lasciare un messaggio", "it", False),
        ("forget it", "en", True), ("never mind", "en", True), ("don't forget my towel", "en", False),
        ("déjalo", "es", True), ("olvídalo", "es", True), ("quiero el martes", "es", False),
        ("deixa pra lá", "pt", True), ("esquece", "pt", True), ("deixar uma mensagem", "pt", False),
    ],
)  # fmt: skip
def test_cancel_words(text: str, language: str, dropped: bool) -> None:
    assert extract.cancel_words(text, language) is dropped


@pytest.mark.parametrize(
    ("text", "language", "human"),
    [
        ("vorrei parlare con un operatore", "it", True),
        ("posso parlare con una persona vera?", "it", True),
        ("mi passi qualcuno?", "it", True), ("operatore", "it", True),
        ("un massaggio per una persona", "it", False),
        ("vorrei un massaggio con una persona di nome Anna", "it", False),
        ("vorrei prenotare per una persona", "it", False),
        ("Sono incinta, vorrei parlare con una persona per un massaggio", "it", True),
        ("mi hanno parlato di una persona per le pulizie", "it", False),
        ("can I talk to someone for advice on your packages", "en", True),
        ("quiero hablar con una persona por lo de mi factura", "es", True),
        ("preciso falar com uma pessoa por causa da reserva", "pt", True),
        ("can I talk to a real person please", "en", True), ("human", "en", True),
        ("I need to speak with someone", "en", True),
        ("I'd like a massage with a person called Anna", "en", False),
        ("a table for one person", "en", False),
        ("is there a real estate agent in Lisbon?", "en", False),
        ("quiero hablar con una persona", "es", True),
        ("pásame con un agente", "es", True), ("quiero una mesa para una persona", "es", False),
        ("quero falar com atendente", "pt", True), ("posso falar com uma pessoa?", "pt", True),
        ("uma pessoa só, às 15h", "pt", False), ("quero marcar para uma pessoa", "pt", False),
    ],
)  # fmt: skip
def test_wants_person(text: str, language: str, human: bool) -> None:
    assert extract.wants_person(text, language) is human


@pytest.mark.parametrize(
    "text", ["STOP", "stop.", "Baja", "SAIR", "cancellami", "Disiscrivimi!", "UNSUBSCRIBE"]
)
def test_opt_out(text: str) -> None:
    assert extract.opt_out(text)
    assert not extract.opt_in(text)


@pytest.mark.parametrize(
    "text", ["non stop", "cancella l'appuntamento", "la baja de precio", "voglio sair amanhã", ""]
)
def test_words_inside_a_sentence_are_no_opt_out(text: str) -> None:
    assert not extract.opt_out(text)


@pytest.mark.parametrize("text", ["START", "alta", "Iscrivimi", "voltar"])
def test_opt_in(text: str) -> None:
    assert extract.opt_in(text)
    assert not extract.opt_out(text)


@pytest.mark.parametrize(
    ("text", "language", "name"),
    [
        ("Mi chiamo Anna Rossi e vorrei prenotare", "it", "Anna Rossi"), ("mi chiamo anna", "it", "Anna"),
        ("sono Marco De Luca", "it", "Marco De Luca"), ("sono interessato", "it", None),
        ("sono a Milano", "it", None),
        ("My name is John O'Neil.", "en", "John O'Neil"), ("I'm looking for a flat", "en", None),
        ("I'm Kate", "en", "Kate"),
        ("soy María del Carmen", "es", "María del Carmen"), ("me llamo José, quiero cita", "es", "José"),
        ("soy vegetariana", "es", None), ("me chamo João da Silva", "pt", "João da Silva"),
        ("sou a Inês", "pt", "Inês"),
        ("domani alle 3", "it", None),
        ("Please change my name to Anna Bianchi", "en", "Anna Bianchi"),
        ("change my name please to anna", "en", "Anna"), ("change my name please", "en", None),
        ("cambia il mio nome in Anna Bianchi", "it", "Anna Bianchi"),
        ("cambia il mio nome in rubrica", "it", None), ("cambia mi nombre por favor", "es", None),
        ("cambia mi nombre por Ana Gil", "es", "Ana Gil"), ("cambiar mi nombre a Ana Gil", "es", "Ana Gil"),
        ("Mi chiamo Marco Di Stefano", "it", "Marco Di Stefano"), ("mi chiamo Anna di Milano", "it", "Anna"),
        ("Me llamo María de la Cruz", "es", "María de la Cruz"),
        ("mi chiamo Ugo La Malfa", "it", "Ugo La Malfa"),
        ("Me llamo Ana y soy nueva", "es", "Ana"),
    ],
)  # fmt: skip
def test_person_name(text: str, language: str, name: str | None) -> None:
    assert person_name(text, language) == name


def _services() -> list[ServiceNames]:
    return [
        ServiceNames(
            "relax",
            {"it": "Massaggio rilassante", "en": "Relaxing massage"},
            {"it": ["massaggio antistress"]},
        ),
        ServiceNames("deep", {"it": "Massaggio decontratturante", "en": "Deep tissue massage"}, {}),
        ServiceNames("couple", {"it": "Massaggio di coppia", "en": "Couples massage"}, {}),
        ServiceNames(
            "facial", {"it": "Pulizia del viso", "en": "Facial cleansing"}, {"es": ["limpieza facial"]}
        ),
        ServiceNames("nails", {"it": "Manicure", "en": "Manicure"}, {"it": ["unghie"], "pt": ["unhas"]}),
    ]


@pytest.mark.parametrize(
    ("text", "language", "keys"),
    [
        ("quanto costa un massaggio rilassante?", "it", ["relax"]),
        ("vorrei un masaggio rilasante", "it", ["relax"]),
        ("a relaxing massage tomorrow", "it", ["relax"]),
        ("massaggio", "it", ["couple", "deep", "relax"]),
        ("massaggi", "it", ["couple", "deep", "relax"]),
        ("limpieza facial", "es", ["facial"]),
        ("fare le unghie", "it", ["nails"]),
        ("decontratturante", "it", ["deep"]),
        ("domani alle 3", "it", []),
        ("", "it", []),
    ],
)
def test_match_service(text: str, language: str, keys: list[str]) -> None:
    found = match_service(text, _services(), language)
    assert sorted(match.key for match in found) == keys
    assert all(0 < match.score <= 1 for match in found)


def test_a_fully_said_name_scores_higher_than_a_part_of_it() -> None:
    whole = match_service("massaggio rilassante", _services(), "it")[0].score
    part = match_service("massaggio", _services(), "it")[0].score
    assert whole == 1.0
    assert part < whole


@given(st.text(max_size=200), LANGUAGES)
def test_no_text_raises(text: str, language: str) -> None:
    people = extract.party_size(text, language)
    assert people is None or 0 < people <= 999
    minutes = extract.duration_minutes(text, language)
    assert minutes is None or minutes > 0
    amount = extract.money(text, language)
    assert amount is None or amount >= 0
    assert extract.yes_no(text, language) in ("yes", "no", None)
    assert not (extract.opt_out(text) and extract.opt_in(text))
    assert isinstance(extract.cancel_words(text, language), bool)
    assert isinstance(extract.wants_person(text, language), bool)
    assert person_name(text, language) != ""
    assert extract.email(text) is None or "@" in text
    assert {match.key for match in match_service(text, _services(), language)} <= {s.key for s in _services()}


@pytest.mark.parametrize(
    ("language", "text", "confirming"),
    [
        ("it", "lo accetto", "yes"),
        ("it", "accetto il preventivo", "yes"),
        ("it", "non lo accetto", "no"),
        ("it", "sì, ma non inviarla", None),
        ("it", "manda un altro messaggio", None),
        ("en", "I accept", "yes"),
        ("en", "don't send it", "no"),
        ("es", "sí, lo acepto", "yes"),
        ("es", "no lo acepto", "no"),
        ("pt", "aceito", "yes"),
        ("pt", "não envie", "no"),
    ],
)
def test_the_questions_own_verb_counts_only_where_it_was_asked(
    language: str, text: str, confirming: str | None
) -> None:
    assert extract.yes_no(text, language, confirming=True) == confirming
    assert extract.yes_no(text, language) is None
