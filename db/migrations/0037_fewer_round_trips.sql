-- What is asked most often is asked in one statement: three statuses come in for every reply, and a turn keeps
-- eleven checkpoints.

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

-- Keeps a checkpoint after its `parent`; false, and nothing is kept, where another one follows that already.
-- One writer of a thread at a time sees what is the latest. Keys of two numbers are apart from those of
-- conversations. No commit of it waits for the disk: whatever tells the world of a turn (its reply, its event done,
-- its job finished) commits later and waits, and with it all that was written before. A server that crashes in
-- between has lost what a process loses that dies before the write.
CREATE FUNCTION checkpoint_kept(business text, thread text, ns text, id text, parent text, body jsonb, about jsonb,
    channels text[], versions text[], types text[], blobs bytea[])
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('role', 'sara_app', true), set_config('app.business_id', business, true),
        set_config('synchronous_commit', 'off', true), pg_advisory_xact_lock(1, hashtext(thread));
    IF EXISTS (SELECT FROM checkpoints c WHERE c.thread_id = thread AND c.checkpoint_ns = ns
               AND c.checkpoint_id > coalesce(parent, '') AND c.checkpoint_id <> id) THEN
        RETURN false;
    END IF;
    INSERT INTO checkpoint_blobs (thread_id, checkpoint_ns, channel, version, type, blob)
    SELECT thread, ns, given.channel, given.version, given.type, given.blob
    FROM unnest(channels, versions, types, blobs) AS given (channel, version, type, blob)
    ON CONFLICT DO NOTHING;
    INSERT INTO checkpoints (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, checkpoint, metadata)
    VALUES (thread, ns, id, parent, body, about)
    ON CONFLICT (thread_id, checkpoint_ns, checkpoint_id)
    DO UPDATE SET checkpoint = EXCLUDED.checkpoint, metadata = EXCLUDED.metadata;
    RETURN true;
END $$;
