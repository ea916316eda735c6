"""LangGraph's checkpoints in our database, one tenant at a time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from psycopg import AsyncCursor
from psycopg.rows import DictRow, dict_row

from db.cipher import StateCipher
from db.pool import Pool
from db.tenancy import ENTER_TENANT, current_tenant


class TenantSaver(AsyncPostgresSaver):
    """AsyncPostgresSaver under row-level security.

    The base class takes one lock for all threads and speaks to the database as it connected. Here each
    operation has a pooled connection of its own and a transaction that first enters the tenant of the
    enclosing `db.tenancy.tenant` block; the pipeline sends it all in one round trip.
    """

    def __init__(self, pool: Pool, cipher: StateCipher | None = None) -> None:
        """`cipher` encrypts what is written from now on; what was written before stays readable."""
        super().__init__(pool, serde=EncryptedSerializer(cipher) if cipher else None)
        self._pool = pool

    @asynccontextmanager
    async def _cursor(self, *, pipeline: bool = False) -> AsyncIterator[AsyncCursor[DictRow]]:
        business = str(current_tenant())
        async with (
            self._pool.connection() as connection,
            connection.pipeline(),
            connection.transaction(),
            connection.cursor(binary=True, row_factory=dict_row) as cursor,
        ):
            await cursor.execute(ENTER_TENANT, (business,))
            yield cursor
