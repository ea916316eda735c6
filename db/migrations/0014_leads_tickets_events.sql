-- The rest of the record: lifecycle, pipeline, tickets with due times, follow-ups, and what events set in motion.

ALTER TABLE business ADD COLUMN dormant_after_days int NOT NULL DEFAULT 180 CHECK (dormant_after_days > 0);

-- The language a customer asked for stays, whichever they write in next.
ALTER TABLE contact ADD COLUMN told_language char(2);

-- Named at most once a turn: a turn that runs again finds its event, and nothing is set in motion twice.
ALTER TABLE crm_event ADD COLUMN key text;
CREATE UNIQUE INDEX crm_event_once ON crm_event (business_id, key) WHERE key IS NOT NULL;

CREATE TABLE lifecycle_change (
    lifecycle_change_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    contact_id bigint NOT NULL REFERENCES contact ON DELETE CASCADE,
    crm_event_id bigint REFERENCES crm_event ON DELETE SET NULL,
    from_lifecycle text NOT NULL,
    to_lifecycle text NOT NULL,
    at timestamptz NOT NULL
);
SELECT tenant_table('lifecycle_change', 'SELECT, INSERT, DELETE');
CREATE INDEX ON lifecycle_change (contact_id, at);

-- A possible sale. A contact has one open at a time; won and lost ones stay.
CREATE TABLE lead (
    lead_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    contact_id bigint NOT NULL REFERENCES contact ON DELETE CASCADE,
    conversation_id bigint REFERENCES conversation ON DELETE SET NULL,
    wish text NOT NULL DEFAULT '',
    score smallint NOT NULL DEFAULT 0 CHECK (score BETWEEN 0 AND 100),
    stage text NOT NULL CHECK (stage IN ('new', 'qualified', 'quoted', 'booked', 'won', 'lost')),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
SELECT tenant_table('lead');
CREATE UNIQUE INDEX lead_one_open ON lead (contact_id) WHERE stage NOT IN ('won', 'lost');
CREATE INDEX ON lead (business_id, stage);

-- What the vertical asked and the customer answered, by the question's key.
CREATE TABLE lead_answer (
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    lead_id bigint NOT NULL REFERENCES lead ON DELETE CASCADE,
    key text NOT NULL,
    answer text NOT NULL,
    PRIMARY KEY (lead_id, key)
);
SELECT tenant_table('lead_answer');

CREATE TABLE stage_change (
    stage_change_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    lead_id bigint NOT NULL REFERENCES lead ON DELETE CASCADE,
    crm_event_id bigint REFERENCES crm_event ON DELETE SET NULL,
    from_stage text, -- null where the lead began
    to_stage text NOT NULL,
    at timestamptz NOT NULL
);
SELECT tenant_table('stage_change', 'SELECT, INSERT, DELETE');
CREATE INDEX ON stage_change (lead_id, at);

-- How much a question tells about a lead, and which share of that an answer earns.
ALTER TABLE pack_question ADD COLUMN weight smallint NOT NULL DEFAULT 1 CHECK (weight BETWEEN 0 AND 10);
ALTER TABLE pack_option ADD COLUMN share double precision NOT NULL DEFAULT 1 CHECK (share BETWEEN 0 AND 1);

-- Due times of tickets, in minutes of opening hours; a business without rows has those of crm/tickets.py.
CREATE TABLE service_level (
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    priority text NOT NULL CHECK (priority IN ('low', 'normal', 'high', 'urgent')),
    answer_minutes int NOT NULL CHECK (answer_minutes > 0),
    solve_minutes int NOT NULL CHECK (solve_minutes >= answer_minutes),
    PRIMARY KEY (business_id, priority)
);
SELECT tenant_table('service_level', 'SELECT');

ALTER TABLE ticket ADD COLUMN queue text;
ALTER TABLE ticket ADD COLUMN priority text NOT NULL DEFAULT 'normal'
    CHECK (priority IN ('low', 'normal', 'high', 'urgent'));
ALTER TABLE ticket ADD COLUMN answer_due timestamptz;
ALTER TABLE ticket ADD COLUMN solve_due timestamptz;
ALTER TABLE ticket ADD COLUMN answered_at timestamptz;
ALTER TABLE ticket ADD COLUMN closed_at timestamptz;
ALTER TABLE ticket ADD COLUMN agent_id bigint REFERENCES agent;
CREATE INDEX ticket_open_due ON ticket (business_id, solve_due) WHERE status <> 'closed';

-- Something a person of the business has to do by a time.
CREATE TABLE follow_up (
    follow_up_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    contact_id bigint NOT NULL REFERENCES contact ON DELETE CASCADE,
    crm_event_id bigint REFERENCES crm_event ON DELETE SET NULL,
    kind text NOT NULL CHECK (kind IN ('price_quote', 'chase_quote', 'call_lead', 'after_visit')),
    subject_id bigint,
    agent_id bigint REFERENCES agent, -- who looks after it; null: whoever of the queue comes first
    queue text,
    due_at timestamptz NOT NULL,
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'done', 'cancelled')),
    closed_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);
SELECT tenant_table('follow_up');
CREATE UNIQUE INDEX follow_up_one_open ON follow_up (business_id, contact_id, kind, subject_id) WHERE status = 'open';
CREATE INDEX follow_up_due ON follow_up (business_id, due_at) WHERE status = 'open';

-- What an event sets in motion outside of the record: one row per target, done by a job, tried until it is done.
CREATE TABLE event_hook (
    event_hook_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    crm_event_id bigint NOT NULL REFERENCES crm_event ON DELETE CASCADE,
    target text NOT NULL CHECK (target IN ('document', 'calendar', 'alert')),
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'failed')),
    attempts int NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL,
    settled_at timestamptz,
    error text,
    UNIQUE (crm_event_id, target)
);
SELECT tenant_table('event_hook');
CREATE INDEX event_hook_waiting ON event_hook (business_id, target, next_attempt_at) WHERE state = 'waiting';

-- For the sweep: which businesses have hooks of some targets that are due. Ids only, over all tenants.
CREATE FUNCTION businesses_with_due_hooks(targets text[], older_than interval)
RETURNS TABLE (business_id bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT DISTINCT h.business_id FROM event_hook h
       WHERE h.state = 'waiting' AND h.target = ANY (targets) AND h.next_attempt_at < now() - older_than
         AND NOT EXISTS (SELECT 1 FROM procrastinate_jobs j
                         WHERE j.queueing_lock = 'hooks:' || h.business_id AND j.status IN ('todo', 'doing')) $$;

-- For the sweep: contacts not heard of for as long as their business says, and quotes past their day.
CREATE FUNCTION businesses_with_overdue_records()
RETURNS TABLE (business_id bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT b.business_id FROM business b
       WHERE EXISTS (SELECT 1 FROM quote q WHERE q.business_id = b.business_id AND q.status = 'issued'
                     AND q.valid_until < (now() AT TIME ZONE b.time_zone)::date)
          OR EXISTS (SELECT 1 FROM contact c WHERE c.business_id = b.business_id AND c.lifecycle <> 'dormant'
                     AND coalesce(c.last_seen_at, c.created_at)
                         < now() - make_interval(days => b.dormant_after_days)) $$;
