"""Statements about tables by name, for what looks at all of them: exports, erasure, the search for traces.

Names come from the schema and from crm.privacy.holdings, never from outside.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import DictRow
from psycopg.sql import SQL, Composable, Identifier, Literal

Connection = AsyncConnection[DictRow]

_WORDS = ("text", "character varying", "character", "name", "json", "jsonb", "text[]", "tsvector")

_COLUMNS = SQL(
    "SELECT c.relname AS table_name, a.attname AS name,"
    " regexp_replace(format_type(a.atttypid, a.atttypmod), '\\(.*\\)', '') AS type,"
    " NOT a.attnotnull AS nullable"
    " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
    " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"
    " AND NOT (c.relispartition) ORDER BY c.relname, a.attnum"
)


@dataclass(frozen=True)
class Column:
    """A column of the schema; `type` without its length."""

    table_name: str
    name: str
    type: str
    nullable: bool

    @property
    def wordy(self) -> bool:
        """Whether it can hold words."""
        return self.type in _WORDS

    @property
    def binary(self) -> bool:
        """Whether it holds bytes."""
        return self.type == "bytea"


@dataclass(frozen=True)
class Hit:
    """A row in which something was found; `owners` are its ids, by which one sees whose row it is."""

    table: str
    column: str
    term: int  # which of the terms
    owners: dict[str, Any]


async def columns(connection: Connection) -> dict[str, list[Column]]:
    """Every table of the schema with its columns."""
    found: dict[str, list[Column]] = {}
    for row in await (await connection.execute(_COLUMNS)).fetchall():
        found.setdefault(row["table_name"], []).append(Column(**row))
    return found


async def rows(connection: Connection, table: str, via: str, ids: Collection[object]) -> list[DictRow]:
    """The rows whose `via` is one of `ids`, in the order they were written."""
    statement = SQL("SELECT * FROM {} WHERE {} = ANY(%s) ORDER BY 1").format(
        Identifier(table), Identifier(via)
    )
    return await (await connection.execute(statement, (list(ids),))).fetchall()


async def delete(connection: Connection, table: str, via: str, ids: Collection[object]) -> int:
    """Deletes those rows; how many."""
    statement = SQL("DELETE FROM {} WHERE {} = ANY(%s)").format(Identifier(table), Identifier(via))
    return (await connection.execute(statement, (list(ids),))).rowcount


async def move(connection: Connection, table: str, via: str, gone: object, kept: object) -> int:
    """Gives the rows of one id to another; how many."""
    name = Identifier(via)
    statement = SQL("UPDATE {} SET {} = %s WHERE {} = %s").format(Identifier(table), name, name)
    return (await connection.execute(statement, (kept, gone))).rowcount


async def empty(
    connection: Connection, table: str, via: str, ids: Collection[object], wanted: Sequence[Column]
) -> int:
    """Takes the words out of those rows: null where the column may be, else '' or '{}'; how many rows."""
    changes = SQL(", ").join(SQL("{} = {}").format(Identifier(c.name), _nothing(c)) for c in wanted)
    statement = SQL("UPDATE {} SET {} WHERE {} = ANY(%s)").format(Identifier(table), changes, Identifier(via))
    return (await connection.execute(statement, (list(ids),))).rowcount


async def search(
    connection: Connection, table: str, known: Sequence[Column], words: Sequence[str], most: int = 200
) -> list[Hit]:
    """Rows of a table that hold one of the words, upper or lower case, in any column of words or bytes.

    Reads the whole table. At most `most` for each column.
    """
    found: list[Hit] = []
    owners = [c.name for c in known if c.name == "business_id" or c.name in _OWNERS]
    for column in known:
        if not (column.wordy or column.binary):
            continue
        name = Identifier(column.name)
        if column.binary:
            given: list[Any] = [(n, form) for n, word in enumerate(words) for form in _in_bytes(word)]
            holds: Composable = SQL("position(w.form IN t.{}) > 0").format(name)
            kind = SQL("bytea[]")
        else:
            given = [(n, word.lower()) for n, word in enumerate(words)]
            holds = SQL("position(w.form IN lower(t.{}::text)) > 0").format(name)
            kind = SQL("text[]")
        statement = SQL(
            "SELECT {owners} w.n AS term FROM {table} t"
            " JOIN unnest(%s::int[], %s::{kind}) AS w(n, form) ON {holds} LIMIT {most}"
        ).format(
            owners=SQL("").join(SQL("t.{}, ").format(Identifier(o)) for o in owners),
            table=Identifier(table),
            kind=kind,
            holds=holds,
            most=Literal(most),
        )
        cursor = await connection.execute(statement, ([n for n, _ in given], [form for _, form in given]))
        for row in await cursor.fetchall():
            term = row.pop("term")
            found.append(Hit(table, column.name, term, row))
    return found


_OWNERS = frozenset(
    [
        "contact_id",
        "conversation_id",
        "message_id",
        "handoff_id",
        "lead_id",
        "quote_id",
        "appointment_id",
        "crm_event_id",
        "outbox_id",
        "invoice_draft_id",
        "erasure_id",
        "thread_id",
    ]
)


def _in_bytes(word: str) -> set[bytes]:
    """How a word can stand in bytes: as it is, and as JSON writes it, with or without its escapes."""
    ascii_only = "".join(c if ord(c) < 128 else _escaped(c) for c in word)
    slashed = ascii_only.replace("/", "\\/")
    return {form.encode() for form in (word, ascii_only, slashed)}


def _escaped(character: str) -> str:
    pair = character.encode("utf-16-be").hex()
    return "".join(f"\\u{pair[i : i + 4]}" for i in range(0, len(pair), 4))


def _nothing(column: Column) -> Composable:
    if column.nullable:
        return SQL("NULL")
    return Literal("{}") if column.type.endswith("[]") else Literal("")
