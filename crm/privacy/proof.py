"""The search of the whole database for what is left of an erased customer."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from crm.privacy.collect import Ids
from crm.privacy.holdings import HOLDINGS, QUEUE, RAW, THREADS
from crm.record import Tx
from db import tables
from db.tables import Hit

_MOST_WORDS = 60  # each is looked for in every row of every table
_SHORTEST_NAME = 4
_SHORTEST_WORDS = 12
_NUMBERS = tuple({holding.via for holding in HOLDINGS} | {h.gives for h in HOLDINGS if h.gives})


@dataclass(frozen=True)
class Terms:
    """What is looked for: identities, which belong to one person, and words, which others may use as well.

    `unsought` counts words left out: too short to tell anybody by, or more than are looked for.
    """

    identities: tuple[str, ...]
    words: tuple[str, ...]
    unsought: int = 0

    @property
    def all(self) -> tuple[str, ...]:
        """Identities first."""
        return (*self.identities, *self.words)


@dataclass(frozen=True)
class Finding:
    """Where something was found: rows of which table and column, and what kind of thing (never the words)."""

    table: str
    column: str
    what: str
    rows: int


@dataclass(frozen=True)
class Proof:
    """What the search found.

    traces     of the customer: there should be none
    kept       of the customer, on purpose: invoices the law wants kept
    elsewhere  the same words in rows of other customers or of the business: for a person to look at
    """

    tables: int
    identities: int
    words: int
    unsought: int
    traces: list[Finding] = field(default_factory=list)
    kept: list[Finding] = field(default_factory=list)
    elsewhere: list[Finding] = field(default_factory=list)


def terms_of(rows: dict[str, list[dict[str, Any]]], former_numbers: Sequence[str] = ()) -> Terms:
    """What a customer can be known by, out of all their rows."""
    [contact] = rows["contact"]
    fiscal = rows.get("contact_fiscal", [])
    identities = [contact["wa_id"], contact["bsuid"], contact["email"], *former_numbers]
    identities += [row[key] for row in fiscal for key in ("vat_number", "tax_code", "pec")]
    names = [contact["name"], *(row["name"] for row in fiscal), *(row["street"] for row in fiscal)]
    own = [row for row in rows.get("message", []) if row["author"] == "customer"]
    said = [
        row[key] for row in own for key in ("body", "transcript", "earlier_body", "wamid", "media_filename")
    ]
    said += [row["description"] for row in rows.get("ticket", [])]
    said += [row["wish"] for row in rows.get("lead", [])] + [row["request"] for row in rows.get("quote", [])]
    said += [row["body"] for row in rows.get("conversation_note", [])]
    said += [row["body"] for row in rows.get("handoff_fact", [])]
    said += [row["evidence"] for row in rows.get("marketing_consent", [])]
    distinct = sorted({one.strip() for one in said if one and one.strip()}, key=len, reverse=True)
    telling = [one for one in distinct if len(one) >= _SHORTEST_WORDS][:_MOST_WORDS]
    named = [name.strip() for name in names if name and name.strip()]
    long_names = [name for name in named if len(name) >= _SHORTEST_NAME]
    return Terms(
        tuple(dict.fromkeys(one for one in identities if one)),
        tuple(dict.fromkeys([*long_names, *telling])),
        len(distinct) - len(telling) + len(named) - len(long_names),
    )


async def search(tx: Tx, contact_id: int, ids: Ids, terms: Terms, *, kept: Sequence[str] = ()) -> Proof:
    """Looks for the terms in every column of every table. Reads everything, so the owner's transaction."""
    schema = await tables.columns(tx.connection)
    proof = Proof(len(schema), len(terms.identities), len(terms.words), terms.unsought)
    counted: dict[tuple[str, str, str, str], int] = {}
    if terms.all:
        for table, columns in schema.items():
            for hit in await tables.search(tx.connection, table, columns, terms.all):
                where = _place(hit, ids, identity=hit.term < len(terms.identities), kept=kept)
                key = (where, hit.table, hit.column, _what(hit.term, terms))
                counted[key] = counted.get(key, 0) + 1
    for (where, table, column, what), number in sorted(counted.items()):
        getattr(proof, where).append(Finding(table, column, what, number))
    return proof


def _what(term: int, terms: Terms) -> str:
    return "identity" if term < len(terms.identities) else "words"


def _place(hit: Hit, ids: Ids, *, identity: bool, kept: Sequence[str]) -> str:
    """Whose row it is. In raw bodies and jobs an identity is a trace; words may be others'."""
    if hit.table in kept:
        return "kept" if _theirs(hit, ids) else "elsewhere"
    if hit.table in (*RAW, *QUEUE):
        return "traces" if identity else "elsewhere"
    if hit.table in THREADS:
        return "traces" if hit.owners["thread_id"] in ids["thread_id"] else "elsewhere"
    personal = any(holding.table == hit.table for holding in HOLDINGS)
    if not personal:
        return "elsewhere"
    return "traces" if _theirs(hit, ids) else "elsewhere"


def _theirs(hit: Hit, ids: Ids) -> bool:
    return any(
        hit.owners.get(name) in ids.get(name, set()) for name in _NUMBERS if hit.owners.get(name) is not None
    )
