"""Free times against the record: hours, closures, weeks, buffers, lead time, summer time, speed."""

import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from crm.appointments import book
from crm.errors import NotBookable
from crm.slots import free_slots
from tests.tools.talk import Room

ROME = ZoneInfo("Europe/Rome")


async def service_id(room: Room, key: str) -> int:
    [row] = await room.rows("SELECT service_id FROM service WHERE key = %s", key)
    return int(row["service_id"])


async def local_starts(room: Room, key: str, day: datetime, **how: object) -> list[str]:
    wanted = await service_id(room, key)
    async with room.crm.transaction(room.ids["aurora"]) as tx:
        found = await free_slots(tx, wanted, since=day, until=day + timedelta(days=1), most=100, **how)  # type: ignore[arg-type]
    return [slot.starts.astimezone(ROME).strftime("%H:%M") for slot in found]


async def test_times_lie_in_the_resources_week_and_end_before_it_does(room: Room) -> None:
    # Only Giulia works on Mondays, 10 to 18; 50 minutes and 10 of buffer.
    starts = await local_starts(room, "massaggio_rilassante", datetime(2026, 11, 23, tzinfo=ROME))
    assert starts[0] == "10:00"
    assert starts[-1] == "17:00"
    assert len(starts) == 15


async def test_what_tidies_up_after_the_last_customer_may_run_past_closing_time(room: Room) -> None:
    await room.rows("UPDATE service SET duration_minutes = 60 WHERE key = 'massaggio_rilassante'")
    try:
        starts = await local_starts(room, "massaggio_rilassante", datetime(2026, 11, 23, tzinfo=ROME))
    finally:
        await room.rows("UPDATE service SET duration_minutes = 50 WHERE key = 'massaggio_rilassante'")
    assert starts[-1] == "17:00"  # until 18:00, and ten minutes more


async def test_an_appointment_takes_its_buffer_with_it(room: Room) -> None:
    talk = await room.talk()
    day = datetime(2026, 11, 23, tzinfo=ROME)
    wanted = await service_id(room, "massaggio_rilassante")
    async with room.crm.transaction(room.ids["aurora"]) as tx:
        [slot] = await free_slots(tx, wanted, since=day, until=day + timedelta(days=1), most=1)
        assert slot.ends - slot.starts == timedelta(minutes=60)
        await book(
            tx,
            contact_id=talk.contact_id,
            conversation_id=None,
            service_id=wanted,
            resource_id=slot.resource_id,
            starts=slot.starts + timedelta(hours=1),
            ends=slot.ends + timedelta(hours=1),
            price=None,
            idempotency_key="k",
        )
    starts = await local_starts(room, "massaggio_rilassante", day)
    assert starts[:3] == ["10:00", "12:00", "12:30"]


async def test_closures_and_closed_days_have_no_times(room: Room) -> None:
    assert await local_starts(room, "massaggio_rilassante", datetime(2026, 12, 25, tzinfo=ROME)) == []
    assert await local_starts(room, "viso_idratante", datetime(2026, 11, 25, tzinfo=ROME)) == []


async def test_lead_time_is_kept(room: Room) -> None:
    # It is 10:00 in Milan and the house wants two hours.
    starts = await local_starts(room, "massaggio_rilassante", datetime(2026, 11, 18, tzinfo=ROME))
    assert starts[0] == "12:00"


async def test_an_empty_diary_has_the_times_that_are_taken_but_no_others(room: Room) -> None:
    day = datetime(2026, 11, 23, tzinfo=ROME)
    talk = await room.talk()
    for hour in range(10, 18):  # all of Giulia's Monday
        await talk.book(f"massaggio rilassante lunedì alle {hour}")
        assert (await talk.say("sì"))["kind"] == "done", talk.words
    assert await local_starts(room, "massaggio_rilassante", day) == []
    starts = await local_starts(room, "massaggio_rilassante", day, empty=True)
    assert (starts[0], starts[-1], len(starts)) == ("10:00", "17:00", 15)
    today = await local_starts(room, "massaggio_rilassante", datetime(2026, 11, 18, tzinfo=ROME), empty=True)
    assert today[0] == "12:00"  # the notice is kept


