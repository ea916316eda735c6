"""The calendar: days and weeks, booking and moving by form, who came, who waits."""

import secrets
from datetime import date, datetime, timedelta
from datetime import time as wall_clock
from zoneinfo import ZoneInfo

from crm import appointments, businesses, contacts, conversations, waiting
from sara.exchange import exchange
from sara.local import Local
from tests.api.console.people import JSON, Agent, customer, enter
from tests.api.console.test_desk import business_id
from tests.api.console.test_tools import BOOK, weekday


def phone() -> str:
    return f"39351{secrets.randbelow(10**7):07d}"


async def post(agent: Agent, path: str, **given: str) -> dict[str, str]:
    answer = await agent.web.post(
        f"{agent.base}/calendar/{path}", data={"csrf": agent.csrf, **given}, headers=JSON
    )
    return {"status": str(answer.status_code), **(answer.json() if answer.status_code != 303 else {})}


async def of(whole: Local, number: str) -> list[appointments.AppointmentRow]:
    async with whole.crm.transaction(await business_id(whole)) as tx:
        contact_id = await tx.value("contact_by_wa_id", wa_id=number)
        return await appointments.of_contact(tx, contact_id) if contact_id else []


async def test_booking_for_a_new_number_moving_and_cancelling(whole: Local, elena: Agent) -> None:
    number, day = phone(), weekday(8)
    wrong = await post(elena, "book", **BOOK, phone="12", day=day, time="12:00")
    assert wrong["status"] == "422"
    assert 'aria-describedby="f-phone"' in wrong["form"]
    assert f'value="{day}"' in wrong["form"]
    made = await post(elena, "book", **BOOK, phone=f"+{number}", day=day, time="12:00", attempt=number)
    assert made["status"] == "200", made
    assert made["go"] == f"{elena.base}/calendar?day={day}"
    again = await post(elena, "book", **BOOK, phone=f"+{number}", day=day, time="12:00", attempt=number)
    [row] = await of(whole, number)
    assert again["status"] in ("200", "422")
    for view in ("day", "week"):
        page = await elena.page("/calendar", day=day, view=view)
        assert number in page
        assert f"/calendar/{row.appointment_id}/move" in page
        assert "attendance" not in page.split(number)[1].split("</li>")[0]  # it is still to come
    only = await elena.page("/calendar", day=day, resource=row.resource_id)
    assert number in only
    other = weekday(9)
    moved = await post(
        elena, f"{row.appointment_id}/move", appointment=str(row.appointment_id), day=other, time="10:30"
    )
    assert moved["status"] == "200", moved
    assert number in await elena.page("/calendar", day=other)
    assert number not in (await elena.page("/calendar", day=day)).split("Waiting list")[0]
    gone = await post(elena, f"{row.appointment_id}/cancel", appointment=str(row.appointment_id))
    assert gone["status"] == "200", gone
    assert await of(whole, number) == []
    late = await elena.web.get(f"{elena.base}/calendar/{row.appointment_id}/move")
    assert late.status_code == 404


async def test_who_came_and_who_did_not(whole: Local, elena: Agent, stranger: Agent) -> None:
    aurora, made = await business_id(whole), []
    async with whole.crm.transaction(aurora) as tx:
        service = (await businesses.profile(tx)).service("massaggio_rilassante")
        assert service is not None
        [*_, skilled] = await appointments.skilled(tx, service.row.service_id)
        for number in range(2):
            contact_id = await contacts.entered(tx, wa_id=phone(), name=f"Visita {number}")
            starts = tx.now - timedelta(days=400 + number, hours=2)
            row = await appointments.book(
                tx,
                contact_id=contact_id,
                conversation_id=None,
                service_id=service.row.service_id,
                resource_id=skilled.resource_id,
                starts=starts,
                ends=starts + timedelta(minutes=50),
                price=service.row.price,
                idempotency_key=secrets.token_hex(8),
            )
            made.append(row)
    for row, came in zip(made, ("yes", "no"), strict=True):
        day = row.starts.date().isoformat()
        assert "attendance" in await elena.page("/calendar", day=day, view="week")
        assert (await post(stranger, f"{row.appointment_id}/attendance", came=came))["status"] == "303"
        path = f"{elena.base}/calendar/{row.appointment_id}/attendance"
        given = {"csrf": elena.csrf, "came": came, "back": f"?day={day}&view=day"}
        answer = await elena.web.post(path, data=given)
        assert answer.headers["location"] == f"{elena.base}/calendar?day={day}&view=day"
        twice = await elena.web.post(path, data={**given, "back": "//evil"}, follow_redirects=True)
        assert "already closed" in twice.text
    async with whole.crm.transaction(aurora) as tx:
        ended = [await appointments.get(tx, row.appointment_id) for row in made]
        came_now = await contacts.get(tx, made[0].contact_id)
        cursor = await tx.connection.execute(
            "SELECT kind, agent_id FROM crm_event WHERE subject_id = ANY (%s) AND kind LIKE 'appointment_%%'",
            ([row.appointment_id for row in made],),
        )
        events = {event["kind"]: event["agent_id"] for event in await cursor.fetchall()}
    assert [row.status for row in ended if row] == ["completed", "no_show"]
    assert came_now.lifecycle == "client"
    assert events == {
        "appointment_completed": elena.agent_id,
        "appointment_missed": elena.agent_id,
    }


