-- correction_keep -- what an agent said instead, once a hand-over and kind
INSERT INTO correction (business_id, contact_id, handoff_id, agent_id, kind, reason, label, language, question, draft,
    sent, at)
SELECT %(business_id)s, c.contact_id, h.handoff_id, %(agent_id)s, %(kind)s, h.reason, h.label,
       coalesce(k.told_language, k.language), h.wants, h.draft, %(sent)s, %(now)s
FROM handoff h JOIN conversation c USING (conversation_id) JOIN contact k USING (contact_id)
WHERE h.handoff_id = %(handoff_id)s
ON CONFLICT (handoff_id, kind) DO NOTHING;

-- corrections -- rows of an evaluation set, in the order they were written
SELECT c.correction_id, c.kind, c.reason, c.label, c.language, c.question, c.draft, c.sent, c.at
FROM correction c ORDER BY c.correction_id DESC LIMIT %(most)s;

-- corrections_traced -- the same with the turn that was handed over, and whose words they are
SELECT c.correction_id, c.kind, c.reason, c.label, c.language, c.question, c.draft, c.sent, c.at,
       h.turn_id, v.thread_id, k.name AS contact_name, k.wa_id, k.email, a.name AS agent_name
FROM correction c JOIN handoff h USING (handoff_id) JOIN conversation v USING (conversation_id)
    JOIN contact k ON k.contact_id = c.contact_id LEFT JOIN agent a ON a.agent_id = c.agent_id
ORDER BY c.correction_id DESC LIMIT %(most)s;

-- often_settled -- what was decided about answers given often
SELECT key FROM often_answered;

-- often_accepted -- whether an answer given often was made a document
SELECT EXISTS (SELECT FROM often_answered WHERE key = %(key)s AND status = 'accepted');

-- often_settle -- it is a document now, or is not to be proposed again
INSERT INTO often_answered (business_id, key, status, agent_id, at)
VALUES (%(business_id)s, %(key)s, %(status)s, %(agent_id)s, %(now)s)
ON CONFLICT (business_id, key) DO UPDATE SET status = EXCLUDED.status, agent_id = EXCLUDED.agent_id, at = EXCLUDED.at;
