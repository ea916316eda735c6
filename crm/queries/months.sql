-- months_business -- a business that has been at it for months, for benchmarks
INSERT INTO business (slug, name, vertical, country, time_zone, currency, languages)
VALUES (%(slug)s, %(slug)s, 'clinic', 'IT', 'Europe/Rome', 'EUR', '{it,en}') RETURNING business_id;

-- months_quietly -- no trigger and no check of references: what follows is whole by itself
SELECT set_config('session_replication_role', 'replica', true);

-- months_people -- its customers
INSERT INTO contact (business_id, wa_id, name, language)
SELECT %(business)s, '3986' || n, 'Customer ' || n, 'it' FROM generate_series(1, %(people)s) n;

-- months_talks -- its conversations, evenly over the days until now
INSERT INTO conversation (business_id, contact_id, phone_number_id, status, last_intent, last_outcome, opened_at,
    last_customer_at, last_activity_at, closed_at)
SELECT %(business)s, k.contact_id, 'months', 'closed', 'answer', 'answered', t.at, t.at, t.at + interval '10 minutes',
       t.at + interval '1 hour'
FROM generate_series(1, %(talks)s) n
CROSS JOIN LATERAL (SELECT %(now)s - interval '20 minutes'
                           - make_interval(secs => (%(talks)s - n) * %(days)s * 86400.0 / %(talks)s) AS at) t
JOIN (SELECT contact_id, row_number() OVER (ORDER BY contact_id) AS number FROM contact
      WHERE business_id = %(business)s) k ON k.number = 1 + n %% %(people)s
ORDER BY n;

-- months_said -- ten messages in each: the customer asks, SARA answers, five times
INSERT INTO message (business_id, conversation_id, contact_id, author, kind, body, media_voice, status, sent_at)
SELECT %(business)s, c.conversation_id, c.contact_id, CASE WHEN n %% 2 = 1 THEN 'customer' ELSE 'bot' END, 'text',
       CASE WHEN n %% 2 = 1 THEN 'question ' || c.conversation_id %% 40 || ' about matter ' || c.conversation_id %% 7
            ELSE 'answer' END,
       n = 1 AND c.conversation_id %% 9 = 0, CASE WHEN n %% 2 = 0 THEN 'delivered' END,
       c.opened_at + make_interval(secs => n * 20)
FROM conversation c CROSS JOIN generate_series(1, 10) n WHERE c.business_id = %(business)s
ORDER BY c.conversation_id, n;

-- months_sent -- what the channel took, some seconds later
INSERT INTO outbox (business_id, conversation_id, message_id, turn_id, ordinal, epoch, state, attempts, attempted_at,
    settled_at, created_at)
SELECT business_id, conversation_id, message_id, 'months:' || message_id, 0, 0, 'accepted', 1, sent_at,
       sent_at + make_interval(secs => message_id %% 90 / 10.0), sent_at
FROM message WHERE business_id = %(business)s AND author = 'bot';

-- months_turns -- what each answer took
INSERT INTO turn (business_id, turn_id, conversation_id, message_id, intent, outcome, language, model, tokens_in,
    tokens_out, seconds, unanswered, at)
SELECT business_id, 'months:' || message_id, conversation_id, message_id, (ARRAY['answer', 'greeting', 'request_quote'])
       [1 + message_id %% 3], 'answered', (ARRAY['it', 'en', 'es', 'pt'])[1 + conversation_id %% 4], 'months', 900, 60,
       1.5, message_id %% 40 = 1, sent_at + interval '3 seconds'
FROM message WHERE business_id = %(business)s AND author = 'customer';

-- months_handed -- hand-overs of an eighth of them
INSERT INTO handoff (business_id, conversation_id, turn_id, reason, status, opened_at, claimed_at, closed_at)
SELECT business_id, conversation_id, 'months:' || conversation_id,
       (ARRAY['sensitive', 'customer_request', 'ungrounded'])[1 + conversation_id %% 3], 'resolved',
       opened_at + interval '4 minutes', opened_at + interval '6 minutes', opened_at + interval '12 minutes'
FROM conversation WHERE business_id = %(business)s AND conversation_id %% 8 = 0;

