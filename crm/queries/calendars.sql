-- calendar -- a resource's calendar outside
SELECT c.resource_id, r.key AS resource_key, r.name AS resource_name, l.time_zone, c.provider, c.address, c.username,
       c.secret, c.feed_sha256 IS NOT NULL AS has_feed, c.checked_at, c.error
FROM calendar c JOIN resource r USING (resource_id) JOIN location l USING (location_id)
WHERE c.resource_id = %(resource_id)s;

-- calendars -- all of a business
SELECT c.resource_id, r.key AS resource_key, r.name AS resource_name, l.time_zone, c.provider, c.address, c.username,
       c.secret, c.feed_sha256 IS NOT NULL AS has_feed, c.checked_at, c.error
FROM calendar c JOIN resource r USING (resource_id) JOIN location l USING (location_id) ORDER BY c.resource_id;

-- calendar_businesses -- who has calendars that are written to and read, over all tenants
SELECT business_id FROM businesses_with_calendars();

-- resource_of_key -- the resource of a key
SELECT resource_id FROM resource WHERE key = %(key)s;

-- calendar_feed_put -- a new token for a resource's feed; the old one opens nothing any more
INSERT INTO calendar (resource_id, business_id, feed_sha256) VALUES (%(resource_id)s, %(business_id)s, %(digest)s)
ON CONFLICT (resource_id) DO UPDATE SET feed_sha256 = EXCLUDED.feed_sha256;

-- calendar_put -- the calendar a resource's bookings are written to and its own entries are read from
INSERT INTO calendar (resource_id, business_id, provider, address, username, secret)
VALUES (%(resource_id)s, %(business_id)s, %(provider)s, %(address)s, %(username)s, %(secret)s)
ON CONFLICT (resource_id) DO UPDATE SET provider = EXCLUDED.provider, address = EXCLUDED.address,
    username = EXCLUDED.username, secret = EXCLUDED.secret, checked_at = NULL, error = NULL;

-- calendar_leave -- before another calendar is linked: what was written to the old one is not ours to change any more.
-- With another password the calendar is the same, and what is in it is
WITH other AS (SELECT resource_id FROM calendar WHERE resource_id = %(resource_id)s
                 AND (provider IS DISTINCT FROM %(provider)s OR address <> %(address)s)),
     busy AS (DELETE FROM calendar_busy b USING other o WHERE b.resource_id = o.resource_id)
DELETE FROM calendar_event e USING other o WHERE e.resource_id = o.resource_id;

-- calendar_unlink -- it is neither written to nor read any more; what it blocked is free
WITH busy AS (DELETE FROM calendar_busy WHERE resource_id = %(resource_id)s),
     events AS (DELETE FROM calendar_event WHERE resource_id = %(resource_id)s)
UPDATE calendar SET provider = NULL, address = '', username = '', secret = NULL, checked_at = NULL, error = NULL
WHERE resource_id = %(resource_id)s;

-- calendar_checked -- how reading it went
UPDATE calendar SET checked_at = CASE WHEN %(error)s::text IS NULL THEN %(now)s ELSE checked_at END, error = %(error)s
WHERE resource_id = %(resource_id)s;

-- calendar_of_feed -- whose calendar a token opens; asked before the tenant is known
SELECT business_id, resource_id FROM calendar_of_feed(%(digest)s);

-- feed_events -- what stands in a resource's feed
SELECT a.appointment_id, a.resource_id, a.status, lower(a.during) AS starts, upper(a.during) AS ends, a.people,
       s.duration_minutes, coalesce(n.name, s.key) AS service_name, c.name AS contact_name, c.wa_id, l.name AS place,
       l.address, coalesce(a.moved_at, a.created_at) AS changed_at
