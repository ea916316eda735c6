"""Where the record holds something about a customer, table by table, and what becomes of it.

Every table is named here or in OTHERS; every column that can hold words is named `empty` or `keep`. A test
compares this with the schema, so that a new column is not forgotten.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Holding:
    """Rows about a customer: those whose `via` is one of the customer's ids of that name.

    gives   the ids that these rows hand on to the tables after them
    empty   columns that hold words or identities; on erasure they become null, '' or '{}'
    keep    other columns of words, which are codes, states or the business's own
    delete  the rows go altogether: they are nothing but the customer's words
    """

    table: str
    via: str
    title: str
    gives: str | None = None
    empty: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    delete: bool = False


def _holding(
    table: str, via: str, title: str, *, gives: str | None = None, empty: str = "", keep: str = ""
) -> Holding:
    return Holding(table, via, title, gives, tuple(empty.split()), tuple(keep.split()))


def _gone(table: str, via: str, title: str) -> Holding:
    return Holding(table, via, title, delete=True)


# Parents before children. Figures (counts, times, states, amounts) stay in the rows that are emptied.
HOLDINGS = (
    _holding("contact", "contact_id", "Contact", empty="wa_id bsuid name email",
             keep="language lifecycle told_language"),
    _gone("contact_fiscal", "contact_id", "Invoice details"),
    _gone("contact_alias", "contact_id", "Further numbers"),
    _holding("contact_merge", "contact_id", "Entries merged", empty="wa_id bsuid name email billing"),
    _holding("contact_basis", "contact_id", "Lawful basis", empty="evidence", keep="purpose basis"),
    _holding("marketing_consent", "contact_id", "Marketing consent", empty="evidence", keep="source"),
    _holding("conversation", "contact_id", "Conversations", gives="conversation_id", empty="summary",
             keep="phone_number_id thread_id owner status last_intent last_outcome"),
    _holding("message", "contact_id", "Messages", gives="message_id",
             empty="wamid body opener reply_to_wamid option_id media_id media_sha256 media_filename"
                   " transcript template_values earlier_body",
             keep="author kind language media_mime_type transcript_status transcript_reason status"
                  " template_name template_code"),
    _gone("message_option", "message_id", "Buttons shown"),
    _holding("message_source", "message_id", "Sources of answers", keep="source section"),
    _gone("message_place", "message_id", "Places sent"),
    _gone("message_referral", "message_id", "Advertisements pressed"),
    _holding("message_status", "message_id", "Delivery", empty="error_title", keep="status"),
    _gone("recording", "message_id", "Voice recordings"),
    _gone("inbound_file", "message_id", "Files received"),
    _holding("handoff", "conversation_id", "Hand-overs", gives="handoff_id", empty="summary wants draft note",
             keep="turn_id reason label status queue written_by"),
    _holding("quarantine", "conversation_id", "Turns given up", keep="cause"),
    _gone("correction", "contact_id", "What agents said instead"),
    _gone("handoff_fact", "handoff_id", "What agents noted"),
    _holding("handoff_step", "handoff_id", "What agents did", empty="detail", keep="kind"),
    _holding("conversation_note", "conversation_id", "Agents' notes", empty="body"),
    _gone("presence", "conversation_id", "Agents looking on"),
    _holding("inbox_event", "conversation_id", "Work on messages", empty="trace", keep="kind"),
    _holding("turn", "conversation_id", "What turns came to", keep="turn_id intent outcome language model"),
    _holding("outbox", "conversation_id", "Sending", gives="outbox_id", empty="answers error trace",
             keep="turn_id state purpose lane"),
    _gone("outbox_failure", "outbox_id", "Failed sending"),
    _holding("crm_event", "contact_id", "History", gives="crm_event_id", empty="detail", keep="kind key"),
    _holding("event_hook", "crm_event_id", "Work on the history", empty="error", keep="target state"),
    _holding("lifecycle_change", "contact_id", "Lifecycle", keep="from_lifecycle to_lifecycle"),
    _holding("lead", "contact_id", "Leads", gives="lead_id", empty="wish", keep="stage"),
    _gone("lead_answer", "lead_id", "Answers to questions"),
    _holding("stage_change", "lead_id", "Pipeline", keep="from_stage to_stage"),
    _holding("follow_up", "contact_id", "Follow-ups", keep="kind queue status"),
    _holding("appointment", "contact_id", "Appointments", gives="appointment_id",
             keep="status idempotency_key"),
    _holding("reminder", "appointment_id", "Reminders"),
    _holding("calendar_event", "appointment_id", "Calendar entries", keep="status"),
    _holding("waiting", "contact_id", "Waiting list", keep="language status idempotency_key"),
    _holding("quote", "contact_id", "Quotes", gives="quote_id", empty="request",
             keep="status currency idempotency_key number language"),
    _holding("quote_line", "quote_id", "Quote lines", empty="description", keep="vat_nature"),
    _holding("invoice_draft", "contact_id", "Invoice drafts", gives="invoice_draft_id",
             keep="status currency language number missing"),
    _holding("invoice_draft_line", "invoice_draft_id", "Invoice draft lines", empty="description",
             keep="vat_nature"),
    _gone("stored_file", "contact_id", "Documents"),
    _holding("ticket", "contact_id", "Reports", empty="description",
             keep="status idempotency_key queue priority"),
    _holding("nps_response", "contact_id", "Answers on satisfaction", empty="comment",
             keep="language status turn_id"),
    _holding("campaign_recipient", "contact_id", "Campaigns", keep="variant state reason"),
    _gone("alert", "contact_id", "Alerts to the team"),
    _gone("webhook_delivery", "contact_id", "Events sent to other systems"),
    _holding("access_log", "contact_id", "Looked at by the business", keep="what via address detail"),
    _holding("erasure", "contact_id", "Erasures", gives="erasure_id", keep="cause invoices"),
    _holding("erasure_part", "erasure_id", "What was erased", keep="table_name"),
)  # fmt: skip

# Kept when the invoices are: what the law wants on them.
OF_INVOICES = ("contact_fiscal", "invoice_draft_line")

# What a thread remembers, by thread id; goes with its customer.
THREADS = ("checkpoint_writes", "checkpoint_blobs", "checkpoints")

# Raw bodies of webhooks, and the queue: belong to no business.
RAW = ("webhook_payload", "webhook_unparsed")
QUEUE = ("procrastinate_jobs",)

# The governor's ids and times; rows live for hours.
IDS_ONLY = ("marketing_cooldown", "portfolio_reach", "sending_rate")

# The business, its people and what it knows; and machinery. None of it is about a customer.
OTHERS = frozenset(
    {
        "agent",
        "agent_factor",
        "agent_recovery",
        "agent_session",
        "alert_target",
        "business",
        "business_fiscal",
        "business_number",
        "business_text",
        "calendar",
        "calendar_busy",
        "campaign",
        "campaign_variant",
        "canned_reply",
        "checkpoint_migrations",
        "chunk",
        "closure",
        "document",
        "document_series",
        "embedding_space",
        "fact_proposal",
        "fact_proposal_hours",
        "location",
        "login_challenge",
        "login_failure",
        "login_flow",
        "membership",
        "message_template",
        "metric_day",
        "model_use",
        "metric_refresh",
        "number_halt",
        "number_inbound",
        "often_answered",
        "opening_hours",
        "pack_disclaimer",
        "pack_intent_off",
        "pack_option",
        "pack_phrase",
        "pack_question",
        "pack_topic",
        "procrastinate_events",
        "procrastinate_periodic_defers",
        "procrastinate_workers",
        "profile_version",
        "resource",
        "resource_hours",
        "resource_skill",
        "sara_migration",
        "sender_number",
        "sender_portfolio",
        "sensitivity_threshold",
        "service",
        "setting_change",
        "service_level",
        "service_location",
        "service_name",
        "wa_template",
        "web_uptime",
        "webhook_subscription",
    }
)
