-- What people take is no answer time of SARA's, and what she begins with answers nobody.

-- `reply` also leaves out reminders, offers of a free place and apologies that were written without a purpose.
-- `kept_at` is when the message came into the record; the channel's own times are whole seconds.
CREATE OR REPLACE VIEW metric_message WITH (security_invoker = true) AS
    SELECT m.business_id, m.sent_at AS at, m.conversation_id, m.contact_id, m.message_id, m.author,
           m.author = 'customer' AS inbound, m.media_voice AS voice,
           CASE WHEN o.message_id IS NULL THEN m.sent_at ELSE o.settled_at END AS taken_at,
           m.author <> 'customer' AND o.purpose IS NULL
               AND coalesce(split_part(o.turn_id, ':', 1) NOT IN ('reminder', 'waiting', 'apology'), true) AS reply,
           m.created_at AS kept_at
    FROM message m LEFT JOIN outbox o ON o.message_id = m.message_id
    WHERE m.kind <> 'reaction'
      AND (m.author = 'customer'
           OR (m.author IN ('bot', 'agent')
               AND (o.message_id IS NULL OR (o.state = 'accepted' AND o.lane = 'service'))));

-- From the first message of a run that nobody had answered to the first reply that the channel took. What a customer
-- writes while a hand-over is open is people's to answer, and when it ends nothing of before is SARA's any more. The
-- message a hand-over was opened for came before it, and is.
CREATE OR REPLACE VIEW metric_response WITH (security_invoker = true) AS
    SELECT m.business_id, m.at, m.conversation_id, m.contact_id, m.message_id, r.author,
           greatest(extract(epoch FROM r.taken_at - m.at), 0)::double precision AS seconds
    FROM metric_message m
    CROSS JOIN LATERAL (
        SELECT a.author, a.taken_at, a.kept_at FROM metric_message a
        WHERE a.conversation_id = m.conversation_id AND a.message_id > m.message_id AND a.reply
        ORDER BY a.message_id LIMIT 1) r
    WHERE m.inbound AND NOT coalesce((
        SELECT b.inbound AND NOT EXISTS (
            SELECT FROM handoff h WHERE h.conversation_id = m.conversation_id AND h.closed_at >= b.kept_at
                                    AND h.closed_at < m.kept_at)
        FROM metric_message b
        WHERE b.conversation_id = m.conversation_id AND b.message_id < m.message_id AND (b.inbound OR b.reply)
        ORDER BY b.message_id DESC LIMIT 1), false)
      AND NOT EXISTS (
        SELECT FROM handoff h WHERE h.conversation_id = m.conversation_id
        AND (m.kept_at BETWEEN h.opened_at AND coalesce(h.closed_at, 'infinity')
             OR h.closed_at >= m.kept_at AND h.closed_at < r.kept_at));
