-- outbox_insert -- one message to deliver
INSERT INTO outbox (business_id, conversation_id, message_id, turn_id, ordinal, epoch, answers, next_attempt_at,
    purpose, lane, trace)
VALUES (%(business_id)s, %(conversation_id)s, %(message_id)s, %(turn_id)s, %(ordinal)s, %(epoch)s, %(answers)s,
        %(now)s, %(purpose)s, %(lane)s, %(trace)s);

-- outbox_of_turn -- whether a turn has already spoken
SELECT count(*) FROM outbox WHERE turn_id = %(turn_id)s;

-- outbox_unsaid -- turns all whose words were withheld since the conversation was last given back, and whose messages
-- nobody has answered otherwise: no agent since, no other turn
SELECT o.turn_id
FROM message m JOIN outbox o USING (message_id)
WHERE m.conversation_id = %(conversation_id)s AND o.lane = 'service' AND m.author = 'bot'
GROUP BY o.turn_id
HAVING bool_and(o.state = 'superseded' OR o.state = 'queued' AND o.epoch <> %(epoch)s)
   AND event_of_turn(o.turn_id) >= (
       SELECT coalesce(max(e.event_id), 0) FROM inbox_event e
       WHERE e.conversation_id = %(conversation_id)s AND e.kind = 'hand_back' AND e.done_at IS NOT NULL)
   AND NOT EXISTS (SELECT FROM message a WHERE a.conversation_id = %(conversation_id)s AND a.author = 'agent'
                   AND a.message_id > max(m.message_id))
   AND NOT EXISTS (
       SELECT FROM message a JOIN outbox p USING (message_id)
       WHERE a.conversation_id = %(conversation_id)s AND p.turn_id <> o.turn_id AND p.outbox_id > max(o.outbox_id)
         AND NOT (p.state = 'superseded' OR p.state = 'queued' AND p.epoch <> %(epoch)s)
         AND string_to_array(p.answers, ',') && string_to_array(max(o.answers), ','))
ORDER BY max(o.outbox_id);

-- outbox_open -- what a conversation still has to deliver, in order
SELECT o.outbox_id, o.conversation_id, o.message_id, o.turn_id, o.ordinal, o.epoch, o.answers, o.state,
       o.attempts, o.attempted_at, o.next_attempt_at, m.author, m.kind, m.body, m.opener, m.reply_to_wamid,
       m.preview, m.media_voice, m.file_id,
       m.template_name, m.template_code, m.template_values, o.purpose, o.lane, o.trace
FROM outbox o JOIN message m USING (message_id)
WHERE o.conversation_id = %(conversation_id)s AND o.state IN ('queued', 'sending', 'unknown')
ORDER BY o.outbox_id;

-- outbox_outdated -- why what waited is not to be said any more, and whether it has to wait on: the appointment of a
-- reminder, the place that was kept, the campaign
SELECT CASE
    WHEN o.turn_id LIKE 'reminder:%%' AND NOT EXISTS (
        SELECT FROM appointment a WHERE a.appointment_id = split_part(o.turn_id, ':', 2)::bigint AND a.status = 'booked'
          AND lower(a.during) = substring(o.turn_id FROM '^reminder:[^:]+:[^:]+:(.+)$')::timestamptz
          AND lower(a.during) > %(now)s)
        THEN 'the appointment is over, or was moved or cancelled'
    WHEN o.turn_id LIKE 'reminder:%%' AND EXISTS (
        SELECT FROM appointment a JOIN resource p USING (resource_id) JOIN location l ON l.location_id = p.location_id
        JOIN closure k ON k.business_id = a.business_id AND (k.location_id IS NULL OR k.location_id = p.location_id)
        WHERE a.appointment_id = split_part(o.turn_id, ':', 2)::bigint
          AND (lower(a.during) AT TIME ZONE l.time_zone)::date BETWEEN k.first_day AND k.last_day)
        THEN 'that day was closed since'
    WHEN o.turn_id LIKE 'waiting:%%' AND NOT EXISTS (
        SELECT FROM waiting w WHERE w.waiting_id = split_part(o.turn_id, ':', 2)::bigint AND w.status = 'offered'
          AND w.answer_by > %(now)s)
        THEN 'the place is not kept any more'
    WHEN c.state = 'cancelled' THEN 'its campaign was cancelled' END AS why,
    coalesce(c.state = 'paused', false) AS paused