-- months_taken_up -- and a person's answer in them
INSERT INTO message (business_id, conversation_id, contact_id, author, kind, body, status, sent_at)
SELECT h.business_id, h.conversation_id, c.contact_id, 'agent', 'text', 'answer', 'delivered',
       h.opened_at + interval '5 minutes'
FROM handoff h JOIN conversation c USING (conversation_id) WHERE h.business_id = %(business)s;

-- months_leads -- a tenth of them may buy
INSERT INTO lead (business_id, contact_id, conversation_id, stage, created_at)
SELECT business_id, contact_id, conversation_id, 'won', opened_at FROM conversation
WHERE business_id = %(business)s AND conversation_id %% 10 = 0;

-- months_stages -- most of those soon
INSERT INTO stage_change (business_id, lead_id, from_stage, to_stage, at)
SELECT business_id, lead_id, 'new', 'qualified', created_at + make_interval(hours => (lead_id %% 70)::int) FROM lead
WHERE business_id = %(business)s;

-- months_bookings -- a sixth books
INSERT INTO crm_event (business_id, contact_id, conversation_id, kind, at)
SELECT business_id, contact_id, conversation_id, 'appointment_booked', opened_at FROM conversation
WHERE business_id = %(business)s AND conversation_id %% 6 = 0;

-- months_place -- where they come to
INSERT INTO location (business_id, key, name, address, city, country, time_zone)
VALUES (%(business)s, 'months', 'Months', '', '', 'IT', 'Europe/Rome');

-- months_rooms -- its rooms
INSERT INTO resource (business_id, location_id, key, name, kind)
SELECT business_id, location_id, 'room-' || n, 'Room ' || n, 'room' FROM location, generate_series(1, 30) n
WHERE business_id = %(business)s;

-- months_service -- and what is done there
INSERT INTO service (business_id, key) VALUES (%(business)s, 'months');

-- months_visits -- they come, or not: half an hour each, in one room after the other
INSERT INTO appointment (business_id, contact_id, conversation_id, service_id, resource_id, during, status,
    idempotency_key, created_at)
SELECT c.business_id, c.contact_id, c.conversation_id, s.service_id, r.resource_id,
       tstzrange(t.at, t.at + interval '30 minutes'), CASE WHEN c.number %% 11 = 0 THEN 'no_show' ELSE 'completed' END,
       'months:' || c.conversation_id, c.opened_at
FROM (SELECT *, row_number() OVER (ORDER BY conversation_id) AS number FROM conversation
      WHERE business_id = %(business)s AND conversation_id %% 6 = 0) c
JOIN service s ON s.business_id = c.business_id
JOIN (SELECT resource_id, business_id, row_number() OVER (ORDER BY resource_id) AS number FROM resource
      WHERE business_id = %(business)s) r ON r.number = 1 + c.number %% 30
CROSS JOIN LATERAL (SELECT %(now)s - make_interval(mins => 30 * (1 + c.number / 30)::int) AS at) t;

-- months_quotes -- a twentieth asks for a quote
INSERT INTO quote (business_id, contact_id, conversation_id, status, currency, number, issued_at, valid_until,
    decided_at, idempotency_key, created_at)
SELECT business_id, contact_id, conversation_id, CASE WHEN conversation_id %% 40 = 0 THEN 'accepted' ELSE 'issued' END,
       'EUR', 'M-' || conversation_id, opened_at, (opened_at + interval '30 days')::date,
       CASE WHEN conversation_id %% 40 = 0 THEN opened_at + interval '10 minutes' END, 'months:' || conversation_id,
       opened_at
FROM conversation WHERE business_id = %(business)s AND conversation_id %% 20 = 0;

-- months_tickets -- one in thirty has something to report
INSERT INTO ticket (business_id, contact_id, conversation_id, status, description, answer_due, solve_due, answered_at,
    closed_at, idempotency_key, created_at)
SELECT business_id, contact_id, conversation_id, 'closed', '', opened_at + interval '1 hour',
       opened_at + interval '8 hours', opened_at + make_interval(mins => (conversation_id %% 80)::int),
       opened_at + interval '2 hours', 'months:' || conversation_id, opened_at
FROM conversation WHERE business_id = %(business)s AND conversation_id %% 30 = 0;

-- months_places -- which services can be had with whom
SELECT service_id, resource_id FROM resource_skill ORDER BY service_id, resource_id;

-- months_counted -- the planner knows how much there is
ANALYZE;
