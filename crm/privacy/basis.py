"""Why a customer's data may be used, purpose by purpose (GDPR articles 6 and 9).

What the business said itself counts; where it said nothing, what the record shows does. Who writes asks for
an answer (article 6(1)(b), steps at the person's request), an invoice is a duty (6(1)(c)), marketing needs a
consent that is proved (6(1)(a)). Nothing in the record can stand for the consent to use health or other
sensitive data (9(2)(a)): it has to be entered.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from crm.record import Tx

Purpose = Literal["service", "invoicing", "marketing", "sensitive"]
Basis = Literal[
    "consent",
    "contract",
    "legal_obligation",
    "vital_interests",
    "public_task",
    "legitimate_interests",
    "none",
]
PURPOSES: tuple[Purpose, ...] = ("service", "invoicing", "marketing", "sensitive")


@dataclass(frozen=True)
class BasisRow:
    """Why data is used for a purpose, since when, and what shows it; `none`: it may not be used for it."""

    purpose: str
    basis: str
    evidence: str
    since: datetime | None


@dataclass(frozen=True)
class _Facts:
    known_since: datetime
    invoiced_since: datetime | None
    consented: bool | None
    consent_source: str | None
    consent_evidence: str | None
    consent_at: datetime | None
    opted_out_at: datetime | None


async def of(tx: Tx, contact_id: int) -> list[BasisRow]:
    """The basis of each purpose."""
    told = {row.purpose: row for row in await tx.all(BasisRow, "bases_told", contact_id=contact_id)}
    facts = await tx.first(_Facts, "basis_facts", contact_id=contact_id)
    if facts is None:
        raise LookupError(f"contact {contact_id}")
    shown = {
        "service": BasisRow("service", "contract", "the customer wrote first", facts.known_since),
        "invoicing": BasisRow(
            "invoicing", "legal_obligation" if facts.invoiced_since else "none", "", facts.invoiced_since
        ),
        "marketing": _marketing(facts),
        "sensitive": BasisRow("sensitive", "none", "", None),
    }
    # A withdrawal is stronger than whatever was entered before it.
    if (
        facts.opted_out_at
        and "marketing" in told
        and facts.opted_out_at >= (told["marketing"].since or facts.opted_out_at)
    ):
        del told["marketing"]
    return [told.get(purpose, shown[purpose]) for purpose in PURPOSES]


async def say(tx: Tx, contact_id: int, purpose: Purpose, basis: Basis, evidence: str) -> None:
    """The business says why it uses a customer's data for a purpose, and what shows it."""
    await tx.run("basis_insert", contact_id=contact_id, purpose=purpose, basis=basis, evidence=evidence)


def _marketing(facts: _Facts) -> BasisRow:
    if facts.opted_out_at is None and facts.consented:
        proof = ": ".join(filter(None, [facts.consent_source, facts.consent_evidence]))
        return BasisRow("marketing", "consent", proof, facts.consent_at)
    return BasisRow("marketing", "none", "withdrawn" if facts.opted_out_at else "", facts.opted_out_at)
