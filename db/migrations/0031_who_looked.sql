-- Who looked at which customer, who came in, and what was changed of things that keep no word of it themselves.

-- Written down in the transaction that reads, and never changed: the application may add rows and read them, an
-- erasure empties the contact a row leads to, and time alone takes rows away (forget_accesses). It holds no words
-- of customers; a search is a row for each of those whom it showed.
CREATE TABLE access_log (
    access_log_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    agent_id bigint REFERENCES agent, -- who; null: the operator, at the terminal
    what text NOT NULL CHECK (what IN (
        'conversation', 'contact', 'appointment', 'sources', 'recording', 'file', 'export', 'search',
        'queue', 'contacts', 'calendar', 'undelivered', 'figures', 'trail',
        'message', 'sent_again', 'canned_reply', 'document_added', 'document_dated', 'document_deleted',
        'login', 'login_provider', 'login_failed', 'logout', 'password', 'token', 'disabled', 'membership')),
    contact_id bigint, -- whose data; null: a list, or nobody's. No foreign key: a row outlives its contact
    subject_id bigint, -- the conversation, message, appointment, document or person it is about
    via text NOT NULL CHECK (via IN ('console', 'api', 'terminal')),
    address text NOT NULL DEFAULT '', -- the network address it came from
    detail text NOT NULL DEFAULT '', -- a document's name, a role; never words of a customer
    at timestamptz NOT NULL,
    span bigint NOT NULL -- the stretch of time within which the same again is not written down anew
);
SELECT tenant_table('access_log', 'SELECT, INSERT');
CREATE UNIQUE INDEX access_log_once ON access_log
    (business_id, agent_id, what, contact_id, subject_id, via, address, detail, span) NULLS NOT DISTINCT;
CREATE INDEX ON access_log (business_id, at DESC);
CREATE INDEX ON access_log (contact_id, at DESC) WHERE contact_id IS NOT NULL;
CREATE INDEX ON access_log USING brin (at);

-- What tells of changes already is read beside it, by time: people's acts only, never a turn's.
CREATE INDEX ON handoff_step (business_id, at DESC);
CREATE INDEX ON conversation_note (business_id, at DESC);
CREATE INDEX ON setting_change (business_id, at DESC);
CREATE INDEX ON crm_event (business_id, at DESC) WHERE agent_id IS NOT NULL;

-- Somebody came in, failed to, or was given other means to: at every business they work for. Before a tenant is
-- known, so for these kinds alone.
CREATE FUNCTION agent_noted(whose bigint, by_whom bigint, what text, via text, address text, detail text,
                            moment timestamptz) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ INSERT INTO access_log (business_id, agent_id, what, subject_id, via, address, detail, at, span)
       SELECT m.business_id, by_whom, agent_noted.what, whose, agent_noted.via, agent_noted.address,
              agent_noted.detail, moment, extract(epoch FROM moment) * 1000000
       FROM membership m WHERE m.agent_id = whose AND agent_noted.what IN
           ('login', 'login_provider', 'login_failed', 'logout', 'password', 'token', 'disabled', 'membership')
       ON CONFLICT DO NOTHING $$;

-- For the retention job, over all tenants: at most so many rows, and none of the last thirty days, so that nobody
-- who gets hold of the application can wipe out what they just did.
CREATE FUNCTION forget_accesses(older_than interval, most int) RETURNS bigint
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ WITH old AS (SELECT access_log_id FROM access_log
                    WHERE at < now() - greatest(older_than, interval '30 days') LIMIT most),
            gone AS (DELETE FROM access_log a USING old WHERE a.access_log_id = old.access_log_id RETURNING 1)
       SELECT count(*) FROM gone $$;
REVOKE ALL ON FUNCTION forget_accesses(interval, int),
    agent_noted(bigint, bigint, text, text, text, text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION forget_accesses(interval, int),
    agent_noted(bigint, bigint, text, text, text, text, timestamptz) TO sara_app;
