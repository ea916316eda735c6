-- A status finds its message and moves it forward in one statement: the row was locked first and changed after.
CREATE OR REPLACE FUNCTION status_taken(business bigint, said_of text, reference bigint, came text, came_at timestamptz,
    code int, title text, moment timestamptz)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    ours bigint;
BEGIN
    UPDATE message m SET status = status_after(m.status, came) WHERE m.wamid = said_of RETURNING m.message_id INTO ours;
    IF ours IS NULL AND NOT EXISTS (SELECT FROM outbox_failure f WHERE f.wamid = said_of) THEN
        UPDATE message m SET status = status_after(m.status, came), wamid = coalesce(m.wamid, said_of)
        WHERE m.message_id = (SELECT o.message_id FROM outbox o WHERE o.outbox_id = reference)
        RETURNING m.message_id INTO ours;
    END IF;
    IF ours IS NULL THEN
        RETURN NULL;
    END IF;
    INSERT INTO message_status (business_id, message_id, status, at, error_code, error_title)
    VALUES (business, ours, came, came_at, code, title) ON CONFLICT DO NOTHING;
    -- A row that was given up, or waits for another try, has arrived all the same.
    UPDATE outbox o SET state = 'accepted', settled_at = moment, error = NULL, error_code = NULL
    WHERE o.outbox_id = reference
      AND (o.state IN ('sending', 'unknown') OR (o.state IN ('queued', 'held', 'refused') AND o.attempts > 0));
    RETURN ours;
END $$;

-- What a message's status is once another one came: never backwards, never out of failed.
CREATE FUNCTION status_after(was text, came text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN coalesce(array_position(ARRAY['sent', 'delivered', 'read', 'played', 'failed'], was), 0)
                     < array_position(ARRAY['sent', 'delivered', 'read', 'played', 'failed'], came)
                     AND (came <> 'failed' OR was IS NULL OR was = 'sent')
                THEN came ELSE was END $$;
