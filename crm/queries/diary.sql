-- diary_visits -- what stands in the diary between two moments, with who comes
SELECT a.appointment_id, a.contact_id, s.key AS service_key, a.resource_id, r.name AS resource_name,
       r.location_id, lower(a.during) AS starts, upper(a.during) AS ends, a.status, a.people,
       c.name AS contact_name, c.wa_id
FROM appointment a JOIN service s USING (service_id) JOIN resource r USING (resource_id)
JOIN contact c USING (contact_id)
WHERE a.status <> 'cancelled' AND lower(a.during) >= %(since)s AND lower(a.during) < %(until)s
  AND (%(resource_id)s::bigint IS NULL OR a.resource_id = %(resource_id)s)
ORDER BY lower(a.during), a.appointment_id;

-- diary_busy -- what people wrote into their own calendars between two moments
SELECT resource_id, lower(during) AS starts, upper(during) AS ends, NULL::bigint AS service_id,
       NULL::int AS first_seat, NULL::int AS end_seat
FROM calendar_busy WHERE during && tstzrange(%(since)s, %(until)s) ORDER BY lower(during);

-- diary_waiting -- who waits for a place, whoever came first first
SELECT w.waiting_id, w.contact_id, c.name AS contact_name, c.wa_id, s.key AS service_key, r.name AS resource_name,
       w.location_id, lower(w.wanted) AS since, upper(w.wanted) AS until, w.people, w.status, w.answer_by
FROM waiting w JOIN contact c USING (contact_id) JOIN service s USING (service_id)
LEFT JOIN resource r ON r.resource_id = w.resource_id
WHERE w.status IN ('waiting', 'offered') ORDER BY w.waiting_id LIMIT 100;

-- diary_talk -- the conversation a customer is spoken with in
SELECT conversation_id FROM conversation WHERE contact_id = %(contact_id)s ORDER BY conversation_id DESC LIMIT 1;
