-- Customers, conversations, what was said, the one road in (inbox_event) and the one road out (outbox).

-- Raw webhook bodies, kept whatever becomes of them. The application may add, never read: replay is an
-- operator's act under the owner's role.
CREATE TABLE webhook_payload (
    digest bytea PRIMARY KEY, -- SHA-256 of the body: the same body twice is one row
    body bytea NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE webhook_unparsed (
    unparsed_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest bytea NOT NULL,
    path text NOT NULL,
    reason text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (digest, path)
);
GRANT INSERT ON webhook_payload, webhook_unparsed TO sara_app;

CREATE TABLE contact (
    contact_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    wa_id text,  -- absent for customers known only by their business-scoped user id
    bsuid text,
    name text,
    email text,
    language char(2),
    lifecycle text NOT NULL DEFAULT 'lead' CHECK (lifecycle IN ('lead', 'qualified', 'client', 'dormant')),
    opted_out_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz,
    UNIQUE (business_id, wa_id),
    UNIQUE (business_id, bsuid),
    CHECK (wa_id IS NOT NULL OR bsuid IS NOT NULL)
);
SELECT tenant_table('contact');

CREATE TABLE conversation (
    conversation_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    contact_id bigint NOT NULL REFERENCES contact ON DELETE CASCADE,
    phone_number_id text NOT NULL,
    thread_id text NOT NULL GENERATED ALWAYS AS (business_id::text || ':' || conversation_id::text) STORED,
    owner text NOT NULL DEFAULT 'bot' CHECK (owner IN ('bot', 'human')),
    agent_id bigint REFERENCES agent,
    epoch int NOT NULL DEFAULT 0, -- grows at each change of owner; checked when a message is sent
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'closed')),
    summary text,
    last_intent text,
    last_outcome text,
    opened_at timestamptz NOT NULL DEFAULT now(),
    last_customer_at timestamptz, -- start of the 24-hour window
    last_activity_at timestamptz NOT NULL DEFAULT now(),
    closed_at timestamptz
);
SELECT tenant_table('conversation');
CREATE UNIQUE INDEX conversation_one_open ON conversation (business_id, contact_id, phone_number_id) WHERE status = 'open';
CREATE INDEX ON conversation (business_id, last_activity_at DESC);
CREATE INDEX ON conversation (contact_id);

CREATE TABLE message (
    message_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    conversation_id bigint NOT NULL REFERENCES conversation ON DELETE CASCADE,
    contact_id bigint NOT NULL REFERENCES contact ON DELETE CASCADE,
    author text NOT NULL CHECK (author IN ('customer', 'bot', 'agent', 'system')),
    agent_id bigint REFERENCES agent,
    wamid text,
    kind text NOT NULL, -- the channel's message type
    body text NOT NULL DEFAULT '',
    opener text, -- label that opens a list
    language char(2),
    reply_to_wamid text,
    option_id text, -- what the customer pressed
    media_id text,
    media_mime_type text,
    media_sha256 text,
    media_voice boolean NOT NULL DEFAULT false,
    media_filename text,
    transcript text,
    transcript_status text CHECK (transcript_status IN ('ok', 'unclear', 'rejected')),
    transcript_confidence real,
    status text CHECK (status IN ('sent', 'delivered', 'read', 'played', 'failed')),
    sent_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (business_id, wamid)
);
SELECT tenant_table('message');
CREATE INDEX ON message (conversation_id, message_id);

CREATE TABLE message_option (
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    message_id bigint NOT NULL REFERENCES message ON DELETE CASCADE,
    ordinal smallint NOT NULL,
    option_id text NOT NULL,
    title text NOT NULL,
    description text,
    PRIMARY KEY (message_id, ordinal)
);
SELECT tenant_table('message_option');

-- What supported an answer: the passages and live facts a bot message rests on.
CREATE TABLE message_source (
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    message_id bigint NOT NULL REFERENCES message ON DELETE CASCADE,
    ordinal smallint NOT NULL,
    source text NOT NULL,
    section text,
    PRIMARY KEY (message_id, ordinal)
);
SELECT tenant_table('message_source');

CREATE TABLE message_status (
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    message_id bigint NOT NULL REFERENCES message ON DELETE CASCADE,
    status text NOT NULL,
    at timestamptz NOT NULL,
    error_code int,
    error_title text,
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (message_id, status)
);
SELECT tenant_table('message_status');

