-- crm_event_once -- something happened, unless this turn has already said so
INSERT INTO crm_event (business_id, contact_id, conversation_id, kind, subject_id, detail, key, at, agent_id)
VALUES (%(business_id)s, %(contact_id)s, %(conversation_id)s, %(kind)s, %(subject_id)s, %(detail)s, %(key)s, %(now)s,
        %(agent_id)s)
ON CONFLICT (business_id, key) WHERE key IS NOT NULL DO NOTHING
RETURNING crm_event_id;

-- follow_up_insert -- a person has to do something; what is open for the same reason stays as it is
INSERT INTO follow_up (business_id, contact_id, crm_event_id, kind, subject_id, agent_id, queue, due_at, created_at)
SELECT %(business_id)s, %(contact_id)s, %(crm_event_id)s, %(kind)s, %(subject_id)s, (
    SELECT m.agent_id FROM membership m JOIN agent a USING (agent_id)
    WHERE m.business_id = %(business_id)s AND m.role = 'agent' AND a.active
    ORDER BY (SELECT count(*) FROM follow_up f WHERE f.agent_id = m.agent_id AND f.status = 'open'), m.agent_id
    LIMIT 1), b.queue, %(due_at)s, %(now)s
FROM business b WHERE b.business_id = %(business_id)s
ON CONFLICT (business_id, contact_id, kind, subject_id) WHERE status = 'open' DO NOTHING;

-- follow_up_close -- it was done, or there is nothing left to do
UPDATE follow_up SET status = %(status)s, closed_at = %(now)s
WHERE contact_id = %(contact_id)s AND kind = ANY (%(kinds)s) AND status = 'open'
  AND (%(subject_id)s::bigint IS NULL OR subject_id = %(subject_id)s);

-- follow_up_done -- one was done
UPDATE follow_up SET status = 'done', closed_at = %(now)s WHERE follow_up_id = %(follow_up_id)s AND status = 'open';

-- follow_ups_due -- what has to be done by a moment, the first due first
SELECT f.follow_up_id, f.contact_id, f.kind, f.subject_id, f.agent_id, a.name AS agent_name, f.queue, f.due_at, f.status
FROM follow_up f LEFT JOIN agent a USING (agent_id)
WHERE f.status = 'open' AND f.due_at <= %(until)s ORDER BY f.due_at, f.follow_up_id;

-- follow_ups_of_contact -- all about one customer
SELECT f.follow_up_id, f.contact_id, f.kind, f.subject_id, f.agent_id, a.name AS agent_name, f.queue, f.due_at, f.status
FROM follow_up f LEFT JOIN agent a USING (agent_id)
WHERE f.contact_id = %(contact_id)s ORDER BY f.follow_up_id;

-- hook_insert -- something has to be done outside of the record because of an event
INSERT INTO event_hook (business_id, crm_event_id, target, next_attempt_at)
VALUES (%(business_id)s, %(crm_event_id)s, %(target)s, %(now)s)
ON CONFLICT (crm_event_id, target) DO NOTHING;

-- hook_next -- the oldest hook of some targets that is due, for whoever does it
SELECT h.event_hook_id, h.target, h.attempts, e.crm_event_id, e.kind, e.contact_id, e.conversation_id, e.subject_id,
       e.detail
FROM event_hook h JOIN crm_event e USING (crm_event_id)
WHERE h.state = 'waiting' AND h.target = ANY (%(targets)s) AND h.next_attempt_at <= %(now)s
ORDER BY h.event_hook_id LIMIT 1 FOR UPDATE OF h SKIP LOCKED;

-- hook_wait -- seconds until the next hook of some targets is due
SELECT extract(epoch FROM min(next_attempt_at) - %(now)s)::float8 FROM event_hook
WHERE state = 'waiting' AND target = ANY (%(targets)s);

-- hook_settle -- it is done, or given up
UPDATE event_hook SET state = %(state)s, attempts = attempts + 1, settled_at = %(now)s, error = %(error)s
WHERE event_hook_id = %(event_hook_id)s;

-- hook_again -- to be tried again later
UPDATE event_hook SET attempts = attempts + 1, next_attempt_at = %(at)s, error = %(error)s
WHERE event_hook_id = %(event_hook_id)s AND state = 'waiting';

-- due_hooks -- businesses with hooks that are due and that nobody seems to do, over all tenants
SELECT business_id FROM businesses_with_due_hooks(%(targets)s, %(older_than)s);
