-- The agents' console: logins, live updates, notes, presence, canned replies, attachments, search.

ALTER TABLE agent ADD COLUMN password_hash text; -- Argon2; null: no login with a password

-- Sessions and failed logins belong to no business, and nobody reads them but through the functions below.
CREATE TABLE agent_session (
    digest bytea PRIMARY KEY, -- SHA-256 of the cookie, which is never stored
    agent_id bigint NOT NULL REFERENCES agent ON DELETE CASCADE,
    csrf text NOT NULL,
    opened_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL
);
ALTER TABLE agent_session ENABLE ROW LEVEL SECURITY;
CREATE INDEX ON agent_session (agent_id);

CREATE TABLE login_failure (
    who bytea NOT NULL, -- SHA-256 of an e-mail address or of a network address
    at timestamptz NOT NULL
);
ALTER TABLE login_failure ENABLE ROW LEVEL SECURITY;
CREATE INDEX ON login_failure (who, at);

CREATE FUNCTION agent_secret(wanted text) RETURNS TABLE (agent_id bigint, password_hash text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT agent_id, password_hash FROM agent WHERE lower(email) = lower(wanted) AND active $$;

CREATE FUNCTION agent_rehash(whose bigint, hash text) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ UPDATE agent SET password_hash = hash WHERE agent_id = whose AND password_hash IS NOT NULL $$;

CREATE FUNCTION memberships_of_agent(whose bigint)
RETURNS TABLE (business_id bigint, slug text, name text, role text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT b.business_id, b.slug, b.name, m.role FROM membership m JOIN business b USING (business_id)
       WHERE m.agent_id = whose ORDER BY b.name, b.business_id $$;

CREATE FUNCTION session_open(cookie bytea, whose bigint, token text, at timestamptz, until timestamptz) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ DELETE FROM agent_session WHERE ends_at < at;
       INSERT INTO agent_session (digest, agent_id, csrf, opened_at, seen_at, ends_at)
       VALUES (cookie, whose, token, at, at, until) $$;

-- Who a cookie belongs to; a session ends at its time, after `idle` without a request, or with its agent.
CREATE FUNCTION session_of(cookie bytea, at timestamptz, idle interval)
RETURNS TABLE (agent_id bigint, email text, name text, csrf text)
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ UPDATE agent_session SET seen_at = at WHERE digest = cookie AND seen_at < at - interval '30 seconds'
           AND ends_at > at AND seen_at > at - idle;
       SELECT a.agent_id, a.email, a.name, s.csrf FROM agent_session s JOIN agent a USING (agent_id)
       WHERE s.digest = cookie AND s.ends_at > at AND s.seen_at > at - idle AND a.active $$;

CREATE FUNCTION session_close(cookie bytea) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ DELETE FROM agent_session WHERE digest = cookie $$;

CREATE FUNCTION login_failed(who_failed bytea[], at timestamptz) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ INSERT INTO login_failure SELECT who, login_failed.at FROM unnest(who_failed) AS who;
       DELETE FROM login_failure f WHERE f.at < login_failed.at - interval '1 day' $$;

CREATE FUNCTION login_failures(wanted bytea, since timestamptz) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT count(*) FROM login_failure f WHERE f.who = wanted AND f.at > since $$;

CREATE FUNCTION login_succeeded(wanted bytea) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ DELETE FROM login_failure WHERE who = wanted $$;

-- When the customer of a hand-over was told that it takes longer, and when an agent last did something about
-- it. `written_by` is the model that wrote summary and draft; null: no model did.
ALTER TABLE handoff ADD COLUMN apologised_at timestamptz;
ALTER TABLE handoff ADD COLUMN touched_at timestamptz;
ALTER TABLE handoff ADD COLUMN written_by text;
CREATE INDEX handoff_waiting ON handoff (business_id, opened_at) WHERE status IN ('open', 'claimed');

-- Beside what the agent learned and promised: what was known when the hand-over was opened.
ALTER TABLE handoff_fact DROP CONSTRAINT handoff_fact_kind_check;
ALTER TABLE handoff_fact ADD CONSTRAINT handoff_fact_kind_check
    CHECK (kind IN ('fact', 'promise', 'slot', 'word', 'source'));

-- Who did what to a hand-over, for its page: claimed, transferred, taken over, returned …
CREATE TABLE handoff_step (
    handoff_step_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    handoff_id bigint NOT NULL REFERENCES handoff ON DELETE CASCADE,
    agent_id bigint REFERENCES agent, -- null: the operator, the owner's phone or a timer
    kind text NOT NULL CHECK (kind IN ('claimed', 'taken_over', 'transferred', 'released', 'returned', 'resolved',
                                       'reopened', 'apologised')),
    detail text NOT NULL DEFAULT '',
    at timestamptz NOT NULL
);
SELECT tenant_table('handoff_step', 'SELECT, INSERT, DELETE');
CREATE INDEX ON handoff_step (handoff_id);

-- What agents tell each other in a conversation; never sent.
CREATE TABLE conversation_note (
    conversation_note_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    conversation_id bigint NOT NULL REFERENCES conversation ON DELETE CASCADE,
    agent_id bigint REFERENCES agent,
    body text NOT NULL,
    at timestamptz NOT NULL
);
SELECT tenant_table('conversation_note', 'SELECT, INSERT, DELETE');
CREATE INDEX ON conversation_note (conversation_id);

-- Who looks at or types in a conversation right now: worthless after a crash, so not logged.
CREATE UNLOGGED TABLE presence (
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    conversation_id bigint NOT NULL REFERENCES conversation ON DELETE CASCADE,
    agent_id bigint NOT NULL REFERENCES agent ON DELETE CASCADE,
    doing text NOT NULL CHECK (doing IN ('looking', 'typing')),
    until timestamptz NOT NULL,
    PRIMARY KEY (conversation_id, agent_id)
);
SELECT tenant_table('presence');

-- Answers a business gives often; {name}, {agent} and {business} are filled in.
CREATE TABLE canned_reply (
    canned_reply_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    title text NOT NULL,
    language char(2) NOT NULL,
    body text NOT NULL,
    UNIQUE (business_id, title, language)
);
SELECT tenant_table('canned_reply');

-- Files that agents send.
ALTER TABLE stored_file DROP CONSTRAINT stored_file_kind_check;
ALTER TABLE stored_file ADD CONSTRAINT stored_file_kind_check
    CHECK (kind IN ('quote_pdf', 'invoice_pdf', 'invoice_xml', 'attachment'));
ALTER TABLE stored_file DROP CONSTRAINT stored_file_check;
ALTER TABLE stored_file ADD CONSTRAINT stored_file_check
    CHECK (num_nonnulls(quote_id, invoice_draft_id) = CASE WHEN kind = 'attachment' THEN 0 ELSE 1 END);

-- What an agent may send when the 24 hours are over: a template that asks the customer to write again.
ALTER TABLE message_template DROP CONSTRAINT message_template_purpose_check;
ALTER TABLE message_template ADD CONSTRAINT message_template_purpose_check
    CHECK (purpose IN ('reminder', 'freed_place', 'write_again'));

-- Search: words and their beginnings, in any language. Text search is not leakproof, so under row-level
-- security its index would stay unused: a function asks for one business and says so itself.
CREATE INDEX message_words ON message USING gin (to_tsvector('simple', coalesce(nullif(transcript, ''), body)));
CREATE INDEX contact_words ON contact
    USING gin (to_tsvector('simple', coalesce(name, '') || ' ' || coalesce(wa_id, '') || ' ' || coalesce(email, '')));

CREATE FUNCTION conversations_with_words(words text, most int) RETURNS TABLE (conversation_id bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT found.conversation_id FROM (
           (SELECT m.conversation_id FROM message m
            WHERE to_tsvector('simple', coalesce(nullif(m.transcript, ''), m.body)) @@ words::tsquery
              AND m.business_id = current_business() ORDER BY m.message_id DESC LIMIT most * 4)
           UNION
           (SELECT c.conversation_id FROM contact k JOIN conversation c USING (contact_id)
            WHERE to_tsvector('simple', coalesce(k.name, '') || ' ' || coalesce(k.wa_id, '') || ' '
                              || coalesce(k.email, '')) @@ words::tsquery
              AND k.business_id = current_business() LIMIT most)) AS found $$;

-- Every change an open console shows, told to all processes: '<business>:<conversation>:<what>'. Ids only.
CREATE FUNCTION tell_consoles() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('sara_live', NEW.business_id || ':' || NEW.conversation_id || ':' || TG_ARGV[0]);
    RETURN NULL;
END $$;
CREATE TRIGGER live_insert AFTER INSERT ON message FOR EACH ROW EXECUTE FUNCTION tell_consoles('message');
CREATE TRIGGER live_update AFTER UPDATE OF status, transcript_status ON message
    FOR EACH ROW EXECUTE FUNCTION tell_consoles('status');
CREATE TRIGGER live_update AFTER UPDATE OF state ON outbox FOR EACH ROW
    WHEN (NEW.state IN ('refused', 'superseded', 'held')) EXECUTE FUNCTION tell_consoles('status');
CREATE TRIGGER live_update AFTER UPDATE OF owner, agent_id, status ON conversation
    FOR EACH ROW EXECUTE FUNCTION tell_consoles('owner');
CREATE TRIGGER live_insert AFTER INSERT ON handoff FOR EACH ROW EXECUTE FUNCTION tell_consoles('handoff');
CREATE TRIGGER live_update AFTER UPDATE OF status, agent_id, summary, draft, queue ON handoff
    FOR EACH ROW EXECUTE FUNCTION tell_consoles('owner');
CREATE TRIGGER live_insert AFTER INSERT ON conversation_note
    FOR EACH ROW EXECUTE FUNCTION tell_consoles('note');
CREATE TRIGGER live_insert AFTER INSERT ON presence FOR EACH ROW EXECUTE FUNCTION tell_consoles('presence');
CREATE TRIGGER live_update AFTER UPDATE OF doing ON presence FOR EACH ROW
    WHEN (NEW.doing <> OLD.doing) EXECUTE FUNCTION tell_consoles('presence');

-- For the timers: open hand-overs of all tenants that somebody may have to look after. Ids and times only.
CREATE FUNCTION handoffs_to_attend(quiet_since timestamptz)
RETURNS TABLE (business_id bigint, handoff_id bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT h.business_id, h.handoff_id FROM handoff h
       WHERE h.status IN ('open', 'claimed') AND h.opened_at < quiet_since ORDER BY h.handoff_id $$;
