"""Tools from a form: those SARA uses, what is wrong beside its field, and SARA knowing it afterwards."""

from datetime import datetime, timedelta

import pytest

from crm import appointments, handoffs
from db.tenancy import tenant
from graph.run import remembered
from sara.exchange import exchange
from sara.local import Local
from tests.api.console.people import JSON, Agent, Waiting, somebody_waits
from tests.api.console.test_desk import business_id

BOOK = {"service": "massaggio_rilassante"}


def weekday(weeks: int = 2, day: int = 2) -> str:
    """A Wednesday to come, unless another day is asked for."""
    today = datetime.now().astimezone().date()
    return (today + timedelta(days=(day - today.weekday()) % 7 + 7 * weeks)).isoformat()


async def fill_in(agent: Agent, waiting: Waiting, form: str, **given: str) -> dict[str, str]:
    answer = await agent.act(waiting.conversation_id, f"tool/{form}", **given)
    return {"status": str(answer.status_code), **answer.json()}


async def booked(whole: Local, waiting: Waiting) -> list[appointments.AppointmentRow]:
    async with whole.crm.transaction(await business_id(whole)) as tx:
        handoff = await handoffs.get(tx, waiting.handoff_id)
        return await appointments.of_contact(tx, handoff.contact_id)


async def test_booking_moving_and_cancelling_from_forms(whole: Local, elena: Agent) -> None:
    waiting = await somebody_waits(whole, "Livia Form")
    done = await fill_in(elena, waiting, "book", **BOOK, day=weekday(), time="15:00", attempt="b1")
    assert done["status"] == "200", done
    assert "Done! " not in done["say"]  # the customer is Italian
    assert "15:00" in done["say"]
    assert "did this" in done["html"]
    assert "yours" in done["html"]  # acting claims
    again = await fill_in(elena, waiting, "book", **BOOK, day=weekday(), time="15:00", attempt="b1")
    assert again["status"] in ("200", "422")
    [row] = await booked(whole, waiting)
    page = await elena.page(f"/c/{waiting.conversation_id}/tool/move")
    assert f'value="{row.appointment_id}"' in page
    moved = await fill_in(
        elena,
        waiting,
        "move",
        appointment=str(row.appointment_id),
        day=weekday(3),
        time="10:00",
        attempt="m1",
    )
    assert moved["status"] == "200", moved
    assert "10:00" in moved["say"]
    [row] = await booked(whole, waiting)
    async with whole.crm.transaction(await business_id(whole)) as tx:
        cursor = await tx.connection.execute(
            "SELECT kind, agent_id FROM crm_event WHERE subject_id = %s AND kind LIKE 'appointment%%'",
            (row.appointment_id,),
        )
        events = {event["kind"]: event["agent_id"] for event in await cursor.fetchall()}
    assert events == {"appointment_booked": elena.agent_id, "appointment_moved": elena.agent_id}
    gone = await fill_in(elena, waiting, "cancel", appointment=str(row.appointment_id), attempt="c1")
    assert gone["status"] == "200", gone
    assert await booked(whole, waiting) == []


async def test_what_is_wrong_stands_beside_its_field_and_nothing_is_lost(whole: Local, elena: Agent) -> None:
    waiting = await somebody_waits(whole)
    night = await fill_in(elena, waiting, "book", **BOOK, day=weekday(), time="03:00")
    assert night["status"] == "422"
    assert 'aria-describedby="f-time"' in night["form"]
    assert "we are open" in night["form"]
    assert f'value="{weekday()}"' in night["form"]
    assert 'value="03:00"' in night["form"]
    assert 'name="option" value="slot:' in night["form"]
    chosen = night["form"].split('name="option" value="')[1].split('"')[0]
    taken = await fill_in(elena, waiting, "book", **BOOK, day=weekday(), time="03:00", option=chosen)
    assert taken["status"] == "200", taken
    none = await fill_in(elena, waiting, "book", day=weekday(), time="15:00")
    assert 'aria-describedby="f-service"' in none["form"]
    bad = await fill_in(elena, waiting, "book", **BOOK, day="someday", time="15:00")
    assert 'aria-describedby="f-day"' in bad["form"]
    assert 'value="someday"' in bad["form"]
    plain = await elena.web.post(
        f"{elena.base}/c/{waiting.conversation_id}/tool/book",
        data={"csrf": elena.csrf, **BOOK, "day": weekday(), "time": "03:00"},
    )
    assert plain.status_code == 422
    assert 'value="03:00"' in plain.text  # without scripts the page comes back as it was filled in


