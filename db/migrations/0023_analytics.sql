-- Analytics: what each turn took, what every figure counts (one view each), and sums by day.
-- docs/metrics.md says the same in words. The views see what the caller may see; sums of days have a policy.

-- What a turn of SARA's came to. `message_id`: the customer's last words in it. `unanswered`: neither the
-- documents nor the record held an answer. `seconds`: from taking the turn up to its end, models included.
CREATE TABLE turn (
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    turn_id text NOT NULL,
    conversation_id bigint NOT NULL REFERENCES conversation ON DELETE CASCADE,
    message_id bigint REFERENCES message ON DELETE SET NULL,
    intent text,
    outcome text NOT NULL,
    language char(2),
    model text, -- null: no chat model was asked
    tokens_in int NOT NULL DEFAULT 0 CHECK (tokens_in >= 0),
    tokens_out int NOT NULL DEFAULT 0 CHECK (tokens_out >= 0),
    seconds double precision NOT NULL CHECK (seconds >= 0),
    unanswered boolean NOT NULL DEFAULT false,
    at timestamptz NOT NULL,
    PRIMARY KEY (business_id, turn_id)
);
SELECT tenant_table('turn');
CREATE INDEX ON turn (business_id, at);
CREATE INDEX turn_unanswered ON turn (business_id, at) WHERE unanswered;
CREATE INDEX ON turn (conversation_id);
CREATE INDEX ON turn (message_id);

CREATE INDEX message_by_time ON message (business_id, sent_at);
CREATE INDEX conversation_by_time ON conversation (business_id, opened_at);
CREATE INDEX handoff_by_time ON handoff (business_id, opened_at);
CREATE INDEX handoff_of_conversation ON handoff (conversation_id);
CREATE INDEX lead_by_time ON lead (business_id, created_at);
CREATE INDEX quote_by_issue ON quote (business_id, issued_at) WHERE issued_at IS NOT NULL;
CREATE INDEX quote_by_acceptance ON quote (business_id, decided_at) WHERE status = 'accepted';
CREATE INDEX ticket_by_time ON ticket (business_id, created_at);
CREATE INDEX crm_event_bookings ON crm_event (business_id, at) WHERE kind = 'appointment_booked';

-- What was said: a customer's message, or one of ours that the channel took. `taken_at` is when it did; what
-- the owner typed on the phone has no outbox row and was taken when it was typed. Campaigns are no part of a
-- conversation, and a reaction says nothing. `reply`: not one that SARA began with, such as a reminder.
CREATE VIEW metric_message WITH (security_invoker = true) AS
    SELECT m.business_id, m.sent_at AS at, m.conversation_id, m.contact_id, m.message_id, m.author,
           m.author = 'customer' AS inbound, m.media_voice AS voice,
           CASE WHEN o.message_id IS NULL THEN m.sent_at ELSE o.settled_at END AS taken_at,
           m.author <> 'customer' AND o.purpose IS NULL AS reply
    FROM message m LEFT JOIN outbox o ON o.message_id = m.message_id
    WHERE m.kind <> 'reaction'
      AND (m.author = 'customer'
           OR (m.author IN ('bot', 'agent')
               AND (o.message_id IS NULL OR (o.state = 'accepted' AND o.lane = 'service'))));

-- From the first message of a run that nobody had answered to the first reply that the channel took.
CREATE VIEW metric_response WITH (security_invoker = true) AS
    SELECT m.business_id, m.at, m.conversation_id, m.contact_id, m.message_id, r.author,
           greatest(extract(epoch FROM r.taken_at - m.at), 0)::double precision AS seconds
    FROM metric_message m
    CROSS JOIN LATERAL (
        SELECT a.author, a.taken_at FROM metric_message a
        WHERE a.conversation_id = m.conversation_id AND a.message_id > m.message_id AND a.reply
        ORDER BY a.message_id LIMIT 1) r
    WHERE m.inbound AND NOT coalesce((
        SELECT b.inbound FROM metric_message b
        WHERE b.conversation_id = m.conversation_id AND b.message_id < m.message_id AND (b.inbound OR b.reply)
        ORDER BY b.message_id DESC LIMIT 1), false);

