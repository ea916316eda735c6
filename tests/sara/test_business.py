"""Verticals from the terminal, and what a hand-over shows of its queue."""

import json

import pytest


def test_verticals_are_listed(bare) -> None:
    ran = bare("business", "verticals")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert len(lines) == 14
    assert lines[0].split()[0] == "automotive"
    assert "Service desk" in lines[0]


def test_one_vertical_is_shown_with_the_keys_that_change_it(bare) -> None:
    ran = bare("business", "verticals", "hotel", "--language", "pt")
    assert ran.code == 0
    assert "intents.book_appointment: false\n" in ran.out
    assert "lead.arrival: 1. Em que dia chega? (date, required)\n" in ran.out
    assert "[Individual | Duplo | Duas camas | Familiar | Suite] (choice, optional)" in ran.out
    assert "queue: reservations (Reservas)\n" in ran.out


@pytest.mark.parametrize("command", ["astrology", "hotel --language de"])
def test_what_there_is_not_is_refused(bare, command: str) -> None:
    ran = bare("business", "verticals", *command.split())
    assert ran.code == (1 if command == "astrology" else 2)
    assert "medical" in ran.one_line if ran.code == 1 else "--language" in ran.err


def test_a_hand_over_shows_the_queue_of_its_business(sara) -> None:
    who = ["--business", "conti", "--from", "393470000077"]
    said = sara("chat", *who, "--text", "Vorrei parlare con una persona", "--json")
    number = json.loads(said.out)["handoff"]
    assert "queue: secretariat (Segreteria)\n" in sara("handoff", "show", number).out
    shown = json.loads(sara("handoff", "show", number, "--json").out)
    assert (shown["queue"], shown["queue_name"]) == ("secretariat", "Segreteria")
