"""When a webhook must have been taken in: at once, or after an outage by one of its repetitions."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from crm import uptime
from tests.crm.conftest import Book

SECOND = timedelta(seconds=1)


async def heard(book: Book, at: datetime, *lives: tuple[int, int]) -> bool:
    """With processes that lived from and to some seconds after `at`."""
    async with book.crm.transaction(book.business_id) as tx:
        await tx.connection.execute("DELETE FROM web_uptime")
        for began, ended in lives:
            await tx.connection.execute(
                "INSERT INTO web_uptime (process, started_at, seen_at) VALUES (%s, %s, %s)",
                (uuid4(), at + began * SECOND, at + ended * SECOND),
            )
        return await uptime.heard(tx, at, within=6 * SECOND, least=60 * SECOND, most=300 * SECOND)


@pytest.mark.parametrize(
    ("lives", "was"),
    [
        ([(-100, 7)], True),
        ([(-100, 5)], False),  # it may have knocked a moment later
        ([(-100, 3), (4, 30)], False),
        ([(-100, 3), (4, 65)], True),  # what is repeated after a short outage has come
        ([(-100, 3), (60, 150)], False),  # after a minute of outage a minute and a half is not long enough
        ([(-100, 3), (60, 181)], True),
        ([(-100, 3), (1000, 1250)], False),
        ([(-100, 3), (1000, 1301)], True),  # never more than five minutes
        ([(-100, 3), (4, 40), (41, 90)], False),  # both too short: it may have met each gap
        ([(-100, 3), (-50, 8)], True),  # one of two processes stayed
        ([], False),
    ],
)
async def test_a_webhook_was_taken_in(book: Book, lives: list[tuple[int, int]], was: bool) -> None:
    assert await heard(book, book.crm.clock(), *lives) is was
