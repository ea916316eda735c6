"""Whom an erasure reaches: the entry that stands for a customer, and nobody who has written since."""

import itertools
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from crm import businesses, cards, contacts, trail
from crm.errors import ContactBusy
from crm.merging import merge
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
