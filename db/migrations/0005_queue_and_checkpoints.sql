-- The job queue and the graph's checkpoints live in this database too (their own libraries created
-- their tables before this file ran); here the application is let in, one tenant at a time.

GRANT SELECT, INSERT, UPDATE, DELETE ON procrastinate_jobs, procrastinate_events, procrastinate_periodic_defers,
    procrastinate_workers TO sara_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO sara_app;

-- Queues one job within the caller's transaction, unless one with the same queueing lock already waits.
-- Procrastinate's own function raises unique_violation in that case, which would poison the transaction.
CREATE FUNCTION enqueue_job(task text, queue text, job_priority int, exclusive_lock text, job_args jsonb, delay interval)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM procrastinate_defer_jobs_v1(ARRAY[ROW(queue, task, job_priority, exclusive_lock, exclusive_lock,
        job_args, CASE WHEN delay > interval '0' THEN now() + delay END)::procrastinate_job_to_defer_v1]);
    RETURN true;
EXCEPTION WHEN unique_violation THEN
    RETURN false;
END $$;

-- A thread's id is '<business_id>:<conversation_id>'; its checkpoints belong to that business.
DO $$
DECLARE
    target text;
BEGIN
    FOREACH target IN ARRAY ARRAY['checkpoints', 'checkpoint_blobs', 'checkpoint_writes'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', target);
        EXECUTE format('CREATE POLICY tenant ON %I TO sara_app'
            ' USING (split_part(thread_id, '':'', 1) = current_setting(''app.business_id'', true))'
            ' WITH CHECK (split_part(thread_id, '':'', 1) = current_setting(''app.business_id'', true))', target);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO sara_app', target);
    END LOOP;
END $$;