FROM outbox o LEFT JOIN campaign_recipient r USING (message_id) LEFT JOIN campaign c USING (campaign_id)
WHERE o.outbox_id = %(outbox_id)s;

-- message_says -- the template that says a message once the 24 hours are over
UPDATE message SET template_name = %(name)s, template_code = %(code)s WHERE message_id = %(message_id)s;

-- message_addressee -- to whom and from which number a message of ours went
SELECT v.phone_number_id, m.contact_id, m.message_id, m.template_name, m.template_code
FROM message m JOIN conversation v USING (conversation_id) WHERE m.message_id = %(message_id)s;

-- outbox_take -- a waiting row that is sent now or in a moment, if the governor lets it; none: it does not wait any more
SELECT wait_s, reason, taken, gap_s FROM outbox_take(%(outbox_id)s, %(phone_number_id)s, %(contact_id)s, %(campaign)s,
    %(initiated)s, %(now)s, %(patience)s);

-- outbox_earlier -- answers on their way to the same customer from conversations before this one
SELECT o.state, o.attempted_at
FROM conversation this JOIN conversation c USING (contact_id, phone_number_id)
     JOIN outbox o ON o.conversation_id = c.conversation_id
WHERE this.conversation_id = %(conversation_id)s AND c.conversation_id < %(conversation_id)s AND o.lane = 'service'
  AND o.purpose IS NULL AND o.state IN ('queued', 'sending', 'unknown')
ORDER BY o.outbox_id LIMIT 10;

-- outbox_sent -- Meta took it; whether its conversation has more to deliver. Not where it has told already that what it
-- took has failed: that is to be sent again
WITH done AS (UPDATE outbox SET state = 'accepted', settled_at = %(now)s, error = NULL, error_code = NULL
    WHERE outbox_id = %(outbox_id)s AND NOT EXISTS (SELECT FROM outbox_failure f WHERE f.wamid = %(wamid)s)
      AND (state IN ('sending', 'unknown') OR (state IN ('queued', 'held', 'refused') AND attempts > 0)))
SELECT EXISTS (SELECT FROM outbox o WHERE o.conversation_id = %(conversation_id)s
               AND o.outbox_id <> %(outbox_id)s AND o.state IN ('queued', 'sending', 'unknown')) AS more;

-- outbox_settle -- it will not be sent: refused, superseded or held
UPDATE outbox SET state = %(state)s, settled_at = %(now)s, error_code = %(error_code)s, error = %(error)s
WHERE outbox_id = %(outbox_id)s AND state IN ('queued', 'sending', 'unknown');

-- outbox_again -- to be tried again later
UPDATE outbox SET state = 'queued', next_attempt_at = %(next_attempt_at)s, error_code = %(error_code)s, error = %(error)s
WHERE outbox_id = %(outbox_id)s AND state IN ('sending', 'unknown');

-- outbox_rests -- not before the morning; until then it is not late
UPDATE outbox SET next_attempt_at = %(next_attempt_at)s WHERE outbox_id = %(outbox_id)s AND state = 'queued';

-- outbox_still_due -- what was on its way while somebody took the conversation and gave it back without a word: it
-- is still the answer, where nothing else has answered the same messages, and nobody else will give it. `begun`: only
-- where some of its turn's words have arrived, since all of them together would be said anew
UPDATE outbox r SET epoch = c.epoch
FROM outbox o JOIN message m USING (message_id) JOIN conversation c ON c.conversation_id = o.conversation_id
WHERE o.outbox_id = %(outbox_id)s AND r.turn_id = o.turn_id AND r.conversation_id = o.conversation_id
  AND r.state IN ('queued', 'sending', 'unknown') AND m.author = 'bot'
  AND c.owner = 'bot' AND c.status = 'open' AND o.epoch < c.epoch
  AND (NOT %(begun)s OR EXISTS (SELECT FROM outbox b WHERE b.turn_id = o.turn_id AND b.state = 'accepted'))
  AND NOT EXISTS (
      SELECT FROM message s LEFT JOIN outbox said ON said.message_id = s.message_id
      WHERE s.conversation_id = o.conversation_id AND s.message_id > o.message_id
        AND (s.author = 'agent' OR s.author = 'bot' AND said.turn_id IS DISTINCT FROM o.turn_id
             AND (o.answers IS NULL OR string_to_array(said.answers, ',') && string_to_array(o.answers, ','))));