-- Conversations in which the customer wrote: a thumb under a reminder opens one and is none.
CREATE VIEW metric_talk WITH (security_invoker = true) AS
    SELECT c.business_id, c.opened_at AS at, c.conversation_id, c.contact_id FROM conversation c
    WHERE c.last_customer_at IS NOT NULL AND EXISTS (
        SELECT FROM message m
        WHERE m.conversation_id = c.conversation_id AND m.author = 'customer' AND m.kind <> 'reaction');

-- Contained: SARA answered and no person took part. Escalated: SARA handed it over. A person who steps in unasked
-- makes a conversation neither.
CREATE VIEW metric_conversation WITH (security_invoker = true) AS
    SELECT c.business_id, c.at, c.conversation_id, c.contact_id, h.escalated,
           NOT h.handed AND s.answered AND NOT s.by_agent AS contained
    FROM metric_talk c
    CROSS JOIN LATERAL (
        SELECT count(*) > 0 AS handed,
               count(*) FILTER (WHERE reason NOT IN ('agent_takeover', 'owner_on_phone', 'reopened')) > 0 AS escalated
        FROM handoff WHERE handoff.conversation_id = c.conversation_id) h
    CROSS JOIN LATERAL (
        SELECT coalesce(bool_or(author = 'bot'), false) AS answered,
               coalesce(bool_or(author = 'agent'), false) AS by_agent
        FROM metric_message WHERE metric_message.conversation_id = c.conversation_id AND reply) s;

-- Hand-overs. `asked`: SARA opened it, so that somebody waited. First response: to the first message of a person
-- that the channel took. Handling: from taking it up to its end.
CREATE VIEW metric_handoff WITH (security_invoker = true) AS
    SELECT h.business_id, h.opened_at AS at, h.conversation_id, h.handoff_id, h.reason, h.closed_at,
           h.reason NOT IN ('agent_takeover', 'owner_on_phone', 'reopened') AS asked,
           extract(epoch FROM r.taken_at - h.opened_at)::double precision AS first_response, r.taken_at AS responded_at,
           greatest(extract(epoch FROM h.closed_at - coalesce(h.claimed_at, h.opened_at)), 0)::double precision
               AS handling
    FROM handoff h
    LEFT JOIN LATERAL (
        SELECT m.taken_at FROM metric_message m
        WHERE m.conversation_id = h.conversation_id AND m.author = 'agent' AND m.reply
          AND m.at >= h.opened_at AND m.at <= coalesce(h.closed_at, 'infinity')
        ORDER BY m.message_id LIMIT 1) r ON true;

-- Leads. Qualified: at 'qualified' or further along within 48 hours. `decided_at`: since when one can say.
CREATE VIEW metric_lead WITH (security_invoker = true) AS
    SELECT l.business_id, l.created_at AS at, l.conversation_id, l.lead_id,
           coalesce(q.at <= l.created_at + interval '48 hours', false) AS qualified,
           least(q.at, l.created_at + interval '48 hours') AS decided_at
    FROM lead l LEFT JOIN LATERAL (
        SELECT min(s.at) AS at FROM stage_change s
        WHERE s.lead_id = l.lead_id AND s.to_stage IN ('qualified', 'quoted', 'booked', 'won')) q ON true;

-- Tickets with due times. In time: answered and solved by them. `decided_at`: since when one can say.
CREATE VIEW metric_ticket WITH (security_invoker = true) AS
    SELECT t.business_id, t.created_at AS at, t.conversation_id, t.ticket_id,
           t.answer_due IS NOT NULL AND t.solve_due IS NOT NULL AS measured,
           coalesce(t.answered_at <= t.answer_due AND t.closed_at <= t.solve_due, false) AS in_time,
           CASE WHEN t.answered_at <= t.answer_due THEN least(t.closed_at, t.solve_due) ELSE t.answer_due END
               AS decided_at
    FROM ticket t;

-- Appointments that came to their time and about which the business said how they ended.
CREATE VIEW metric_visit WITH (security_invoker = true) AS
    SELECT a.business_id, lower(a.during) AS at, a.conversation_id, a.appointment_id, a.status = 'no_show' AS missed
    FROM appointment a WHERE a.status IN ('completed', 'no_show');

