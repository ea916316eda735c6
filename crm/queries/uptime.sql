-- uptime_beat -- a process that takes webhooks in is alive
INSERT INTO web_uptime (process, started_at, seen_at) VALUES (%(process)s, %(now)s, %(now)s)
ON CONFLICT (process) DO UPDATE SET seen_at = greatest(web_uptime.seen_at, EXCLUDED.seen_at);

-- uptime_forget -- processes long gone
DELETE FROM web_uptime WHERE seen_at < %(before)s;

-- uptime_heard -- whether one process took webhooks in from a moment on, or for long enough since
SELECT EXISTS (
    SELECT 1 FROM web_uptime u
    WHERE u.seen_at - greatest(u.started_at, %(at)s) >= CASE WHEN u.started_at <= %(at)s THEN %(within)s::interval
          ELSE least(%(most)s::interval, greatest(%(least)s::interval, 2 * (u.started_at - %(at)s))) END);
