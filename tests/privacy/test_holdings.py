"""What is personal is declared, table by table and column by column: an erasure forgets nothing new."""

from collections import Counter

from crm.privacy.holdings import HOLDINGS, IDS_ONLY, OTHERS, QUEUE, RAW, THREADS
from db import tables
from sara.local import Local

DECLARED = {holding.table for holding in HOLDINGS}


async def _schema(town: Local) -> dict[str, list[tables.Column]]:
    async with town.crm.as_owner() as tx:
        return await tables.columns(tx.connection)


async def test_every_table_is_declared_once(town: Local) -> None:
    async with town.crm.as_owner() as tx:
        rows = await (await tx.connection.execute("SELECT vectors, passages FROM embedding_space")).fetchall()
    spaces = {name for row in rows for name in row.values() if name}
    everything = [*DECLARED, *IDS_ONLY, *OTHERS, *QUEUE, *RAW, *THREADS]
    assert [name for name, count in Counter(everything).items() if count > 1] == []
    undeclared = set(await _schema(town)) - set(everything) - spaces
    assert undeclared == set(), "say in crm/privacy/holdings.py what erasure does with these tables"
    assert set(everything) - set(await _schema(town)) == set()


async def test_every_column_that_can_hold_words_is_declared(town: Local) -> None:
    schema = await _schema(town)
    for holding in HOLDINGS:
        known = {column.name for column in schema[holding.table]}
        assert holding.via in known
        assert holding.gives is None or holding.gives in known
        if holding.delete:
            continue
        wordy = {column.name for column in schema[holding.table] if column.wordy or column.binary}
        said = {*holding.empty, *holding.keep}
        assert not set(holding.empty) & set(holding.keep), holding.table
        assert wordy == said, f"{holding.table}: say in crm/privacy/holdings.py what becomes of these columns"


async def test_nothing_of_a_customer_hangs_on_an_undeclared_table(town: Local) -> None:
    """A table outside with a column that names a customer, a conversation or a message would be one."""
    personal = {holding.via for holding in HOLDINGS} | {"thread_id"}
    outside = {
        table: sorted(personal & {column.name for column in columns})
        for table, columns in (await _schema(town)).items()
        if table in OTHERS
    }
    assert {table: names for table, names in outside.items() if names} == {}
