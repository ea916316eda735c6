import asyncio
import errno
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text

from db.tenancy import NoTenant, tenant
from inference.duet import DuetEmbedder
from inference.embed import LangChainEmbeddings
from knowledge.errors import DimensionMismatch, KnowledgeUnavailable, UnknownBusiness
from knowledge.files import Failure
from knowledge.ingest import ingest
from knowledge.store import KnowledgeStore, open_store
from tests.knowledge.conftest import AddBusiness

DOCUMENT_COUNTS = text(
    "SELECT d.path, d.language, count(c.id), count(DISTINCT c.ordinal) FROM document d"
    " LEFT JOIN chunk c USING (document_id) GROUP BY d.document_id ORDER BY d.path"
)


async def _documents(store: KnowledgeStore, business_id: int) -> dict[str, tuple[str, int]]:
    """Language and number of chunks by document, as the tenant sees them."""
    with tenant(business_id):
        async with store.engine.connect() as connection:
            rows = (await connection.execute(DOCUMENT_COUNTS)).all()
    assert all(chunks == ordinals for _, _, chunks, ordinals in rows)
    return {path: (language, chunks) for path, language, chunks, _ in rows}


async def _texts(store: KnowledgeStore, business_id: int, path: str) -> list[str]:
    query = text("SELECT content FROM chunk WHERE source = :path ORDER BY ordinal")
    with tenant(business_id):
        async with store.engine.connect() as connection:
            return list((await connection.execute(query, {"path": path})).scalars())


async def test_added_unchanged_updated_deleted(
    store: KnowledgeStore, add_business: AddBusiness, folder: Path
) -> None:
    shop = await add_business()
    (folder / "orari.md").write_text("# Orari\n\nAperto alle 10.\n\n## Festivi\n\nChiuso.\n")
    (folder / "sub").mkdir()
    (folder / "sub" / "listino.csv").write_text("Servizio;Prezzo\nTaglio;25,00 €\n")
    (folder / ".bozza.md").write_text("Non ancora")
    heard: list[tuple[int, int, str]] = []

    first = await ingest([folder], business_id=shop, store=store, progress=lambda *step: heard.append(step))
    again = await ingest([folder], business_id=shop, store=store)

    assert (first.added, first.unchanged, first.chunks, first.failed) == (2, 0, 3, ())
    assert (again.added, again.updated, again.unchanged, again.deleted, again.chunks) == (0, 0, 2, 0, 0)
    assert heard == [(1, 2, "orari.md"), (2, 2, "sub/listino.csv")]
    assert await _documents(store, shop) == {"orari.md": ("it", 2), "sub/listino.csv": ("it", 1)}

    (folder / "orari.md").write_text("# Orari\n\nAperto alle 9.\n")
    (folder / "sub" / "listino.csv").unlink()
    third = await ingest([folder], business_id=shop, store=store)

    assert (third.added, third.updated, third.unchanged, third.deleted, third.chunks) == (0, 1, 0, 1, 1)
    assert await _documents(store, shop) == {"orari.md": ("it", 1)}
    assert await _texts(store, shop, "orari.md") == ["Aperto alle 9."]


async def test_a_folder_deletes_only_what_came_from_it(
    store: KnowledgeStore, add_business: AddBusiness, folder: Path, tmp_path: Path
) -> None:
    shop = await add_business()
    other = tmp_path / "other"
    other.mkdir()
    (folder / "a.txt").write_text("Il primo documento.")
    (other / "b.txt").write_text("Il secondo documento.")
    (other / "c.txt").write_text("Il terzo documento.")
    await ingest([folder, other / "b.txt", other / "c.txt"], business_id=shop, store=store)
    (folder / "a.txt").unlink()
    (other / "c.txt").unlink()

    report = await ingest([folder], business_id=shop, store=store)

    assert report.deleted == 1
    assert set(await _documents(store, shop)) == {"b.txt", "c.txt"}
    # Files given one by one belong to the folder they lie in.
    assert (await ingest([other], business_id=shop, store=store)).deleted == 1
    assert set(await _documents(store, shop)) == {"b.txt"}


