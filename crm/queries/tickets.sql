-- ticket_insert -- something is wrong
INSERT INTO ticket (business_id, contact_id, conversation_id, description, idempotency_key, queue, priority, answer_due,
    solve_due, created_at)
VALUES (%(business_id)s, %(contact_id)s, %(conversation_id)s, %(description)s, %(idempotency_key)s, %(queue)s,
    %(priority)s, %(answer_due)s, %(solve_due)s, %(now)s)
ON CONFLICT (business_id, idempotency_key) DO NOTHING
RETURNING ticket_id;

-- ticket_by_key -- the ticket an earlier try of the same turn made
SELECT ticket_id, contact_id, conversation_id, status, description, queue, priority, answer_due, solve_due, answered_at,
       closed_at, created_at
FROM ticket WHERE idempotency_key = %(idempotency_key)s;

-- ticket -- one ticket
SELECT ticket_id, contact_id, conversation_id, status, description, queue, priority, answer_due, solve_due, answered_at,
       closed_at, created_at
FROM ticket WHERE ticket_id = %(ticket_id)s;

-- tickets_of_contact -- a customer's tickets: the open ones, and those closed since a moment
SELECT ticket_id, contact_id, conversation_id, status, description, queue, priority, answer_due, solve_due, answered_at,
       closed_at, created_at
FROM ticket WHERE contact_id = %(contact_id)s AND (status <> 'closed' OR closed_at >= %(closed_since)s)
ORDER BY ticket_id;

-- tickets_open -- what has to be looked after, the first due first
SELECT ticket_id, contact_id, conversation_id, status, description, queue, priority, answer_due, solve_due, answered_at,
       closed_at, created_at
FROM ticket WHERE status <> 'closed' ORDER BY solve_due, ticket_id;

-- ticket_take -- somebody looks into it; the first answer is when that happened first
UPDATE ticket SET status = 'in_progress', agent_id = coalesce(%(agent_id)s, agent_id),
       answered_at = coalesce(answered_at, %(now)s)
WHERE ticket_id = %(ticket_id)s AND status <> 'closed' RETURNING contact_id;

-- ticket_close -- it is settled
UPDATE ticket SET status = 'closed', closed_at = %(now)s, answered_at = coalesce(answered_at, %(now)s)
WHERE ticket_id = %(ticket_id)s AND status <> 'closed' RETURNING contact_id;

-- ticket_end -- it is over without being settled: what is not late by now is not measured by its due times any more
UPDATE ticket SET status = 'closed', closed_at = %(now)s, answered_at = coalesce(answered_at, %(now)s),
       answer_due = CASE WHEN coalesce(answered_at, %(now)s) > answer_due OR %(now)s > solve_due THEN answer_due END,
       solve_due = CASE WHEN coalesce(answered_at, %(now)s) > answer_due OR %(now)s > solve_due THEN solve_due END
WHERE ticket_id = %(ticket_id)s AND status <> 'closed' RETURNING contact_id;

-- service_levels -- the business's own due times
SELECT priority, answer_minutes, solve_minutes FROM service_level;
