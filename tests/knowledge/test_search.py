import asyncio
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text

from db.tenancy import tenant
from inference.compass import take_compass
from inference.duet import DuetEmbedder
from knowledge.ingest import ingest
from knowledge.search import KnowledgeSearch
from knowledge.store import KnowledgeStore
from tests.knowledge.conftest import AddBusiness

TODAY = date(2026, 11, 22)

DOCUMENTS = {
    "listino.md": """---
language: it
---
# Listino

## Massaggi

| Servizio | Durata | Prezzo |
|---|---|---|
| Massaggio rilassante | 50 min | 65,00 € |
| Massaggio con pietre calde | 75 min | 88,00 € |
""",
    "annullamenti.md": """---
language: it
---
# Annullamenti

Si può spostare o annullare gratis fino a 24 ore prima dell'appuntamento; dopo si paga la metà.
""",
    "parcheggio.md": """---
language: it
---
# Parcheggio

Il garage convenzionato è in via Lamarmora 12, due ore sono comprese. Codice di cortesia ZK-4471.
""",
    "animali.md": """---
language: it
---
# Animali

Sono ammessi soltanto i cani guida e da assistenza.
""",
    "yoga.md": """---
language: en
---
# Yoga classes

Classes are on Monday and Wednesday evening; mats are provided. Book one day ahead.
""",
    "promo-estate.md": """---
language: it
valid_from: 2026-06-01
valid_until: 2026-08-31
---
# Promozione estate

Sconto del 30% su tutti i massaggi rilassanti per tutta l'estate.
""",
}


@pytest.fixture(scope="module")
async def search(store: KnowledgeStore, embedder: DuetEmbedder) -> KnowledgeSearch:
    return KnowledgeSearch(store, await take_compass(embedder))


@pytest.fixture(scope="module")
async def shop(
    store: KnowledgeStore, add_business: AddBusiness, tmp_path_factory: pytest.TempPathFactory
) -> int:
    folder = tmp_path_factory.mktemp("shop")
    for name, body in DOCUMENTS.items():
        (folder / name).write_text(body)
    business_id = await add_business()
    report = await ingest([folder], business_id=business_id, store=store)
    assert report.added == len(DOCUMENTS)
    return business_id


@pytest.mark.parametrize(
    ("language", "question", "source"),
    [
        ("it", "Quanto costa un massaggio rilassante?", "listino.md"),
        ("en", "How much is a hot stone massage?", "listino.md"),
        ("es", "¿Cuánto cuesta un masaje relajante?", "listino.md"),
        ("pt", "Quanto custa a massagem relaxante?", "listino.md"),
        ("it", "posso disdire il giorno prima?", "annullamenti.md"),
        ("en", "can I cancel my appointment for free?", "annullamenti.md"),
        ("es", "¿puedo anular la cita gratis?", "annullamenti.md"),
        ("pt", "posso cancelar a consulta de graça?", "annullamenti.md"),
        ("en", "where can I park my car?", "parcheggio.md"),
        ("es", "¿puedo llevar a mi perro?", "animali.md"),
        ("pt", "posso levar meu cachorro?", "animali.md"),
        ("it", "quando ci sono le lezioni di yoga?", "yoga.md"),
    ],
)
async def test_the_right_document_comes_first(
    search: KnowledgeSearch, shop: int, language: str, question: str, source: str
) -> None:
    hits = await search.search(question, None, business_id=shop, language=language, on=TODAY)

    assert hits[0].source == source
    assert len(hits) == 3
    assert all(0.0 <= hit.score <= 1.0 for hit in hits)


async def test_a_hit_says_where_it_is_from(
    search: KnowledgeSearch, shop: int, embedder: DuetEmbedder
) -> None:
    question = "prezzo massaggio rilassante"
    vector = await embedder.query(question)

    hit, *_ = await search.search(question, vector, business_id=shop, language="it", on=TODAY)

    assert (hit.title, hit.section, hit.language) == ("Listino", "Massaggi", "it")
    assert "Servizio: Massaggio rilassante | Durata: 50 min | Prezzo: 65,00 €" in hit.text


async def test_neighbours_of_a_hit_are_one_passage(
    store: KnowledgeStore, search: KnowledgeSearch, add_business: AddBusiness, folder: Path
) -> None:
    rules = [
        "Il percorso comincia con una doccia calda e prosegue in sauna per dieci minuti al massimo, " * 5,
        "poi si riposa venti minuti nella sala delle tisane e si beve molto, anche senza sete, " * 5,
        "infine si può tornare nella vasca, dove l'acqua è a trentacinque gradi tutto l'anno, " * 5,
    ]
    body = (
        "# Percorso spa\n\n## Come funziona\n\n" + "\n\n".join(rules) + "\n\n## Altro\n\nIl telo è incluso.\n"
    )
    (folder / "percorso.md").write_text(body)
    (folder / "cani.md").write_text("# Animali\n\nI cani guida sono ammessi.\n")
    shop = await add_business()
    await ingest([folder], business_id=shop, store=store)

    hits = await search.search(
        "quanto si riposa dopo la sauna?", None, business_id=shop, language="it", on=TODAY
    )

    assert (hits[0].source, hits[0].section) == ("percorso.md", "Come funziona")
    assert "si riposa venti minuti" in hits[0].text
    assert "doccia calda" in hits[0].text or "trentacinque gradi" in hits[0].text
    assert len({(hit.source, hit.section) for hit in hits}) == len(hits)