async def test_a_moved_folder_takes_its_documents_along(
    store: KnowledgeStore, add_business: AddBusiness, folder: Path, tmp_path: Path
) -> None:
    shop = await add_business()
    (folder / "a.txt").write_text("Il primo documento.")
    await ingest([folder], business_id=shop, store=store)
    moved = await asyncio.to_thread(folder.rename, tmp_path / "moved")

    report = await ingest([moved], business_id=shop, store=store)
    (moved / "a.txt").unlink()
    after = await ingest([moved], business_id=shop, store=store)

    assert (report.unchanged, report.added) == (1, 0)
    assert after.deleted == 1


async def test_another_embedding_model_embeds_again(
    store: KnowledgeStore, add_business: AddBusiness, folder: Path, knowledge_dsn: str
) -> None:
    class OtherModel(DuetEmbedder):
        name = "other"

    shop = await add_business()
    (folder / "a.txt").write_text("Il primo documento.")
    await ingest([folder], business_id=shop, store=store)
    model = OtherModel()
    other = await open_store(knowledge_dsn, model, LangChainEmbeddings(model), pool_size=1, create=True)

    report = await ingest([folder], business_id=shop, store=other)

    await other.close()
    model.close()
    assert (report.updated, report.unchanged) == (1, 0)


async def test_language_from_document_then_detector_then_business(
    store: KnowledgeStore, add_business: AddBusiness, folder: Path
) -> None:
    shop = await add_business("pt")
    (folder / "a.md").write_text("---\nlanguage: es\n---\nHola a todos")
    (folder / "b.md").write_text("Hello everyone")
    (folder / "c.md").write_text("12345")

    await ingest([folder], business_id=shop, store=store, detect=lambda t, _: "en" if "Hello" in t else None)

    languages = {path: language for path, (language, _) in (await _documents(store, shop)).items()}
    assert languages == {"a.md": "es", "b.md": "en", "c.md": "pt"}


async def test_bad_files_are_one_line_each_and_stop_nothing(
    store: KnowledgeStore, add_business: AddBusiness, folder: Path
) -> None:
    shop = await add_business()
    (folder / "buono.md").write_bytes("Perché no: 65,00 €".encode("utf-16"))
    (folder / "vuoto.md").write_bytes(b"")
    (folder / "foto.md").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
    (folder / "listino.pdf").write_bytes(b"%PDF-1.7")
    (folder / "promo.md").write_text("---\nvalid_until: domani\n---\nSconto")
    with (folder / "enorme.txt").open("wb") as huge:
        huge.truncate(200_000_000)
    missing = folder / "manca"

    report = await ingest([folder, missing], business_id=shop, store=store)

    assert report.added == 1
    assert {failure.path for failure in report.failed} == {
        *("vuoto.md", "foto.md", "listino.pdf", "promo.md", "enorme.txt"),
        str(missing),
    }
    assert all("\n" not in failure.error and ":" in failure.error for failure in report.failed)
    assert set(await _documents(store, shop)) == {"buono.md"}


async def test_a_file_that_went_bad_keeps_its_last_good_version(
    store: KnowledgeStore, add_business: AddBusiness, folder: Path
) -> None:
    shop = await add_business()
    (folder / "a.md").write_text("Versione buona.")
    await ingest([folder], business_id=shop, store=store)
    (folder / "a.md").write_bytes(b"%PDF-1.7")

    report = await ingest([folder], business_id=shop, store=store)

    assert (report.deleted, len(report.failed)) == (0, 1)
    assert await _texts(store, shop, "a.md") == ["Versione buona."]


