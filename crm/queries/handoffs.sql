-- handoff_insert -- a human is needed. Opened when its transaction began, at the latest: what the owner wrote on the
-- phone is of the same transaction, and answers it
INSERT INTO handoff (business_id, conversation_id, turn_id, reason, label, score, summary, wants, draft, queue,
    opened_at)
VALUES (%(business_id)s, %(conversation_id)s, %(turn_id)s, %(reason)s, %(label)s, %(score)s, %(summary)s, %(wants)s,
        %(draft)s, (SELECT queue FROM business WHERE business_id = %(business_id)s),
        least(%(now)s, now()))
ON CONFLICT DO NOTHING
RETURNING handoff_id;

-- handoff_of_turn -- the hand-over a turn opened
SELECT handoff_id FROM handoff WHERE turn_id = %(turn_id)s;

-- handoff -- one hand-over
SELECT h.handoff_id, h.conversation_id, h.reason, h.label, h.score, h.summary, h.wants, h.draft, h.status, h.agent_id,
       h.opened_at, h.claimed_at, h.closed_at, h.note, c.thread_id, c.contact_id, c.last_customer_at, c.owner,
       k.name AS contact_name, k.wa_id, k.language, h.queue, h.touched_at, h.apologised_at, h.written_by
FROM handoff h JOIN conversation c USING (conversation_id) JOIN contact k USING (contact_id)
WHERE h.handoff_id = %(handoff_id)s;

-- handoffs -- the queue, oldest first
SELECT h.handoff_id, h.conversation_id, h.reason, h.label, h.score, h.summary, h.wants, h.draft, h.status, h.agent_id,
       h.opened_at, h.claimed_at, h.closed_at, h.note, c.thread_id, c.contact_id, c.last_customer_at, c.owner,
       k.name AS contact_name, k.wa_id, k.language, h.queue, h.touched_at, h.apologised_at, h.written_by
FROM handoff h JOIN conversation c USING (conversation_id) JOIN contact k USING (contact_id)
WHERE h.status = ANY(%(statuses)s) ORDER BY h.opened_at LIMIT %(most)s;

-- handoff_alarm -- it has become an emergency: what calls for help stands before what it was opened for
UPDATE handoff SET label = 'emergency', score = %(score)s,
       wants = CASE WHEN strpos(wants, %(wants)s) > 0 THEN wants
                    ELSE left(concat_ws(' / ', nullif(%(wants)s, ''), nullif(wants, '')), 4000) END
WHERE handoff_id = %(handoff_id)s AND status IN ('open', 'claimed');

-- handoff_open_of -- the open hand-over of a conversation
SELECT handoff_id FROM handoff WHERE conversation_id = %(conversation_id)s AND status IN ('open', 'claimed');

-- handoff_claim -- an agent takes it
UPDATE handoff SET status = 'claimed', agent_id = %(agent_id)s, claimed_at = coalesce(claimed_at, %(now)s),
       touched_at = %(now)s
WHERE handoff_id = %(handoff_id)s AND status IN ('open', 'claimed');

-- handoff_close -- it is over: returned to the bot or resolved
UPDATE handoff SET status = %(status)s, closed_at = %(now)s, note = %(note)s,
       agent_id = coalesce(agent_id, %(agent_id)s)
WHERE handoff_id = %(handoff_id)s AND status IN ('open', 'claimed');

-- handoff_fact_insert -- something the agent learned or promised
INSERT INTO handoff_fact (business_id, handoff_id, kind, ordinal, key, body)
VALUES (%(business_id)s, %(handoff_id)s, %(kind)s, %(ordinal)s, %(key)s, %(body)s);

-- handoff_facts -- what the agent learned and promised
SELECT kind, key, body FROM handoff_fact WHERE handoff_id = %(handoff_id)s ORDER BY kind, ordinal;

-- handoff_known -- what was known when it was opened; a turn that runs again writes it once
INSERT INTO handoff_fact (business_id, handoff_id, kind, ordinal, key, body)
VALUES (%(business_id)s, %(handoff_id)s, %(kind)s, %(ordinal)s, %(key)s, %(body)s)
ON CONFLICT (handoff_id, kind, ordinal) DO NOTHING;

-- handoff_touched -- an agent did something about it
UPDATE handoff SET touched_at = %(now)s WHERE handoff_id = %(handoff_id)s AND status IN ('open', 'claimed');

-- handoff_release -- back into a queue: nobody has it
UPDATE handoff SET status = 'open', agent_id = NULL, touched_at = %(now)s, queue = coalesce(%(queue)s, queue)
WHERE handoff_id = %(handoff_id)s AND status IN ('open', 'claimed');

