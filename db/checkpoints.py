"""LangGraph's checkpoints in our database, one tenant at a time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata, CheckpointTuple
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from psycopg import AsyncCursor
from psycopg.errors import InvalidTextRepresentation
from psycopg.rows import DictRow, dict_row

from db.cipher import StateCipher
from db.errors import ThreadTakenOver
from db.order import continue_after
from db.pool import Pool
from db.tenancy import ENTER_TENANT, current_tenant

# A checkpoint follows the latest one, or it is not written. The cast fails where it does not: so the refusal
# needs no question of its own, and comes back with the pipeline like any other error.
_PUT = """
    INSERT INTO checkpoints
        (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, checkpoint, metadata)
    SELECT thread, ns, id, parent, said, about
    FROM (VALUES (%s::text, %s::text, %s::text, %s::text, %s::jsonb, %s::jsonb))
        AS new (thread, ns, id, parent, said, about)
    WHERE coalesce((
        SELECT ('taken over: ' || c.checkpoint_id)::boolean FROM checkpoints c
        WHERE c.thread_id = thread AND c.checkpoint_ns = ns
            AND c.checkpoint_id > coalesce(parent, '') AND c.checkpoint_id <> id LIMIT 1
    ), true)
    ON CONFLICT (thread_id, checkpoint_ns, checkpoint_id)
    DO UPDATE SET checkpoint = EXCLUDED.checkpoint, metadata = EXCLUDED.metadata
"""
# One writer at a time sees what is the latest. Keys of two numbers are apart from those of conversations.
_ENTER_THREAD = "SELECT pg_advisory_xact_lock(1, hashtext(%s))"

_writing: ContextVar[str | None] = ContextVar("writing", default=None)


class TenantSaver(AsyncPostgresSaver):
    """AsyncPostgresSaver under row-level security.

    The base class takes one lock for all threads and speaks to the database as it connected. Here each
    operation has a pooled connection of its own and a transaction that first enters the tenant of the
    enclosing `db.tenancy.tenant` block; the pipeline sends it all in one round trip.

    A thread grows by one end. A worker that was cut off and given up goes on from what it knows when its
    network is back; by then another one may have written the thread on, and what it writes is refused.
    """

    UPSERT_CHECKPOINTS_SQL = _PUT

    def __init__(self, pool: Pool, cipher: StateCipher | None = None) -> None:
        """`cipher` encrypts what is written from now on; what was written before stays readable."""
        super().__init__(pool, serde=EncryptedSerializer(cipher) if cipher else None)
        self._pool = pool

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """A checkpoint; what this process writes afterwards is later, whatever its clock says."""
        found = await super().aget_tuple(config)
        if found is not None:
            continue_after(found.checkpoint["id"])
        return found

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Writes a checkpoint after its parent. Raises ThreadTakenOver where another one follows it."""
        entered = _writing.set(str(config["configurable"]["thread_id"]))
        try:
            return await super().aput(config, checkpoint, metadata, new_versions)
        except InvalidTextRepresentation as error:
            if "taken over: " not in str(error):
                raise
            raise ThreadTakenOver(ThreadTakenOver.__doc__) from error
        finally:
            _writing.reset(entered)

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
            if (thread := _writing.get()) is not None:
                await cursor.execute(_ENTER_THREAD, (thread,))
            yield cursor
