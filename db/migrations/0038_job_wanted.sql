-- What every reply asks of the queue is asked in one statement, beside the rows that make it necessary.

-- A job under a lock is wanted: put into the queue, or else the one that waits there is due no later, and no less
-- urgent. Whether it was put.
CREATE FUNCTION job_wanted(task text, queue text, at_least int, exclusive_lock text, job_args jsonb, delay interval)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF enqueue_job(task, queue, at_least, exclusive_lock, job_args, delay) THEN
        RETURN true;
    END IF;
    UPDATE procrastinate_jobs j SET priority = greatest(j.priority, at_least), scheduled_at = CASE
        WHEN j.scheduled_at > now() + delay THEN CASE WHEN delay > interval '0' THEN now() + delay END
        ELSE j.scheduled_at END
    WHERE j.queueing_lock = exclusive_lock AND j.status = 'todo'
      AND (j.priority < at_least OR j.scheduled_at > now() + delay);
    RETURN false;
END $$;
