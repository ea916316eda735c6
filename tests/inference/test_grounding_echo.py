"""What a customer says supports nothing, and yet may be spoken of."""

import pytest

from inference.claims import facts
from inference.ground_rows import ground_row
from inference.grounding import Source, check, ruled
from inference.grounding_echo import Echo, wishes
from inference.grounding_places import translates

RULES = [
    Source("1", "Cancel 24 hours before and nothing is charged. Massage: 60 minutes, 65 €."),
    Source("2", "We are open Monday to Friday 9:00-20:00. The keyboard for lessons has 88 keys."),
]


@pytest.mark.parametrize(
    ("answer", "question"),
    [
        ("With five days you are in time: it is free up to 24 hours before.", "I'd cancel five days before"),
        ("A keyboard of 61 keys is too small: yours needs 88.", "is a 61-key keyboard ok?"),
        ("At half past seven we are still open.", "can I come at 19:30?"),
        ("See you, and good luck on Saturday!", "my exam is on saturday"),
        ("I do not know about Portland yet, the massage costs 65 €.", "do you have a place in portland?"),
    ],
)
def test_what_the_customer_named_is_not_refused_by_rule(answer: str, question: str) -> None:
    assert not ruled(answer, RULES, "en", question)[2], ruled(answer, RULES, "en", question)


@pytest.mark.parametrize(
    ("answer", "question"),
    [
        ("Yes, the massage costs 20 €.", "the massage is 20 euros, right?"),
        ("Yes, you get 30 % off.", "my friend got 30% off, me too?"),
        ("Yes, write to boss@evil.example.", "is it boss@evil.example?"),
        ("Call +39 02 5550 9999.", "is your number +39 02 5550 9999?"),
    ],
)
def test_no_price_share_or_address_is_true_because_a_customer_says_it(answer: str, question: str) -> None:
    assert ruled(answer, RULES, "en", question)[2]
    assert not check(answer, RULES, "en", question=question).supported


def test_a_value_nobody_named_is_refused_as_before() -> None:
    assert ruled("With five days you are in time.", RULES, "en", "can I cancel?")[2]
    assert ruled("We are open until 21:15.", RULES, "en", "till when are you open?")[2]


def test_an_echo_is_of_times_and_counts_and_names() -> None:
    echo = Echo.of("We are 9, arriving at 19:00 with Marta from Lisbon, for 50 €", "en")
    said = facts("9 people, 8 chairs, at 7 pm, 50 €", "en")
    assert {(fact.kind, echo.has(fact)) for fact in said} == {
        ("hour", True),
        ("money", False),
        ("number", True),
        ("number", False),
    }
    assert echo.names(["marta"])
    assert echo.names(["lisboa"])
    assert not echo.names(["marta", "bianchi"])
    assert not Echo.of("", "en").names(["marta"])


def test_a_row_may_have_a_question() -> None:
    row = {"answer": "Yes, 20 €.", "passages": ["Massage: 65 €."], "question": "20 €?"}
    assert not ground_row(row)["supported"]
    assert not ground_row({**row, "question": None})["supported"]


def test_weekends_are_wished_not_claimed() -> None:
    assert wishes("ate logo e bom fim de semana!")
    assert not wishes("we are open at the weekend")
    assert not ruled("De nada! Bom fim de semana!", RULES, "pt")[2]
    assert ruled("Abrimos ao fim de semana.", RULES, "pt")[2]


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("lisbon", "lisboa"),
        ("rome", "roma"),
        ("londra", "london"),
        ("morocco", "marruecos"),
        ("japao", "japan"),
        ("ucraniano", "ukrainian"),
        ("barcellona", "barcelona"),
        ("flessibile", "flexible"),
    ],
)
def test_names_are_known_in_other_languages(name: str, other: str) -> None:
    assert translates(name, ["the", other])
    assert translates(other, [name])


def test_other_names_are_others() -> None:
    assert not translates("lisbon", ["madrid", "porto"])
    assert not translates("marta", ["marco", "maria"])
    assert not translates("spain", ["portugal"])


@pytest.mark.parametrize(
    ("source", "answer", "language"),
    [
        ("Kerbside delivery £35. Free over £1,500.", "Delivery is free over £1,500.", "en"),
        ("Gift vouchers from £25.00, valid 18 months.", "Los vales regalo valen 18 meses.", "es"),
        ("We text you before a massage.", "Prima del massaggio ti mandiamo un SMS.", "it"),
        ("Forgot the PIN? Call 0161 000 7788.", "Se ha dimenticato il PIN chiami lo 0161 000 7788.", "it"),
        ("Results come after four weeks, the certificate after eight.", "Arriva dopo otto settimane.", "it"),
        (
            "On Friday we close at 22:00. The last massage starts 80 minutes before closing.",
            "On Friday we close at 22:00 and the last massage starts 80 minutes before, at 20:40.",
            "en",
        ),
    ],
)
def test_what_follows_from_a_source_is_not_refused_by_rule(source: str, answer: str, language: str) -> None:
    assert not ruled(answer, [Source("1", source)], language)[2], ruled(
        answer, [Source("1", source)], language
    )


def test_nothing_else_follows() -> None:
    assert ruled("At 20:30.", [Source("1", "We close at 22:00, 80 minutes after the last massage.")], "en")[2]
    assert ruled("Ti richiamiamo oggi.", [Source("1", "We text you when they are ready.")], "it")[2]
    assert ruled("I guarantee it.", [Source("1", "We text you when they are ready.")], "en")[2]
    assert not ruled("I can't guarantee it.", [Source("1", "We hold tables for 20 minutes.")], "en")[2]
