"""Whom an erasure reaches: the entry that stands for a customer, with what is told of them later, and nobody
who has written since."""

import asyncio
import itertools
import secrets
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from crm import businesses, cards, contacts, conversations, messages, outbox, trail
from crm.errors import ContactBusy
from crm.merging import merge
from crm.messages import NewMessage
from crm.privacy import erasure, people
from db.migrate import MIGRATIONS
from jobs.retention import forget_contacts
from jobs.services import Keeping
from sara.local import Local
from tests.crm.conftest import sender

YEAR = Keeping(contacts=timedelta(days=365))
AGED = "UPDATE contact SET last_seen_at = now() - interval '400 days' WHERE contact_id = ANY (%s)"


async def _rows(town: Local, query: str, *values: object) -> list[dict[str, Any]]:
    async with await psycopg.AsyncConnection.connect(
        town.dsn, autocommit=True, row_factory=dict_row
    ) as owner:
        cursor = await owner.execute(query.encode(), values or None)
        return await cursor.fetchall() if cursor.description else []


async def _business(town: Local) -> int:
    async with town.crm.outside() as tx:
        return await businesses.of_slug(tx, "conti")


async def _entered(town: Local, *names: str) -> list[int]:
    """Entries of those names, each with a number of its own."""
    async with town.crm.transaction(await _business(town)) as tx:
        return [await contacts.entered(tx, wa_id=sender(), name=name) for name in names]


async def _merged(town: Local, *entries: int) -> None:
    """The first into the second, that into the third, and so on."""
    for gone, kept in itertools.pairwise(entries):
        await merge(town.crm, await _business(town), kept, gone, None)


async def _found(town: Local, contact_id: int) -> int:
    async with town.crm.transaction(await _business(town)) as tx:
        return (await people.find(tx, f"#{contact_id}")).contact_id


async def test_whoever_was_merged_twice_is_erased_under_each_of_their_numbers(town: Local) -> None:
    entries = await _entered(town, "Euphemia Prima", "Euphemia Seconda", "Euphemia Terza")
    await _merged(town, *entries)
    last = entries[-1]
    async with town.crm.transaction(await _business(town)) as tx:
        assert sorted(await trail.entries_of(tx, last)) == sorted(entries)
        assert [await cards.stands(tx, one) for one in entries] == [last] * 3
    assert [await _found(town, one) for one in entries] == [last] * 3
    report = await erasure.erase(town.crm, await _business(town), await _found(town, entries[0]))
    assert report.clean
    assert report.proof is not None
    assert report.proof.identities == 3
    left = await _rows(
        town, "SELECT wa_id, name, erased_at IS NULL AS held FROM contact WHERE contact_id = %s", last
    )
    assert left == [{"wa_id": None, "name": None, "held": False}]


async def test_chains_of_before_lead_to_the_entry_that_stands_after_the_migration(town: Local) -> None:
    entries = await _entered(town, "Una", "Due", "Tre", "Quattro")
    await _merged(town, *entries)
    one, two, three, last = entries
    chained = "UPDATE contact SET merged_into = %s WHERE contact_id = %s"
    for gone, kept in ((one, two), (two, three)):
        await _rows(town, chained, kept, gone)
    assert await _found(town, one) == two
    [mending, *_] = (MIGRATIONS / "0047_who_is_erased.sql").read_text("utf-8").split(";")
    await _rows(town, mending)
    into = await _rows(
        town,
        "SELECT contact_id, merged_into FROM contact WHERE contact_id = ANY (%s) ORDER BY contact_id",
        entries,
    )
    assert [row["merged_into"] for row in into] == [last, last, last, None]


async def test_an_entry_that_was_merged_is_not_erased_in_anybodys_place(town: Local) -> None:
    gone, kept = await _entered(town, "Ippolita Va", "Ippolita Resta")
    await _merged(town, gone, kept)
    with pytest.raises(ContactBusy):  # merged in the moment between
        await erasure.erase(town.crm, await _business(town), gone)
    await _rows(town, AGED, [gone])
    await forget_contacts(replace(town.services, keeping=YEAR))
    assert await _rows(town, "SELECT FROM erasure WHERE contact_id = ANY (%s)", [gone, kept]) == []


