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
    "recording": """(message_id, business_id, sealed, bytes)
        SELECT message_id, business_id, 'secret', 6 FROM message
        WHERE business_id = %(b)s AND wamid = 'scene'""",
    "message_place": """(message_id, business_id, latitude, longitude)
        SELECT message_id, business_id, 1, 2 FROM message WHERE business_id = %(b)s AND wamid = 'scene'""",
    "message_referral": """(message_id, business_id, headline)
        SELECT message_id, business_id, 'secret' FROM message
        WHERE business_id = %(b)s AND wamid = 'scene'""",
    "inbound_file": """(message_id, business_id, sealed, bytes)
        SELECT message_id, business_id, 'secret', 6 FROM message
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
    "outbox_failure": """(business_id, outbox_id, wamid, at)
        SELECT business_id, outbox_id, 'scene' || business_id, now() FROM outbox
        WHERE business_id = %(b)s AND turn_id = 'scene'""",
    "number_halt": """(phone_number_id, business_id, reason, since, ask_at)
        VALUES ('scene' || %(b)s, %(b)s, 'secret', now(), now() + interval '1 year')""",
    "crm_event": """(business_id, contact_id, kind)
        SELECT business_id, contact_id, 'scene' FROM contact WHERE business_id = %(b)s AND wa_id = 'scene'""",
    "nps_response": """(business_id, contact_id, language, status, score, comment, asked_at, answered_at)
        SELECT business_id, contact_id, 'it', 'answered', 9, 'secret', now(), now() FROM contact
        WHERE business_id = %(b)s AND wa_id = 'scene'""",
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
    "service_level": "(business_id, priority, answer_minutes, solve_minutes) VALUES (%(b)s, 'low', 1, 2)",
    "document_series": "(business_id, kind, year, last) VALUES (%(b)s, 'quote', 1901, 1)",
    "contact_fiscal": """(business_id, contact_id, name, country)
        SELECT business_id, contact_id, 'secret', 'IT' FROM contact
        WHERE business_id = %(b)s AND wa_id = 'scene'""",
    "invoice_draft": """(business_id, contact_id, quote_id, currency)
        SELECT business_id, contact_id, quote_id, 'EUR' FROM quote
        WHERE business_id = %(b)s AND idempotency_key = 'scene'""",
    "invoice_draft_line": """(business_id, invoice_draft_id, ordinal, description, quantity, unit_price,
                              vat_rate)
        SELECT d.business_id, invoice_draft_id, 0, 'secret', 1, 1, 22 FROM invoice_draft d
        JOIN quote USING (quote_id) WHERE d.business_id = %(b)s AND idempotency_key = 'scene'""",
    "stored_file": """(business_id, contact_id, kind, quote_id, filename, mime_type, content)
        SELECT business_id, contact_id, 'quote_pdf', quote_id, 'scene.pdf', 'application/pdf', 'secret'
        FROM quote WHERE business_id = %(b)s AND idempotency_key = 'scene'""",
    "lifecycle_change": """(business_id, contact_id, from_lifecycle, to_lifecycle, at)
        SELECT business_id, contact_id, 'lead', 'client', now() FROM contact
        WHERE business_id = %(b)s AND wa_id = 'scene'""",
    "lead": """(business_id, contact_id, wish, stage)
        SELECT business_id, contact_id, 'secret', 'new' FROM contact
        WHERE business_id = %(b)s AND wa_id = 'scene'""",
    "lead_answer": """(business_id, lead_id, key, answer)
        SELECT l.business_id, lead_id, 'scene', 'secret' FROM lead l JOIN contact USING (contact_id)
        WHERE l.business_id = %(b)s AND wa_id = 'scene'""",
    "stage_change": """(business_id, lead_id, to_stage, at)
        SELECT l.business_id, lead_id, 'new', now() FROM lead l JOIN contact USING (contact_id)
        WHERE l.business_id = %(b)s AND wa_id = 'scene'""",
    "follow_up": """(business_id, contact_id, kind, due_at)
        SELECT business_id, contact_id, 'call_lead', now() FROM contact
        WHERE business_id = %(b)s AND wa_id = 'scene'""",
    "event_hook": """(business_id, crm_event_id, target, state, next_attempt_at)
        SELECT business_id, crm_event_id, 'alert', 'done', now() FROM crm_event
        WHERE business_id = %(b)s AND kind = 'scene'""",
    "quarantine": """(business_id, conversation_id, handoff_id, last_event_id, tries, deaths, cause, at)
        SELECT business_id, conversation_id, handoff_id, 0, 1, 0, 'secret', now() FROM handoff
        WHERE business_id = %(b)s AND turn_id = 'scene'""",
    "handoff_step": """(business_id, handoff_id, kind, detail, at)
        SELECT business_id, handoff_id, 'claimed', 'secret', now() FROM handoff
        WHERE business_id = %(b)s AND turn_id = 'scene'""",
    "conversation_note": """(business_id, conversation_id, body, at)
        SELECT business_id, conversation_id, 'secret', now() FROM message
        WHERE business_id = %(b)s AND wamid = 'scene'""",
    "presence": """(business_id, conversation_id, agent_id, doing, until)
        SELECT business_id, conversation_id, m.agent_id, 'looking', now() FROM message
        JOIN membership m USING (business_id) WHERE business_id = %(b)s AND wamid = 'scene' LIMIT 1""",
    "canned_reply": "(business_id, title, language, body) VALUES (%(b)s, 'scene', 'it', 'secret')",
    "waiting": """(business_id, contact_id, service_id, location_id, wanted, language, idempotency_key)
        SELECT c.business_id, contact_id, service_id, location_id, '[2001-01-01,2001-01-02)', 'it', 'scene'
        FROM contact c, service s, location l WHERE c.business_id = %(b)s AND s.business_id = %(b)s
        AND l.business_id = %(b)s AND wa_id = 'scene' LIMIT 1""",
    "reminder": """(business_id, appointment_id, hours, starts, written_at)
        SELECT business_id, appointment_id, 24, now(), now() FROM appointment
        WHERE business_id = %(b)s AND idempotency_key = 'scene'""",
    "message_template": """(business_id, purpose, language, name, code)
        VALUES (%(b)s, 'reminder', 'xx', 'secret', 'xx')""",
    "calendar": """(resource_id, business_id, feed_sha256)
        SELECT resource_id, business_id, sha256(resource_id::text::bytea) FROM appointment
        WHERE business_id = %(b)s AND idempotency_key = 'scene'""",
    "calendar_event": """(appointment_id, resource_id, business_id, during, status, written_at)
        SELECT appointment_id, resource_id, business_id, during, status, now() FROM appointment
        WHERE business_id = %(b)s AND idempotency_key = 'scene'""",
    "calendar_busy": """(business_id, resource_id, uid, during)
        SELECT business_id, resource_id, 'secret', '[2001-01-01,2001-01-02)' FROM appointment
        WHERE business_id = %(b)s AND idempotency_key = 'scene'""",
    "alert_target": "(business_id, name, service, sealed) VALUES (%(b)s, 'scene', 'Slack', 'secret')",
    "alert": """(business_id, alert_target_id, kind, key, title, body, urgent, state, next_attempt_at,
                 created_at)
        SELECT business_id, alert_target_id, 'scene', 'scene', 'secret', 'secret', false, 'sent', now(), now()
        FROM alert_target WHERE business_id = %(b)s AND name = 'scene'""",
    "webhook_subscription": """(business_id, host, events, with_content, sealed_url, sealed_secret)
        VALUES (%(b)s, 'scene', '{quote.scene}', true, 'secret', 'secret')""",
    "webhook_delivery": """(business_id, webhook_subscription_id, type, webhook_id, body, state)
        SELECT business_id, webhook_subscription_id, 'quote.scene', 'scene', 'secret', 'delivered'
        FROM webhook_subscription WHERE business_id = %(b)s AND host = 'scene'""",
    "fact_proposal": """(business_id, kind, subject, subject_name, field, new_value, language, document,
                         row_text)
        VALUES (%(b)s, 'hours', 'scene', 'Scene', 'mon', 'closed', 'it', 'scene.csv', 'secret')""",
    "fact_proposal_hours": """(business_id, proposal_id, opens, closes)
        SELECT business_id, proposal_id, '09:00', '10:00' FROM fact_proposal
        WHERE business_id = %(b)s AND subject = 'scene'""",
    "wa_template": """(business_id, name, code, category, status, synced_at)
        VALUES (%(b)s, 'scene', 'it', 'MARKETING', 'APPROVED', now())""",
    "marketing_consent": """(business_id, contact_id, given, source, evidence, at)
        SELECT business_id, contact_id, true, 'import', 'secret', now() FROM contact
        WHERE business_id = %(b)s AND wa_id = 'scene'""",
    "campaign": """(business_id, name, phone_number_id, changed_at, created_at)
        VALUES (%(b)s, 'scene', 'scene', now(), now())""",
    "campaign_variant": """(business_id, campaign_id, variant, template_name)
        SELECT business_id, campaign_id, 'a', 'scene' FROM campaign
        WHERE business_id = %(b)s AND name = 'scene'""",
    "campaign_recipient": """(business_id, campaign_id, contact_id, variant)
        SELECT g.business_id, campaign_id, contact_id, 'a' FROM campaign g JOIN contact c USING (business_id)
        WHERE g.business_id = %(b)s AND g.name = 'scene' AND wa_id = 'scene'""",
    "contact_basis": """(business_id, contact_id, purpose, basis, evidence, at)
        SELECT business_id, contact_id, 'marketing', 'consent', 'secret', now() FROM contact
        WHERE business_id = %(b)s AND wa_id = 'scene'""",
    "erasure": """(business_id, contact_id, cause, invoices, at)
        SELECT business_id, contact_id, 'asked', 'none', now() FROM contact
        WHERE business_id = %(b)s AND wa_id = 'scene'""",
    "erasure_part": """(business_id, erasure_id, table_name, deleted, emptied)
        SELECT e.business_id, erasure_id, 'scene', 1, 1 FROM erasure e JOIN contact c USING (contact_id)
        WHERE e.business_id = %(b)s AND wa_id = 'scene'""",
    "contact_alias": """(business_id, contact_id, wa_id)
        SELECT business_id, contact_id, 'scene-2' FROM contact
        WHERE business_id = %(b)s AND wa_id = 'scene'""",
    "contact_merge": """(business_id, contact_id, merged_contact_id, rows_moved, at)
        SELECT business_id, contact_id, contact_id, 0, now() FROM contact
        WHERE business_id = %(b)s AND wa_id = 'scene'""",
    "correction": """(business_id, contact_id, handoff_id, kind, reason, question, sent, at)
        SELECT h.business_id, c.contact_id, handoff_id, 'note', 'test', 'secret', 'secret', now()
        FROM handoff h JOIN conversation c USING (conversation_id)
        WHERE h.business_id = %(b)s AND turn_id = 'scene'""",
    "often_answered": "(business_id, key, status, at) VALUES (%(b)s, 'scene', 'rejected', now())",
    "access_log": """(business_id, what, contact_id, via, address, at, span)
        SELECT business_id, 'contact', contact_id, 'console', 'secret', now(), 0 FROM contact
        WHERE business_id = %(b)s AND wa_id = 'scene'""",
    "setting_change": """(business_id, setting, before, after, at)
        VALUES (%(b)s, 'scene', 'secret', 'secret', now())""",
    "turn": """(business_id, turn_id, conversation_id, message_id, outcome, seconds, at)
        SELECT business_id, 'scene', conversation_id, message_id, 'answered', 1, now() FROM message
        WHERE business_id = %(b)s AND wamid = 'scene'""",
    "model_use": """(business_id, day, tokens_in) VALUES (%(b)s, '2026-11-26', 5)""",
    "metric_day": """(business_id, day, name, key, things, total)
        VALUES (%(b)s, '2001-01-01', 'scene', '', 1, 1)""",
    "metric_refresh": "(business_id, day, at) VALUES (%(b)s, '2001-01-01', now())",
}
_THREADS = (
    "INSERT INTO checkpoints (thread_id, checkpoint_id, checkpoint) VALUES (%(t)s, 'scene', '{}')",
    "INSERT INTO checkpoint_blobs (thread_id, channel, version, type, blob)"
    " VALUES (%(t)s, 'window', '1', 'bytes', 'secret')",
    "INSERT INTO checkpoint_writes (thread_id, checkpoint_id, task_id, idx, channel, blob)"
    " VALUES (%(t)s, 'scene', 'scene', 0, 'window', 'secret')",
)
QUOTED = "'secret'"
CHECKPOINTS = ("checkpoints", "checkpoint_blobs", "checkpoint_writes")


async def set_up(owner: AsyncConnection[DictRow], business_id: int, word: str = "secret") -> None:
    """Writes the rows of one business as the database's owner; `word` is what others must not read."""
    for table, values in _ROWS.items():
        await owner.execute(
            f"INSERT INTO {table} {values.replace(QUOTED, repr(word))}",
            {"b": business_id},
        )
    for statement in _THREADS:
        await owner.execute(statement, {"t": f"{business_id}:scene"})


async def tenant_tables(owner: AsyncConnection[DictRow]) -> list[str]:
    """Every table with a business_id, as the database itself lists them."""
    cursor = await owner.execute(
        "SELECT c.table_name FROM information_schema.columns c JOIN information_schema.tables t"
        " USING (table_schema, table_name) WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE'"
        " AND c.column_name = 'business_id'"
        # Parts of a table are reached through the whole: tests/crm/test_status_parts.py.
        " AND NOT EXISTS (SELECT FROM pg_class p WHERE p.relname = c.table_name AND p.relispartition)"
        " ORDER BY 1"
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
