-- Alerts to the team and signed webhooks to other systems: who wants to hear of what, and one row per delivery.

-- Minutes of opening hours a hand-over waits before the team hears of it again, and how long before it is due
-- a ticket is at risk.
ALTER TABLE business ADD COLUMN unanswered_minutes int NOT NULL DEFAULT 15 CHECK (unanswered_minutes > 0);
ALTER TABLE business ADD COLUMN due_soon_minutes int NOT NULL DEFAULT 60 CHECK (due_soon_minutes > 0);

-- A message that did not reach its customer is told to the team once.
ALTER TABLE outbox ADD COLUMN alerted_at timestamptz;
CREATE INDEX outbox_undelivered ON outbox (business_id, settled_at) WHERE state IN ('refused', 'held');
CREATE INDEX message_status_failed ON message_status (business_id, received_at) WHERE status = 'failed';

-- Where the team is reached. The address holds passwords and tokens: it is encrypted by the application.
CREATE TABLE alert_target (
    alert_target_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    name text NOT NULL,
    queue text, -- null: whatever the queue
    kinds text[] NOT NULL DEFAULT '{}', -- empty: every kind
    service text NOT NULL, -- Slack, E-Mail …
    sealed bytea NOT NULL,
    failures int NOT NULL DEFAULT 0, -- in a row
    paused_until timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (business_id, name)
);
SELECT tenant_table('alert_target');

CREATE TABLE alert (
    alert_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    alert_target_id bigint NOT NULL REFERENCES alert_target ON DELETE CASCADE,
    contact_id bigint REFERENCES contact ON DELETE CASCADE,
    kind text NOT NULL,
    key text NOT NULL, -- what it is about, once per target
    title text NOT NULL,
    body text NOT NULL,
    urgent boolean NOT NULL,
    state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'sent', 'dead')),
    attempts int NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL,
    settled_at timestamptz,
    error text,
    created_at timestamptz NOT NULL,
    UNIQUE (alert_target_id, key)
);
SELECT tenant_table('alert');
CREATE INDEX alert_queued ON alert (alert_target_id, next_attempt_at) WHERE state = 'queued';
CREATE INDEX alert_dead ON alert (business_id) WHERE state = 'dead';
CREATE INDEX ON alert (contact_id);
CREATE INDEX alert_of_kind ON alert (business_id, kind, created_at);

-- Another system that hears of events. Address and secrets are encrypted by the application.
CREATE TABLE webhook_subscription (
    webhook_subscription_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    host text NOT NULL,
    events text[] NOT NULL CHECK (cardinality(events) > 0), -- 'quote.accepted', 'quote.*' or '*'
    with_content boolean NOT NULL, -- names, phones and words as well
    sealed_url bytea NOT NULL,
    sealed_secret bytea NOT NULL,
    sealed_previous bytea, -- the secret before, which signs too until …
    previous_until timestamptz,
    stopped text, -- why nothing is sent to it any more
    failures int NOT NULL DEFAULT 0, -- in a row
    paused_until timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);
SELECT tenant_table('webhook_subscription');
CREATE INDEX ON webhook_subscription (business_id);

CREATE TABLE webhook_delivery (
    webhook_delivery_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    webhook_subscription_id bigint NOT NULL REFERENCES webhook_subscription ON DELETE CASCADE,
    contact_id bigint REFERENCES contact ON DELETE CASCADE,
    type text NOT NULL,
    webhook_id text NOT NULL, -- of the event, the same at every attempt and replay
    body text NOT NULL, -- as it is signed
    state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'delivered', 'dead')),
    attempts int NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    settled_at timestamptz,
    status_code int,
    error text,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (webhook_subscription_id, webhook_id)
);
SELECT tenant_table('webhook_delivery');
CREATE INDEX webhook_queued ON webhook_delivery (webhook_subscription_id, next_attempt_at) WHERE state = 'queued';
CREATE INDEX webhook_dead ON webhook_delivery (business_id) WHERE state = 'dead';
CREATE INDEX ON webhook_delivery (contact_id);

-- Events are taken where they become true, in the tables, whichever code wrote them. The triggers are deferred:
-- they see the transaction as it is committed, and write the deliveries in it.