async def test_the_waiting_list_and_strange_days(whole: Local, elena: Agent) -> None:
    number = phone()
    async with whole.crm.transaction(await business_id(whole)) as tx:
        profile = await businesses.profile(tx)
        contact_id = await contacts.entered(tx, wa_id=number, name="Attende Molto")
        await waiting.join(
            tx,
            contact_id=contact_id,
            conversation_id=None,
            service_id=profile.services[0].row.service_id,
            location_id=profile.locations[0].location_id,
            resource_id=None,
            since=tx.now + timedelta(days=170),
            until=tx.now + timedelta(days=171),
            people=1,
            language="it",
            idempotency_key=number,
        )
    assert "Attende Molto" in await elena.page("/calendar")
    for day in ("0001-01-01", "9999-12-31"):
        assert (await elena.web.get(f"{elena.base}/calendar?view=week&day={day}")).status_code == 200
    assert (await elena.web.get(f"{elena.base}/calendar?day=tomorrow")).status_code == 422


async def test_a_number_is_entered_as_it_is_called_and_only_once_nothing_is_wrong(
    whole: Local, elena: Agent
) -> None:
    async def known() -> int:
        async with whole.crm.transaction(await business_id(whole)) as tx:
            return int(await tx.value("contact_by_wa_id", wa_id=number) or 0)

    number, day = phone(), weekday(10)
    local = number.removeprefix("39")
    async with whole.crm.as_owner() as tx:
        cursor = await tx.connection.execute("SELECT count(*) AS all FROM contact")
        before = (await cursor.fetchone() or {})["all"]
    for wrong in ("333 12", "0039 333 12", f"{number}12345", "+999 12345678"):
        told = await post(elena, "book", **BOOK, phone=wrong, day=day, time="11:00")
        assert told["status"] == "422", wrong
        assert 'aria-describedby="f-phone"' in told["form"]
    for written in (f"0039 {local[:3]} {local[3:]}", local):
        asked = await post(elena, "book", **BOOK, phone=written)  # without a day
        assert asked["status"] == "422"
        assert 'aria-describedby="f-phone"' not in asked["form"]
    async with whole.crm.as_owner() as tx:
        cursor = await tx.connection.execute("SELECT count(*) AS all FROM contact")
        assert (await cursor.fetchone() or {})["all"] == before
    written = f"0039 {local[:3]} {local[3:]}"
    made = await post(elena, "book", **BOOK, phone=written, day=day, time="11:00", attempt=number)
    assert made["status"] == "200", made
    first = await known()
    assert first
    assert len(await of(whole, number)) == 1
    made = await post(elena, "book", **BOOK, phone=local, day=day, time="15:00", attempt=f"{number}b")
    assert made["status"] == "200", made
    assert await known() == first
    assert len(await of(whole, number)) == 2


async def test_a_known_customer_keeps_whatever_number_they_have(whole: Local, elena: Agent) -> None:
    odd, day = f"39200000000{secrets.randbelow(10**4):04d}", weekday(11)  # longer than any of that country
    async with whole.crm.transaction(await business_id(whole)) as tx:
        contact_id = await contacts.entered(tx, wa_id=odd, name="Numero Lungo")
        await tx.run("merge_alias", kept=contact_id, wa_id=f"{odd}9", bsuid=None)
    for number, time in ((f"+{odd}", "11:00"), (f"{odd}9", "15:00")):
        made = await post(elena, "book", **BOOK, phone=number, day=day, time=time, attempt=number)
        assert made["status"] == "200", made
    assert len(await of(whole, odd)) == 2


