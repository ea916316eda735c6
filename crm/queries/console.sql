-- agent_name -- what a colleague is called
SELECT a.name FROM agent a JOIN membership m USING (agent_id)
WHERE a.agent_id = %(agent_id)s AND m.business_id = %(business_id)s;

-- presence_put -- somebody is there
INSERT INTO presence (business_id, conversation_id, agent_id, doing, until)
SELECT %(business_id)s, c.conversation_id, %(agent_id)s, %(doing)s, %(until)s
FROM conversation c WHERE c.conversation_id = %(conversation_id)s
ON CONFLICT (conversation_id, agent_id) DO UPDATE SET doing = EXCLUDED.doing, until = EXCLUDED.until;

-- presence_end -- somebody left
DELETE FROM presence WHERE conversation_id = %(conversation_id)s AND agent_id = %(agent_id)s;

-- presence -- who else is there now
SELECT p.agent_id, a.name, p.doing FROM presence p JOIN agent a USING (agent_id)
WHERE p.conversation_id = %(conversation_id)s AND p.agent_id <> %(but)s AND p.until > %(now)s ORDER BY a.name;

-- note_insert -- for colleagues
INSERT INTO conversation_note (business_id, conversation_id, agent_id, body, at)
SELECT %(business_id)s, c.conversation_id, %(agent_id)s, %(body)s, %(now)s
FROM conversation c WHERE c.conversation_id = %(conversation_id)s;

-- notes -- of a conversation, in order
SELECT n.conversation_note_id, a.name AS agent_name, n.body, n.at
FROM conversation_note n LEFT JOIN agent a USING (agent_id)
WHERE n.conversation_id = %(conversation_id)s ORDER BY n.conversation_note_id;

-- canned_replies -- the customer's language first
SELECT canned_reply_id, title, language, body FROM canned_reply
ORDER BY language IS DISTINCT FROM %(language)s, title, language;

-- canned_put -- one more, or another text for a title
INSERT INTO canned_reply (business_id, title, language, body)
VALUES (%(business_id)s, %(title)s, %(language)s, %(body)s)
ON CONFLICT (business_id, title, language) DO UPDATE SET body = EXCLUDED.body;

-- canned_drop -- one less
DELETE FROM canned_reply WHERE canned_reply_id = %(canned_reply_id)s;

-- conversation_newer -- the open conversation that a customer has by now
SELECT conversation_id FROM conversation
WHERE contact_id = %(contact_id)s AND phone_number_id = %(phone_number_id)s AND status = 'open';

-- conversation_reopen -- a closed one goes on
UPDATE conversation SET status = 'open', closed_at = NULL, last_activity_at = %(now)s
WHERE conversation_id = %(conversation_id)s;

-- desk_page -- a page of the agents' queue: emergencies first, then what is sensitive, then the least time left
WITH page AS (
    SELECT c.conversation_id, c.contact_id, c.owner, c.status AS conversation_status, c.last_customer_at,
           c.last_activity_at, h.handoff_id, h.reason, h.label, h.status, h.agent_id, h.queue, h.opened_at, h.wants,
           CASE WHEN h.handoff_id IS NULL THEN 4 WHEN h.label = 'emergency' THEN 0
                WHEN h.label IS NOT NULL OR h.reason = 'sensitive' THEN 1
                WHEN c.last_customer_at BETWEEN %(now)s - interval '24 hours' AND %(now)s - interval '22 hours' THEN 2
                ELSE 3 END AS urgency
    FROM conversation c LEFT JOIN handoff h
         ON h.conversation_id = c.conversation_id AND h.status IN ('open', 'claimed')
    WHERE CASE %(view)s WHEN 'waiting' THEN h.handoff_id IS NOT NULL
                        WHEN 'unclaimed' THEN h.status = 'open'
                        WHEN 'mine' THEN h.agent_id = %(agent_id)s
                        WHEN 'bot' THEN c.owner = 'bot' AND c.status = 'open'
                        ELSE true END
      AND (%(queue)s::text IS NULL OR h.queue = %(queue)s)
      AND (%(words)s::text IS NULL
           OR c.conversation_id IN (SELECT conversation_id FROM conversations_with_words(%(words)s, 500)))
    ORDER BY urgency, CASE WHEN h.handoff_id IS NOT NULL THEN c.last_customer_at END, h.opened_at,
             c.last_activity_at DESC, c.conversation_id DESC
    LIMIT %(most)s OFFSET %(skip)s
)
SELECT p.conversation_id, p.contact_id, p.owner, p.conversation_status, p.last_customer_at, p.last_activity_at, p.handoff_id,
       p.reason, p.label, p.status, p.agent_id, a.name AS agent_name, p.queue, p.opened_at, p.wants, p.urgency,
       k.name AS contact_name, k.wa_id, k.language, k.lifecycle, coalesce(m.body, '') AS last_body,
       coalesce(m.author, '') AS last_author, coalesce(m.kind, '') AS last_kind, m.sent_at AS last_at
