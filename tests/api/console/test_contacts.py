"""Customers: list, card, editing, merging without loss, export; nothing of another business."""

import io
import json
import re
import secrets
import zipfile

import pytest

from crm import cards, contacts
from crm.errors import SomethingOpen, UnknownContact
from crm.merging import merge
from sara.exchange import Customer, exchange
from sara.local import Local
from tests.api.console.people import Agent, asks, customer, enter, somebody_waits
from tests.api.console.test_desk import business_id


async def contact_of(whole: Local, who: Customer) -> int:
    async with whole.crm.transaction(await business_id(whole, who.business)) as tx:
        return int(await tx.value("contact_by_wa_id", wa_id=who.wa_id))


async def change(agent: Agent, contact_id: int, what: str = "", **given: str) -> tuple[int, str]:
    answer = await agent.web.post(
        f"{agent.base}/contacts/{contact_id}{what}", data={"csrf": agent.csrf, **given}, follow_redirects=True
    )
    return answer.status_code, answer.text


async def test_the_list_is_searched_and_filtered(whole: Local, elena: Agent, stranger: Agent) -> None:
    name = f"Quintilia {secrets.token_hex(3)}"
    who = customer(name=name)
    await asks(whole, who)
    number = await contact_of(whole, who)
    link = f"/contacts/{number}"
    assert link in await elena.page("/contacts", q=name[:9])
    assert link in await elena.page("/contacts", q=who.wa_id)
    assert link in await elena.page("/contacts", q=name, lifecycle="lead", language="it")
    assert link not in await elena.page("/contacts", q=name, lifecycle="client")
    assert link not in await elena.page("/contacts", q=name, language="pt")
    assert "Nothing found" in await elena.page("/contacts", q=f"'; DROP TABLE {name}")
    assert link not in await stranger.page("/contacts", q=name)
    for path in (link, f"{link}/export", f"/contacts/{2**63}"):
        assert (await stranger.web.get(f"{stranger.base}{path}")).status_code == 404
    assert (await change(stranger, number, name="x"))[0] == 404


async def test_a_card_tells_everything_in_order_and_is_edited(whole: Local, elena: Agent) -> None:
    who = customer(name="Ada Scheda")
    await exchange(whole, who, text="Ho un problema: la sauna era fredda e sporca ieri")
    await exchange(whole, who, text="Sì")
    number = await contact_of(whole, who)
    page = await elena.page(f"/contacts/{number}")
    assert "la sauna era fredda" in page
    assert "Ticket opened" in page
    status, page = await change(elena, number, name="Ada <b>", email="no address", language="es")
    assert status == 422
    assert 'value="Ada &lt;b&gt;"' in page  # nothing typed is lost
    status, page = await change(elena, number, name="Ada Nuova", email="ada@example.com", language="es")
    assert status == 200
    assert "Saved." in page
    assert "name: Ada Scheda → Ada Nuova" in page
    assert "Elena Prova" in page
    async with whole.crm.transaction(await business_id(whole)) as tx:
        row = await contacts.get(tx, number)
    assert (row.name, row.email, row.told_language) == ("Ada Nuova", "ada@example.com", "es")


async def test_a_card_writes_only_what_was_changed_on_it(whole: Local, elena: Agent) -> None:
    who = customer(name="Ada Cambia")
    await asks(whole, who)
    number = await contact_of(whole, who)
    page = await elena.page(f"/contacts/{number}")
    was = dict(re.findall(r'name="(was_\w+)" value="([^"]*)"', page))
    assert was == {"was_name": "Ada Cambia", "was_email": "", "was_language": ""}
    async with whole.crm.transaction(await business_id(whole)) as tx:
        await contacts.update(tx, number, name="Ada Nuova", language="pt")  # she tells it SARA meanwhile
    status, page = await change(elena, number, name="Ada Cambia", email="ada@example.com", language="", **was)
    assert status == 200
    assert "Ada Nuova → " not in page
    async with whole.crm.transaction(await business_id(whole)) as tx:
        row = await contacts.get(tx, number)
    assert (row.name, row.email, row.told_language) == ("Ada Nuova", "ada@example.com", "pt")
    assert (await change(elena, number, name="Ada", email="", language="es", **was))[0] == 200
    async with whole.crm.transaction(await business_id(whole)) as tx:
        row = await contacts.get(tx, number)
    assert (row.name, row.email, row.told_language) == ("Ada", "ada@example.com", "es")


async def test_a_refused_card_keeps_the_language_chosen(whole: Local, elena: Agent) -> None:
    who = customer(name="Ada Lingua")
    await asks(whole, who)
    number = await contact_of(whole, who)
    was = {"was_name": "Come prima", "was_email": "", "was_language": ""}
    status, page = await change(elena, number, name="Ada", email="no address", language="pt", **was)
    assert status == 422
    assert re.search(r'<option value="pt" selected', page)
    assert 'name="was_name" value="Come prima"' in page  # what it was opened with, not what is there now


