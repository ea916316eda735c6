-- alert_target_insert -- one more place where the team is reached
INSERT INTO alert_target (business_id, name, queue, kinds, service, sealed, created_at)
VALUES (%(business_id)s, %(name)s, %(queue)s, %(kinds)s, %(service)s, %(sealed)s, %(now)s)
ON CONFLICT (business_id, name) DO NOTHING
RETURNING alert_target_id;

-- alert_target_delete -- it is not told any more
DELETE FROM alert_target WHERE name = %(name)s RETURNING alert_target_id;

-- alert_targets -- where the team is reached, with what waits and what was given up
SELECT t.alert_target_id, t.name, t.queue, t.kinds, t.service, t.sealed, t.failures, t.paused_until,
       count(a.alert_id) FILTER (WHERE a.state = 'queued') AS queued,
       count(a.alert_id) FILTER (WHERE a.state = 'sent') AS sent,
       count(a.alert_id) FILTER (WHERE a.state = 'dead') AS dead
FROM alert_target t LEFT JOIN alert a USING (alert_target_id)
GROUP BY t.alert_target_id ORDER BY t.name;

-- alert_target -- one of them
SELECT t.alert_target_id, t.name, t.queue, t.kinds, t.service, t.sealed, t.failures, t.paused_until,
       0 AS queued, 0 AS sent, 0 AS dead
FROM alert_target t WHERE t.alert_target_id = %(alert_target_id)s;

-- alert_insert -- the team is told, once per target that wants to hear of this kind in this queue
INSERT INTO alert (business_id, alert_target_id, contact_id, kind, key, title, body, urgent, next_attempt_at, created_at)
SELECT %(business_id)s, t.alert_target_id, %(contact_id)s, %(kind)s, %(key)s, %(title)s, %(body)s, %(urgent)s, %(now)s,
       %(now)s
FROM alert_target t
WHERE (t.kinds = '{}' OR %(kind)s = ANY (t.kinds)) AND (t.queue IS NULL OR t.queue = %(queue)s)
ORDER BY t.alert_target_id
ON CONFLICT (alert_target_id, key) DO NOTHING;