-- handoff_written -- a model's summary and draft, unless the matter is closed
UPDATE handoff SET summary = %(summary)s, draft = %(draft)s, written_by = %(written_by)s
WHERE handoff_id = %(handoff_id)s AND status IN ('open', 'claimed');

-- handoff_wants -- the customer wants something more: it stands before what it was opened for
UPDATE handoff SET wants = CASE WHEN strpos(wants, %(wants)s) > 0 THEN wants
                                ELSE left(concat_ws(' / ', nullif(%(wants)s, ''), nullif(wants, '')), 4000) END
WHERE handoff_id = %(handoff_id)s AND status IN ('open', 'claimed');

-- handoff_apologised -- the customer was told that it takes longer
UPDATE handoff SET apologised_at = %(now)s WHERE handoff_id = %(handoff_id)s AND apologised_at IS NULL;

-- handoff_step -- who did what
INSERT INTO handoff_step (business_id, handoff_id, agent_id, kind, detail, at)
VALUES (%(business_id)s, %(handoff_id)s, %(agent_id)s, %(kind)s, %(detail)s, %(now)s);

-- handoff_acted -- an agent carried something out; the same press of a button is told once
INSERT INTO handoff_step (business_id, handoff_id, agent_id, kind, detail, at)
SELECT %(business_id)s, %(handoff_id)s, %(agent_id)s, 'acted', %(detail)s, %(now)s
WHERE NOT EXISTS (SELECT FROM handoff_step s WHERE s.handoff_id = %(handoff_id)s AND s.kind = 'acted'
                  AND s.detail = %(detail)s);

-- handoff_acts -- what agents carried out during a hand-over, in order
SELECT detail FROM handoff_step WHERE handoff_id = %(handoff_id)s AND kind = 'acted' ORDER BY handoff_step_id;

-- handoff_steps -- who did what in a conversation, in order
SELECT s.handoff_id, s.kind, s.detail, s.at, a.name AS agent_name
FROM handoff_step s JOIN handoff h USING (handoff_id) LEFT JOIN agent a ON a.agent_id = s.agent_id
WHERE h.conversation_id = %(conversation_id)s ORDER BY s.handoff_step_id;

-- handoff_unanswered -- for what the customer waits, from the earliest on: what they wrote since a human spoke last, and
-- where no human has spoken (`spoke` is false) and nothing came since, the hand-over itself, which has no words. What a
-- person took of their own accord (`over`) is no wait by itself: there it is what SARA has not answered, or not to the
-- end, that counts, and nothing from before a person resolved the matter
SELECT greatest(m.sent_at, h.opened_at) AS since, m.kind, coalesce(nullif(m.transcript, ''), m.body) AS words,
       m.option_id, a.last IS NOT NULL OR t.over AS spoke
FROM handoff h
CROSS JOIN LATERAL (SELECT h.reason = ANY (%(taken_over)s) AS over) t
CROSS JOIN LATERAL (SELECT max(message_id) AS last FROM message
                    WHERE conversation_id = h.conversation_id AND author = 'agent' AND created_at >= h.opened_at) a
CROSS JOIN LATERAL (
    SELECT max(b.message_id) AS last FROM message b LEFT JOIN outbox o USING (message_id)
    WHERE t.over AND b.conversation_id = h.conversation_id
      AND (b.author = 'agent' OR b.author = 'bot' AND b.status IS DISTINCT FROM 'failed' AND (
        o.outbox_id IS NULL OR o.lane = 'service' AND o.purpose IS NULL AND o.turn_id NOT LIKE '%%:emergency'
        AND NOT EXISTS (
            SELECT FROM outbox w JOIN conversation c USING (conversation_id)
            JOIN message n ON n.message_id = w.message_id
            WHERE w.conversation_id = o.conversation_id AND w.turn_id = o.turn_id
              AND (w.state IN ('superseded', 'held', 'refused') OR w.state = 'queued' AND w.epoch < c.epoch
                   OR n.status = 'failed'))))
) s
CROSS JOIN LATERAL (SELECT max(p.closed_at) AS at FROM handoff p
                    WHERE t.over AND p.conversation_id = h.conversation_id AND p.status = 'resolved') r
LEFT JOIN message m ON m.conversation_id = h.conversation_id AND m.author = 'customer'
     AND m.kind NOT IN ('reaction', 'revoke') AND m.message_id > coalesce(a.last, 0)
     AND (m.created_at >= h.opened_at
          OR t.over AND m.message_id > coalesce(s.last, 0) AND m.sent_at > coalesce(r.at, '-infinity'))
WHERE h.handoff_id = %(handoff_id)s AND (m.message_id IS NOT NULL OR a.last IS NULL AND NOT t.over)
ORDER BY since, m.message_id;

-- handoffs_to_attend -- open ones of all tenants that have waited a while
SELECT business_id, handoff_id FROM handoffs_to_attend(%(quiet_since)s);