CREATE TABLE handoff (
    handoff_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    conversation_id bigint NOT NULL REFERENCES conversation ON DELETE CASCADE,
    turn_id text NOT NULL,
    reason text NOT NULL,
    label text, -- sensitivity label, when that is the reason
    score real,
    summary text NOT NULL DEFAULT '',
    wants text NOT NULL DEFAULT '',
    draft text NOT NULL DEFAULT '',
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'claimed', 'returned', 'resolved')),
    agent_id bigint REFERENCES agent,
    opened_at timestamptz NOT NULL DEFAULT now(),
    claimed_at timestamptz,
    closed_at timestamptz,
    note text,
    UNIQUE (business_id, turn_id)
);
SELECT tenant_table('handoff');
CREATE UNIQUE INDEX handoff_one_open ON handoff (conversation_id) WHERE status IN ('open', 'claimed');
CREATE INDEX ON handoff (business_id, status, opened_at);

-- What the agent learned or promised, given back to the graph with hand_back.
CREATE TABLE handoff_fact (
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    handoff_id bigint NOT NULL REFERENCES handoff ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('fact', 'promise')),
    ordinal smallint NOT NULL,
    key text NOT NULL DEFAULT '',
    body text NOT NULL,
    PRIMARY KEY (handoff_id, kind, ordinal)
);
SELECT tenant_table('handoff_fact');

-- Everything that can happen to a conversation, in the order it happened. The conversation's row is
-- locked before an id is drawn, so within a conversation ids grow in commit order.
CREATE TABLE inbox_event (
    event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    conversation_id bigint NOT NULL REFERENCES conversation ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('customer_message', 'agent_message', 'hand_back', 'resolve', 'takeover')),
    message_id bigint REFERENCES message ON DELETE CASCADE,
    handoff_id bigint REFERENCES handoff ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    done_at timestamptz
);
SELECT tenant_table('inbox_event');
CREATE INDEX inbox_waiting ON inbox_event (conversation_id, event_id) WHERE done_at IS NULL;

CREATE TABLE outbox (
    outbox_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    conversation_id bigint NOT NULL REFERENCES conversation ON DELETE CASCADE,
    message_id bigint NOT NULL REFERENCES message ON DELETE CASCADE,
    turn_id text NOT NULL,
    ordinal smallint NOT NULL,
    epoch int NOT NULL,
    answers text, -- wamids of the customer's messages this answers, comma-separated
    state text NOT NULL DEFAULT 'queued'
        CHECK (state IN ('queued', 'sending', 'unknown', 'accepted', 'refused', 'superseded', 'held')),
    attempts int NOT NULL DEFAULT 0,
    attempted_at timestamptz,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    settled_at timestamptz,
    error_code int,
    error text,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (business_id, turn_id, ordinal)
);
SELECT tenant_table('outbox');
CREATE INDEX outbox_open ON outbox (conversation_id, outbox_id) WHERE state IN ('queued', 'sending', 'unknown', 'held');
CREATE INDEX outbox_settled ON outbox (business_id, settled_at) WHERE state = 'accepted';

-- The business's memory of what happened, in its own words; one row per domain event.
CREATE TABLE crm_event (
    crm_event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    contact_id bigint NOT NULL REFERENCES contact ON DELETE CASCADE,
    conversation_id bigint REFERENCES conversation ON DELETE SET NULL,
    kind text NOT NULL,
    subject_id bigint,
    detail text NOT NULL DEFAULT '',
    at timestamptz NOT NULL DEFAULT now()
);
SELECT tenant_table('crm_event');
CREATE INDEX ON crm_event (contact_id, at DESC);

-- For the sweep: which conversations have waiting work. Ids only, over all tenants.
CREATE FUNCTION conversations_with_waiting_events(older_than interval)
RETURNS TABLE (business_id bigint, conversation_id bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT DISTINCT e.business_id, e.conversation_id FROM inbox_event e
       WHERE e.done_at IS NULL AND e.created_at < now() - older_than $$;

CREATE FUNCTION conversations_with_open_outbox(older_than interval)
RETURNS TABLE (business_id bigint, conversation_id bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT DISTINCT o.business_id, o.conversation_id FROM outbox o
       WHERE o.state IN ('queued', 'sending', 'unknown')
         AND o.created_at < now() - older_than AND o.next_attempt_at < now() $$;
