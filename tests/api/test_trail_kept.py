"""How long it is kept who looked, and what becomes of it when a customer is erased or merged."""

from datetime import timedelta

import httpx
import pytest_asyncio

from crm import merging, trail
from crm.privacy import erasure, export, people
from tests.api.house import House, Person, person
from tests.api.looking import customer


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def nora(house: House) -> Person:
    return await person(house.crm, house.business, "agent", "Nora Ricorda")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def ada(house: House) -> Person:
    return await person(house.crm, house.business, "admin", "Ada Ricorda")


async def test_what_is_old_goes_and_thirty_days_stay_whatever_is_asked(house: House) -> None:
    made = await house.rows(
        "INSERT INTO access_log (business_id, what, via, at, span)"
        " SELECT %s, 'trail', 'terminal', now() - days * interval '1 day', days"
        " FROM unnest(ARRAY[400, 366, 364, 31, 29]) AS days RETURNING access_log_id AS id, span",
        house.business_id,
    )

    async def left() -> list[int]:
        rows = await house.rows(
            "SELECT span FROM access_log WHERE access_log_id = ANY (%s) ORDER BY span",
            [row["id"] for row in made],
        )
        return [row["span"] for row in rows]

    async with house.crm.outside() as tx:
        assert await trail.forget(tx, timedelta(days=365), most=1) == 1
        assert await trail.forget(tx, timedelta(days=365), most=100) >= 1
    assert await left() == [29, 31, 364]
    async with house.crm.outside() as tx:
        await trail.forget(tx, timedelta(0), most=100_000)
    assert await left() == [29]


async def test_an_erased_customer_leaves_the_trail_and_nothing_personal_in_it(
    house: House, web: httpx.AsyncClient, nora: Person, ada: Person
) -> None:
    contact = await customer(house, "Berenice Dimenticata")
    base = f"/console/{house.business}"
    await web.get(f"{base}/contacts/{contact}", headers=nora.headers)
    exported = await web.get(f"{base}/contacts/{contact}/export", headers=ada.headers)
    assert exported.status_code == 200
    async with house.crm.transaction(house.business_id) as tx:
        made = await export.export(tx, await people.find(tx, f"#{contact}"), None)
    [section] = [one for one in made.sections if one.table == "access_log"]
    # What the customer is told: when and what, not by whom (CJEU C-579/21).
    assert [(row["what"], row["via"]) for row in section.rows] == [
        ("contact", "console"),
        ("export", "console"),
    ]
    assert {tuple(row) for row in section.rows} == {("what", "via", "at")}
    report = await erasure.erase(house.crm, house.business_id, contact)
    assert report.clean, report.proof
    rows = await house.rows(
        "SELECT what, agent_id FROM access_log WHERE contact_id = %s ORDER BY access_log_id", contact
    )
    assert [(row["what"], row["agent_id"]) for row in rows] == [
        ("contact", nora.agent_id),
        ("export", ada.agent_id),
    ]
    async with house.crm.transaction(house.business_id) as tx:
        now = tx.now
        found, _ = await trail.page(
            tx, now - timedelta(days=1), now + timedelta(days=1), contacts=await trail.entries_of(tx, contact)
        )
    assert [(row.what, row.contact_name) for row in found] == [
        ("erased", None),
        ("export", None),
        ("contact", None),
    ]


async def test_what_was_seen_of_a_merged_entry_is_found_through_the_one_that_stays(
    house: House, web: httpx.AsyncClient, nora: Person
) -> None:
    kept, gone = await customer(house, "Fosca Resta"), await customer(house, "Fosca Va")
    for contact in (kept, gone):
        await web.get(f"/console/{house.business}/contacts/{contact}", headers=nora.headers)
    await merging.merge(house.crm, house.business_id, kept, gone, nora.agent_id)
    async with house.crm.transaction(house.business_id) as tx:
        seen = await trail.seen(tx, kept)
        entries = await trail.entries_of(tx, kept)
        found, _ = await trail.page(
            tx, tx.now - timedelta(hours=1), tx.now + timedelta(hours=1), contacts=entries
        )
    assert [row.what for row in seen] == ["contact", "contact"]
    assert {row.contact_id for row in found if row.what == "contact"} == {kept, gone}
    assert "contact_merged" in {row.what for row in found}
