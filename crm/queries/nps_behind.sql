-- nps_behind -- the conversations whose customers said how likely they are to recommend it, the newest first
SELECT c.conversation_id, c.thread_id, k.name AS contact_name, k.wa_id, r.at, r.value
FROM (
    SELECT conversation_id, max(answered_at) AS at, avg(score)::double precision AS value FROM nps_response
    WHERE score IS NOT NULL AND answered_at >= %(since)s AND answered_at < %(until)s AND conversation_id < %(after)s
    GROUP BY conversation_id ORDER BY conversation_id DESC LIMIT %(most)s) r
JOIN conversation c USING (conversation_id) JOIN contact k ON k.contact_id = c.contact_id
ORDER BY c.conversation_id DESC;