async def test_validity_counts_on_the_day_asked(search: KnowledgeSearch, shop: int) -> None:
    async def sources(on: date) -> set[str]:
        hits = await search.search(
            "c'è uno sconto sui massaggi?", None, business_id=shop, language="it", k=20, on=on
        )
        return {hit.source for hit in hits}

    valid = set(DOCUMENTS)
    assert await sources(date(2026, 5, 31)) == valid - {"promo-estate.md"}
    assert await sources(date(2026, 6, 1)) == valid
    assert await sources(date(2026, 8, 31)) == valid
    assert await sources(date(2026, 9, 1)) == valid - {"promo-estate.md"}


async def test_words_lead_where_the_sentence_does_not(
    search: KnowledgeSearch, shop: int, embedder: DuetEmbedder
) -> None:
    """The vector is of an unrelated question, so that only the words can lead to the document."""
    vector = await embedder.query("a che ora comincia la lezione di yoga del lunedì?")

    async def sources(question: str, language: str | None) -> list[str]:
        hits = await search.search(question, vector, business_id=shop, language=language, k=2, on=TODAY)
        return [hit.source for hit in hits]

    for language in ("it", "es", None):  # a name is a name in any language
        assert "parcheggio.md" in await sources("garage convenzionato Lamarmora", language)
    assert "parcheggio.md" not in await sources("comincia la lezione", "it")


async def test_one_business_never_sees_another(
    store: KnowledgeStore,
    search: KnowledgeSearch,
    add_business: AddBusiness,
    shop: int,
    folder: Path,
    embedder: DuetEmbedder,
) -> None:
    (folder / "segreto.md").write_text("# Massaggi\n\nIl massaggio rilassante costa 1,00 € solo qui.")
    other = await add_business()
    await ingest([folder], business_id=other, store=store)
    question = "Quanto costa il massaggio rilassante?"

    mine, theirs = await asyncio.gather(
        search.search(question, None, business_id=shop, language="it", k=20, on=TODAY),
        search.search(question, None, business_id=other, language="it", k=20, on=TODAY),
    )

    assert "segreto.md" not in {hit.source for hit in mine}
    assert {hit.source for hit in theirs} == {"segreto.md"}
    # Row-level security alone, without any filter: PGVectorStore's own queries, and a bare SELECT.
    vector = [float(value) for value in await embedder.query(question)]
    with tenant(shop):
        unfiltered = await store.vectors.asimilarity_search_with_score_by_vector(vector, k=50)
        async with store.engine.connect() as connection:
            seen = set((await connection.execute(text("SELECT DISTINCT business_id FROM chunk"))).scalars())
            role = (await connection.execute(text("SELECT current_user"))).scalar()
    assert unfiltered
    assert "segreto.md" not in {document.metadata["source"] for document, _ in unfiltered}
    assert (seen, role) == ({shop}, "sara_app")


@pytest.mark.parametrize(
    "question",
    [
        "🙂🙂",
        "'; DROP TABLE chunk; --",
        "a & b | !c <-> 'd' \\",
        "x\x00y\ud83d",
        "dove " * 2000,
        "\u202eمرحبا\u200b",
        "%s :name",
    ],
)
async def test_any_words_are_only_words(search: KnowledgeSearch, shop: int, question: str) -> None:
    hits = await search.search(question, None, business_id=shop, language="it", on=TODAY)

    assert len(hits) == 3


async def test_many_questions_at_once(search: KnowledgeSearch, shop: int) -> None:
    questions = ["quanto costa il massaggio con pietre calde?", "posso portare il cane?"] * 10

    answers = await asyncio.gather(
        *(search.search(asked, None, business_id=shop, language="it", on=TODAY) for asked in questions)
    )

    assert [hits[0].source for hits in answers] == ["listino.md", "animali.md"] * 10


async def test_nothing_asked_finds_nothing(
    search: KnowledgeSearch, add_business: AddBusiness, shop: int
) -> None:

    assert await search.search("  ", None, business_id=shop, language="it", on=TODAY) == []
    assert await search.search("orari", None, business_id=await add_business(), language="it", on=TODAY) == []
