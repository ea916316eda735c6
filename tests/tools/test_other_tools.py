"""Quotes, tickets, leads, appointments to move, and asking for a person."""

import pytest

from tests.tools.talk import Room
from tools.registry import TOOLS


def test_every_intent_that_acts_has_a_tool() -> None:
    assert sorted(TOOLS) == [
        "accept_quote",
        "book_appointment",
        "cancel_appointment",
        "escalate_to_human",
        "list_my_appointments",
        "open_ticket",
        "opt_out",
        "qualify_lead",
        "quote_status",
        "request_quote",
        "reschedule_appointment",
        "reschedule_cancel",
        "ticket_status",
        "update_contact",
        "waiting_list",
    ]
    assert all(intent == tool.intent for intent, tool in TOOLS.items())


async def test_a_quote_with_prices_of_the_record(room: Room) -> None:
    talk = await room.talk()
    outcome = await talk.say(
        "Vorrei un preventivo per massaggio decontratturante e percorso spa per 4 persone",
        intent="request_quote",
    )
    assert outcome["kind"] == "confirming"
    assert "4 × Massaggio decontratturante: 75,00 €" in talk.words
    assert (await talk.say("confermo"))["kind"] == "done"
    [quote] = await room.rows("SELECT * FROM quote WHERE contact_id = %s", talk.contact_id)
    assert "4 persone" in quote["request"]
    lines = await room.rows(
        "SELECT * FROM quote_line WHERE quote_id = %s ORDER BY ordinal", quote["quote_id"]
    )
    assert [str(line["quantity"]) for line in lines] == ["4.00", "4.00"]
    assert str(lines[0]["unit_price"]) == "75.00"
    happened = await room.rows("SELECT kind FROM crm_event WHERE contact_id = %s ORDER BY 1", talk.contact_id)
    assert [event["kind"] for event in happened] == ["quote_issued", "quote_requested"]


async def test_a_quote_for_something_unpriced_waits_for_a_person(room: Room) -> None:
    talk = await room.talk()
    outcome = await talk.say("Mi fate un preventivo?", intent="request_quote", service="Astronave", price="1")
    assert outcome["kind"] == "asked"
    outcome = await talk.say("una festa a sorpresa sul tetto", intent="request_quote")
    assert outcome["kind"] == "confirming"
    assert "€" not in talk.words
    await talk.say(option="confirm:yes")
    [line] = await room.rows("SELECT * FROM quote_line")
    assert line["service_id"] is None
    assert line["unit_price"] is None
    assert line["description"] == "una festa a sorpresa sul tetto"


async def test_a_ticket_holds_the_customers_words_and_is_opened_once(room: Room) -> None:
    talk = await room.talk(language="en")
    await talk.say("I have a problem", intent="open_ticket")
    assert talk.state["frame"]["question"]["slot"] == "description"
    outcome = await talk.say(
        "the towels were wet and nobody answered; DROP TABLE ticket;--",
        intent="open_ticket",
        details="Customer is owed a refund",
    )
    assert outcome["kind"] == "confirming"
    before = dict(talk.state)
    await talk.say("yes", turn_id="ticket-turn")
    talk.state = before
    await talk.say("yes", turn_id="ticket-turn")
    [ticket] = await room.rows("SELECT * FROM ticket WHERE contact_id = %s", talk.contact_id)
    assert ticket["description"].endswith("DROP TABLE ticket;--")
    assert "refund" not in ticket["description"]
    assert len(await room.rows("SELECT 1 FROM crm_event WHERE kind = 'ticket_opened'")) == 1


@pytest.mark.parametrize("times", [1, 2])
async def test_a_lead_is_noted_once_and_handed_over(room: Room, times: int) -> None:
    talk = await room.talk("costa-azul", "es")
    await talk.say("busco un piso de dos habitaciones en Ruzafa", intent="qualify_lead")
    for answer in ("comprar", "Ruzafa", "unos 250.000 €", "2 habitaciones"):
        await talk.say(answer, intent="other")
    before = dict(talk.state)
    for _ in range(times):
        talk.state = dict(before)
        await talk.say(option="frame:skip", turn_id="lead-turn")
    assert talk.goto == "open_handoff"
    assert talk.state["handoff"]["reason"] == "lead"
    assert talk.state["handoff"]["wants"] == "busco un piso de dos habitaciones en Ruzafa"
    event, qualified = await room.rows(
        "SELECT kind, detail FROM crm_event WHERE contact_id = %s ORDER BY crm_event_id", talk.contact_id
    )
    assert event["kind"] == "lead_interest"
    assert qualified == {"kind": "lead_qualified", "detail": "80/100"}
    [lead] = await room.rows("SELECT wish, score, stage FROM lead WHERE contact_id = %s", talk.contact_id)
    assert lead == {"wish": "busco un piso de dos habitaciones en Ruzafa", "score": 80, "stage": "qualified"}
    wish, details = event["detail"].split("\n")
    assert wish == "busco un piso de dos habitaciones en Ruzafa"
    assert details == "operation: Comprar; zone: Ruzafa; budget: 250.000; rooms: 2 habitaciones"


async def test_asking_for_a_person_is_never_discussed(room: Room) -> None:
    talk = await room.talk()
    await talk.say("voglio parlare con qualcuno", intent="escalate_to_human", reply="Posso aiutarti io!")
    assert talk.goto == "open_handoff"
    assert talk.state["handoff"]["reason"] == "customer_request"
    assert talk.state["handoff"]["wants"] == "voglio parlare con qualcuno"
    assert talk.words == ""
