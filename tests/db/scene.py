"""One row of two businesses in every table of businesses, for a transaction that is rolled back."""

from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import DictRow

# In order of their references. The seeded businesses fill the tables that describe a business.
_ROWS = {
    "sensitivity_threshold": "(business_id, label, threshold) VALUES (%(b)s, 'scene', 0.5)",
    "pack_intent_off": "(business_id, intent) VALUES (%(b)s, 'scene')",
    "resource_hours": """(business_id, resource_id, weekday, starts, ends)
        SELECT business_id, resource_id, 6, '01:00', '02:00' FROM resource
        WHERE business_id = %(b)s LIMIT 1""",
    "contact": "(business_id, wa_id) VALUES (%(b)s, 'scene')",
    "conversation": """(business_id, contact_id, phone_number_id)
        SELECT business_id, contact_id, 'scene' FROM contact WHERE business_id = %(b)s AND wa_id = 'scene'""",
    "message": """(business_id, conversation_id, contact_id, author, kind, body, wamid, sent_at)
        SELECT business_id, conversation_id, contact_id, 'customer', 'text', 'secret', 'scene', now()
        FROM conversation WHERE business_id = %(b)s AND phone_number_id = 'scene'""",
    "message_option": """(business_id, message_id, ordinal, option_id, title)
        SELECT business_id, message_id, 0, 'a', 'A' FROM message
        WHERE business_id = %(b)s AND wamid = 'scene'""",
    "message_source": """(business_id, message_id, ordinal, source)
        SELECT business_id, message_id, 0, 'a.md' FROM message
        WHERE business_id = %(b)s AND wamid = 'scene'""",
    "message_status": """(business_id, message_id, status, at)
        SELECT business_id, message_id, 'sent', now() FROM message
        WHERE business_id = %(b)s AND wamid = 'scene'""",
    "handoff": """(business_id, conversation_id, turn_id, reason)
        SELECT business_id, conversation_id, 'scene', 'test' FROM message
        WHERE business_id = %(b)s AND wamid = 'scene'""",
    "handoff_fact": """(business_id, handoff_id, kind, ordinal, body)
        SELECT business_id, handoff_id, 'fact', 0, 'secret' FROM handoff
        WHERE business_id = %(b)s AND turn_id = 'scene'""",
    "inbox_event": """(business_id, conversation_id, kind, message_id, done_at)
        SELECT business_id, conversation_id, 'customer_message', message_id, now() FROM message
        WHERE business_id = %(b)s AND wamid = 'scene'""",
    "outbox": """(business_id, conversation_id, message_id, turn_id, ordinal, epoch, state)
        SELECT business_id, conversation_id, message_id, 'scene', 0, 0, 'held' FROM message
        WHERE business_id = %(b)s AND wamid = 'scene'""",
    "crm_event": """(business_id, contact_id, kind)
        SELECT business_id, contact_id, 'scene' FROM contact WHERE business_id = %(b)s AND wa_id = 'scene'""",
    "appointment": """(business_id, contact_id, service_id, resource_id, during, idempotency_key)
        SELECT c.business_id, c.contact_id, k.service_id, k.resource_id,
               tstzrange('2001-01-01', '2001-01-02'), 'scene'
        FROM contact c JOIN resource_skill k USING (business_id)
        WHERE c.business_id = %(b)s AND c.wa_id = 'scene' LIMIT 1""",
    "quote": """(business_id, contact_id, currency, idempotency_key)
        SELECT business_id, contact_id, 'EUR', 'scene' FROM contact
        WHERE business_id = %(b)s AND wa_id = 'scene'""",
    "quote_line": """(business_id, quote_id, ordinal, description, quantity)
        SELECT business_id, quote_id, 0, 'secret', 1 FROM quote
        WHERE business_id = %(b)s AND idempotency_key = 'scene'""",
    "ticket": """(business_id, contact_id, description, idempotency_key)
        SELECT business_id, contact_id, 'secret', 'scene' FROM contact
        WHERE business_id = %(b)s AND wa_id = 'scene'""",
    "fact_proposal": """(business_id, kind, subject, subject_name, field, new_value, language, document,
                         row_text)
        VALUES (%(b)s, 'hours', 'scene', 'Scene', 'mon', 'closed', 'it', 'scene.csv', 'secret')""",
    "fact_proposal_hours": """(business_id, proposal_id, opens, closes)
        SELECT business_id, proposal_id, '09:00', '10:00' FROM fact_proposal
        WHERE business_id = %(b)s AND subject = 'scene'""",
}
_THREADS = (
    "INSERT INTO checkpoints (thread_id, checkpoint_id, checkpoint) VALUES (%(t)s, 'scene', '{}')",
    "INSERT INTO checkpoint_blobs (thread_id, channel, version, type, blob)"
    " VALUES (%(t)s, 'window', '1', 'bytes', 'secret')",
    "INSERT INTO checkpoint_writes (thread_id, checkpoint_id, task_id, idx, channel, blob)"
    " VALUES (%(t)s, 'scene', 'scene', 0, 'window', 'secret')",
)
CHECKPOINTS = ("checkpoints", "checkpoint_blobs", "checkpoint_writes")


async def set_up(owner: AsyncConnection[DictRow], business_id: int) -> None:
    """Writes the rows of one business as the database's owner."""
    for table, values in _ROWS.items():
        await owner.execute(f"INSERT INTO {table} {values}", {"b": business_id})
    for statement in _THREADS:
        await owner.execute(statement, {"t": f"{business_id}:scene"})


async def tenant_tables(owner: AsyncConnection[DictRow]) -> list[str]:
    """Every table with a business_id, as the database itself lists them."""
    cursor = await owner.execute(
        "SELECT c.table_name FROM information_schema.columns c JOIN information_schema.tables t"
        " USING (table_schema, table_name) WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE'"
        " AND c.column_name = 'business_id' ORDER BY 1"
    )
    return [row["table_name"] for row in await cursor.fetchall()]


async def a_row(owner: AsyncConnection[DictRow], table: str, mine: str, value: Any) -> dict[str, Any] | None:
    """One row of a business as JSON, without columns the database works out itself."""
    cursor = await owner.execute(
        f"SELECT to_jsonb(t) AS row FROM {table} t WHERE {mine} = %s LIMIT 1",
        (value,),
    )
    found = await cursor.fetchone()
    if found is None:
        return None
    generated = await owner.execute(
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name = %s AND is_generated = 'ALWAYS'",
        (table,),
    )
    computed = {row["column_name"] for row in await generated.fetchall()}
    return {name: value for name, value in found["row"].items() if name not in computed}