-- outbox_revive -- given back without a word: what is not to be asked and worded anew, because it was said in part or
-- tells of an act (a turn superseded while it wrote has rows only then), goes out as it stands
UPDATE outbox r SET state = 'queued', epoch = c.epoch, next_attempt_at = %(now)s, settled_at = NULL, error = NULL,
       error_code = NULL
FROM conversation c, message m
WHERE r.conversation_id = %(conversation_id)s AND c.conversation_id = r.conversation_id AND m.message_id = r.message_id
  AND m.author = 'bot' AND r.lane = 'service' AND r.state IN ('superseded', 'queued') AND r.epoch < c.epoch
  AND r.created_at > now() - interval '24 hours'
  AND (EXISTS (SELECT FROM outbox b WHERE b.turn_id = r.turn_id AND b.state = 'accepted')
       OR EXISTS (SELECT FROM turn t WHERE t.turn_id = r.turn_id AND t.outcome IN ('done', 'superseded')))
  AND NOT EXISTS (
      SELECT FROM message s LEFT JOIN outbox said ON said.message_id = s.message_id
      WHERE s.conversation_id = r.conversation_id AND s.message_id > r.message_id
        AND (s.author = 'agent' OR s.author = 'bot' AND said.turn_id IS DISTINCT FROM r.turn_id
             AND (r.answers IS NULL OR string_to_array(said.answers, ',') && string_to_array(r.answers, ','))));

-- outbox_unknown -- nobody can say whether Meta took it
UPDATE outbox SET state = 'unknown', next_attempt_at = %(next_attempt_at)s, error = %(error)s
WHERE outbox_id = %(outbox_id)s AND state IN ('sending', 'unknown');

-- outbox_later_status -- when the first status came back of a message sent after a moment on a number
SELECT min(s.received_at)
FROM outbox o JOIN conversation c USING (conversation_id) JOIN message_status s USING (message_id)
WHERE c.phone_number_id = %(phone_number_id)s AND o.state = 'accepted'
  AND o.settled_at > %(since)s AND o.attempted_at > %(since)s AND s.received_at > %(since)s;

-- status_taken -- a status as it came; the message it speaks of
SELECT status_taken(%(business_id)s, %(wamid)s, %(outbox_id)s, %(status)s, %(at)s, %(error_code)s, %(error_title)s, %(now)s)
    AS message_id;

-- message_wamid -- the id Meta gave a message of ours, unless it has failed under it already
UPDATE message SET wamid = %(wamid)s WHERE message_id = %(message_id)s AND wamid IS NULL
  AND NOT EXISTS (SELECT FROM outbox_failure f WHERE f.wamid = %(wamid)s);

-- open_outbox_conversations -- undelivered rows nobody seems to work on, over all tenants
SELECT business_id, conversation_id FROM conversations_with_open_outbox(%(older_than)s);

-- outbox_delays -- how long each message but advertising waited before it was sent
SELECT extract(epoch FROM attempted_at - created_at)::double precision AS seconds FROM outbox
WHERE lane = 'service' AND attempted_at IS NOT NULL;

-- outbox_states -- how many rows are in each state
SELECT state, count(*) AS rows FROM outbox GROUP BY state;

-- outbox_failed_later -- an attempt that the channel took and then failed
INSERT INTO outbox_failure (business_id, outbox_id, wamid, error_code, error, at)
SELECT %(business_id)s, %(outbox_id)s, m.wamid, %(error_code)s, %(error)s, %(now)s
FROM outbox o JOIN message m USING (message_id) WHERE o.outbox_id = %(outbox_id)s AND m.wamid IS NOT NULL
ON CONFLICT DO NOTHING;

-- message_unsend -- the message is to be sent anew: what was said of the failed attempt is not said of it
UPDATE message SET wamid = NULL, status = NULL WHERE message_id = %(message_id)s;

-- statuses_forget -- the same, of its statuses
DELETE FROM message_status WHERE message_id = %(message_id)s;

