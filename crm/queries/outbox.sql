-- outbox_insert -- one message to deliver
INSERT INTO outbox (business_id, conversation_id, message_id, turn_id, ordinal, epoch, answers, next_attempt_at)
VALUES (%(business_id)s, %(conversation_id)s, %(message_id)s, %(turn_id)s, %(ordinal)s, %(epoch)s, %(answers)s,
        %(now)s);

-- outbox_of_turn -- whether a turn has already spoken
SELECT count(*) FROM outbox WHERE turn_id = %(turn_id)s;

-- outbox_open -- what a conversation still has to deliver, in order
SELECT o.outbox_id, o.conversation_id, o.message_id, o.turn_id, o.ordinal, o.epoch, o.answers, o.state,
       o.attempts, o.attempted_at, o.next_attempt_at, m.author, m.kind, m.body, m.opener, m.reply_to_wamid
FROM outbox o JOIN message m USING (message_id)
WHERE o.conversation_id = %(conversation_id)s AND o.state IN ('queued', 'sending', 'unknown')
ORDER BY o.outbox_id;

-- outbox_claim -- about to be sent: from here on a crash leaves the outcome unknown
UPDATE outbox SET state = 'sending', attempts = attempts + 1, attempted_at = %(now)s
WHERE outbox_id = %(outbox_id)s AND state = 'queued' RETURNING attempts;

-- outbox_accepted -- Meta took it
UPDATE outbox SET state = 'accepted', settled_at = %(now)s, error = NULL, error_code = NULL
WHERE outbox_id = %(outbox_id)s AND state IN ('sending', 'unknown');

-- outbox_settle -- it will not be sent: refused, superseded or held
UPDATE outbox SET state = %(state)s, settled_at = %(now)s, error_code = %(error_code)s, error = %(error)s
WHERE outbox_id = %(outbox_id)s AND state IN ('queued', 'sending', 'unknown');

-- outbox_again -- to be tried again later
UPDATE outbox SET state = 'queued', next_attempt_at = %(next_attempt_at)s, error_code = %(error_code)s, error = %(error)s
WHERE outbox_id = %(outbox_id)s AND state IN ('sending', 'unknown');

-- outbox_unknown -- nobody can say whether Meta took it
UPDATE outbox SET state = 'unknown', next_attempt_at = %(next_attempt_at)s, error = %(error)s
WHERE outbox_id = %(outbox_id)s AND state IN ('sending', 'unknown');

-- outbox_later_status -- when the first status came back of a message sent after a moment on a number
SELECT min(s.received_at)
FROM outbox o JOIN conversation c USING (conversation_id) JOIN message_status s USING (message_id)
WHERE c.phone_number_id = %(phone_number_id)s AND o.state = 'accepted'
  AND o.settled_at > %(since)s AND o.attempted_at > %(since)s AND s.received_at > %(since)s;

-- message_wamid -- the id Meta gave a message of ours
UPDATE message SET wamid = %(wamid)s WHERE message_id = %(message_id)s AND wamid IS NULL;

-- message_by_wamid -- which message a status speaks of
SELECT message_id FROM message WHERE wamid = %(wamid)s FOR UPDATE;

-- message_by_outbox -- the same, by our own reference
SELECT message_id FROM outbox WHERE outbox_id = %(outbox_id)s;

-- status_insert -- a status as it came
INSERT INTO message_status (business_id, message_id, status, at, error_code, error_title)
VALUES (%(business_id)s, %(message_id)s, %(status)s, %(at)s, %(error_code)s, %(error_title)s)
ON CONFLICT DO NOTHING;

-- status_advance -- the message's own state, never backwards and never out of failed
UPDATE message SET status = %(status)s WHERE message_id = %(message_id)s
AND coalesce(array_position(ARRAY['sent', 'delivered', 'read', 'played', 'failed'], status), 0)
  < array_position(ARRAY['sent', 'delivered', 'read', 'played', 'failed'], %(status)s)
AND (%(status)s <> 'failed' OR status IS NULL OR status = 'sent');

-- open_outbox_conversations -- undelivered rows nobody seems to work on, over all tenants
SELECT business_id, conversation_id FROM conversations_with_open_outbox(%(older_than)s);

-- outbox_states -- how many rows are in each state
SELECT state, count(*) AS rows FROM outbox GROUP BY state;