-- One delivery for each subscription of an event. `content` is what only those get that asked for it.
CREATE FUNCTION webhook_event(business bigint, contact bigint, event_type text, happened timestamptz, data jsonb,
    content jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    event_id text := 'msg_' || replace(gen_random_uuid()::text, '-', '');
    slug text := (SELECT b.slug FROM business b WHERE b.business_id = business);
BEGIN
    INSERT INTO webhook_delivery (business_id, webhook_subscription_id, contact_id, type, webhook_id, body)
    SELECT business, s.webhook_subscription_id, contact, event_type, event_id, jsonb_build_object(
        'type', event_type, 'timestamp', happened,
        'data', jsonb_build_object('business', slug, 'contact_id', contact) || data
            || CASE WHEN s.with_content THEN coalesce(content, '{}') ELSE '{}' END)::text
    FROM webhook_subscription s
    WHERE s.business_id = business AND s.stopped IS NULL
      AND s.events && ARRAY[event_type, split_part(event_type, '.', 1) || '.*', '*'];
END $$;

CREATE FUNCTION webhooks_wanted(business bigint) RETURNS boolean LANGUAGE sql STABLE AS
    $$ SELECT EXISTS (SELECT FROM webhook_subscription s WHERE s.business_id = business AND s.stopped IS NULL) $$;

CREATE FUNCTION webhook_person(contact bigint) RETURNS jsonb LANGUAGE sql STABLE AS
    $$ SELECT jsonb_build_object('contact', jsonb_build_object('name', k.name, 'phone', '+' || k.wa_id,
           'email', k.email, 'language', k.language))
       FROM contact k WHERE k.contact_id = contact $$;

-- crm_event: appointment_booked is appointment.booked, and so on for quotes, tickets and leads.
CREATE FUNCTION webhook_of_crm_event() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    family text := split_part(NEW.kind, '_', 1);
    subject jsonb;
    words jsonb;
BEGIN
    IF NOT webhooks_wanted(NEW.business_id) THEN
        RETURN NULL;
    END IF;
    CASE family
    WHEN 'appointment' THEN
        SELECT jsonb_build_object('appointment_id', a.appointment_id, 'status', a.status, 'service', s.key,
                   'resource', r.key, 'starts_at', lower(a.during), 'ends_at', upper(a.during), 'price', a.price,
                   'currency', b.currency), '{}'
        INTO subject, words
        FROM appointment a JOIN service s USING (service_id) JOIN resource r USING (resource_id)
            JOIN business b ON b.business_id = a.business_id
        WHERE a.appointment_id = NEW.subject_id;
    WHEN 'quote' THEN
        SELECT jsonb_build_object('quote_id', q.quote_id, 'number', q.number, 'status', q.status, 'currency', q.currency,
                   'total', (SELECT sum(round(l.quantity * l.unit_price, 2)) FROM quote_line l
                             WHERE l.quote_id = q.quote_id),
                   'valid_until', q.valid_until), jsonb_build_object('request', q.request)
        INTO subject, words FROM quote q WHERE q.quote_id = NEW.subject_id;
    WHEN 'ticket' THEN
        SELECT jsonb_build_object('ticket_id', t.ticket_id, 'status', t.status, 'queue', t.queue,
                   'priority', t.priority, 'answer_due', t.answer_due, 'solve_due', t.solve_due),
               jsonb_build_object('description', t.description)
        INTO subject, words FROM ticket t WHERE t.ticket_id = NEW.subject_id;
    ELSE
        SELECT jsonb_build_object('lead_id', l.lead_id, 'stage', l.stage, 'score', l.score),
               jsonb_build_object('wish', l.wish)
        INTO subject, words FROM lead l WHERE l.lead_id = NEW.subject_id;
    END CASE;
    PERFORM webhook_event(NEW.business_id, NEW.contact_id, family || '.' || substr(NEW.kind, length(family) + 2),
        NEW.at, jsonb_build_object('conversation_id', NEW.conversation_id) || coalesce(subject, '{}'),
        webhook_person(NEW.contact_id) || coalesce(words, '{}'));
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER webhooks AFTER INSERT ON crm_event DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.kind ~ '^(appointment|quote|ticket|lead)_') EXECUTE FUNCTION webhook_of_crm_event();

-- handoff: opened, claimed, returned, resolved.
CREATE FUNCTION webhook_of_handoff() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    person bigint := (SELECT c.contact_id FROM conversation c WHERE c.conversation_id = NEW.conversation_id);
    moment timestamptz;