-- Everything that a figure is made of: one row a thing, `at` the moment whose day it counts for, `decided_at`
-- since when it counts at all. `value` is 1 or 0 in a share, seconds in a duration, how many in a count.
CREATE VIEW metric_fact WITH (security_invoker = true) AS
    SELECT 'messages_in' AS name, '' AS key, business_id, at, at AS decided_at, conversation_id,
           1::double precision AS value FROM metric_message WHERE inbound
    UNION ALL SELECT 'messages_out', '', business_id, at, at, conversation_id, 1 FROM metric_message WHERE NOT inbound
    UNION ALL SELECT 'voice_share', '', business_id, at, at, conversation_id, voice::int
              FROM metric_message WHERE inbound
    UNION ALL SELECT 'response', '', business_id, at, at, conversation_id, seconds
              FROM metric_response WHERE author = 'bot'
    UNION ALL SELECT 'conversations', '', business_id, at, at, conversation_id, 1 FROM metric_talk
    UNION ALL SELECT 'containment', '', business_id, at, at, conversation_id, contained::int FROM metric_conversation
    UNION ALL SELECT 'escalation', '', business_id, at, at, conversation_id, escalated::int FROM metric_conversation
    UNION ALL SELECT 'reasons', reason, business_id, opened_at, opened_at, conversation_id, 1 FROM handoff
    UNION ALL SELECT 'first_response', '', business_id, at, responded_at, conversation_id, first_response
              FROM metric_handoff WHERE asked AND responded_at IS NOT NULL
    UNION ALL SELECT 'handling', '', business_id, at, closed_at, conversation_id, handling
              FROM metric_handoff WHERE closed_at IS NOT NULL
    UNION ALL SELECT 'leads', '', business_id, created_at, created_at, conversation_id, 1 FROM lead
    UNION ALL SELECT 'lead_qualified_48h', '', business_id, at, decided_at, conversation_id, qualified::int
              FROM metric_lead
    UNION ALL SELECT 'bookings', '', business_id, at, at, conversation_id, 1
              FROM crm_event WHERE kind = 'appointment_booked'
    UNION ALL SELECT 'no_shows', '', business_id, at, at, conversation_id, missed::int FROM metric_visit
    UNION ALL SELECT 'quotes_sent', '', business_id, issued_at, issued_at, conversation_id, 1
              FROM quote WHERE issued_at IS NOT NULL
    UNION ALL SELECT 'quotes_accepted', '', business_id, decided_at, decided_at, conversation_id, 1
              FROM quote WHERE status = 'accepted'
    UNION ALL SELECT 'tickets', '', business_id, created_at, created_at, conversation_id, 1 FROM ticket
    UNION ALL SELECT 'tickets_in_sla', '', business_id, at, decided_at, conversation_id, in_time::int
              FROM metric_ticket WHERE measured
    UNION ALL SELECT 'unanswered', '', business_id, at, at, conversation_id, 1 FROM turn WHERE unanswered
    UNION ALL SELECT 'tokens', '', business_id, at, at, conversation_id, tokens_in + tokens_out FROM turn
    UNION ALL SELECT 'compute_seconds', '', business_id, at, at, conversation_id, seconds FROM turn
    UNION ALL SELECT 'languages', language, business_id, at, at, conversation_id, 1 FROM turn WHERE language IS NOT NULL
    UNION ALL SELECT 'intents', intent, business_id, at, at, conversation_id, 1 FROM turn WHERE intent IS NOT NULL;

GRANT SELECT ON metric_message, metric_response, metric_talk, metric_conversation, metric_handoff, metric_lead,
    metric_ticket, metric_visit, metric_fact TO sara_app;

-- The facts of one day of the business's own time zone, summed up. It names nobody, and stays after an erasure.
CREATE TABLE metric_day (
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    day date NOT NULL,
    name text NOT NULL,
    key text NOT NULL,
    things bigint NOT NULL,
    total double precision NOT NULL,
    samples double precision[], -- of durations: medians cannot be added up
    PRIMARY KEY (business_id, name, day, key)
);
SELECT tenant_table('metric_day');

-- When a day was last summed up: a day without a row here is worked out when it is asked for.
CREATE TABLE metric_refresh (
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    day date NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (business_id, day)
);
SELECT tenant_table('metric_refresh');
