"""Embedding spaces: one table of vectors for each model, so that two models can stand side by side."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from knowledge.errors import DimensionMismatch, SchemaMissing, SpaceMissing

_TABLES = text("SELECT to_regclass('embedding_space') IS NOT NULL")
_ALL = text("SELECT model, dimensions, vectors, passages FROM embedding_space ORDER BY space_id")
_EMPTY = text("SELECT NOT EXISTS (SELECT FROM chunk)")
_OPEN = text(
    "SELECT model, dimensions, vectors, passages FROM open_embedding_space(:model, CAST(:dimensions AS int))"
)
_DROP = text("SELECT drop_embedding_space(:model)")


@dataclass(frozen=True)
class Space:
    """Where the vectors of one model are: `vectors` names their table, `passages` the view search reads."""

    model: str
    dimensions: int
    vectors: str
    passages: str


async def spaces(connection: AsyncConnection) -> list[Space]:
    """Every space there is, oldest first. Raises SchemaMissing."""
    if not (await connection.execute(_TABLES)).scalar():
        raise SchemaMissing(SchemaMissing.__doc__)
    return [Space(*row) for row in await connection.execute(_ALL)]


async def space_of(connection: AsyncConnection, model: str, dimensions: int, *, create: bool) -> Space:
    """The space of a model, made when it is not there yet and `create` or there is nothing to embed.

    Must be called as the owner.

    Raises SchemaMissing, SpaceMissing, and DimensionMismatch when the model's vectors have another length
    than those stored under its name.
    """
    found = next((space for space in await spaces(connection) if space.model == model), None)
    if found is None:
        if not create and not (await connection.execute(_EMPTY)).scalar():
            raise SpaceMissing(
                f"nothing is embedded with {model} yet: run `sara reindex` with SARA_EMBEDDINGS set to it; "
                "what runs on the model of before goes on meanwhile"
            )
        row = (await connection.execute(_OPEN, {"model": model, "dimensions": dimensions})).one()
        found = Space(*row)
    if found.dimensions != dimensions:
        raise DimensionMismatch(
            f"{model} makes vectors of {dimensions} numbers, the stored ones have {found.dimensions}: "
            "use the model the base was built with, or one of another name"
        )
    return found


async def drop_space(connection: AsyncConnection, model: str) -> None:
    """Removes a model's vectors; the passages stay. The owner's act; nothing happens where there are none."""
    await connection.execute(_DROP, {"model": model})
