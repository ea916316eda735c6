"""Days the team gives a document hold for every passage of it, and outlast its file."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from crm import library
from crm.record import Crm
from db.migrate import MIGRATIONS
from db.pool import open_pool
from db.tenancy import tenant
from inference.compass import take_compass
from inference.duet import DuetEmbedder
from knowledge.ingest import ingest
from knowledge.search import KnowledgeSearch
from knowledge.store import KnowledgeStore
from tests.knowledge.conftest import AddBusiness

NEWS = (
    "# Novità\n\nTutto nuovo in sede, venite a trovarci.\n\n"
    "## Offerta di luglio\n\nFino al 31 luglio 2027 lo sconto è del 10 % sulle pietre calde.\n\n"
    "## Sempre\n\nIl tè alla menta è gratis.\n"
)
JULY = "2027-07-31"
YEAR = "---\nvalid_from: 2027-01-01\nvalid_until: 2027-12-31\n---\n"


@pytest.fixture
async def crm(store: KnowledgeStore, knowledge_dsn: str) -> AsyncIterator[Crm]:
    pool = await open_pool(knowledge_dsn, max_size=2, name="library")
    yield Crm(pool)
    await pool.close()


async def _held(crm: Crm, shop: int, first: date | None, last: date | None) -> None:
    async with crm.transaction(shop) as tx:
        [row] = await library.documents(tx)
        await library.hold(tx, row.document_id, first, last)


async def _days(store: KnowledgeStore, shop: int) -> list[tuple[str, str]]:
    """First and last day of each passage in order."""
    query = text("SELECT valid_from::text, valid_until::text FROM chunk ORDER BY ordinal")
    with tenant(shop):
        async with store.engine.connect() as connection:
            return [(row[0], row[1]) for row in await connection.execute(query)]


async def test_a_section_does_not_outlast_its_document_and_gets_its_days_back(
    store: KnowledgeStore, add_business: AddBusiness, folder: Path, crm: Crm, embedder: DuetEmbedder
) -> None:
    shop = await add_business()
    (folder / "novita.md").write_text(NEWS)
    await ingest([folder], business_id=shop, store=store)
    search = KnowledgeSearch(store, await take_compass(embedder))
    asked = "Che sconto c'è sulle pietre calde?"
    today = date(2026, 12, 1)
    found = await search.search(asked, None, business_id=shop, language="it", on=today)
    assert any("10 %" in passage.text for passage in found)

    await _held(crm, shop, None, date(2026, 11, 30))

    assert await _days(store, shop) == [("-infinity", "2026-11-30")] * 3
    assert await search.search(asked, None, business_id=shop, language="it", on=today) == []
    assert await search.worded(asked, business_id=shop, language="it", on=today) == []

    await _held(crm, shop, date(2027, 1, 1), date(2027, 12, 31))
    year = ("2027-01-01", "2027-12-31")
    assert await _days(store, shop) == [year, ("2027-01-01", JULY), year]

    await _held(crm, shop, None, None)
    always = ("-infinity", "infinity")
    assert await _days(store, shop) == [always, ("-infinity", JULY), always]


async def test_what_a_section_says_of_the_whole_moves_with_the_whole(
    store: KnowledgeStore, add_business: AddBusiness, folder: Path, crm: Crm
) -> None:
    shop = await add_business()
    (folder / "promo.txt").write_text("Promozione estate. Valida fino al 31 agosto 2026. Sconto del 20 %.")
    await ingest([folder], business_id=shop, store=store)
    await _held(crm, shop, None, date(2026, 12, 31))
    assert await _days(store, shop) == [("-infinity", "2026-12-31")]


async def test_a_section_may_be_said_to_last_longer_than_its_document_was(
    store: KnowledgeStore, add_business: AddBusiness, folder: Path, crm: Crm
) -> None:
    shop = await add_business()
    (folder / "novita.md").write_text(f"---\nvalid_until: 2027-05-31\n---\n{NEWS}")
    await ingest([folder], business_id=shop, store=store)
    assert await _days(store, shop) == [("-infinity", "2027-05-31")] * 3
    await _held(crm, shop, None, date(2027, 12, 31))
    assert [last for _, last in await _days(store, shop)] == ["2027-12-31", JULY, "2027-12-31"]


async def test_the_end_of_an_offer_holds_for_the_passages_below_its_subheadings(
    store: KnowledgeStore, add_business: AddBusiness, folder: Path
) -> None:
    shop = await add_business()
    (folder / "novita.md").write_text(
        "# Novità\n\nTutto nuovo.\n\n## Promozione\n\nValida fino al 31 luglio 2027.\n\n"
        "### Viso\n\nPulizia del viso a 39 €.\n"
    )
    await ingest([folder], business_id=shop, store=store)
    assert [last for _, last in await _days(store, shop)] == ["infinity", JULY, JULY]


async def test_another_version_of_the_file_keeps_the_days_given_by_hand(
    store: KnowledgeStore, add_business: AddBusiness, folder: Path, crm: Crm
) -> None:
    shop = await add_business()
    (folder / "novita.md").write_text(NEWS)
    await ingest([folder], business_id=shop, store=store)
    await _held(crm, shop, date(2027, 2, 1), date(2027, 9, 30))

    (folder / "novita.md").write_text(f"---\nvalid_until: 2029-01-31\n---\n{NEWS}\nE i biscotti pure.\n")
    assert (await ingest([folder], business_id=shop, store=store)).updated == 1

    async with crm.transaction(shop) as tx:
        [row] = await library.documents(tx)
    assert (row.valid_from, row.valid_until) == (date(2027, 2, 1), date(2027, 9, 30))
    assert row.dated_by_hand
    found = await _days(store, shop)
    assert set(found) == {("2027-02-01", "2027-09-30"), ("2027-02-01", JULY)}


async def test_a_file_nobody_dated_goes_by_its_own_days(
    store: KnowledgeStore, add_business: AddBusiness, folder: Path, crm: Crm
) -> None:
    shop = await add_business()
    (folder / "novita.md").write_text(f"---\nvalid_until: 2027-05-31\n---\n{NEWS}")
    await ingest([folder], business_id=shop, store=store)
    (folder / "novita.md").write_text(f"---\nvalid_until: 2027-06-30\n---\n{NEWS}")
    await ingest([folder], business_id=shop, store=store)
    async with crm.transaction(shop) as tx:
        [row] = await library.documents(tx)
    assert (row.valid_until, row.dated_by_hand) == (date(2027, 6, 30), False)


async def _dated_before(dsn: str, shop: int, first: date | None, last: date | None) -> None:
    """As the version before dated a document (a section that says so itself kept its days), then migrated."""
    mending = [
        part for part in (MIGRATIONS / "0045_dated_by_hand.sql").read_text().split(";") if "UPDATE" in part
    ]
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as owner:
        await owner.execute(
            "UPDATE chunk c SET valid_from = coalesce(%s, '-infinity'::date),"
            " valid_until = coalesce(%s, 'infinity'::date) FROM document d"
            " WHERE d.document_id = c.document_id AND c.business_id = %s"
            " AND c.valid_from = coalesce(d.valid_from, '-infinity')"
            " AND c.valid_until = coalesce(d.valid_until, 'infinity')",
            (first, last, shop),
        )
        await owner.execute(
            "UPDATE chunk SET own_from = NULL, own_until = NULL WHERE business_id = %s", (shop,)
        )
        await owner.execute(
            "UPDATE document SET valid_from = %s, valid_until = %s WHERE business_id = %s",
            (first, last, shop),
        )
        await owner.execute(
            "INSERT INTO access_log (business_id, what, subject_id, via, at, span) SELECT business_id,"
            " 'document_dated', document_id, 'console', now() + interval '1 minute', 0 FROM document"
            " WHERE business_id = %s",
            (shop,),
        )
        for statement in mending:
            await owner.execute(statement.encode())


async def test_documents_dated_before_are_mended_by_the_migration(
    store: KnowledgeStore, add_business: AddBusiness, folder: Path, crm: Crm, knowledge_dsn: str
) -> None:
    shop = await add_business()
    (folder / "novita.md").write_text(NEWS)
    await ingest([folder], business_id=shop, store=store)
    await _dated_before(knowledge_dsn, shop, None, date(2026, 11, 30))
    assert [last for _, last in await _days(store, shop)] == ["2026-11-30"] * 3
    async with crm.transaction(shop) as tx:
        [row] = await library.documents(tx)
    assert row.dated_by_hand
    await _held(crm, shop, None, None)
    assert [last for _, last in await _days(store, shop)] == ["infinity", JULY, "infinity"]


async def test_a_day_a_section_shared_with_its_document_is_not_its_own_after_the_migration(
    store: KnowledgeStore, add_business: AddBusiness, folder: Path, crm: Crm, knowledge_dsn: str
) -> None:
    shop = await add_business()
    (folder / "novita.md").write_text(YEAR + NEWS)
    await ingest([folder], business_id=shop, store=store)
    await _dated_before(knowledge_dsn, shop, date(2027, 1, 1), date(2027, 5, 31))
    assert await _days(store, shop) == [("2027-01-01", "2027-05-31")] * 3
    await _held(crm, shop, date(2026, 12, 1), date(2027, 12, 31))
    longer = ("2026-12-01", "2027-12-31")
    assert await _days(store, shop) == [longer, ("2026-12-01", JULY), longer]


async def test_a_document_dated_before_is_read_anew_when_it_is_taken_in_again(
    store: KnowledgeStore, add_business: AddBusiness, folder: Path, crm: Crm, knowledge_dsn: str
) -> None:
    shop = await add_business()
    (folder / "novita.md").write_text(YEAR + NEWS)
    await ingest([folder], business_id=shop, store=store)
    await _dated_before(knowledge_dsn, shop, date(2026, 12, 1), date(2027, 12, 31))
    assert (await _days(store, shop))[1] == ("2027-01-01", JULY)

    report = await ingest([folder], business_id=shop, store=store)

    assert (report.updated, report.chunks) == (1, 3)
    longer = ("2026-12-01", "2027-12-31")
    assert await _days(store, shop) == [longer, ("2026-12-01", JULY), longer]
    async with crm.transaction(shop) as tx:
        [row] = await library.documents(tx)
    assert (row.valid_from, row.dated_by_hand) == (date(2026, 12, 1), True)
    assert (await ingest([folder], business_id=shop, store=store)).unchanged == 1


async def test_a_document_dated_before_goes_with_its_file_all_the_same(
    store: KnowledgeStore, add_business: AddBusiness, folder: Path, knowledge_dsn: str
) -> None:
    shop = await add_business()
    (folder / "novita.md").write_text(NEWS)
    await ingest([folder], business_id=shop, store=store)
    await _dated_before(knowledge_dsn, shop, None, date(2027, 12, 31))
    (folder / "novita.md").unlink()
    assert (await ingest([folder], business_id=shop, store=store)).deleted == 1