async def _answered(town: Local) -> tuple[int, int]:
    """A customer, and the outbox row of an answer of which nobody knows what became."""
    async with town.crm.transaction(await _business(town)) as tx:
        number = (await businesses.numbers(tx))[0].phone_number_id
        contact_id = await contacts.seen(tx, wa_id=sender(), bsuid=None, name="Leontine Spät")
        conversation_id = await conversations.open_for(tx, contact_id, number)
        said = NewMessage(conversation_id, contact_id, "bot", "text", tx.now, body="Until then!")
        await outbox.add(tx, [said], turn_id=f"{conversation_id}:1", epoch=0, answers=None)
        await conversations.close(tx, conversation_id)
    [row] = await _rows(town, "SELECT outbox_id FROM outbox WHERE conversation_id = %s", conversation_id)
    return contact_id, row["outbox_id"]


async def _told(town: Local, wamid: str, outbox_id: int) -> int | None:
    async with town.crm.transaction(await _business(town)) as tx:
        told = messages.status(wamid=wamid, outbox_id=outbox_id, status="delivered", at=tx.now)
        [[found]] = await tx.together([told])
    message_id: int | None = found.message_id
    return message_id


async def _wamids(town: Local, contact_id: int) -> list[str | None]:
    rows = await _rows(town, "SELECT wamid FROM message WHERE contact_id = %s", contact_id)
    return [row["wamid"] for row in rows]


async def test_a_status_that_comes_after_the_erasure_brings_no_id_back(town: Local) -> None:
    contact_id, outbox_id = await _answered(town)
    assert (await erasure.erase(town.crm, await _business(town), contact_id)).clean
    wamid = f"wamid.{secrets.token_hex(8)}"
    assert await _told(town, wamid, outbox_id) is None
    assert await _wamids(town, contact_id) == [None]
    assert await _rows(town, "SELECT status FROM message WHERE contact_id = %s", contact_id) == [
        {"status": None}
    ]
    # Of whoever is still known it is what proves that the answer has arrived.
    contact_id, outbox_id = await _answered(town)
    assert await _told(town, wamid, outbox_id) is not None
    assert await _wamids(town, contact_id) == [wamid]


async def test_a_status_that_comes_during_the_erasure_waits_for_it(town: Local) -> None:
    contact_id, outbox_id = await _answered(town)
    async with town.crm.as_owner() as tx:
        await tx.connection.execute("SELECT FROM contact WHERE contact_id = %s FOR UPDATE", (contact_id,))
        await tx.connection.execute("UPDATE message SET body = '' WHERE contact_id = %s", (contact_id,))
        told = asyncio.create_task(_told(town, f"wamid.{secrets.token_hex(8)}", outbox_id))
        await asyncio.sleep(0.3)
        assert not told.done()
        await tx.connection.execute(
            "UPDATE contact SET wa_id = NULL, erased_at = now() WHERE contact_id = %s", (contact_id,)
        )
    assert await told is None
    assert await _wamids(town, contact_id) == [None]


async def test_whoever_writes_before_their_turn_to_be_forgotten_comes_is_left_alone(town: Local) -> None:
    contact_id, _ = await _answered(town)
    business_id = await _business(town)
    async with town.crm.transaction(business_id) as tx:
        number = (await businesses.numbers(tx))[0].phone_number_id
        conversation_id = await conversations.open_for(tx, contact_id, number)
        await conversations.customer_wrote(tx, conversation_id, tx.now)
        wa_id = (await contacts.get(tx, contact_id)).wa_id
    await _rows(town, AGED, [contact_id])
    async with town.crm.hold(conversation_id) as held:  # the job has chosen them, and waits
        assert held
        job = asyncio.create_task(forget_contacts(replace(town.services, keeping=YEAR)))
        await asyncio.sleep(0.5)
        assert not job.done()
        async with town.crm.transaction(business_id) as tx:
            assert await contacts.seen(tx, wa_id=wa_id, bsuid=None, name=None) == contact_id
    await job
    held_on = "SELECT name, erased_at FROM contact WHERE contact_id = %s"
    assert await _rows(town, held_on, contact_id) == [{"name": "Leontine Spät", "erased_at": None}]
    await _rows(town, AGED, [contact_id])
    assert await forget_contacts(replace(town.services, keeping=YEAR)) >= 1
    assert (await _rows(town, held_on, contact_id))[0]["erased_at"] is not None