-- alert_claim -- the oldest alert that is due, marked as being sent until the lease is over
UPDATE alert SET attempts = attempts + 1, next_attempt_at = %(now)s + %(lease)s
WHERE alert_id = (SELECT alert_id FROM alert WHERE alert_target_id = %(alert_target_id)s AND state = 'queued'
                  AND next_attempt_at <= %(now)s ORDER BY alert_id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING alert_id, kind, title, body, urgent, attempts;

-- alert_settle -- it was sent, or given up
UPDATE alert SET state = %(state)s, settled_at = %(now)s, error = %(error)s
WHERE alert_id = %(alert_id)s AND state = 'queued';

-- alert_again -- to be tried again later
UPDATE alert SET next_attempt_at = %(at)s, error = %(error)s WHERE alert_id = %(alert_id)s AND state = 'queued';

-- alert_target_worked -- a target took something
UPDATE alert_target SET failures = 0, paused_until = NULL WHERE alert_target_id = %(alert_target_id)s AND failures > 0;

-- alert_target_failed -- a target took nothing and is left alone for a while
UPDATE alert_target SET failures = failures + 1, paused_until = %(until)s WHERE alert_target_id = %(alert_target_id)s;

-- alerts_dead -- what was given up, the newest first
SELECT a.alert_id, t.name AS target, a.kind, a.title, a.attempts, a.error, a.created_at, a.settled_at
FROM alert a JOIN alert_target t USING (alert_target_id) WHERE a.state = 'dead' ORDER BY a.alert_id DESC LIMIT %(most)s;

-- alerts_revive -- what was given up is tried again
UPDATE alert SET state = 'queued', attempts = 0, next_attempt_at = %(now)s, settled_at = NULL WHERE state = 'dead';

-- alert_targets_wake -- whoever failed before is not left alone any longer
UPDATE alert_target SET failures = 0, paused_until = NULL;

-- alert_last -- when something of a kind was told last
SELECT max(created_at) FROM alert WHERE kind = %(kind)s;

-- alert_patience_set -- after how many minutes the team is told
UPDATE business SET unanswered_minutes = coalesce(%(unanswered_minutes)s, unanswered_minutes),
       due_soon_minutes = coalesce(%(due_soon_minutes)s, due_soon_minutes)
WHERE business_id = %(business_id)s;

-- alert_patience -- after how many minutes the team is told
SELECT unanswered_minutes, due_soon_minutes FROM business WHERE business_id = %(business_id)s;

-- alert_targets_due -- targets, of all tenants, with alerts that are due and that no job is about to send
SELECT business_id, target_id FROM alert_targets_due();

-- alert_businesses -- businesses, of all tenants, whose team is told of anything
SELECT business_id, 0 AS target_id FROM businesses_with_alert_targets();

-- told_forget -- what was delivered or given up long ago is forgotten, over all tenants
SELECT forget_told(%(older_than)s);

-- watch_handoffs -- waiting hand-overs, whether a person has written since, and the step that left one to whoever takes it
SELECT h.handoff_id, h.opened_at, h.reason, h.label, h.status, EXISTS (
    SELECT FROM message m WHERE m.conversation_id = h.conversation_id AND m.author = 'agent' AND m.created_at >= h.opened_at
) AS answered,
EXISTS (SELECT FROM alert a WHERE a.business_id = h.business_id AND a.key = 'handoff_opened:' || h.handoff_id) AS told,
EXISTS (SELECT FROM alert a WHERE a.business_id = h.business_id AND a.key = 'handoff_unanswered:' || h.handoff_id)
    AS told_again,
(SELECT min(t.created_at) FROM alert_target t) AS listening_since,
r.handoff_step_id AS released, r.at AS released_at, EXISTS (
    SELECT FROM alert a WHERE a.business_id = h.business_id
      AND a.key = concat_ws(':', 'handoff_opened', h.handoff_id, 'released', r.handoff_step_id)) AS released_told
FROM handoff h LEFT JOIN LATERAL (
    SELECT s.handoff_step_id, s.at FROM handoff_step s
    WHERE s.handoff_id = h.handoff_id AND h.status = 'open' AND s.kind IN ('released', 'transferred')
    ORDER BY s.handoff_step_id DESC LIMIT 1) r ON true
WHERE h.status IN ('open', 'claimed') AND greatest(h.opened_at, r.at) > %(now)s - interval '7 days'
ORDER BY h.handoff_id;

-- watch_tickets -- open tickets whose answer or solution is due soon or late, and was not told yet
SELECT t.ticket_id, t.contact_id, k.name AS contact_name, k.wa_id, t.queue, t.priority, t.description, w.step, w.due
FROM ticket t JOIN contact k USING (contact_id) JOIN business b ON b.business_id = t.business_id
CROSS JOIN LATERAL (VALUES ('answer', t.answer_due, t.answered_at IS NULL), ('solve', t.solve_due, true))
    AS w (step, due, missing)
WHERE t.status <> 'closed' AND w.missing AND w.due IS NOT NULL
  AND %(now)s >= w.due - least(make_interval(mins => b.due_soon_minutes), (w.due - t.created_at) / 4)
  AND w.due > %(now)s - interval '7 days'
  AND NOT EXISTS (SELECT FROM alert a WHERE a.business_id = t.business_id
                  AND a.key = 'ticket_due:' || w.step || ':' || t.ticket_id)
ORDER BY w.due, t.ticket_id;

-- watch_undelivered -- messages that did not reach their customer, marked as told
UPDATE outbox o SET alerted_at = %(now)s FROM message m
WHERE m.message_id = o.message_id AND o.alerted_at IS NULL AND o.outbox_id IN (
    SELECT outbox_id FROM outbox WHERE state IN ('refused', 'held') AND alerted_at IS NULL
        AND settled_at > %(now)s - interval '1 day'
    UNION ALL
    SELECT f.outbox_id FROM message_status s JOIN outbox f USING (message_id)
    WHERE s.status = 'failed' AND s.received_at > %(now)s - interval '1 day' AND f.alerted_at IS NULL)
RETURNING o.outbox_id, o.conversation_id, o.state, CASE WHEN o.state IN ('refused', 'held') THEN o.error ELSE (
    SELECT s.error_title FROM message_status s WHERE s.message_id = o.message_id AND s.status = 'failed') END AS error;

-- alert_subject -- what an event is about, in the words of the record
SELECT s.key AS what, lower(a.during) AS moment, r.name AS more
FROM appointment a JOIN service s USING (service_id) JOIN resource r USING (resource_id)
WHERE %(family)s = 'appointment' AND a.appointment_id = %(subject_id)s
UNION ALL
SELECT concat_ws(': ', q.number, q.request), NULL, NULL FROM quote q
WHERE %(family)s = 'quote' AND q.quote_id = %(subject_id)s
UNION ALL
SELECT concat('#', t.ticket_id, ' ', t.description), t.answer_due, t.priority FROM ticket t
WHERE %(family)s = 'ticket' AND t.ticket_id = %(subject_id)s
UNION ALL
SELECT l.wish, NULL, concat(l.score, '/100') FROM lead l WHERE %(family)s = 'lead' AND l.lead_id = %(subject_id)s;