FROM page p JOIN contact k USING (contact_id) LEFT JOIN agent a USING (agent_id)
LEFT JOIN LATERAL (
    SELECT left(coalesce(nullif(transcript, ''), body), 200) AS body, author, sent_at,
           CASE WHEN deleted_at IS NULL THEN kind ELSE 'revoke' END AS kind FROM message
    WHERE conversation_id = p.conversation_id AND NOT (author = 'system' AND kind IN ('edit', 'revoke'))
    ORDER BY message_id DESC LIMIT 1) m ON true
ORDER BY p.urgency, CASE WHEN p.handoff_id IS NOT NULL THEN p.last_customer_at END, p.opened_at,
         p.last_activity_at DESC, p.conversation_id DESC;

-- desk_counts -- how many wait, wait for anybody, and wait for one agent
SELECT count(*) AS waiting, count(*) FILTER (WHERE status = 'open') AS unclaimed,
       count(*) FILTER (WHERE agent_id = %(agent_id)s) AS mine
FROM handoff WHERE status IN ('open', 'claimed');

-- desk_queues -- the queues that something waits in
SELECT DISTINCT queue FROM handoff WHERE status IN ('open', 'claimed') AND queue IS NOT NULL ORDER BY queue;

-- thread_messages -- the last messages before one, oldest first, with everything a bubble shows; what only says that
-- another message was edited or taken back is shown with that one
SELECT * FROM (
    SELECT m.message_id, m.author, a.name AS agent_name, m.kind, m.body, m.transcript, m.transcript_status,
           m.transcript_confidence, m.media_id, m.media_mime_type, m.media_voice, m.media_filename, m.media_seconds,
           EXISTS (SELECT FROM recording r WHERE r.message_id = m.message_id) AS recorded, m.file_id,
           f.filename, m.status, m.sent_at, m.language, m.edited_at, m.earlier_body, m.deleted_at,
           (SELECT q.message_id FROM message q WHERE m.kind = 'edit' AND q.wamid = m.reply_to_wamid) AS edits,
           ARRAY(SELECT o.title FROM message_option o WHERE o.message_id = m.message_id ORDER BY o.ordinal) AS options,
           (SELECT coalesce(nullif(q.transcript, ''), q.body) FROM message q WHERE q.wamid = m.reply_to_wamid) AS quoted,
           (SELECT count(*) FROM message_source s WHERE s.message_id = m.message_id) AS sources,
           x.state AS outbox_state, x.error AS outbox_error, x.turn_id,
           (SELECT s.error_title FROM message_status s WHERE s.message_id = m.message_id AND s.status = 'failed') AS failure
    FROM message m LEFT JOIN agent a USING (agent_id) LEFT JOIN stored_file f USING (file_id)
         LEFT JOIN outbox x USING (message_id)
    WHERE m.conversation_id = %(conversation_id)s AND (%(before)s::bigint IS NULL OR m.message_id < %(before)s)
      AND NOT (m.author = 'system' AND m.kind IN ('edit', 'revoke'))
    ORDER BY m.message_id DESC LIMIT %(most)s
) AS latest ORDER BY message_id;

-- thread_message -- one message of this business
SELECT m.message_id, m.conversation_id, m.media_id, m.media_sha256, m.media_mime_type, m.media_filename, m.file_id,
       c.phone_number_id, c.thread_id, x.turn_id
FROM message m JOIN conversation c USING (conversation_id) LEFT JOIN outbox x USING (message_id)
WHERE m.message_id = %(message_id)s;

-- conversation_handoffs -- the hand-overs of a conversation, the latest first
SELECT handoff_id, status FROM handoff WHERE conversation_id = %(conversation_id)s ORDER BY handoff_id DESC;

-- contact_value -- what a customer has brought: appointments that took place, and accepted quotes
SELECT (SELECT count(*) FROM appointment WHERE contact_id = %(contact_id)s AND status = 'completed') AS visits,
       (SELECT count(*) FROM appointment WHERE contact_id = %(contact_id)s AND status = 'no_show') AS missed,
       coalesce((SELECT sum(price) FROM appointment
                 WHERE contact_id = %(contact_id)s AND status = 'completed'), 0)
       + coalesce((SELECT sum(l.quantity * l.unit_price) FROM quote q JOIN quote_line l USING (quote_id)
                   WHERE q.contact_id = %(contact_id)s AND q.status = 'accepted'), 0) AS spent;

-- attachment_insert -- a file that an agent sends
INSERT INTO stored_file (business_id, contact_id, kind, filename, mime_type, content)
VALUES (%(business_id)s, %(contact_id)s, 'attachment', %(filename)s, %(mime_type)s, %(content)s)
RETURNING file_id;

-- templates_for -- the templates of a purpose, one language first
SELECT name, language, code FROM message_template WHERE purpose = %(purpose)s
ORDER BY language IS DISTINCT FROM %(language)s, language;
