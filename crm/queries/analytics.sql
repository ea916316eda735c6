-- turn_keep -- what a turn came to and what it took; a turn that is told again is told once
INSERT INTO turn (business_id, turn_id, conversation_id, message_id, intent, outcome, language, model, tokens_in,
    tokens_out, seconds, unanswered, at)
VALUES (%(business_id)s, %(turn_id)s, %(conversation_id)s, %(message_id)s, %(intent)s, %(outcome)s, %(language)s,
    %(model)s, %(tokens_in)s, %(tokens_out)s, %(seconds)s, %(unanswered)s, %(now)s)
ON CONFLICT (business_id, turn_id) DO NOTHING;

-- metric_zone -- whose days are counted. What is asked next is planned for what is asked: a plan for any name
-- and any days would read every branch of metric_fact as if all of it were wanted. And durations of a whole
-- period are sorted in memory.
SELECT time_zone, set_config('plan_cache_mode', 'force_custom_plan', true), set_config('work_mem', '32MB', true)
FROM business WHERE business_id = %(business_id)s;

-- metric_first_day -- the day of the first thing that any figure counts
SELECT (least(
    (SELECT min(sent_at) FROM message WHERE business_id = %(business_id)s),
    (SELECT min(opened_at) FROM conversation WHERE business_id = %(business_id)s),
    (SELECT min(opened_at) FROM handoff WHERE business_id = %(business_id)s),
    (SELECT min(created_at) FROM lead WHERE business_id = %(business_id)s),
    (SELECT min(created_at) FROM ticket WHERE business_id = %(business_id)s),
    (SELECT min(issued_at) FROM quote WHERE business_id = %(business_id)s AND issued_at IS NOT NULL),
    (SELECT min(at) FROM crm_event WHERE business_id = %(business_id)s AND kind = 'appointment_booked'),
    (SELECT min(lower(during)) FROM appointment WHERE business_id = %(business_id)s),
    (SELECT min(at) FROM turn WHERE business_id = %(business_id)s)) AT TIME ZONE %(zone)s)::date;

-- metric_open_days -- first and last of the days that have not been summed up since they ended
SELECT min(d)::date AS first, max(d)::date AS last
FROM generate_series(%(first)s::date::timestamp, %(last)s::date::timestamp, interval '1 day') d
WHERE NOT EXISTS (SELECT FROM metric_refresh r WHERE r.business_id = %(business_id)s AND r.day = d::date
                  AND r.at >= (d::date + 1)::timestamp AT TIME ZONE %(zone)s);

-- metric_sums -- things and their sum by name: days summed up, and what happened in the others
SELECT name, sum(things)::bigint AS things, sum(total) AS total FROM (
    SELECT name, things, total FROM metric_day
    WHERE business_id = %(business_id)s AND name = ANY (%(names)s) AND day BETWEEN %(first)s AND %(last)s
      AND NOT coalesce(day BETWEEN %(open_first)s::date AND %(open_last)s::date, false)
    UNION ALL
    SELECT name, count(*), sum(value) FROM metric_fact
    WHERE business_id = %(business_id)s AND name = ANY (%(names)s) AND at >= %(open_since)s::timestamptz
      AND at < %(open_until)s::timestamptz AND decided_at <= %(now)s
    GROUP BY name) AS counted
GROUP BY name;

-- metric_sums_by_day -- the same day by day
SELECT day, sum(things)::bigint AS things, sum(total) AS total FROM (
    SELECT day, things, total FROM metric_day
    WHERE business_id = %(business_id)s AND name = %(name)s AND day BETWEEN %(first)s AND %(last)s
      AND NOT coalesce(day BETWEEN %(open_first)s::date AND %(open_last)s::date, false)
    UNION ALL
    SELECT (at AT TIME ZONE %(zone)s)::date, count(*), sum(value) FROM metric_fact
    WHERE business_id = %(business_id)s AND name = %(name)s AND at >= %(open_since)s::timestamptz
      AND at < %(open_until)s::timestamptz AND decided_at <= %(now)s
    GROUP BY 1) AS counted
GROUP BY day ORDER BY day;

-- metric_shares -- how often each key, the most frequent first
SELECT key, sum(things)::bigint AS things FROM (
    SELECT key, things FROM metric_day
    WHERE business_id = %(business_id)s AND name = %(name)s AND day BETWEEN %(first)s AND %(last)s
      AND NOT coalesce(day BETWEEN %(open_first)s::date AND %(open_last)s::date, false)
    UNION ALL
    SELECT key, count(*) FROM metric_fact
    WHERE business_id = %(business_id)s AND name = %(name)s AND at >= %(open_since)s::timestamptz
      AND at < %(open_until)s::timestamptz AND decided_at <= %(now)s
    GROUP BY key) AS counted
GROUP BY key ORDER BY things DESC, key;

-- metric_durations -- median and 90th percentile of durations, in seconds, interpolated between neighbours
SELECT count(*) AS things, percentile_cont(0.5) WITHIN GROUP (ORDER BY value) AS median,
       percentile_cont(0.9) WITHIN GROUP (ORDER BY value) AS p90