async def test_who_has_the_whole_number_comes_before_whoever_was_entered_with_part_of_it(
    whole: Local, elena: Agent
) -> None:
    number, day = phone(), weekday(12)
    local = number.removeprefix("39")
    broken = (local, f"00{number}")
    async with whole.crm.transaction(await business_id(whole)) as tx:
        for wa_id in (*broken, number):
            await contacts.entered(tx, wa_id=wa_id, name=f"Numero {wa_id}")
    for written, time in zip(broken, ("11:00", "15:00"), strict=True):
        made = await post(elena, "book", **BOOK, phone=written, day=day, time=time, attempt=written)
        assert made["status"] == "200", made
    assert [len(await of(whole, wa_id)) for wa_id in (*broken, number)] == [0, 0, 2]


async def test_who_has_only_part_of_a_number_is_found_by_it(whole: Local, elena: Agent) -> None:
    local = phone().removeprefix("39")
    async with whole.crm.transaction(await business_id(whole)) as tx:
        await contacts.entered(tx, wa_id=local, name="Senza Prefisso")
    made = await post(elena, "book", **BOOK, phone=local, day=weekday(12), time="13:00", attempt=local)
    assert made["status"] == "200", made
    assert [len(await of(whole, wa_id)) for wa_id in (local, f"39{local}")] == [1, 0]


async def at_valencia(
    whole: Local, contact_id: int, hour: wall_clock
) -> tuple[appointments.AppointmentRow, str]:
    """A viewing at Costa Azul's place where it is an hour later than at the business, and its day there."""
    async with whole.crm.transaction(await business_id(whole, "costa-azul")) as tx:
        profile = await businesses.profile(tx)
        [place] = [one for one in profile.locations if one.key == "valencia"]
        shut = [(one.first_day, one.last_day) for one in profile.closures]
        days = map(date.fromisoformat, map(weekday, range(3, 12)))
        day = next(one for one in days if not any(first <= one <= last for first, last in shut))
        service = profile.service("visita_imovel")
        assert service is not None
        skilled = await appointments.skilled(tx, service.row.service_id)
        starts = datetime.combine(day, hour, ZoneInfo(place.time_zone))
        row = await appointments.book(
            tx,
            contact_id=contact_id,
            conversation_id=None,
            service_id=service.row.service_id,
            resource_id=next(one.resource_id for one in skilled if one.location_id == place.location_id),
            starts=starts,
            ends=starts + timedelta(hours=1),
            price=service.row.price,
            idempotency_key=secrets.token_hex(8),
        )
    return row, day.isoformat()


async def test_an_appointment_is_shown_in_its_places_time_and_on_its_day_there(whole: Local) -> None:
    agent, number = await enter(whole, "costa-azul"), phone()
    async with whole.crm.transaction(await business_id(whole, "costa-azul")) as tx:
        contact_id = await contacts.entered(tx, wa_id=number, name=None)
    row, day = await at_valencia(whole, contact_id, wall_clock(17))
    await at_valencia(whole, contact_id, wall_clock(0, 30))  # the day before in Lisbon
    for view in ("day", "week"):
        page = await agent.page("/calendar", day=day, view=view)
        assert "<b>17:00–18:00</b> (Valencia time)" in page
        assert "<b>00:30–01:30</b> (Valencia time)" in page
    before = (date.fromisoformat(day) - timedelta(days=1)).isoformat()
    assert number not in await agent.page("/calendar", day=before)
    assert "17:00 (Valencia time)" in await agent.page(f"/contacts/{contact_id}")
    form = await agent.page(f"/calendar/{row.appointment_id}/move")
    assert "17:00 (Valencia time)" in form
    assert "The time is that of the place." in form
    given = {"appointment": str(row.appointment_id), "day": day, "time": "18:30"}
    moved = await post(agent, f"{row.appointment_id}/move", **given)
    assert moved["status"] == "200", moved
    assert "<b>18:30–19:30</b> (Valencia time)" in await agent.page("/calendar", day=day)
    await agent.web.aclose()


async def test_where_there_is_one_time_zone_none_is_named(whole: Local, elena: Agent) -> None:
    assert " time)" not in await elena.page("/calendar", day=weekday(8), view="week")
    assert "The time is that of the place." not in await elena.page("/calendar/book")


async def test_the_packet_and_the_choice_to_move_name_the_places_time(whole: Local) -> None:
    agent = await enter(whole, "costa-azul")
    came = await exchange(whole, customer("costa-azul"), text="Quiero hablar con una persona")
    async with whole.crm.transaction(await business_id(whole, "costa-azul")) as tx:
        contact_id = (await conversations.get(tx, came.conversation_id)).contact_id
    await at_valencia(whole, contact_id, wall_clock(12))
    for path in (f"/c/{came.conversation_id}", f"/c/{came.conversation_id}/tool/move"):
        assert "12:00 (Valencia time)" in await agent.page(path), path
    await agent.web.aclose()
