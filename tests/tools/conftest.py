"""One database with the seeded businesses for all tests of the tools."""

from collections.abc import AsyncIterator

import pytest

from tests.tools.talk import Room, open_room


@pytest.fixture(scope="session")
async def opened_room(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Room]:
    async with open_room(tmp_path_factory.mktemp("tools-db")) as room:
        yield room


@pytest.fixture
async def room(opened_room: Room) -> Room:
    await opened_room.clean()
    return opened_room
