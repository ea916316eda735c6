"""One business with very many waiting turns does not make the others wait for all of them."""

from crm import queue
from tests.crm.conftest import Book

CROWDED, OTHER = 9_000_001, 9_000_002  # businesses that no other test has jobs of
FIRST = 8_000_000_000  # and conversations
_GONE = "DELETE FROM procrastinate_jobs WHERE (args ->> 'conversation_id')::bigint >= %s"


async def flood(book: Book, business_id: int, first: int, count: int) -> None:
    async with book.crm.transaction(business_id) as tx:
        for number in range(count):
            assert await queue.drain(tx, first + number, delay_s=0)


async def waiting(book: Book) -> list[tuple[str, int]]:
    """Business and conversation of these tests' turns, as workers take them."""
    rows = await book.rows(
        "SELECT args ->> 'business_id' AS business, (args ->> 'conversation_id')::bigint AS conversation"
        " FROM procrastinate_jobs WHERE status = 'todo' AND (args ->> 'conversation_id')::bigint >= %s"
        " ORDER BY priority DESC, id",
        FIRST,
    )
    return [(row["business"], row["conversation"]) for row in rows]


async def test_others_overtake_a_flood_and_its_own_order_stays(book: Book) -> None:
    try:
        await flood(book, CROWDED, FIRST, 200)
        await flood(book, OTHER, FIRST + 1000, 3)
        order = await waiting(book)
        place = {conversation: at for at, (_, conversation) in enumerate(order)}
        assert max(place[FIRST + 1000 + number] for number in range(3)) < 8 + 3
        mine = [conversation for business, conversation in order if business == str(CROWDED)]
        assert mine == sorted(mine)
        # Most of the flood is done; what comes now does not overtake what waits since.
        await book.rows(
            "DELETE FROM procrastinate_jobs WHERE (args ->> 'conversation_id')::bigint BETWEEN %s AND %s",
            FIRST,
            FIRST + 194,
        )
        await flood(book, CROWDED, FIRST + 500, 3)
        mine = [conversation for business, conversation in await waiting(book) if business != str(OTHER)]
        assert mine == [FIRST + 195 + n for n in range(5)] + [FIRST + 500 + n for n in range(3)]
        # And all of it: the business is one like any other again.
        await book.rows(_GONE, FIRST)
        await flood(book, CROWDED, FIRST + 600, 1)
        await flood(book, OTHER, FIRST + 1600, 1)
        assert [conversation for _, conversation in await waiting(book)] == [FIRST + 600, FIRST + 1600]
    finally:
        await book.rows(_GONE, FIRST)


async def test_a_turn_of_a_flood_is_still_before_what_nobody_waits_for(book: Book) -> None:
    try:
        await flood(book, CROWDED, FIRST, 100)
        [lowest] = await book.rows(
            "SELECT min(priority) AS p FROM procrastinate_jobs WHERE args ->> 'business_id' = %s",
            str(CROWDED),
        )
        assert lowest["p"] == -4
    finally:
        await book.rows(_GONE, FIRST)
