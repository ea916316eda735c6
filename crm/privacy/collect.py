"""Every row about a customer, found by walking from the contact to what hangs on it."""

from collections.abc import AsyncIterator
from typing import Any

from crm.privacy.holdings import HOLDINGS, Holding
from db import tables

Ids = dict[str, set[object]]


async def walk(
    connection: tables.Connection, contact_id: int
) -> AsyncIterator[tuple[Holding, list[dict[str, Any]], Ids]]:
    """Each holding with its rows and the ids known so far, parents before children."""
    ids: Ids = {"contact_id": {contact_id}}
    for holding in HOLDINGS:
        ids.setdefault(holding.via, set())
        rows = await tables.rows(connection, holding.table, holding.via, ids[holding.via])
        if holding.gives:
            ids[holding.gives] = {row[holding.gives] for row in rows}
        yield holding, rows, ids
