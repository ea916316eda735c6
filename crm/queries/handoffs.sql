-- handoff_insert -- a human is needed
INSERT INTO handoff (business_id, conversation_id, turn_id, reason, label, score, summary, wants, draft, queue,
    opened_at)
VALUES (%(business_id)s, %(conversation_id)s, %(turn_id)s, %(reason)s, %(label)s, %(score)s, %(summary)s, %(wants)s,
        %(draft)s, (SELECT queue FROM business WHERE business_id = %(business_id)s), %(now)s)
ON CONFLICT DO NOTHING
RETURNING handoff_id;

-- handoff_of_turn -- the hand-over a turn opened
SELECT handoff_id FROM handoff WHERE turn_id = %(turn_id)s;

-- handoff -- one hand-over
SELECT h.handoff_id, h.conversation_id, h.reason, h.label, h.score, h.summary, h.wants, h.draft, h.status, h.agent_id,
       h.opened_at, h.claimed_at, h.closed_at, h.note, c.thread_id, c.contact_id, c.last_customer_at, c.owner,
       k.name AS contact_name, k.wa_id, k.language, h.queue
FROM handoff h JOIN conversation c USING (conversation_id) JOIN contact k USING (contact_id)
WHERE h.handoff_id = %(handoff_id)s;

-- handoffs -- the queue, oldest first
SELECT h.handoff_id, h.conversation_id, h.reason, h.label, h.score, h.summary, h.wants, h.draft, h.status, h.agent_id,
       h.opened_at, h.claimed_at, h.closed_at, h.note, c.thread_id, c.contact_id, c.last_customer_at, c.owner,
       k.name AS contact_name, k.wa_id, k.language, h.queue
FROM handoff h JOIN conversation c USING (conversation_id) JOIN contact k USING (contact_id)
WHERE h.status = ANY(%(statuses)s) ORDER BY h.opened_at LIMIT %(most)s;

-- handoff_open_of -- the open hand-over of a conversation
SELECT handoff_id FROM handoff WHERE conversation_id = %(conversation_id)s AND status IN ('open', 'claimed');

-- handoff_claim -- an agent takes it
UPDATE handoff SET status = 'claimed', agent_id = %(agent_id)s, claimed_at = coalesce(claimed_at, %(now)s)
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
