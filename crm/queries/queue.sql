-- job_attempt -- the job waiting under a lock counts at least this many failures, and deaths of workers
UPDATE procrastinate_jobs
SET args = args
    || jsonb_build_object('attempt', greatest(coalesce((args ->> 'attempt')::int, 0), %(attempt)s))
    || CASE WHEN %(deaths)s > 0 THEN
           jsonb_build_object('deaths', greatest(coalesce((args ->> 'deaths')::int, 0), %(deaths)s))
       ELSE '{}' END
WHERE queueing_lock = %(lock)s AND status = 'todo';

-- job_wanted -- puts a job into the queue, or makes the one that waits under its lock due no later and no less urgent
SELECT job_wanted(%(task)s, %(queue)s, %(priority)s, %(lock)s, %(args)s, make_interval(secs => %(delay_s)s)) AS queued;

-- jobs_adrift -- jobs that count as running though their worker is silent, or for suspiciously long
SELECT j.id AS job_id, j.task_name AS task, (j.args ->> 'business_id')::bigint AS business_id,
       (j.args ->> 'conversation_id')::bigint AS conversation_id,
       coalesce((j.args ->> 'attempt')::int, 0) AS attempt, coalesce((j.args ->> 'deaths')::int, 0) AS deaths,
       w.id IS NULL OR w.last_heartbeat < now() - %(silent)s AS silent
FROM procrastinate_jobs j LEFT JOIN procrastinate_workers w ON w.id = j.worker_id
WHERE j.status = 'doing'
  AND (w.id IS NULL OR w.last_heartbeat < now() - %(silent)s
       OR (j.args ->> 'conversation_id' IS NOT NULL AND now() - %(long)s > (
           SELECT max(e.at) FROM procrastinate_events e WHERE e.job_id = j.id AND e.type = 'started')));

-- job_free -- a job nobody runs any more; its locks go with it
DELETE FROM procrastinate_jobs WHERE id = %(job_id)s AND status = 'doing' RETURNING id;

-- workers_alive -- how many workers said lately that they live
SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - make_interval(secs => %(within_s)s);

-- job_sooner -- the job waiting under a lock is due at once
UPDATE procrastinate_jobs SET scheduled_at = NULL WHERE queueing_lock = %(lock)s AND status = 'todo';

-- job_due_in -- seconds until the next job of these queues falls due, of those that wait for a later time
SELECT extract(epoch FROM min(scheduled_at) - now())::float8 AS seconds FROM procrastinate_jobs
WHERE status = 'todo' AND queue_name = ANY (%(queues)s) AND scheduled_at > now();
