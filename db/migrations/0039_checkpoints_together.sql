-- Checkpoints of nodes that may run again are kept with the next one that must not be lost: one statement for several.

-- As checkpoint_kept, for a chain of them: each after its parent, the first after one that is kept already. False, and
-- nothing is kept, where another one follows that.
CREATE FUNCTION checkpoints_kept(business text, thread text, ns text, ids text[], parents text[], bodies jsonb[],
    abouts jsonb[], channels text[], versions text[], types text[], blobs bytea[])
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('role', 'sara_app', true), set_config('app.business_id', business, true),
        set_config('synchronous_commit', 'off', true), pg_advisory_xact_lock(1, hashtext(thread));
    IF EXISTS (SELECT FROM checkpoints c WHERE c.thread_id = thread AND c.checkpoint_ns = ns
               AND c.checkpoint_id > coalesce(parents[1], '') AND c.checkpoint_id <> ALL (ids)) THEN
        RETURN false;
    END IF;
    INSERT INTO checkpoint_blobs (thread_id, checkpoint_ns, channel, version, type, blob)
    SELECT thread, ns, given.channel, given.version, given.type, given.blob
    FROM unnest(channels, versions, types, blobs) AS given (channel, version, type, blob)
    ON CONFLICT DO NOTHING;
    INSERT INTO checkpoints (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, checkpoint, metadata)
    SELECT thread, ns, given.id, given.parent, given.body, given.about
    FROM unnest(ids, parents, bodies, abouts) AS given (id, parent, body, about)
    ON CONFLICT (thread_id, checkpoint_ns, checkpoint_id)
    DO UPDATE SET checkpoint = EXCLUDED.checkpoint, metadata = EXCLUDED.metadata;
    RETURN true;
END $$;
