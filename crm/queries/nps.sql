-- nps_businesses -- which businesses, of all tenants, ask and had a conversation lately
SELECT business_id FROM businesses_that_ask_nps(%(since)s);

-- nps_settings -- whether a business asks, and after how many days again
SELECT asks_nps, nps_every_days FROM business;

-- nps_settings_put -- the same, changed
UPDATE business SET asks_nps = %(asks_nps)s, nps_every_days = %(nps_every_days)s;

-- nps_due -- customers who may be asked now (crm/nps.py says when); all of them, or one
SELECT c.conversation_id, c.contact_id, c.phone_number_id, k.wa_id,
       coalesce(k.told_language, k.language, b.languages[1]) AS language
FROM conversation c JOIN contact k USING (contact_id) JOIN business b ON b.business_id = c.business_id
LEFT JOIN LATERAL (
    SELECT m.message_id, m.author, m.body FROM message m
    WHERE m.conversation_id = c.conversation_id AND m.author IN ('bot', 'agent')
    ORDER BY m.message_id DESC LIMIT 1) AS said ON true
LEFT JOIN LATERAL (
    SELECT h.status, h.reason FROM handoff h WHERE h.conversation_id = c.conversation_id
    ORDER BY h.handoff_id DESC LIMIT 1) AS human ON true
WHERE b.asks_nps AND (%(contact_id)s::bigint IS NULL OR c.contact_id = %(contact_id)s)
  AND c.last_activity_at > %(now)s - %(window)s
  AND c.last_customer_at > %(now)s - %(window)s AND c.last_customer_at <= %(now)s - %(silence)s
  AND c.owner = 'bot' AND k.opted_out_at IS NULL AND k.erased_at IS NULL AND k.merged_into IS NULL
  AND NOT EXISTS (SELECT FROM nps_response n WHERE n.contact_id = k.contact_id
                  AND n.asked_at > %(now)s - make_interval(days => b.nps_every_days))
  -- the customer's latest conversation, and no other is anybody's business at the moment
  AND NOT EXISTS (
      SELECT FROM conversation v WHERE v.contact_id = k.contact_id AND (
          (v.conversation_id <> c.conversation_id AND (v.owner = 'human' OR v.last_customer_at > c.last_customer_at))
          OR EXISTS (SELECT FROM inbox_event e WHERE e.conversation_id = v.conversation_id AND e.done_at IS NULL)
          OR EXISTS (SELECT FROM outbox o WHERE o.conversation_id = v.conversation_id
                     AND o.state IN ('queued', 'sending', 'unknown'))
          OR EXISTS (SELECT FROM message m WHERE m.conversation_id = v.conversation_id
                     AND m.sent_at > %(now)s - %(silence)s)
          OR EXISTS (SELECT FROM handoff h WHERE h.conversation_id = v.conversation_id AND (
                     h.status IN ('open', 'claimed') OR h.closed_at > %(now)s - %(silence)s
                     OR (h.opened_at > %(now)s - %(sore)s
                         AND (h.label IS NOT NULL OR h.reason = ANY (%(sore_reasons)s)))))))
  AND NOT EXISTS (SELECT FROM waiting w WHERE w.contact_id = k.contact_id AND w.status = 'offered')
  AND NOT EXISTS (SELECT FROM ticket t WHERE t.contact_id = k.contact_id
                  AND (t.status <> 'closed' OR t.created_at > %(now)s - %(sore)s))
  -- it came to a good end
  AND (human.status = 'resolved' OR (
      c.status = 'open' AND NOT EXISTS (SELECT FROM message_option p WHERE p.message_id = said.message_id) AND (
          -- 'silent': the customer had thanked before it was given back, which needs no answer
          (human.status = 'returned' AND c.last_outcome IN (human.reason, 'silent') AND said.author = 'agent'
           AND position('?' IN said.body) = 0)
          OR (c.last_outcome = ANY (%(good_ends)s) AND said.author = 'bot' AND rtrim(said.body) NOT LIKE '%%?'
              AND (human.status = 'returned'
                   OR EXISTS (SELECT FROM message m JOIN message_source s USING (message_id)
                              WHERE m.conversation_id = c.conversation_id)
                   OR EXISTS (SELECT FROM crm_event e WHERE e.contact_id = k.contact_id
                              AND e.conversation_id = c.conversation_id AND e.kind = ANY (%(settling)s)))))))
