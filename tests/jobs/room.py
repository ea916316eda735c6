"""A worker beside a room of tests/tools: for jobs that need the record and nothing else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, cast

from jobs.services import Services
from tests.tools.talk import Room


def jobs(room: Room, **more: Any) -> Services:
    """A worker's services as far as such jobs need them."""
    nothing = cast(Any, None)
    made = Services(
        crm=room.crm,
        machine=nothing,
        context=room.context,
        client=nothing,
        patience=nothing,
        clock=room.clock,
    )
    return replace(made, **more)


@asynccontextmanager
async def formal(room: Room, language: str, slug: str = "aurora") -> AsyncIterator[None]:
    """The business addresses its customers formally for the length of the block."""
    of = (room.ids[slug], language)
    await room.rows("INSERT INTO business_text VALUES (%s, 'address', 'address', %s, 'formal')", *of)
    try:
        yield
    finally:
        await room.rows(
            "DELETE FROM business_text WHERE (business_id, language, kind) = (%s, %s, 'address')", *of
        )
