-- past_unchecked -- no triggers, no foreign keys, until this transaction ends; and room to sort
SELECT set_config('session_replication_role', 'replica', true), set_config('maintenance_work_mem', '512MB', true);

-- past_contacts -- customers of the last year
INSERT INTO contact (business_id, wa_id, name, language, lifecycle, created_at, last_seen_at)
SELECT %(business)s, (%(first)s + n)::text, 'Past ' || n, 'it', 'client', now() - interval '400 days',
       now() - interval '2 days' - n * interval '350 days' / %(customers)s
FROM generate_series(0, %(customers)s - 1) n;

-- past_talks -- two conversations each, the later ones later
INSERT INTO conversation (business_id, contact_id, phone_number_id, status, opened_at, last_customer_at,
    last_activity_at, closed_at, summary, last_intent, last_outcome)
SELECT %(business)s, k.contact_id, %(phone_number_id)s, 'closed', t.at, t.at + interval '20 minutes',
       t.at + interval '21 minutes', t.at + interval '1 day', 'asked for prices and hours', 'answer', 'answered'
FROM generate_series(0, 1) half CROSS JOIN contact k
CROSS JOIN LATERAL (SELECT k.last_seen_at - (1 - half) * interval '14 days' AS at) t
WHERE k.business_id = %(business)s AND k.wa_id LIKE '3977%%'
ORDER BY t.at;

-- past_messages -- questions and answers by turns
INSERT INTO message (business_id, conversation_id, contact_id, author, wamid, kind, body, language, status, sent_at,
    created_at)
SELECT %(business)s, c.conversation_id, c.contact_id, CASE WHEN n %% 2 = 1 THEN 'customer' ELSE 'bot' END,
       'wamid.past.' || c.conversation_id || '.' || n, 'text',
       (ARRAY['Quanto costa un massaggio rilassante?', 'Un massaggio rilassante di 50 minuti costa 65,00 €.',
              'A che ora aprite domani?', 'Domani siamo aperti dalle 9:00 alle 19:00.'])[n %% 4 + 1] || ' ' || n,
       'it', CASE WHEN n %% 2 = 0 THEN 'read' END, c.opened_at + n * interval '40 seconds',
       c.opened_at + n * interval '40 seconds'
FROM conversation c, generate_series(1, %(each)s) n
WHERE c.business_id = %(business)s AND c.status = 'closed' AND c.summary = 'asked for prices and hours'
ORDER BY c.opened_at, n;

-- past_events -- what the graph took in
INSERT INTO inbox_event (business_id, conversation_id, kind, message_id, created_at, done_at)
SELECT business_id, conversation_id, 'customer_message', message_id, created_at, created_at + interval '2 seconds'
FROM message WHERE business_id = %(business)s AND author = 'customer' AND wamid LIKE 'wamid.past.%%'
ORDER BY message_id;

-- past_outbox -- what was sent
INSERT INTO outbox (business_id, conversation_id, message_id, turn_id, ordinal, epoch, state, attempts, attempted_at,
    next_attempt_at, settled_at, created_at)
SELECT business_id, conversation_id, message_id, conversation_id || ':' || message_id, 0, 0, 'accepted', 1, created_at,
       created_at, created_at, created_at
FROM message WHERE business_id = %(business)s AND author = 'bot' AND wamid LIKE 'wamid.past.%%'
ORDER BY message_id;

-- past_statuses -- what became of it
INSERT INTO message_status (business_id, message_id, status, at, received_at)
SELECT business_id, message_id, s, created_at, created_at
FROM message, unnest(ARRAY['sent', 'delivered', 'read']) s
WHERE business_id = %(business)s AND author = 'bot' AND wamid LIKE 'wamid.past.%%'
ORDER BY message_id;

-- past_turns -- what each turn took
INSERT INTO turn (business_id, turn_id, conversation_id, message_id, intent, outcome, language, model, tokens_in,
    tokens_out, seconds, at)
SELECT business_id, conversation_id || ':' || message_id, conversation_id, message_id, 'answer', 'answered', 'it',
       'extractive', 0, 0, 0.1, created_at
FROM message WHERE business_id = %(business)s AND author = 'customer' AND wamid LIKE 'wamid.past.%%'
ORDER BY message_id;

-- past_checkpoint_bytes -- how much a thread keeps
SELECT coalesce(sum(bytes), 0) FROM (
    SELECT sum(octet_length(checkpoint::text)) FROM checkpoints WHERE thread_id = %(thread)s
    UNION ALL SELECT sum(octet_length(blob)) FROM checkpoint_blobs WHERE thread_id = %(thread)s
    UNION ALL SELECT sum(octet_length(blob)) FROM checkpoint_writes WHERE thread_id = %(thread)s) part (bytes);

-- past_read_in_full -- rows of tables that were read without an index
SELECT coalesce(sum(seq_tup_read), 0)::bigint FROM pg_stat_user_tables WHERE relname = ANY (%(tables)s);

-- past_open_conversation -- of a customer who has just written
SELECT v.conversation_id FROM conversation v JOIN contact k USING (contact_id)
WHERE k.wa_id = %(wa_id)s AND v.status = 'open';

-- past_read -- the customer saw it
UPDATE message m SET wamid = 'wamid.flat.' || m.message_id, status = 'read' FROM outbox o
WHERE o.message_id = m.message_id AND o.conversation_id = %(conversation_id)s AND o.state = 'queued';

-- past_accepted -- the channel took it
UPDATE outbox SET state = 'accepted', settled_at = now() WHERE conversation_id = %(conversation_id)s AND state = 'queued';

-- past_no_jobs -- nothing waits in the queue
DELETE FROM procrastinate_jobs;