BEGIN
    IF NOT webhooks_wanted(NEW.business_id) THEN
        RETURN NULL;
    END IF;
    moment := CASE WHEN TG_OP = 'INSERT' THEN NEW.opened_at WHEN NEW.status = 'claimed' THEN NEW.claimed_at
          ELSE NEW.closed_at END;
    PERFORM webhook_event(NEW.business_id, person,
        'handoff.' || CASE WHEN TG_OP = 'INSERT' THEN 'opened' ELSE NEW.status END, coalesce(moment, now()),
        jsonb_build_object('handoff_id', NEW.handoff_id, 'conversation_id', NEW.conversation_id,
            'status', NEW.status, 'reason', NEW.reason, 'label', NEW.label, 'queue', NEW.queue),
        webhook_person(person) || jsonb_build_object('summary', NEW.summary, 'wants', NEW.wants, 'note', NEW.note));
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER webhooks_opened AFTER INSERT ON handoff DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    EXECUTE FUNCTION webhook_of_handoff();
CREATE CONSTRAINT TRIGGER webhooks_moved AFTER UPDATE ON handoff DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.status <> OLD.status) EXECUTE FUNCTION webhook_of_handoff();

-- message: received from a customer; sent, when the channel took it or the owner wrote it on the phone.
CREATE FUNCTION webhook_of_message() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    said message;
BEGIN
    IF NOT webhooks_wanted(NEW.business_id) THEN
        RETURN NULL;
    END IF;
    SELECT * INTO said FROM message m WHERE m.message_id = NEW.message_id;
    PERFORM webhook_event(said.business_id, said.contact_id,
        CASE WHEN said.author = 'customer' THEN 'message.received' ELSE 'message.sent' END,
        CASE WHEN TG_TABLE_NAME = 'message' THEN said.sent_at ELSE now() END,
        jsonb_build_object('message_id', said.message_id, 'conversation_id', said.conversation_id,
            'author', said.author, 'kind', said.kind, 'language', said.language),
        webhook_person(said.contact_id) || jsonb_build_object('text', said.body));
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER webhooks AFTER INSERT ON message DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.author = 'customer' OR (NEW.author = 'agent' AND NEW.wamid IS NOT NULL))
    EXECUTE FUNCTION webhook_of_message();
CREATE CONSTRAINT TRIGGER webhooks AFTER UPDATE ON outbox DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.state = 'accepted' AND OLD.state <> 'accepted') EXECUTE FUNCTION webhook_of_message();

-- For the sweep: who has something due that no job is about to deliver. Ids only, over all tenants.
CREATE FUNCTION alert_targets_due() RETURNS TABLE (business_id bigint, target_id bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT t.business_id, t.alert_target_id FROM alert_target t
       WHERE (t.paused_until IS NULL OR t.paused_until <= now())
         AND EXISTS (SELECT FROM alert a WHERE a.alert_target_id = t.alert_target_id AND a.state = 'queued'
                     AND a.next_attempt_at <= now())
         AND NOT EXISTS (SELECT FROM procrastinate_jobs j WHERE j.queueing_lock = 'alerts:' || t.alert_target_id
                         AND j.status IN ('todo', 'doing')) $$;

CREATE FUNCTION webhook_subscriptions_due() RETURNS TABLE (business_id bigint, target_id bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT s.business_id, s.webhook_subscription_id FROM webhook_subscription s
       WHERE s.stopped IS NULL AND (s.paused_until IS NULL OR s.paused_until <= now())
         AND EXISTS (SELECT FROM webhook_delivery d WHERE d.webhook_subscription_id = s.webhook_subscription_id
                     AND d.state = 'queued' AND d.next_attempt_at <= now())
         AND NOT EXISTS (SELECT FROM procrastinate_jobs j
                         WHERE j.queueing_lock = 'webhooks:' || s.webhook_subscription_id
                         AND j.status IN ('todo', 'doing')) $$;

-- For the watch: businesses whose team is to be told of anything.
CREATE FUNCTION businesses_with_alert_targets() RETURNS TABLE (business_id bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT DISTINCT t.business_id FROM alert_target t $$;

-- For the retention job: forgets what was settled longer ago, over all tenants, and says how much.
CREATE FUNCTION forget_told(older_than interval) RETURNS bigint
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ WITH alerts AS (DELETE FROM alert WHERE settled_at < now() - older_than RETURNING 1),
            deliveries AS (DELETE FROM webhook_delivery WHERE settled_at < now() - older_than RETURNING 1)
       SELECT (SELECT count(*) FROM alerts) + (SELECT count(*) FROM deliveries) $$;
