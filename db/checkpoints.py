"""LangGraph's checkpoints in our database, one tenant at a time."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    copy_checkpoint,
    get_serializable_checkpoint_metadata,
)
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from psycopg import AsyncCursor
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import Jsonb

from db.cipher import StateCipher
from db.errors import ThreadTakenOver
from db.order import continue_after
from db.pool import Pool
from db.tenancy import ENTER_TENANT, current_tenant

_PUT = """
    SELECT checkpoint_kept(%(business)s, %(thread)s, %(ns)s, %(id)s, %(parent)s, %(checkpoint)s, %(metadata)s,
        %(channels)s::text[], %(versions)s::text[], %(types)s::text[], %(blobs)s::bytea[]) AS kept"""


# LangGraph's task of what comes from outside the nodes: input, and the answer to an interrupt.
_NULL_TASK = "00000000-0000-0000-0000-000000000000"


_read: ContextVar[dict[tuple[str, str], CheckpointTuple] | None] = ContextVar("read", default=None)


@contextmanager
def read_once() -> Iterator[None]:
    """In the block a thread's latest checkpoint is read once, until this process writes the thread on.

    For whoever looks at a thread that nobody else may write meanwhile, and then lets LangGraph run it, which
    reads it again first.
    """
    token = _read.set({})
    try:
        yield
    finally:
        _read.reset(token)


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
        known, thread = _read.get(), _latest_of(config)
        if known is not None and thread is not None and (kept := known.get(thread)) is not None:
            return _copy(kept)
        found = await super().aget_tuple(config)
        if found is not None:
            continue_after(found.checkpoint["id"])
            if known is not None and thread is not None:
                known[thread] = _copy(found)
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
        _changed(config)
        configurable = config["configurable"]
        thread, ns = str(configurable["thread_id"]), str(configurable["checkpoint_ns"])
        inline, apart = _apart(checkpoint["channel_values"])
        versions = {channel: version for channel, version in new_versions.items() if channel in apart}
        blobs = self._dump_blobs(thread, ns, apart, versions)
        values = {
            "business": str(current_tenant()),
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
        async with self._pool.connection() as connection:
            put = await (await connection.execute(_PUT, values)).fetchone()
        if not put or not put["kept"]:
            raise ThreadTakenOver(ThreadTakenOver.__doc__)
        named = {"thread_id": thread, "checkpoint_ns": ns, "checkpoint_id": checkpoint["id"]}
        return {"configurable": named}

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Keeps what the next checkpoint will not hold: interrupts, what resumes them, errors."""
        if task_id == _NULL_TASK or any(channel in WRITES_IDX_MAP for channel, _ in writes):
            _changed(config)
            await super().aput_writes(config, writes, task_id, task_path)

    @asynccontextmanager
    async def _cursor(self, *, pipeline: bool = False) -> AsyncIterator[AsyncCursor[DictRow]]:
        business = str(current_tenant())
        async with (
            self._pool.connection() as connection,
            # What stands between two synchronisations of a pipeline is one transaction: it needs no BEGIN.
            connection.pipeline(),
            connection.cursor(binary=True, row_factory=dict_row) as cursor,
        ):
            await cursor.execute(ENTER_TENANT, (business,))
            yield cursor


def _latest_of(config: RunnableConfig) -> tuple[str, str] | None:
    """The thread whose latest checkpoint is asked for; None where it is a certain one."""
    configurable = config["configurable"]
    if configurable.get("checkpoint_id"):
        return None
    return str(configurable["thread_id"]), str(configurable.get("checkpoint_ns", ""))


def _changed(config: RunnableConfig) -> None:
    if (known := _read.get()) is not None:
        configurable = config["configurable"]
        known.pop((str(configurable["thread_id"]), str(configurable.get("checkpoint_ns", ""))), None)


def _copy(found: CheckpointTuple) -> CheckpointTuple:
    """What its reader may change is its reader's own."""
    return found._replace(
        checkpoint=copy_checkpoint(found.checkpoint), pending_writes=list(found.pending_writes or [])
    )


def _apart(channels: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What stands in a checkpoint itself and what stands apart from it, as AsyncPostgresSaver has it."""
    inline = {k: v for k, v in channels.items() if v is None or isinstance(v, str | int | float | bool)}
    return inline, {k: v for k, v in channels.items() if k not in inline}
