-- crowd -- very many customers who wait for a person, for benchmarks
WITH people AS (
    INSERT INTO contact (business_id, wa_id, name, last_seen_at)
    SELECT %(business)s, '3987' || n, 'Customer ' || n, now() FROM generate_series(100000, 99999 + %(count)s) n
    RETURNING contact_id, wa_id),
talks AS (
    INSERT INTO conversation (business_id, contact_id, phone_number_id, owner, last_customer_at, last_activity_at)
    SELECT %(business)s, contact_id, %(phone_number_id)s, 'human', now() - random() * interval '20 hours', now()
    FROM people RETURNING conversation_id, contact_id),
said AS (
    INSERT INTO message (business_id, conversation_id, contact_id, author, kind, body, sent_at)
    SELECT %(business)s, conversation_id, contact_id, 'customer', 'text', 'question ' || n || ' of ' || conversation_id,
           now()
    FROM talks, generate_series(1, 4) n)
INSERT INTO handoff (business_id, conversation_id, turn_id, reason)
SELECT %(business)s, conversation_id, 'crowd:' || conversation_id, 'customer_request' FROM talks;

-- crowd_counted -- the planner knows how many there are
ANALYZE contact, conversation, message, handoff;
