-- A status is the commonest thing that comes in, three for every reply: it is taken in by one statement.

-- Records a status and moves its message forward, never backwards and never out of failed; the message's id, null
-- for one that is not ours. It may come before the answer to the request that sent the message, or after a crash
-- lost that answer: then the message is found by our own `reference`, the outbox row, unless that attempt failed and
-- was made again under another id. Whatever became of the answer, the channel has the message.
-- The message first, then its row: whoever keeps the answer takes them in this order too.
CREATE FUNCTION status_taken(business bigint, said_of text, reference bigint, came text, came_at timestamptz, code int,
    title text, moment timestamptz)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    steps CONSTANT text[] := ARRAY['sent', 'delivered', 'read', 'played', 'failed'];
    ours bigint;
BEGIN
    SELECT m.message_id INTO ours FROM message m WHERE m.wamid = said_of FOR UPDATE;
    IF ours IS NULL AND NOT EXISTS (SELECT FROM outbox_failure f WHERE f.wamid = said_of) THEN
        SELECT o.message_id INTO ours FROM outbox o WHERE o.outbox_id = reference;
    END IF;
    IF ours IS NULL THEN
        RETURN NULL;
    END IF;
    INSERT INTO message_status (business_id, message_id, status, at, error_code, error_title)
    VALUES (business, ours, came, came_at, code, title) ON CONFLICT DO NOTHING;
    UPDATE message m SET
        wamid = CASE WHEN reference IS NULL THEN m.wamid ELSE coalesce(m.wamid, said_of) END,
        status = CASE WHEN coalesce(array_position(steps, m.status), 0) < array_position(steps, came)
                       AND (came <> 'failed' OR m.status IS NULL OR m.status = 'sent')
                 THEN came ELSE m.status END
    WHERE m.message_id = ours;
    -- A row that was given up, or waits for another try, has arrived all the same.
    UPDATE outbox o SET state = 'accepted', settled_at = moment, error = NULL, error_code = NULL
    WHERE o.outbox_id = reference
      AND (o.state IN ('sending', 'unknown') OR (o.state IN ('queued', 'held', 'refused') AND o.attempts > 0));
    RETURN ours;
END $$;
