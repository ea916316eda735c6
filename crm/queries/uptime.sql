-- uptime_beat -- a process that takes webhooks in is alive
INSERT INTO web_uptime (process, started_at, seen_at) VALUES (%(process)s, %(now)s, %(now)s)
ON CONFLICT (process) DO UPDATE SET seen_at = greatest(web_uptime.seen_at, EXCLUDED.seen_at);

-- uptime_forget -- processes long gone
DELETE FROM web_uptime WHERE seen_at < %(before)s;

-- uptime_covers -- whether one process took webhooks in all the time between two moments
SELECT EXISTS (SELECT 1 FROM web_uptime WHERE started_at <= %(since)s AND seen_at >= %(until)s);