ORDER BY c.last_customer_at LIMIT %(most)s;

-- nps_said -- what the customer wrote or said in a conversation
SELECT coalesce(nullif(transcript, ''), body) AS words FROM message
WHERE conversation_id = %(conversation_id)s AND author = 'customer' ORDER BY message_id DESC LIMIT 60;

-- nps_lock -- one at a time thinks of asking a customer
SELECT contact_id FROM contact WHERE contact_id = %(contact_id)s FOR NO KEY UPDATE;

-- nps_insert -- a customer is asked
INSERT INTO nps_response (business_id, contact_id, conversation_id, language, asked_at)
VALUES (%(business_id)s, %(contact_id)s, %(conversation_id)s, %(language)s, %(now)s) RETURNING nps_response_id;

-- nps_asked_with -- the message that asks
UPDATE nps_response SET message_id = %(message_id)s WHERE nps_response_id = %(nps_response_id)s;

-- nps_pending -- the question that waits for an answer, being the last thing said to the customer; or the one
-- that this turn has taken the answer to
SELECT n.nps_response_id, n.score FROM nps_response n
WHERE n.contact_id = %(contact_id)s AND (n.turn_id = %(turn_id)s OR (
    n.status = 'asked' AND n.asked_at > %(since)s
    AND EXISTS (SELECT FROM outbox o WHERE o.message_id = n.message_id
                AND o.state IN ('queued', 'sending', 'unknown', 'accepted'))
    AND NOT EXISTS (SELECT FROM conversation v JOIN message m USING (conversation_id)
                    WHERE v.contact_id = n.contact_id AND m.message_id > n.message_id
                    AND m.author IN ('bot', 'agent'))))
ORDER BY n.nps_response_id DESC LIMIT 1;

-- nps_answer -- a score, perhaps with words; a second one corrects it, and takes no words away
UPDATE nps_response SET status = 'answered', score = %(score)s, turn_id = %(turn_id)s,
       comment = coalesce(nullif(%(comment)s, ''), comment), answered_at = coalesce(answered_at, %(now)s)
WHERE nps_response_id = %(nps_response_id)s AND status <> 'declined';

-- nps_answered_anew -- the history tells the score that counts
UPDATE crm_event SET detail = %(detail)s WHERE business_id = %(business_id)s AND key = %(key)s;

-- nps_comment -- what went wrong
UPDATE nps_response SET comment = %(comment)s WHERE nps_response_id = %(nps_response_id)s AND score IS NOT NULL;

-- nps_decline -- the customer would rather not say
UPDATE nps_response SET status = 'declined', turn_id = %(turn_id)s, answered_at = coalesce(answered_at, %(now)s)
WHERE nps_response_id = %(nps_response_id)s AND status = 'asked';

-- nps_counts -- promoters, detractors and all answers between two moments
SELECT count(*) FILTER (WHERE score >= 9) AS promoters, count(*) FILTER (WHERE score <= 6) AS detractors,
       count(*) AS answers
FROM nps_response WHERE score IS NOT NULL AND answered_at >= %(since)s AND answered_at < %(until)s;

-- nps_weeks -- the same by week, each named by its Monday in the business's time zone
SELECT date_trunc('week', n.answered_at AT TIME ZONE b.time_zone)::date AS week,
       count(*) FILTER (WHERE n.score >= 9) AS promoters, count(*) FILTER (WHERE n.score <= 6) AS detractors,
       count(*) AS answers
FROM nps_response n JOIN business b USING (business_id)
WHERE n.score IS NOT NULL AND n.answered_at >= %(since)s AND n.answered_at < %(until)s GROUP BY 1 ORDER BY 1;
