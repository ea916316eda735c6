"""What a service takes and costs, as its admin changes it: what is shown, and what cannot be."""

import html
import re
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest_asyncio
from psycopg.sql import SQL, Identifier

from crm import businesses, configure
from crm.businesses import ServiceRow
from sara.local import Local
from tests.api.console.people import Agent, enter
from tests.api.console.test_desk import business_id


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def broker(whole: Local) -> AsyncIterator[Agent]:
    """An admin of a business with two places, and prices in percent."""
    agent = await enter(whole, "costa-azul", role="admin", name="Inês Admin")
    yield agent
    await agent.web.aclose()


async def service(whole: Local, key: str) -> ServiceRow:
    async with whole.crm.transaction(await business_id(whole, "costa-azul")) as tx:
        found = (await businesses.profile(tx)).service(key)
    assert found is not None
    return found.row


def shown(row: ServiceRow) -> dict[str, str]:
    """The form's fields as the page shows them; a box that is not ticked is not sent."""
    fields = ("duration_minutes", "buffer_minutes", "price", "price_max")
    given = {name: "" if (value := getattr(row, name)) is None else str(value) for name in fields}
    ticked = {name: "true" for name in ("bookable", "quotable") if getattr(row, name)}
    return {"key": row.key, **given, **ticked}


def filled(page: str, key: str) -> dict[str, str]:
    """Everything a service's form on the page sends as it stands."""
    sent = {}
    for one in re.findall(r"<input ([^>]*)>", form_of(page, key)):
        name, value = re.search(r'name="(\w+)"', one), re.search(r'value="([^"]*)"', one)
        if name and value and ('type="checkbox"' not in one or " checked" in one):
            sent[name[1]] = html.unescape(value[1])
    return sent


async def put(agent: Agent, **given: str) -> tuple[int, str]:
    answer = await agent.web.post(
        f"{agent.base}/settings/services", data={"csrf": agent.csrf, **given}, follow_redirects=True
    )
    return answer.status_code, answer.text


def form_of(page: str, key: str) -> str:
    """The part of the page that is about one service."""
    return next(part for part in page.split("<details") if f'name="key" value="{key}"' in part)


def marked(page: str, key: str) -> list[str]:
    """The fields of a service's form that are marked as wrong."""
    fields = re.findall(r"<input ([^>]*)>", form_of(page, key))
    return [re.findall(r'name="(\w+)"', one)[0] for one in fields if 'aria-invalid="true"' in one]


async def test_a_price_is_shown_in_what_it_is_in(broker: Agent) -> None:
    page = await broker.page("/settings")
    percent = form_of(page, "mediacao_venda")
    assert "4.5 %" in percent.split("</summary>")[0]
    assert "€" not in percent
    assert "Price (%)" in percent
    assert "up to (%)" in percent
    monthly = form_of(page, "contas_nao_residente")
    assert "€35.00 per month" in monthly.split("</summary>")[0]
    assert "Price (€ per month)" in monthly


async def test_more_than_all_of_it_is_no_percentage(whole: Local, broker: Agent) -> None:
    row = await service(whole, "mediacao_venda")
    status, page = await put(broker, **{**shown(row), "price": "450"})
    assert (status, marked(page, row.key)) == (422, ["price"])
    assert 'value="450"' in page
    status, page = await put(broker, **{**shown(row), "price_max": "100.01"})
    assert (status, marked(page, row.key)) == (422, ["price_max"])
    assert await service(whole, row.key) == row


async def test_what_has_no_price_is_booked_or_asked_for(whole: Local, broker: Agent) -> None:
    row = await service(whole, "mediacao_venda")
    unpriced = {**shown(row), "price": ""}
    del unpriced["quotable"]
    status, page = await put(broker, **unpriced)
    assert (status, marked(page, row.key)) == (422, ["price"])
    assert await service(whole, row.key) == row


async def test_a_range_goes_up(whole: Local, broker: Agent) -> None:
    row = await service(whole, "contas_nao_residente")
    for most in ("35.00", "20"):
        status, page = await put(broker, **{**shown(row), "price_max": most})
        assert (status, marked(page, row.key)) == (422, ["price_max"]), most
    assert (await put(broker, **{**shown(row), "price_max": "50"}))[0] == 200
    try:
        assert (await service(whole, row.key)).price_max == Decimal(50)
        assert "from €35.00 to €50.00 per month" in form_of(await broker.page("/settings"), row.key)
    finally:
        assert (await put(broker, **shown(row)))[0] == 200