async def test_what_begins_before_midnight_may_end_after_it_where_the_hours_go_on(room: Room) -> None:
    [spa] = await room.rows("SELECT resource_id, business_id FROM resource WHERE key = 'area_spa'")
    week = (
        "INSERT INTO resource_hours (business_id, resource_id, weekday, starts, ends)"
        " VALUES (%s, %s, %s, %s, %s)"
    )
    hours = "UPDATE opening_hours SET closes = '23:59' WHERE business_id = %s AND weekday = 4"
    night = (
        "INSERT INTO opening_hours SELECT business_id, location_id, 5, '00:00', '02:30' FROM location"
        " WHERE key = 'milano'"
    )
    friday = datetime(2026, 11, 20, 20, tzinfo=ROME)
    try:
        await room.rows(hours, spa["business_id"])
        assert (await local_starts(room, "percorso_spa", friday))[:5] == [
            "20:00", "20:30", "21:00", "21:30", "09:30",
        ]  # fmt: skip
        await room.rows(night)
        assert (await local_starts(room, "percorso_spa", friday))[:10] == [
            "20:00", "20:30", "21:00", "21:30", "22:00", "22:30", "23:00", "23:30", "00:00", "00:30",
        ]  # fmt: skip
        for weekday, starts, ends in ((4, "18:00", "23:59"), (5, "00:00", "01:00")):
            await room.rows(week, spa["business_id"], spa["resource_id"], weekday, starts, ends)
        assert await local_starts(room, "percorso_spa", friday) == [
            "20:00", "20:30", "21:00", "21:30", "22:00", "22:30", "23:00",
        ]  # fmt: skip
    finally:
        await room.rows("DELETE FROM resource_hours WHERE resource_id = %s", spa["resource_id"])
        await room.rows(
            "DELETE FROM opening_hours WHERE business_id = %s AND opens = '00:00'", spa["business_id"]
        )
        await room.rows(hours.replace("23:59", "21:00"), spa["business_id"])


async def test_nearest_first(room: Room) -> None:
    wanted = await service_id(room, "massaggio_rilassante")
    around = datetime(2026, 11, 20, 15, tzinfo=ROME)
    async with room.crm.transaction(room.ids["aurora"]) as tx:
        found = await free_slots(
            tx, wanted, since=around - timedelta(days=1), until=around + timedelta(days=1), around=around
        )
    assert [slot.starts.astimezone(ROME).strftime("%H:%M") for slot in found] == ["15:00", "14:30", "15:30"]


@pytest.mark.parametrize(
    ("sunday", "utc_hour"),
    [(datetime(2027, 3, 21, tzinfo=ROME), 9), (datetime(2027, 10, 31, tzinfo=ROME), 9),
     (datetime(2027, 10, 24, tzinfo=ROME), 8)],
)  # fmt: skip
async def test_summer_time_moves_the_instant_not_the_wall_clock(
    room: Room, sunday: datetime, utc_hour: int
) -> None:
    """Clocks go back on Sunday 31 October 2027, a day the house opens at ten."""
    wanted = await service_id(room, "massaggio_rilassante")
    async with room.crm.transaction(room.ids["aurora"]) as tx:
        found = await free_slots(tx, wanted, since=sunday, until=sunday + timedelta(days=1))
    assert found[0].starts.astimezone(ROME).hour == 10
    assert found[0].starts == found[0].starts.astimezone(UTC)
    assert found[0].starts.hour == utc_hour


async def test_every_bookable_service_of_the_seeds_has_free_times_in_the_next_month(room: Room) -> None:
    for slug, business_id in room.ids.items():
        for service in (await room.profile(slug)).services:
            if service.row.bookable:
                async with room.crm.transaction(business_id) as tx:
                    found = await free_slots(
                        tx,
                        service.row.service_id,
                        since=room.clock(),
                        until=room.clock() + timedelta(days=30),
                    )
                assert len(found) == 3, f"{slug}: {service.row.key}"


async def test_unknown_foreign_and_unbookable_services_are_refused(room: Room) -> None:
    day = datetime(2026, 11, 20, tzinfo=ROME)
    for wanted in (10**9, await service_id(room, "visita_imovel"), await service_id(room, "evento_privato")):
        async with room.crm.transaction(room.ids["aurora"]) as tx:
            with pytest.raises(NotBookable):
                await free_slots(tx, wanted, since=day, until=day + timedelta(days=1))


async def test_sixty_days_of_ten_resources_are_searched_quickly(room: Room) -> None:
    wanted = await service_id(room, "massaggio_rilassante")
    [place] = await room.rows("SELECT location_id FROM location WHERE key = 'milano'")
    names = [f"banco{n}" for n in range(7)]  # beside Giulia, Marco and Samira
    for name in names:
        await room.rows(
            "WITH made AS (INSERT INTO resource (business_id, location_id, key, name, kind)"
            " VALUES (%s, %s, %s, %s, 'room') RETURNING resource_id)"
            " INSERT INTO resource_skill (business_id, resource_id, service_id)"
            " SELECT %s, resource_id, %s FROM made",
            room.ids["aurora"], place["location_id"], name, name, room.ids["aurora"], wanted,
        )  # fmt: skip
    since = room.clock()
    took = []
    try:
        async with room.crm.transaction(room.ids["aurora"]) as tx:
            for _ in range(7):
                began = time.perf_counter()
                found = await free_slots(
                    tx,
                    wanted,
                    since=since,
                    until=since + timedelta(days=60),
                    around=since + timedelta(days=30),
                )
                took.append(time.perf_counter() - began)
                assert len(found) == 3
    finally:
        await room.rows("DELETE FROM resource WHERE key = ANY(%s)", names)
    # The aim is 15 ms on an idle machine; four times that still tells a slow search from a busy one.
    assert sorted(took)[0] < 0.06
