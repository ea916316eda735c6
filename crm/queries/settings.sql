-- setting_changed -- who changed what
INSERT INTO setting_change (business_id, agent_id, setting, before, after, at)
VALUES (%(business_id)s, %(agent_id)s, %(setting)s, %(before)s, %(after)s, %(now)s);

-- setting_changes -- the latest changes
SELECT c.setting, c.before, c.after, c.at, a.name AS agent_name
FROM setting_change c LEFT JOIN agent a USING (agent_id) ORDER BY c.setting_change_id DESC LIMIT 40;

-- setting_lock -- one change of a business's settings at a time
SELECT business_id FROM business WHERE business_id = %(business_id)s FOR UPDATE;

-- setting_patience -- what a business waits for, and how long
SELECT lead_time_minutes, cancel_notice_hours, unanswered_minutes, due_soon_minutes, dormant_after_days
FROM business;

-- setting_patience_put -- the same, changed
UPDATE business SET lead_time_minutes = %(lead_time_minutes)s, cancel_notice_hours = %(cancel_notice_hours)s,
       unanswered_minutes = %(unanswered_minutes)s, due_soon_minutes = %(due_soon_minutes)s,
       dormant_after_days = %(dormant_after_days)s;

-- setting_hours_clear -- a location's week
DELETE FROM opening_hours WHERE location_id = %(location_id)s;

-- setting_hours_put -- one span of it
INSERT INTO opening_hours (business_id, location_id, weekday, opens, closes)
VALUES (%(business_id)s, %(location_id)s, %(weekday)s, %(opens)s, %(closes)s);

-- setting_closures -- days it is shut, to come, and the appointments that stand on them all the same
SELECT c.closure_id, c.location_id, l.name AS location_name, c.first_day, c.last_day, (
    SELECT count(*)::int FROM appointment a JOIN resource r USING (resource_id)
    JOIN location p ON p.location_id = r.location_id
    WHERE a.status = 'booked' AND (c.location_id IS NULL OR p.location_id = c.location_id)
      AND a.during && tstzrange(c.first_day::timestamp AT TIME ZONE p.time_zone,
                                (c.last_day + 1)::timestamp AT TIME ZONE p.time_zone)
      AND upper(a.during) > %(now)s) AS appointments
FROM closure c LEFT JOIN location l USING (location_id) WHERE c.last_day >= %(today)s ORDER BY c.first_day;

-- setting_closure_put -- one more
INSERT INTO closure (business_id, location_id, first_day, last_day)
VALUES (%(business_id)s, %(location_id)s, %(first_day)s, %(last_day)s);

-- setting_closure_drop -- one less
DELETE FROM closure WHERE closure_id = %(closure_id)s RETURNING first_day::text || ' – ' || last_day::text;

-- setting_service_lock -- a service, with nobody else changing it
SELECT service_id, key, duration_minutes, buffer_minutes, price, price_max, price_unit, bookable, quotable, capacity
FROM service WHERE key = %(key)s AND retired_at IS NULL FOR UPDATE;

-- setting_service -- what a service takes and costs
UPDATE service SET duration_minutes = %(duration_minutes)s, buffer_minutes = %(buffer_minutes)s, price = %(price)s,
       price_max = %(price_max)s, bookable = %(bookable)s, quotable = %(quotable)s
WHERE service_id = %(service_id)s;

-- setting_unable -- a place where a service is given and nobody can do it
SELECT l.name FROM service_location p JOIN location l USING (location_id)
WHERE p.service_id = %(service_id)s AND NOT EXISTS (
    SELECT FROM resource_skill k JOIN resource r USING (resource_id)
    WHERE k.service_id = p.service_id AND r.location_id = p.location_id)
ORDER BY l.location_id LIMIT 1;

-- setting_thresholds_clear -- sensitivity thresholds of its own
DELETE FROM sensitivity_threshold;

-- setting_threshold_put -- one of them
INSERT INTO sensitivity_threshold (business_id, label, threshold) VALUES (%(business_id)s, %(label)s, %(threshold)s);

-- setting_vertical -- another trade: its sentences make room for those of the new one
WITH gone AS (DELETE FROM business_text WHERE kind IN ('tone', 'queue', 'disclaimer', 'question'))
UPDATE business SET vertical = %(vertical)s;

-- setting_holding_clear -- its own holding message in a language goes
DELETE FROM business_text WHERE kind = 'holding' AND key = %(key)s AND language = %(language)s;

-- setting_holding_put -- or is put
INSERT INTO business_text (business_id, kind, key, language, body)
VALUES (%(business_id)s, 'holding', %(key)s, %(language)s, %(body)s);
