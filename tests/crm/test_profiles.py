"""A business is read again when something of it has changed, and not before."""

import re
import secrets
from collections.abc import Mapping

import psycopg
import pytest

from crm import businesses
from crm.profiles import Profiles
from crm.record import Tx
from db.queries import Queries
from tests.crm.conftest import Book

_TABLE = re.compile(r"\b(?:FROM|JOIN)\s+([a-z_]+)\b")


class Counted(Mapping[str, str]):
    """The named queries, and which of them were asked."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries
        self.asked: list[str] = []

    def __getitem__(self, name: str) -> str:
        self.asked.append(name)
        return self._queries[name]

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter(())

    def __len__(self) -> int:
        return len(self.asked)


async def begin(book: Book, profiles: Profiles, counted: Counted | None = None):  # type: ignore[no-untyped-def]
    async with book.crm.transaction(book.business_id) as tx:
        queries = tx.queries if counted is None else counted
        watched = Tx(tx.business_id, tx.now, tx.connection, queries)  # type: ignore[arg-type]
        return await profiles.begin(watched, secrets.token_hex(8))


def named(profile: businesses.Profile, key: str) -> businesses.Service:
    return next(service for service in profile.services if service.row.key == key)


async def test_it_is_read_once_for_many_turns(book: Book) -> None:
    profiles = Profiles()
    async with book.crm.transaction(book.business_id) as tx:
        first, again = Counted(tx.queries), Counted(tx.queries)
    one = await begin(book, profiles, first)
    assert await begin(book, profiles, again) is one
    assert "services" in first.asked
    assert again.asked == ["profile_version"]


async def test_a_change_is_seen_by_the_next_turn(book: Book) -> None:
    profiles = Profiles()
    before = await begin(book, profiles)
    key = before.services[0].row.key
    price = named(before, key).row.price
    change = "UPDATE service SET price = %s WHERE business_id = %s AND key = %s"
    await book.rows(change, 4711, book.business_id, key)
    try:
        assert named(await begin(book, profiles), key).row.price == 4711
        assert named(before, key).row.price == price
    finally:
        await book.rows(change, price, book.business_id, key)


async def test_a_change_that_is_taken_back_is_none(book: Book) -> None:
    profiles = Profiles()
    before = await begin(book, profiles)
    async with await psycopg.AsyncConnection.connect(book.dsn) as owner:
        await owner.execute("UPDATE service SET price = price WHERE business_id = %s", (book.business_id,))
        assert await begin(book, profiles) is before
        await owner.rollback()
    assert await begin(book, profiles) is before


async def test_the_change_of_another_business_is_no_reason(book: Book) -> None:
    profiles = Profiles()
    before = await begin(book, profiles)
    await book.rows("UPDATE service SET price = price WHERE business_id <> %s", book.business_id)
    assert await begin(book, profiles) is before


async def test_a_new_day_is_a_reason(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    profiles = Profiles()
    before = await begin(book, profiles)
    monkeypatch.setattr(book.clock, "now", book.clock.now.replace(day=book.clock.now.day + 1))
    assert await begin(book, profiles) is not before


async def test_everything_that_is_read_moves_the_version(book: Book) -> None:
    async with book.crm.transaction(book.business_id) as tx:
        counted = Counted(tx.queries)
        await businesses.profile(Tx(tx.business_id, tx.now, tx.connection, counted))  # type: ignore[arg-type]
        read = {table for name in counted.asked for table in _TABLE.findall(tx.queries[name])}
    watched = await book.rows(
        "SELECT tgrelid::regclass::text AS name FROM pg_trigger WHERE tgname = 'profile_changed'"
    )
    assert len(read) > 10
    assert read <= {row["name"] for row in watched}


async def test_a_business_that_goes_takes_its_version_along(book: Book) -> None:
    slug = secrets.token_hex(8)
    [made] = await book.rows(
        "INSERT INTO business (slug, name, vertical, country, time_zone, currency, languages)"
        " SELECT %s, name, vertical, country, time_zone, currency, languages FROM business"
        " WHERE business_id = %s RETURNING business_id",
        slug,
        book.business_id,
    )
    business_id = made["business_id"]
    assert await book.rows("SELECT 1 FROM profile_version WHERE business_id = %s", business_id)
    await book.rows("DELETE FROM business WHERE business_id = %s", business_id)
    assert not await book.rows("SELECT 1 FROM profile_version WHERE business_id = %s", business_id)
