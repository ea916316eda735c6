"""What documents a business has."""

from sqlalchemy import text

from db.tenancy import tenant
from knowledge.store import KnowledgeStore

_LANGUAGES = text("SELECT path, language FROM document WHERE business_id = :business_id")


async def languages_of(store: KnowledgeStore, business_id: int) -> dict[str, str]:
    """The language of each document, by name."""
    with tenant(business_id):
        async with store.engine.connect() as connection:
            rows = await connection.execute(_LANGUAGES, {"business_id": business_id})
            return {str(row.path): str(row.language) for row in rows}
