-- The console's second half: acts of agents, merged customers, corrections, changes of settings.

-- Who of the team did it; null: the customer, SARA or the operator.
ALTER TABLE crm_event ADD COLUMN agent_id bigint REFERENCES agent;

-- 'acted': an agent carried out a tool for the customer; `detail` says what came of it.
ALTER TABLE handoff_step DROP CONSTRAINT handoff_step_kind_check;
ALTER TABLE handoff_step ADD CONSTRAINT handoff_step_kind_check
    CHECK (kind IN ('claimed', 'taken_over', 'transferred', 'released', 'returned', 'resolved', 'reopened',
                    'apologised', 'acted'));
CREATE FUNCTION tell_consoles_of_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('sara_live', h.business_id || ':' || h.conversation_id || ':owner')
    FROM handoff h WHERE h.handoff_id = NEW.handoff_id;
    RETURN NULL;
END $$;
CREATE TRIGGER live_insert AFTER INSERT ON handoff_step FOR EACH ROW WHEN (NEW.kind = 'acted')
    EXECUTE FUNCTION tell_consoles_of_step();

-- Two entries of one person become one. The other row stays, without name and number, for what refers to it.
ALTER TABLE contact ADD COLUMN merged_into bigint REFERENCES contact ON DELETE SET NULL;
ALTER TABLE contact DROP CONSTRAINT contact_check;
ALTER TABLE contact ADD CONSTRAINT contact_check CHECK (num_nonnulls(wa_id, bsuid, erased_at, merged_into) > 0);
CREATE INDEX contact_listed ON contact (business_id, last_seen_at DESC NULLS LAST, contact_id DESC)
    WHERE merged_into IS NULL AND erased_at IS NULL;
CREATE INDEX ON contact (merged_into) WHERE merged_into IS NOT NULL;

-- Another number or id of a customer. Who writes from it is that customer, and is answered there from then on.
CREATE TABLE contact_alias (
    contact_alias_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    contact_id bigint NOT NULL REFERENCES contact ON DELETE CASCADE,
    wa_id text,
    bsuid text,
    CHECK (num_nonnulls(wa_id, bsuid) = 1),
    UNIQUE (business_id, wa_id),
    UNIQUE (business_id, bsuid)
);
SELECT tenant_table('contact_alias');
CREATE INDEX ON contact_alias (contact_id);

-- Who merged whom, with what the other entry said.
CREATE TABLE contact_merge (
    contact_merge_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    contact_id bigint NOT NULL REFERENCES contact ON DELETE CASCADE,
    merged_contact_id bigint NOT NULL REFERENCES contact ON DELETE CASCADE,
    agent_id bigint REFERENCES agent,
    wa_id text,
    bsuid text,
    name text,
    email text,
    billing text NOT NULL DEFAULT '',
    rows_moved int NOT NULL,
    at timestamptz NOT NULL
);
SELECT tenant_table('contact_merge', 'SELECT, INSERT, DELETE');
CREATE INDEX ON contact_merge (contact_id);

-- What agents said instead of SARA: rows of an evaluation set, and of knowledge to come.
CREATE TABLE correction (
    correction_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    contact_id bigint NOT NULL REFERENCES contact ON DELETE CASCADE,
    handoff_id bigint NOT NULL REFERENCES handoff ON DELETE CASCADE,
    agent_id bigint REFERENCES agent,
    kind text NOT NULL CHECK (kind IN ('answer', 'note', 'resolved')),
    reason text NOT NULL,
    label text, -- a sensitive matter: never proposed as knowledge
    language char(2),
    question text NOT NULL,
    draft text NOT NULL DEFAULT '', -- SARA's; '' where there was none
    sent text NOT NULL, -- the agent's words: to the customer, to SARA, or how it ended
    at timestamptz NOT NULL,
    UNIQUE (handoff_id, kind)
);
SELECT tenant_table('correction');
CREATE INDEX ON correction (business_id, correction_id);
CREATE INDEX ON correction (contact_id);

-- An answer given often that was made a document of, or was not to be proposed again.
CREATE TABLE often_answered (
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    key text NOT NULL, -- of the answer's words
    status text NOT NULL CHECK (status IN ('accepted', 'rejected')),
    agent_id bigint REFERENCES agent,
    at timestamptz NOT NULL,
    PRIMARY KEY (business_id, key)
);
SELECT tenant_table('often_answered');

-- Who changed which setting of a business, from what to what.
CREATE TABLE setting_change (
    setting_change_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    agent_id bigint REFERENCES agent,
    setting text NOT NULL,
    before text NOT NULL,
    after text NOT NULL,
    at timestamptz NOT NULL
);
SELECT tenant_table('setting_change', 'SELECT, INSERT');
CREATE INDEX ON setting_change (business_id, setting_change_id DESC);


-- Search among customers, through the index on their words: text search is not leakproof.
CREATE FUNCTION contacts_with_words(words text, most int) RETURNS TABLE (contact_id bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT k.contact_id FROM contact k
       WHERE to_tsvector('simple', coalesce(k.name, '') || ' ' || coalesce(k.wa_id, '') || ' '
                         || coalesce(k.email, '')) @@ to_tsquery('simple', words)
         AND k.business_id = current_business() LIMIT most $$;

-- What is searched for is cut into words as the index was: "3e5a1b" is a number and a word to it.
CREATE OR REPLACE FUNCTION conversations_with_words(words text, most int) RETURNS TABLE (conversation_id bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT found.conversation_id FROM (
           (SELECT m.conversation_id FROM message m
            WHERE to_tsvector('simple', coalesce(nullif(m.transcript, ''), m.body)) @@ to_tsquery('simple', words)
              AND m.business_id = current_business() ORDER BY m.message_id DESC LIMIT most * 4)
           UNION
           (SELECT c.conversation_id FROM contact k JOIN conversation c USING (contact_id)
            WHERE to_tsvector('simple', coalesce(k.name, '') || ' ' || coalesce(k.wa_id, '') || ' '
                              || coalesce(k.email, '')) @@ to_tsquery('simple', words)
              AND k.business_id = current_business() LIMIT most)) AS found $$;

-- Whose a row is may change when entries are merged; what it says may not.
GRANT UPDATE (contact_id) ON contact_basis, marketing_consent, lifecycle_change, contact_merge TO sara_app;