async def test_a_long_timeline_is_paged(whole: Local, elena: Agent) -> None:
    who = customer(name="Molti Messaggi")
    came = await asks(whole, who)
    number = await contact_of(whole, who)
    async with whole.crm.as_owner() as tx:
        await tx.connection.execute(
            "INSERT INTO message (business_id, conversation_id, contact_id, author, kind, body, sent_at)"
            " SELECT c.business_id, c.conversation_id, c.contact_id, 'customer', 'text', 'riga ' || n,"
            " now() - make_interval(mins => n) FROM conversation c, generate_series(1, 150) n"
            " WHERE c.conversation_id = %s",
            (came.conversation_id,),
        )
    seen: list[str] = []
    page = await elena.page(f"/contacts/{number}")
    for _ in range(4):
        seen += [part.split("<")[0] for part in page.split(">riga ")[1:]]
        if "?before=" not in page:
            break
        where = page.split(f"{elena.base}/contacts/{number}?before=")[1].split('"')[0]
        page = (await elena.web.get(f"{elena.base}/contacts/{number}?before={where}")).text
    assert seen == [str(n) for n in range(1, 151)]


async def test_merging_loses_nothing_and_both_numbers_are_one_customer(
    whole: Local, elena: Agent, boss: Agent
) -> None:
    one, other = customer(name="Bianca Uno"), customer(name="Bianca Due")
    await asks(whole, one)
    await exchange(whole, other, text="Ho un problema: il lettino era rotto e scomodo")
    await exchange(whole, other, text="Sì")
    kept, gone = await contact_of(whole, one), await contact_of(whole, other)
    assert (await change(elena, kept, "/merge", other=f"#{gone}"))[0] == 403
    async with whole.crm.as_owner() as tx:
        before = await rows_of(tx, kept) + await rows_of(tx, gone)
    status, page = await change(boss, kept, "/merge", other=f"+{other.wa_id}")
    assert status == 200, page
    assert "Merged." in page
    assert "il lettino era rotto" in page
    assert "merged in by Francesca Capo" in page
    assert f"+{other.wa_id}" in page
    async with whole.crm.as_owner() as tx:
        after = await rows_of(tx, kept)
        assert await rows_of(tx, gone) == 0
    assert after == before + 1  # the event that says so
    moved = await boss.web.get(f"{boss.base}/contacts/{gone}")
    assert moved.headers["location"] == f"{boss.base}/contacts/{kept}"
    assert f"/contacts/{gone}" not in await boss.page("/contacts", q="Bianca")

    already = len(whole.simulator.sent_to(other.wa_id))
    came = await exchange(whole, other, text="Quanto costa un massaggio rilassante?")
    assert "65,00" in came.reply
    reply = await whole.simulator.wait_for_reply(other.wa_id, after=already)
    assert "65,00" in (reply.text or "")  # answered where they wrote from
    assert await contact_of(whole, other) == kept
    again = len(whole.simulator.sent_to(one.wa_id))
    await exchange(whole, one, text="Quanto costa un massaggio rilassante?")
    await whole.simulator.wait_for_reply(one.wa_id, after=again)
    assert await contact_of(whole, one) == kept


async def rows_of(tx, contact_id: int) -> int:  # type: ignore[no-untyped-def]
    found = 0
    for table in ("conversation", "message", "crm_event", "ticket", "appointment", "quote", "lead"):
        statement = f"SELECT count(*) AS n FROM {table} WHERE contact_id = %s"
        found += (await (await tx.connection.execute(statement, (contact_id,))).fetchone())["n"]
    return found


async def test_what_cannot_be_merged_stays_as_it_is(whole: Local, boss: Agent) -> None:
    aurora = await business_id(whole)
    one = await somebody_waits(whole, "Carla Uno")
    other = await somebody_waits(whole, "Carla Due")
    kept, gone = await contact_of(whole, one.customer), await contact_of(whole, other.customer)
    with pytest.raises(SomethingOpen):
        await merge(whole.crm, aurora, kept, gone, boss.agent_id)
    for wrong in (f"#{kept}", "#999999999", "niente", ""):
        assert (await change(boss, kept, "/merge", other=wrong))[0] == 422
    conti = customer("conti")
    await exchange(whole, conti, text="Buongiorno")
    with pytest.raises(UnknownContact):
        await merge(whole.crm, aurora, kept, await contact_of(whole, conti), boss.agent_id)
    async with whole.crm.transaction(aurora) as tx:
        assert await cards.stands(tx, gone) == gone


async def test_an_admin_exports_a_customer(whole: Local, boss: Agent) -> None:
    who = customer(name="Dora Export")
    await asks(whole, who)
    number = await contact_of(whole, who)
    assert (await boss.web.get(f"{boss.base}/contacts/{number}/export")).status_code == 404
    admin = await enter(whole, "aurora", role="admin", name="Ugo Admin")
    answer = await admin.web.get(f"{admin.base}/contacts/{number}/export")
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        told = json.loads(archive.read("contact.json"))
        assert "Dora Export" in archive.read("contact.html").decode()
    assert told["records"]["contact"][0]["wa_id"] == who.wa_id
    assert told["thread_states"]
    await admin.web.aclose()
