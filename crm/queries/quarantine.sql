-- quarantine_insert -- a turn was given up; once, however often it is told
INSERT INTO quarantine (business_id, conversation_id, handoff_id, last_event_id, tries, deaths, cause, at)
VALUES (%(business_id)s, %(conversation_id)s, %(handoff_id)s, %(last_event_id)s, %(tries)s, %(deaths)s, %(cause)s,
        %(now)s)
ON CONFLICT (conversation_id, last_event_id) DO UPDATE
SET tries = EXCLUDED.tries, deaths = EXCLUDED.deaths, cause = EXCLUDED.cause;

-- quarantined -- what was given up, the newest first; without `every` only what still waits for somebody
SELECT q.quarantine_id, q.conversation_id, q.handoff_id, q.tries, q.deaths, q.cause, q.at, q.released_at, h.status,
       h.wants
FROM quarantine q JOIN handoff h USING (handoff_id)
WHERE %(every)s OR h.status IN ('open', 'claimed')
ORDER BY q.quarantine_id DESC LIMIT %(most)s;

-- quarantine_release -- it is about to be tried again; its hand-over
UPDATE quarantine SET released_at = %(now)s WHERE quarantine_id = %(quarantine_id)s RETURNING handoff_id;

-- suspect_counted -- a try of a suspect is counted before it begins
UPDATE procrastinate_jobs SET args = args || jsonb_build_object('deaths', %(deaths)s::int)
WHERE lock = %(lock)s AND status = 'doing' AND task_name = %(task)s;

-- suspects -- turns in which workers died so often that they are tried alone
SELECT count(*) FROM procrastinate_jobs
WHERE status IN ('todo', 'doing') AND task_name = %(task)s AND (args ->> 'deaths')::int >= %(deaths)s;