async def test_a_time_that_somebody_else_has(whole: Local, elena: Agent, davide: Agent) -> None:
    one, other = await somebody_waits(whole), await somebody_waits(whole)
    first = await fill_in(elena, one, "book", **BOOK, day=weekday(4), time="11:00", attempt="o")
    assert first["status"] == "200", first
    [row] = await booked(whole, one)
    same = {**BOOK, "day": weekday(4), "time": "11:00", "person": str(row.resource_id)}
    taken = await fill_in(davide, other, "book", **same)
    assert taken["status"] == "422"
    assert "is not free" in taken["form"]
    assert await booked(whole, other) == []


async def test_quote_and_ticket(whole: Local, elena: Agent) -> None:
    waiting = await somebody_waits(whole)
    empty = await fill_in(elena, waiting, "quote")
    assert empty["status"] == "422"
    quote = await fill_in(elena, waiting, "quote", service="massaggio_rilassante", quantity="4", attempt="q")
    assert quote["status"] == "200", quote
    blank = await fill_in(elena, waiting, "ticket", description="  ")
    assert blank["status"] == "422"
    ticket = await fill_in(elena, waiting, "ticket", description="La doccia perde acqua", attempt="t")
    assert ticket["status"] == "200", ticket
    page = await elena.page(f"/c/{waiting.conversation_id}")
    assert "La doccia perde acqua" in page


async def test_sara_knows_what_the_agent_did(whole: Local, elena: Agent) -> None:
    waiting = await somebody_waits(whole)
    done = await fill_in(elena, waiting, "book", **BOOK, day=weekday(5), time="16:00", attempt="k")
    assert done["status"] == "200", done
    await elena.did(waiting.conversation_id, "back", note="Prenotato per lei")
    came = await exchange(whole, waiting.customer, text="Quali appuntamenti ho?")
    assert "16:00" in came.reply
    aurora = await business_id(whole)
    with tenant(aurora):
        state = await remembered(whole.services.machine, f"{aurora}:{waiting.conversation_id}")
    assert state["handoff"]["returned"]["done"] == [done["say"]]
    assert [one["service"] for one in state["contact"]["appointments"]] == ["massaggio_rilassante"]


async def test_only_whoever_has_the_word_acts(
    whole: Local, elena: Agent, davide: Agent, stranger: Agent
) -> None:
    waiting = await somebody_waits(whole)
    await elena.did(waiting.conversation_id, "claim")
    held = await fill_in(davide, waiting, "ticket", description="Qualcosa non va qui")
    assert held["status"] == "409"
    assert "Qualcosa non va qui" in held["form"]
    for form in ("book", "ticket", "nonsense"):
        answer = await stranger.act(waiting.conversation_id, f"tool/{form}", description="x")
        assert answer.status_code in (404, 422)
    forged = await elena.web.post(
        f"{elena.base}/c/{waiting.conversation_id}/tool/ticket", data={"csrf": "x"}, headers=JSON
    )
    assert forged.status_code == 403
    await elena.did(waiting.conversation_id, "back")
    bot = await fill_in(elena, waiting, "ticket", description="Qualcosa non va qui")
    assert bot["status"] == "409"


@pytest.mark.parametrize("form", ["move", "cancel"])
async def test_another_customers_appointment_is_none(whole: Local, elena: Agent, form: str) -> None:
    one, other = await somebody_waits(whole), await somebody_waits(whole)
    await fill_in(elena, one, "book", **BOOK, day=weekday(6), time="12:00", attempt=f"{form}1")
    await fill_in(elena, other, "book", **BOOK, day=weekday(6, 3), time="12:00", attempt=f"{form}2")
    [row] = await booked(whole, one)
    answer = await fill_in(
        elena, other, form, appointment=str(row.appointment_id), day=weekday(7), time="12:00"
    )
    assert answer["status"] == "422"
    assert await booked(whole, one) == [row]