-- outbox_requeue -- out of accepted, refused or held back into the queue
UPDATE outbox SET state = 'queued', next_attempt_at = %(at)s, settled_at = NULL, error_code = %(error_code)s,
       error = %(error)s, attempts = CASE WHEN %(anew)s THEN 0 ELSE attempts END,
       alerted_at = CASE WHEN %(anew)s THEN NULL ELSE alerted_at END
WHERE outbox_id = %(outbox_id)s AND state IN ('accepted', 'refused', 'held')
RETURNING conversation_id;

-- outbox_row -- one row with what became of its message
SELECT o.outbox_id, o.message_id, o.conversation_id, o.state, o.attempts, o.error, o.error_code, m.status, m.wamid
FROM outbox o JOIN message m USING (message_id) WHERE o.outbox_id = %(outbox_id)s FOR UPDATE OF o;

-- outbox_letters -- what did not arrive or has not yet, the newest first; `dead`: what nobody tries any more
SELECT o.outbox_id, o.conversation_id, k.wa_id, k.name AS contact_name, c.phone_number_id, o.state, m.status,
       o.attempts, o.error_code, coalesce(o.error, s.error_title) AS error, m.author, m.kind, left(m.body, 120) AS body,
       o.created_at, o.attempted_at, coalesce(s.at, o.settled_at) AS settled_at, o.next_attempt_at,
       coalesce(o.error_code, s.error_code) AS cause
FROM outbox o JOIN message m USING (message_id) JOIN conversation c ON c.conversation_id = o.conversation_id
     JOIN contact k ON k.contact_id = c.contact_id
     LEFT JOIN message_status s ON s.message_id = o.message_id AND s.status = 'failed'
WHERE CASE WHEN %(dead)s THEN o.state IN ('refused', 'held') OR m.status = 'failed'
      ELSE o.state IN ('queued', 'sending', 'unknown') END
ORDER BY o.outbox_id DESC LIMIT %(most)s;

-- outbox_history -- what became of a message, in order: each attempt that failed, each status
SELECT 'failed' AS what, f.at, f.error_code, f.error FROM outbox_failure f WHERE f.outbox_id = %(outbox_id)s
UNION ALL
SELECT s.status, s.at, s.error_code, s.error_title FROM message_status s JOIN outbox o USING (message_id)
WHERE o.outbox_id = %(outbox_id)s
UNION ALL
SELECT 'attempted', o.attempted_at, o.error_code, o.error FROM outbox o
WHERE o.outbox_id = %(outbox_id)s AND o.attempted_at IS NOT NULL
ORDER BY at;

-- halt -- nothing passes on a number any more
INSERT INTO number_halt (business_id, phone_number_id, error_code, reason, since, ask_at)
VALUES (%(business_id)s, %(phone_number_id)s, %(error_code)s, %(reason)s, %(now)s, %(ask_at)s)
ON CONFLICT (phone_number_id) DO NOTHING
RETURNING phone_number_id;

-- halt_of -- whether a number may send
SELECT phone_number_id, error_code, reason, since, ask_at FROM number_halt WHERE phone_number_id = %(phone_number_id)s;

-- halt_of_conversation -- whether a conversation's number may send
SELECT h.phone_number_id, h.error_code, h.reason, h.since, h.ask_at
FROM number_halt h JOIN conversation c USING (phone_number_id) WHERE c.conversation_id = %(conversation_id)s;

-- halts -- the business's numbers that may not send
SELECT phone_number_id, error_code, reason, since, ask_at FROM number_halt ORDER BY phone_number_id;

-- halt_ask -- one process asks; the others wait until then
UPDATE number_halt SET ask_at = %(ask_at)s, reason = coalesce(%(reason)s, reason)
WHERE phone_number_id = %(phone_number_id)s AND (%(always)s OR ask_at <= %(now)s) RETURNING phone_number_id;

-- halt_lift -- it works again
DELETE FROM number_halt WHERE phone_number_id = %(phone_number_id)s RETURNING phone_number_id;

-- halts_to_ask -- halted numbers, of all tenants, whose time to be asked about has come
SELECT business_id, phone_number_id FROM numbers_to_ask();

-- outbox_of_number -- rows that waited for a number are due at once
UPDATE outbox o SET next_attempt_at = %(now)s FROM conversation c
WHERE c.conversation_id = o.conversation_id AND c.phone_number_id = %(phone_number_id)s AND o.state = 'queued'
RETURNING o.conversation_id;