FROM (
    SELECT unnest(samples) AS value FROM metric_day
    WHERE business_id = %(business_id)s AND name = %(name)s AND day BETWEEN %(first)s AND %(last)s
      AND NOT coalesce(day BETWEEN %(open_first)s::date AND %(open_last)s::date, false)
    UNION ALL
    SELECT value FROM metric_fact
    WHERE business_id = %(business_id)s AND name = %(name)s AND at >= %(open_since)s::timestamptz
      AND at < %(open_until)s::timestamptz AND decided_at <= %(now)s) AS measured;

-- metric_durations_by_day -- the same day by day
SELECT day, count(*) AS things, percentile_cont(0.5) WITHIN GROUP (ORDER BY value) AS median,
       percentile_cont(0.9) WITHIN GROUP (ORDER BY value) AS p90
FROM (
    SELECT day, unnest(samples) AS value FROM metric_day
    WHERE business_id = %(business_id)s AND name = %(name)s AND day BETWEEN %(first)s AND %(last)s
      AND NOT coalesce(day BETWEEN %(open_first)s::date AND %(open_last)s::date, false)
    UNION ALL
    SELECT (at AT TIME ZONE %(zone)s)::date, value FROM metric_fact
    WHERE business_id = %(business_id)s AND name = %(name)s AND at >= %(open_since)s::timestamptz
      AND at < %(open_until)s::timestamptz AND decided_at <= %(now)s) AS measured
GROUP BY day ORDER BY day;

-- metric_behind -- the conversations a figure is made of, the newest first
SELECT c.conversation_id, c.thread_id, k.name AS contact_name, k.wa_id, f.at, f.value
FROM (
    SELECT conversation_id, max(at) AS at,
           CASE WHEN %(longest)s THEN max(value) WHEN %(share)s THEN avg(value) ELSE sum(value) END AS value
    FROM metric_fact
    WHERE business_id = %(business_id)s AND name = %(name)s AND at >= %(since)s AND at < %(until)s
      AND decided_at <= %(now)s AND conversation_id < %(after)s
    GROUP BY conversation_id ORDER BY conversation_id DESC LIMIT %(most)s) f
JOIN conversation c USING (conversation_id) JOIN contact k USING (contact_id)
ORDER BY c.conversation_id DESC;

-- metric_behind_newest -- the same where nearly every conversation is one: looks into the newest ones only. What we say
-- unasked is no activity of a conversation's, but is said while it is open: one that was open in the period may be one
WITH newest AS MATERIALIZED (
    SELECT conversation_id, thread_id, contact_id FROM conversation
    WHERE business_id = %(business_id)s AND conversation_id < %(after)s AND opened_at < %(until)s
      AND greatest(last_activity_at, coalesce(closed_at, 'infinity')) >= %(since)s
    ORDER BY conversation_id DESC LIMIT %(most)s)
SELECT n.conversation_id, n.thread_id, k.name AS contact_name, k.wa_id, f.at, f.value
FROM newest n JOIN contact k USING (contact_id)
LEFT JOIN LATERAL (
    SELECT max(at) AS at,
           CASE WHEN %(longest)s THEN max(value) WHEN %(share)s THEN avg(value) ELSE sum(value) END AS value
    FROM metric_fact
    WHERE conversation_id = n.conversation_id AND name = %(name)s AND at >= %(since)s AND at < %(until)s
      AND decided_at <= %(now)s) f ON true
ORDER BY n.conversation_id DESC;

-- metric_questions -- what customers asked that nothing answered, the latest first
SELECT t.conversation_id, left(coalesce(nullif(m.transcript, ''), m.body), 500) AS question
FROM turn t JOIN message m USING (message_id)
WHERE t.business_id = %(business_id)s AND t.unanswered AND t.at >= %(since)s AND t.at < %(until)s
ORDER BY t.at DESC LIMIT %(most)s;

-- metric_refreshed -- when that of some days was last summed up which has waited longest
SELECT min(at) FROM metric_refresh
WHERE business_id = %(business_id)s AND day BETWEEN %(first)s AND %(last)s;

-- metric_refresh_mark -- these days are summed up now; whoever else does it waits here
INSERT INTO metric_refresh (business_id, day, at)
SELECT %(business_id)s, d::date, %(now)s
FROM generate_series(%(first)s::date::timestamp, %(last)s::date::timestamp, interval '1 day') d ORDER BY d
ON CONFLICT (business_id, day) DO UPDATE SET at = greatest(metric_refresh.at, EXCLUDED.at);

-- metric_refresh_clear -- what they were before
DELETE FROM metric_day WHERE business_id = %(business_id)s AND day BETWEEN %(first)s AND %(last)s;

-- metric_refresh_fill -- what they are now
INSERT INTO metric_day (business_id, day, name, key, things, total, samples)
SELECT %(business_id)s, (at AT TIME ZONE %(zone)s)::date, name, key, count(*), sum(value),
       CASE WHEN name = ANY (%(durations)s) THEN array_agg(value ORDER BY value) END
FROM metric_fact
WHERE business_id = %(business_id)s AND at >= %(since)s AND at < %(until)s AND decided_at <= %(now)s
GROUP BY 2, name, key;
