-- What operators watch: the trace of each piece of work, and the figures of the whole installation.

-- The W3C traceparent under which it was written: ids of a trace and of a step, nothing of a person. With it a
-- turn belongs to the trace of the webhook that brought its message, and a delivery to that of its turn.
ALTER TABLE inbox_event ADD COLUMN trace text;
ALTER TABLE outbox ADD COLUMN trace text;

-- Counts and ages over all tenants, for whoever watches the installation: nothing that tells one tenant or one
-- customer from another. Every part reads through an index of what is open, so that it stays cheap however much
-- the record holds.
CREATE FUNCTION operating_figures() RETURNS TABLE (figure text, label text, value double precision)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH job AS MATERIALIZED (
        SELECT j.id, j.queue_name, j.status, j.scheduled_at FROM procrastinate_jobs j
        WHERE j.status IN ('todo', 'doing')
    ), due AS (
        SELECT j.queue_name, count(*) AS jobs, min(j.id) FILTER (WHERE j.scheduled_at IS NULL) AS first_unscheduled,
               min(j.scheduled_at) AS first_scheduled
        FROM job j WHERE j.status = 'todo' AND (j.scheduled_at IS NULL OR j.scheduled_at <= now()) GROUP BY 1
    ), live AS (
        SELECT o.state, o.lane, o.created_at, o.next_attempt_at FROM outbox o
        WHERE o.state IN ('queued', 'sending', 'unknown', 'held')
    ), number AS (
        SELECT n.phone_number_id, h.error_code, h.since FROM business_number n LEFT JOIN number_halt h USING (phone_number_id)
    )
    SELECT 'jobs_due', q.name, coalesce(d.jobs, 0)::float8
    FROM unnest(ARRAY['turns', 'sends', 'hooks', 'outward']) AS q (name) LEFT JOIN due d ON d.queue_name = q.name
    UNION ALL
    -- A job that was not scheduled is as old as its first event.
    SELECT 'jobs_oldest', q.name, coalesce(extract(epoch FROM now() - least(d.first_scheduled,
        (SELECT min(e.at) FROM procrastinate_events e WHERE e.job_id = d.first_unscheduled))), 0)::float8
    FROM unnest(ARRAY['turns', 'sends', 'hooks', 'outward']) AS q (name) LEFT JOIN due d ON d.queue_name = q.name
    UNION ALL
    SELECT 'jobs_doing', q.name, count(j.id)::float8
    FROM unnest(ARRAY['turns', 'sends', 'hooks', 'outward']) AS q (name)
         LEFT JOIN job j ON j.queue_name = q.name AND j.status = 'doing' GROUP BY q.name
    UNION ALL
    SELECT 'lanes', '', count(*)::float8 FROM procrastinate_workers w WHERE w.last_heartbeat > now() - interval '10 seconds'
    UNION ALL
    SELECT 'serving', '', count(*)::float8 FROM web_uptime u WHERE u.seen_at > now() - interval '5 seconds'
    UNION ALL
    SELECT 'lanes_lost', '', count(*)::float8 FROM procrastinate_workers w WHERE w.last_heartbeat <= now() - interval '10 seconds'
    UNION ALL
    SELECT 'events', '', count(*)::float8 FROM inbox_event e WHERE e.done_at IS NULL
    UNION ALL
    SELECT 'events_oldest', '', coalesce(extract(epoch FROM now() - min(e.created_at)), 0)::float8
    FROM inbox_event e WHERE e.done_at IS NULL
    UNION ALL
    SELECT 'outbox', s.name, count(l.state)::float8
    FROM unnest(ARRAY['queued', 'sending', 'unknown', 'held']) AS s (name) LEFT JOIN live l ON l.state = s.name GROUP BY s.name
    UNION ALL
    -- Advertising waits for its turn by design, and what has to wait is not late before its time.
    SELECT 'outbox_oldest', s.name, coalesce(extract(epoch FROM now() - min(l.created_at)), 0)::float8
    FROM unnest(ARRAY['queued', 'sending', 'unknown', 'held']) AS s (name) LEFT JOIN live l
         ON l.state = s.name AND l.lane = 'service' AND (l.state <> 'queued' OR l.next_attempt_at <= now()) GROUP BY s.name
    UNION ALL
    SELECT 'handoffs', s.name, count(h.handoff_id)::float8
    FROM unnest(ARRAY['open', 'claimed']) AS s (name)
         LEFT JOIN (SELECT handoff_id, status FROM handoff WHERE status IN ('open', 'claimed')) h ON h.status = s.name GROUP BY s.name
    UNION ALL
    SELECT 'handoffs_oldest', '', coalesce(extract(epoch FROM now() - min(h.opened_at)), 0)::float8
    FROM handoff h WHERE h.status IN ('open', 'claimed') AND h.status = 'open'
    UNION ALL
    SELECT 'dead', 'turn', count(*)::float8 FROM handoff h WHERE h.status IN ('open', 'claimed') AND h.reason = 'turn_failed'
    UNION ALL
    SELECT 'dead', 'message', count(*)::float8 FROM live l WHERE l.state = 'held'
    UNION ALL
    SELECT 'dead', 'alert', count(*)::float8 FROM alert a WHERE a.state = 'dead'
    UNION ALL
    SELECT 'dead', 'webhook_out', count(*)::float8 FROM webhook_delivery d WHERE d.state = 'dead'
    UNION ALL
    SELECT 'dead', 'webhook_in', count(*)::float8 FROM webhook_unparsed
    UNION ALL
    SELECT 'numbers', 'working', count(*)::float8 FROM number n WHERE n.since IS NULL
    UNION ALL
    SELECT 'numbers', 'halted', count(*)::float8 FROM number n WHERE n.since IS NOT NULL
    UNION ALL
    SELECT 'numbers', 'token_expired', count(*)::float8 FROM number n WHERE n.error_code IN (0, 190)
    UNION ALL
    SELECT 'governor_ahead', '', coalesce(greatest(0, extract(epoch FROM max(r.due) - now())), 0)::float8
    FROM sending_rate r WHERE r.key IN (SELECT 'number:' || n.phone_number_id FROM number n)
    UNION ALL
    SELECT 'campaigns', s.name, count(c.campaign_id)::float8
    FROM unnest(ARRAY['scheduled', 'running']) AS s (name)
         LEFT JOIN (SELECT campaign_id, state FROM campaign WHERE state IN ('scheduled', 'running')) c ON c.state = s.name GROUP BY s.name
    UNION ALL
    SELECT 'campaign_recipients', s.name, count(r.contact_id)::float8
    FROM unnest(ARRAY['waiting', 'handed', 'skipped']) AS s (name) LEFT JOIN
         (SELECT r.contact_id, r.state FROM campaign_recipient r JOIN campaign c USING (campaign_id)
          WHERE c.state = 'running') r ON r.state = s.name GROUP BY s.name
    UNION ALL
    SELECT 'database_bytes', '', pg_database_size(current_database())::float8
    UNION ALL
    SELECT 'database_connections', '', count(*)::float8 FROM pg_stat_activity a WHERE a.backend_type = 'client backend'
    UNION ALL
    SELECT 'database_connections_most', '', current_setting('max_connections')::float8
    UNION ALL
    SELECT 'clock', '', extract(epoch FROM clock_timestamp())::float8 $$;