FROM appointment a JOIN service s USING (service_id) JOIN resource r USING (resource_id)
JOIN location l USING (location_id) JOIN contact c USING (contact_id) JOIN business b ON b.business_id = a.business_id
LEFT JOIN service_name n ON n.service_id = s.service_id AND n.language = b.languages[1] AND n.ordinal = 0
WHERE a.resource_id = %(resource_id)s AND a.status IN ('booked', 'completed', 'no_show')
  AND lower(a.during) >= %(since)s ORDER BY lower(a.during), a.appointment_id;

-- calendar_to_write -- bookings that a calendar does not show as they are; those over for a day are left
SELECT a.appointment_id, a.resource_id, a.status, lower(a.during) AS starts, upper(a.during) AS ends, a.people,
       s.duration_minutes, coalesce(n.name, s.key) AS service_name, c.name AS contact_name, c.wa_id, l.name AS place,
       l.address, coalesce(a.moved_at, a.created_at) AS changed_at
FROM appointment a JOIN service s USING (service_id) JOIN resource r USING (resource_id)
JOIN location l USING (location_id) JOIN contact c USING (contact_id) JOIN business b ON b.business_id = a.business_id
LEFT JOIN service_name n ON n.service_id = s.service_id AND n.language = b.languages[1] AND n.ordinal = 0
LEFT JOIN calendar_event e ON e.appointment_id = a.appointment_id AND e.resource_id = a.resource_id
WHERE a.resource_id = %(resource_id)s AND a.status = 'booked' AND upper(a.during) > %(now)s - interval '1 day'
  AND (e.appointment_id IS NULL OR e.during <> a.during)
ORDER BY a.appointment_id;

-- calendar_to_remove -- what a calendar shows of bookings that are cancelled or somebody else's by now
SELECT e.appointment_id FROM calendar_event e JOIN appointment a USING (appointment_id)
WHERE e.resource_id = %(resource_id)s AND (a.resource_id <> e.resource_id OR a.status = 'cancelled');

-- calendar_event_begun -- a calendar is about to be told of a booking: nobody knows what it shows until it answers, and
-- no booking has an empty time, so it is written again, and removed once the booking is over
INSERT INTO calendar_event (appointment_id, resource_id, business_id, during, status, written_at)
VALUES (%(appointment_id)s, %(resource_id)s, %(business_id)s, 'empty', %(status)s, %(now)s)
ON CONFLICT (appointment_id, resource_id) DO UPDATE SET during = EXCLUDED.during, status = EXCLUDED.status,
    written_at = EXCLUDED.written_at;

-- calendar_event_put -- what a calendar shows
INSERT INTO calendar_event (appointment_id, resource_id, business_id, during, status, written_at)
VALUES (%(appointment_id)s, %(resource_id)s, %(business_id)s, tstzrange(%(starts)s, %(ends)s), %(status)s, %(now)s)
ON CONFLICT (appointment_id, resource_id) DO UPDATE SET during = EXCLUDED.during, status = EXCLUDED.status,
    written_at = EXCLUDED.written_at;

-- calendar_event_gone -- it shows it no more
DELETE FROM calendar_event WHERE appointment_id = %(appointment_id)s AND resource_id = %(resource_id)s;

-- calendar_busy_clear -- what somebody wrote there is read anew
DELETE FROM calendar_busy WHERE resource_id = %(resource_id)s;

-- calendar_busy_put -- one span somebody wrote there
INSERT INTO calendar_busy (business_id, resource_id, uid, during)
VALUES (%(business_id)s, %(resource_id)s, %(uid)s, tstzrange(%(starts)s, %(ends)s)) ON CONFLICT DO NOTHING;

-- calendar_conflicts -- bookings to come that overlap what somebody wrote into the calendar
SELECT DISTINCT a.appointment_id, a.contact_id, lower(a.during) AS starts
FROM appointment a JOIN calendar_busy b ON b.resource_id = a.resource_id AND b.during && a.during
WHERE a.resource_id = %(resource_id)s AND a.status = 'booked' AND lower(a.during) > %(now)s
ORDER BY lower(a.during);