async def test_nothing_is_forgotten_of_a_folder_of_which_a_part_is_shut(
    store: KnowledgeStore, add_business: AddBusiness, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for a service that runs as somebody else than who keeps the documents."""
    shop = await add_business()
    shut = folder / "sub" / "prezzi"
    shut.mkdir(parents=True)
    (folder / ".git").mkdir()
    for name in ("a.md", "b.md", "sub/prezzi/listino.md"):
        (folder / name).write_text(f"Il documento {name}.")
    await ingest([folder], business_id=shop, store=store)
    everything = set(await _documents(store, shop))
    (folder / "b.md").unlink()
    scandir, stat = os.scandir, Path.stat

    def refused(path: object) -> PermissionError:
        return PermissionError(errno.EACCES, "Permission denied", str(path))

    def looked(where: Any = ".") -> Any:
        if Path(where) in (shut, folder / ".git"):
            raise refused(where)
        return scandir(where)

    def asked(path: Path, **more: Any) -> os.stat_result:
        if path == folder / "a.md":
            raise refused(path)
        return stat(path, **more)

    with monkeypatch.context() as rights:
        rights.setattr(os, "scandir", looked)
        report = await ingest([folder], business_id=shop, store=store)
    assert (report.unchanged, report.deleted) == (1, 0)
    [failure] = report.failed
    assert failure.path == str(shut)
    assert "Permission denied" in failure.error
    with monkeypatch.context() as rights:
        rights.setattr(Path, "stat", asked)
        report = await ingest([folder], business_id=shop, store=store)
    assert (report.unchanged, report.deleted) == (1, 0)
    assert [failure.path for failure in report.failed] == [str(folder / "a.md")]
    assert set(await _documents(store, shop)) == everything
    report = await ingest([folder], business_id=shop, store=store)
    assert (report.deleted, report.failed) == (1, ())
    assert set(await _documents(store, shop)) == everything - {"b.md"}


async def test_two_files_of_one_name_are_not_mixed_up(
    store: KnowledgeStore, add_business: AddBusiness, folder: Path, tmp_path: Path
) -> None:
    shop = await add_business()
    (folder / "faq.md").write_text("La prima.")
    other = tmp_path / "other"
    other.mkdir()
    (other / "faq.md").write_text("La seconda.")

    report = await ingest([folder, other, folder], business_id=shop, store=store)

    assert report.added == 1
    assert report.failed == (Failure(str(other / "faq.md"), report.failed[0].error),)
    assert await _texts(store, shop, "faq.md") == ["La prima."]


async def test_a_document_is_written_whole_or_not_at_all(
    store: KnowledgeStore, add_business: AddBusiness, folder: Path, knowledge_dsn: str
) -> None:
    class Failing(DuetEmbedder):
        async def passages(self, texts: object) -> np.ndarray:
            vectors = await super().passages(texts)  # type: ignore[arg-type]
            vectors[-1] = np.nan  # the database refuses it, after the document's row was written
            return vectors

    shop = await add_business()
    (folder / "a.md").write_text("# Uno\n\nVersione buona.\n\n# Due\n\nAncora.\n")
    await ingest([folder], business_id=shop, store=store)
    (folder / "a.md").write_text("# Uno\n\nVersione nuova.\n\n# Due\n\nAncora nuova.\n")
    model = Failing()
    broken = await open_store(knowledge_dsn, model, LangChainEmbeddings(model), pool_size=1, create=True)

    with pytest.raises(Exception, match="invalid input syntax for type vector"):
        await ingest([folder], business_id=shop, store=broken)
    await broken.close()
    model.close()

    assert await _texts(store, shop, "a.md") == ["Versione buona.", "Ancora."]
    assert (await ingest([folder], business_id=shop, store=store)).updated == 1


async def test_ingestions_at_once_do_not_double(
    store: KnowledgeStore, add_business: AddBusiness, folder: Path
) -> None:
    shop = await add_business()
    for number in range(4):
        (folder / f"{number}.md").write_text(
            f"# Documento {number}\n\nTesto {number}.\n\n## Altro\n\nFine.\n"
        )

    reports = await asyncio.gather(*(ingest([folder], business_id=shop, store=store) for _ in range(3)))

    assert sum(report.added for report in reports) == 4
    assert sum(report.updated for report in reports) == 0
    assert await _documents(store, shop) == {f"{number}.md": ("it", 2) for number in range(4)}


async def test_nothing_is_reached_without_or_outside_a_tenant(
    store: KnowledgeStore, add_business: AddBusiness, folder: Path
) -> None:
    mine, theirs = await add_business(), await add_business()
    (folder / "a.md").write_text("Soltanto mio.")
    await ingest([folder], business_id=mine, store=store)

    assert await _documents(store, theirs) == {}
    with pytest.raises(NoTenant):
        async with store.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
    with pytest.raises(UnknownBusiness):
        await ingest([folder], business_id=10_000_000, store=store)


async def test_a_store_says_why_it_does_not_open(
    knowledge_dsn: str, embedder: DuetEmbedder, store: object
) -> None:
    class Narrow(DuetEmbedder):
        dimensions = 12

    narrow = Narrow()
    with pytest.raises(DimensionMismatch, match="12 numbers"):
        await open_store(knowledge_dsn, narrow, LangChainEmbeddings(narrow))
    with pytest.raises(KnowledgeUnavailable):
        await open_store("postgresql://127.0.0.1:1/none", embedder, LangChainEmbeddings(embedder))


async def test_each_section_has_its_own_language(
    store: KnowledgeStore, add_business: AddBusiness, folder: Path
) -> None:
    shop = await add_business("it")
    italian = (
        "Il parcheggio convenzionato si trova a due passi dalla reception e le prime due ore sono gratuite."
    )
    english = "The partner car park is just around the corner and the first two hours of your stay are free."
    (folder / "a.md").write_text(
        f"---\nlanguage: it\n---\n# Doc\n\n## Uno\n\n{italian}\n\n## Two\n\n{english}\n\n## Tre\n\nOk!\n"
    )
    heard: list[tuple[str, str | None]] = []

    def detect(words: str, otherwise: str | None) -> str | None:
        heard.append((words, otherwise))
        return "en" if words.startswith("The") else otherwise

    await ingest([folder], business_id=shop, store=store, detect=detect)

    query = text("SELECT language FROM chunk ORDER BY ordinal")
    with tenant(shop):
        async with store.engine.connect() as connection:
            languages = list((await connection.execute(query)).scalars())
    assert languages == ["it", "en", "it"]
    assert heard == [(italian, "it"), (english, "it")]  # too short a section is not asked about


async def test_words_about_an_end_count_without_front_matter(
    store: KnowledgeStore, add_business: AddBusiness, folder: Path
) -> None:
    shop = await add_business("it")
    (folder / "a.txt").write_text("Promozione estate. Valida fino al 31 agosto 2026. Sconto del 20 %.")
    (folder / "b.md").write_text(
        "# Novità\n\nTutto nuovo.\n\n## Offerta di luglio\n\nFino al 31 luglio 2026 sconto del 10 %.\n\n"
        "## Sempre\n\nIl tè è gratis.\n"
    )

    await ingest([folder], business_id=shop, store=store)

    ends = text("SELECT source, section, valid_until::text FROM chunk ORDER BY source, ordinal")
    with tenant(shop):
        async with store.engine.connect() as connection:
            found = [tuple(row) for row in await connection.execute(ends)]
    assert found == [
        ("a.txt", "a", "2026-08-31"),
        ("b.md", "Novità", "infinity"),
        ("b.md", "Novità > Offerta di luglio", "2026-07-31"),
        ("b.md", "Novità > Sempre", "infinity"),
    ]


async def test_side_by_side_gives_the_same(
    store: KnowledgeStore, add_business: AddBusiness, folder: Path
) -> None:
    one, other = await add_business(), await add_business()
    for number in range(12):
        (folder / f"{number:02}.md").write_text(f"# Documento {number}\n\nTesto numero {number}.\n")
    (folder / "vuoto.md").write_text("")

    alone = await ingest([folder], business_id=one, store=store)
    beside = await ingest([folder], business_id=other, store=store, at_once=4)

    assert alone == beside
    assert (beside.added, len(beside.failed)) == (12, 1)
    assert await _documents(store, one) == await _documents(store, other)
