"""LangGraph's checkpoints in our database, one tenant at a time."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    get_serializable_checkpoint_metadata,
)
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from psycopg import AsyncCursor
from psycopg.errors import InvalidTextRepresentation
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import Jsonb

from db.cipher import StateCipher
from db.errors import ThreadTakenOver
from db.order import continue_after
from db.pool import Pool
from db.tenancy import ENTER_TENANT, current_tenant

# One writer of a thread at a time sees what is the latest. Keys of two numbers are apart from those of
# conversations. No commit of it waits for the disk: whatever tells the world of a turn (its reply, its event
# done, its job finished) commits later and waits, and with it all that was written before. A server that
# crashes in between has lost what a process loses that dies before the write.
_ENTER_THREAD = """
    SELECT set_config('role', 'sara_app', true), set_config('app.business_id', %(business)s, true),
        set_config('synchronous_commit', 'off', true), pg_advisory_xact_lock(1, hashtext(%(thread)s))"""
# A checkpoint follows the latest one, or it is not written. The cast fails where it does not: so the refusal
# needs no question of its own, and comes back with the pipeline like any other error.
_PUT = """
    WITH kept AS (
        INSERT INTO checkpoint_blobs (thread_id, checkpoint_ns, channel, version, type, blob)
        SELECT %(thread)s, %(ns)s, channel, version, type, blob
        FROM unnest(%(channels)s::text[], %(versions)s::text[], %(types)s::text[], %(blobs)s::bytea[])
            AS new (channel, version, type, blob)
        ON CONFLICT (thread_id, checkpoint_ns, channel, version) DO NOTHING)
    INSERT INTO checkpoints
        (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, checkpoint, metadata)
    SELECT %(thread)s, %(ns)s, %(id)s, %(parent)s, %(checkpoint)s::jsonb, %(metadata)s::jsonb
    WHERE coalesce((
        SELECT ('taken over: ' || c.checkpoint_id)::boolean FROM checkpoints c
        WHERE c.thread_id = %(thread)s AND c.checkpoint_ns = %(ns)s
            AND c.checkpoint_id > coalesce(%(parent)s, '') AND c.checkpoint_id <> %(id)s LIMIT 1
    ), true)
    ON CONFLICT (thread_id, checkpoint_ns, checkpoint_id)
    DO UPDATE SET checkpoint = EXCLUDED.checkpoint, metadata = EXCLUDED.metadata"""


# LangGraph's task of what comes from outside the nodes: input, and the answer to an interrupt.
_NULL_TASK = "00000000-0000-0000-0000-000000000000"


class TenantSaver(AsyncPostgresSaver):
    """AsyncPostgresSaver under row-level security.

    The base class takes one lock for all threads and speaks to the database as it connected. Here each
    operation has a pooled connection of its own and a transaction that first enters the tenant of the
    enclosing `db.tenancy.tenant` block; the pipeline sends it all in one round trip.

    A node's plain writes are kept with the checkpoint after it, not a second time before it: nodes run one
    after another, and what they do in the world is done once in a turn however often they run, so a process
    that dies between the two lets the node run again. Interrupts, what resumes them and errors are kept at
    once, as ever. A graph with channels that are read from their writes (DeltaChannel) needs the base class.

    A thread grows by one end. A worker that was cut off and given up goes on from what it knows when its
    network is back; by then another one may have written the thread on, and what it writes is refused.
    """

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
        """Writes a checkpoint after its parent, in one round trip. Raises ThreadTakenOver where another one
        follows it."""
        configurable = config["configurable"]
        thread, ns = str(configurable["thread_id"]), str(configurable["checkpoint_ns"])
        inline, apart = _apart(checkpoint["channel_values"])
        versions = {channel: version for channel, version in new_versions.items() if channel in apart}
        blobs = self._dump_blobs(thread, ns, apart, versions)
        values = {
            "thread": thread,
            "ns": ns,
            "id": checkpoint["id"],
            "parent": configurable.get("checkpoint_id"),
            "checkpoint": Jsonb({**checkpoint, "channel_values": inline}),
            "metadata": Jsonb(get_serializable_checkpoint_metadata(config, metadata)),
            "channels": [blob[2] for blob in blobs],
            "versions": [blob[3] for blob in blobs],
            "types": [blob[4] for blob in blobs],
            "blobs": [blob[5] for blob in blobs],
        }
        entering = {"business": str(current_tenant()), "thread": thread}
        try:
            # What stands between two synchronisations of a pipeline is one transaction: it needs no BEGIN.
            async with self._pool.connection() as connection, connection.pipeline():
                await connection.execute(_ENTER_THREAD, entering)
                await connection.execute(_PUT, values)
        except InvalidTextRepresentation as error:
            if "taken over: " not in str(error):
                raise
            raise ThreadTakenOver(ThreadTakenOver.__doc__) from error
        named = {"thread_id": thread, "checkpoint_ns": ns, "checkpoint_id": checkpoint["id"]}
        return {"configurable": named}

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Keeps what the next checkpoint will not hold: interrupts, what resumes them, errors."""
        if task_id == _NULL_TASK or any(channel in WRITES_IDX_MAP for channel, _ in writes):
            await super().aput_writes(config, writes, task_id, task_path)

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


def _apart(channels: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What stands in a checkpoint itself and what stands apart from it, as AsyncPostgresSaver has it."""
    inline = {k: v for k, v in channels.items() if v is None or isinstance(v, str | int | float | bool)}
    return inline, {k: v for k, v in channels.items() if k not in inline}