async def test_what_nobody_at_a_place_can_do_is_not_booked_there(whole: Local, broker: Agent) -> None:
    row = await service(whole, "mediacao_venda")
    status, page = await put(broker, **{**shown(row), "duration_minutes": "45", "bookable": "true"})
    assert (status, marked(page, row.key)) == (422, ["bookable"])
    assert "Nobody at Costa Azul Lisboa can do this yet" in page
    assert await service(whole, row.key) == row
    able = await service(whole, "avaliacao")  # in either place somebody is
    assert (await put(broker, **shown(able)))[0] == 200


async def test_one_place_where_it_can_be_done_is_not_enough(whole: Local, broker: Agent) -> None:
    row = await service(whole, "avaliacao")
    async with whole.crm.as_owner() as tx:
        gone = await tx.connection.execute(
            "DELETE FROM resource_skill k USING resource r, location l WHERE k.service_id = %s"
            " AND r.resource_id = k.resource_id AND l.location_id = r.location_id AND l.key = 'valencia'"
            " RETURNING k.business_id, k.resource_id, k.service_id",
            (row.service_id,),
        )
        skills = await gone.fetchall()
    try:
        status, page = await put(broker, **shown(row))
        assert (status, marked(page, row.key)) == (422, ["bookable"])
        assert "Nobody at Costa Azul Valencia can do this yet" in page
        unticked = shown(row)
        del unticked["bookable"]
        assert (await put(broker, **unticked))[0] == 200
    finally:
        async with whole.crm.as_owner() as tx:
            for skill in skills:
                await tx.connection.execute(
                    "INSERT INTO resource_skill (business_id, resource_id, service_id)"
                    " VALUES (%(business_id)s, %(resource_id)s, %(service_id)s)",
                    skill,
                )
        assert (await put(broker, **shown(row)))[0] == 200


async def meanwhile(whole: Local, key: str, **changed: object) -> None:
    """Somebody else changes a service: a list whose price was accepted, another admin."""
    async with whole.crm.as_owner() as tx:
        for name, value in changed.items():
            await tx.connection.execute(
                SQL("UPDATE service SET {} = %s WHERE key = %s").format(Identifier(name)), (value, key)
            )


async def test_what_was_left_as_it_was_stays_as_it_became(whole: Local, broker: Agent) -> None:
    row = await service(whole, "contas_nao_residente")
    sent = filled(await broker.page("/settings"), row.key)
    assert {name: sent[f"was_{name}"] for name in ("price", "price_max", "quotable", "bookable")} == {
        "price": str(row.price),
        "price_max": "",
        "quotable": "true" if row.quotable else "",
        "bookable": "",
    }
    await meanwhile(whole, row.key, price=Decimal("39.00"), quotable=not row.quotable)
    try:
        assert (await put(broker, **{**sent, "buffer_minutes": "7"}))[0] == 200
        now = await service(whole, row.key)
        assert (now.buffer_minutes, now.price, now.quotable) == (7, Decimal("39.00"), not row.quotable)
        async with whole.crm.transaction(await business_id(whole, "costa-azul")) as tx:
            at = (await configure.changes(tx))[0].at
            latest = [change.setting for change in await configure.changes(tx) if change.at == at]
        assert latest == [f"{row.key} buffer_minutes"]
        # What was changed is written, whoever else changed it; and it is judged beside what is there now.
        assert (await put(broker, **{**sent, "price": "41"}))[0] == 200
        assert (await service(whole, row.key)).price == Decimal(41)
        status, page = await put(broker, **{**sent, "price_max": "40"})
        assert (status, marked(page, row.key)) == (422, ["price_max"])
        again = filled(page, row.key)
        assert (again["was_price"], again["price_max"]) == (str(row.price), "40")
    finally:
        await meanwhile(
            whole,
            row.key,
            price=row.price,
            price_max=None,
            quotable=row.quotable,
            buffer_minutes=row.buffer_minutes,
        )
