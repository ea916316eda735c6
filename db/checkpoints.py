"""LangGraph's checkpoints in our database, one tenant at a time."""

from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import orjson
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
from langgraph.constants import START
from psycopg import AsyncCursor
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import Jsonb

from db.cipher import StateCipher
from db.errors import ThreadTakenOver
from db.order import continue_after
from db.pool import Pool
from db.tenancy import ENTER_TENANT, current_tenant

# Arrays go as bytes: as text, psycopg escapes each of their elements.
_PUT = """
    SELECT checkpoints_kept(%(business)s, %(thread)s, %(ns)s, %(ids)b::text[], %(parents)b::text[],
        %(bodies)b::jsonb[], %(abouts)b::jsonb[], %(channels)b::text[], %(versions)b::text[],
        %(types)b::text[], %(blobs)b::bytea[]) AS kept"""
# LangGraph's task of what comes from outside the nodes: input, and the answer to an interrupt.
_NULL_TASK = "00000000-0000-0000-0000-000000000000"
# LangGraph's channel that says which node is next.
_NEXT = "branch:to:"

_Thread = tuple[str, str]  # its id and its namespace
_Blob = tuple[str, str, str, str, str, bytes | None]


@dataclass(frozen=True)
class _Kept:
    """A checkpoint as it goes into the database, after its parent."""

    id: str
    parent: str | None
    body: Jsonb
    about: Jsonb
    blobs: Sequence[_Blob]


@dataclass(frozen=True)
class _Alone:
    """What one process knows of the threads that it alone writes: their latest checkpoints, and those that
    are still to be written."""

    repeatable: Collection[str]
    known: dict[_Thread, CheckpointTuple] = field(default_factory=dict)
    waiting: dict[_Thread, list[_Kept]] = field(default_factory=dict)


_alone: ContextVar[_Alone | None] = ContextVar("alone", default=None)


@contextmanager
def writing_alone(repeatable: Collection[str] = ()) -> Iterator[None]:
    """For whoever looks at a thread that nobody else may write meanwhile, and then lets LangGraph run it.

    In the block a thread's latest checkpoint is read once, until this process writes the thread on. A
    checkpoint that only `repeatable` nodes follow is written together with the next one that others follow: a
    process that dies before that has lost what those nodes found out, and runs them again.
    """
    token = _alone.set(_Alone(repeatable))
    try:
        yield
    finally:
        _alone.reset(token)


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
        alone, latest = _alone.get(), _latest_of(config)
        if alone is not None:
            if latest is not None and (kept := alone.known.get(latest)) is not None:
                return _copy(kept)
            await self._caught_up(_thread_of(config))
        found = await super().aget_tuple(config)
        if found is not None:
            continue_after(found.checkpoint["id"])
            if alone is not None and latest is not None:
                alone.known[latest] = _copy(found)
        return found

    async def alist(self, config: RunnableConfig | None, **kwargs: Any) -> AsyncIterator[CheckpointTuple]:
        """As AsyncPostgresSaver lists them, those that were still to be written included."""
        if config is not None:
            await self._caught_up(_thread_of(config))
        async for found in super().alist(config, **kwargs):
            yield found

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Writes a checkpoint after its parent, and those that waited for it, in one round trip. Raises
        ThreadTakenOver where another one follows the parent."""
        _changed(config)
        thread, ns = _thread_of(config)
        inline, apart = _apart(checkpoint["channel_values"])
        versions = {channel: version for channel, version in new_versions.items() if channel in apart}
        kept = _Kept(
            checkpoint["id"],
            config["configurable"].get("checkpoint_id"),
            Jsonb({**checkpoint, "channel_values": inline}, orjson.dumps),
            Jsonb(get_serializable_checkpoint_metadata(config, metadata), orjson.dumps),
            self._dump_blobs(thread, ns, apart, versions),
        )
        if (alone := _alone.get()) is not None and _next_in(checkpoint) <= set(alone.repeatable):
            alone.waiting.setdefault((thread, ns), []).append(kept)
        else:
            await self._keep((thread, ns), [*_waiting((thread, ns)), kept])
        named = {"thread_id": thread, "checkpoint_ns": ns, "checkpoint_id": checkpoint["id"]}
        return {"configurable": named}

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Keeps what the next checkpoint will not hold: interrupts, what resumes them, errors."""
        if task_id == _NULL_TASK or any(channel in WRITES_IDX_MAP for channel, _ in writes):
            _changed(config)
            await self._caught_up(_thread_of(config))
            await super().aput_writes(config, writes, task_id, task_path)

    async def _caught_up(self, thread: _Thread) -> None:
        """Writes what a thread has still to be written."""
        if waiting := _waiting(thread):
            await self._keep(thread, waiting)

    async def _keep(self, thread: _Thread, chain: Sequence[_Kept]) -> None:
        blobs = [blob for one in chain for blob in one.blobs]
        values = {
            "business": str(current_tenant()),
            "thread": thread[0],
            "ns": thread[1],
            "ids": [one.id for one in chain],
            "parents": [one.parent for one in chain],
            "bodies": [one.body for one in chain],
            "abouts": [one.about for one in chain],
            "channels": [blob[2] for blob in blobs],
            "versions": [blob[3] for blob in blobs],
            "types": [blob[4] for blob in blobs],
            "blobs": [blob[5] for blob in blobs],
        }
        async with self._pool.connection() as connection:
            put = await (await connection.execute(_PUT, values)).fetchone()
        if not put or not put["kept"]:
            raise ThreadTakenOver(ThreadTakenOver.__doc__)

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


def _thread_of(config: RunnableConfig) -> _Thread:
    configurable = config["configurable"]
    return str(configurable["thread_id"]), str(configurable.get("checkpoint_ns", ""))


def _latest_of(config: RunnableConfig) -> _Thread | None:
    """The thread whose latest checkpoint is asked for; None where it is a certain one."""
    return None if config["configurable"].get("checkpoint_id") else _thread_of(config)


def _changed(config: RunnableConfig) -> None:
    if (alone := _alone.get()) is not None:
        alone.known.pop(_thread_of(config), None)


def _waiting(thread: _Thread) -> list[_Kept]:
    """What a thread has still to be written: whoever takes it writes it."""
    alone = _alone.get()
    return alone.waiting.pop(thread, []) if alone is not None else []


def _next_in(checkpoint: Checkpoint) -> set[str]:
    """The nodes that follow a checkpoint; {""} where none does, or what follows cannot be told."""
    channels = checkpoint["channel_values"]
    if START in channels:
        return {START}
    return {name.removeprefix(_NEXT) for name in channels if name.startswith(_NEXT)} or {""}


def _copy(found: CheckpointTuple) -> CheckpointTuple:
    """What its reader may change is its reader's own."""
    return found._replace(
        checkpoint=copy_checkpoint(found.checkpoint), pending_writes=list(found.pending_writes or [])
    )


def _apart(channels: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What stands in a checkpoint itself and what stands apart from it, as AsyncPostgresSaver has it."""
    inline = {k: v for k, v in channels.items() if v is None or isinstance(v, str | int | float | bool)}
    return inline, {k: v for k, v in channels.items() if k not in inline}
