"""A worker beside a room of tests/tools: for jobs that need the record and nothing else."""

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
