"""Everything the record holds of one customer, table by table, in the order it was written."""

from typing import Any, Literal

from crm.record import Tx

Part = Literal[
    "appointments",
    "quotes",
    "quote_lines",
    "invoices",
    "invoice_lines",
    "files",
    "documents",
    "tickets",
    "leads",
    "lead_answers",
    "stages",
    "lifecycle",
    "contact",
    "billing",
    "follow_ups",
    "events",
    "hooks",
    "handoffs",
    "waiting",
    "reminders",
]
_QUERIES: dict[Part, str] = {
    "appointments": "journal_appointments",
    "quotes": "journal_quotes",
    "quote_lines": "journal_quote_lines",
    "invoices": "journal_invoices",
    "invoice_lines": "journal_invoice_lines",
    "files": "journal_files",
    "documents": "journal_documents",
    "tickets": "journal_tickets",
    "leads": "journal_leads",
    "lead_answers": "journal_lead_answers",
    "stages": "journal_stages",
    "lifecycle": "journal_lifecycle",
    "contact": "journal_contact",
    "billing": "journal_billing",
    "follow_ups": "journal_follow_ups",
    "events": "journal_events",
    "hooks": "journal_hooks",
    "handoffs": "journal_handoffs",
    "waiting": "journal_waiting",
    "reminders": "journal_reminders",
}


async def rows(tx: Tx, part: Part, contact_id: int) -> list[dict[str, Any]]:
    """The rows of one part, by column."""
    query = tx.queries[_QUERIES[part]]
    cursor = await tx.connection.execute(query, {"contact_id": contact_id})
    return await cursor.fetchall()


async def contact_of(tx: Tx, wa_id: str) -> int | None:
    """The customer behind a phone number."""
    value: int | None = await tx.value("contact_by_wa_id", wa_id=wa_id)
    return value
