-- waiting_insert -- somebody would come if a place became free
INSERT INTO waiting (business_id, contact_id, conversation_id, service_id, location_id, resource_id, wanted, people,
    language, idempotency_key, created_at)
VALUES (%(business_id)s, %(contact_id)s, %(conversation_id)s, %(service_id)s, %(location_id)s, %(resource_id)s,
    tstzrange(%(since)s, %(until)s), %(people)s, %(language)s, %(idempotency_key)s, %(now)s)
ON CONFLICT (business_id, idempotency_key) DO NOTHING;

-- waiting_by_key -- what an earlier try of the same turn made
SELECT waiting_id, contact_id, conversation_id, service_id, location_id, resource_id, lower(wanted) AS since,
       upper(wanted) AS until, people, language, status, appointment_id, answer_by
FROM waiting WHERE idempotency_key = %(idempotency_key)s;

-- waiting -- one entry
SELECT waiting_id, contact_id, conversation_id, service_id, location_id, resource_id, lower(wanted) AS since,
       upper(wanted) AS until, people, language, status, appointment_id, answer_by
FROM waiting WHERE waiting_id = %(waiting_id)s FOR UPDATE;

-- waiting_of_contact -- what a customer waits for, the latest first
SELECT waiting_id, contact_id, conversation_id, service_id, location_id, resource_id, lower(wanted) AS since,
       upper(wanted) AS until, people, language, status, appointment_id, answer_by
FROM waiting WHERE contact_id = %(contact_id)s AND status IN ('waiting', 'offered') ORDER BY waiting_id DESC;

-- waiting_offered -- the place kept last for a customer until they answer, and the words that have reached them about it
SELECT w.waiting_id, m.body AS words, m.sent_at AS said_at
FROM waiting w
LEFT JOIN outbox o ON o.business_id = w.business_id AND o.turn_id = concat('waiting:', w.waiting_id)
    AND o.state NOT IN ('queued', 'held', 'refused', 'superseded')
LEFT JOIN message m ON m.message_id = o.message_id
WHERE w.contact_id = %(contact_id)s AND w.status = 'offered' ORDER BY w.waiting_id DESC LIMIT 1;

-- waiting_next -- who waits for a time to come behind an entry, whoever came first first; who left hears of nothing
SELECT w.waiting_id, w.contact_id, w.conversation_id, w.service_id, w.location_id, w.resource_id,
       lower(w.wanted) AS since, upper(w.wanted) AS until, w.people, w.language, w.status, w.appointment_id, w.answer_by
FROM waiting w JOIN contact c USING (contact_id)
WHERE w.status = 'waiting' AND upper(w.wanted) > %(now)s AND w.waiting_id > %(after)s AND c.opted_out_at IS NULL
ORDER BY w.waiting_id LIMIT %(most)s
FOR UPDATE OF w SKIP LOCKED;

-- waiting_lapsed -- offers nobody took in time
SELECT waiting_id, contact_id, conversation_id, service_id, location_id, resource_id, lower(wanted) AS since,
       upper(wanted) AS until, people, language, status, appointment_id, answer_by
FROM waiting WHERE status = 'offered' AND answer_by <= %(now)s FOR UPDATE SKIP LOCKED;

-- waiting_over -- times that came without a place
UPDATE waiting SET status = 'lapsed' WHERE status = 'waiting' AND upper(wanted) <= %(now)s;

-- waiting_offer -- a place is held for somebody
UPDATE waiting SET status = 'offered', appointment_id = %(appointment_id)s, answer_by = %(answer_by)s
WHERE waiting_id = %(waiting_id)s AND status = 'waiting';

-- waiting_settle -- taken, left or lapsed
UPDATE waiting SET status = %(status)s WHERE waiting_id = %(waiting_id)s AND status IN ('waiting', 'offered');

-- agenda_businesses -- who has reminders to write or places to give away, over all tenants
SELECT business_id FROM businesses_with_agenda(%(now)s);

-- reminders_due -- appointments to remind of that were booked, or moved, before their reminder was due; nobody is
-- asked to come on a day that was closed since, as long as it is
SELECT a.appointment_id, a.contact_id, a.conversation_id, s.key AS service_key, r.name AS resource_name,
       r.kind AS resource_kind, r.location_id, lower(a.during) AS starts, h.hours, c.language, c.told_language,
       c.opted_out_at IS NOT NULL AS opted_out
FROM appointment a JOIN service s USING (service_id) JOIN resource r USING (resource_id)
JOIN contact c USING (contact_id) JOIN business b ON b.business_id = a.business_id,
LATERAL unnest(b.reminder_hours) AS h(hours)
WHERE a.status = 'booked' AND lower(a.during) > %(now)s
  AND lower(a.during) - make_interval(hours => h.hours) <= %(now)s
  AND coalesce(a.moved_at, a.created_at) < lower(a.during) - make_interval(hours => h.hours)
  AND NOT EXISTS (SELECT 1 FROM reminder m WHERE m.appointment_id = a.appointment_id AND m.hours <= h.hours
                  AND m.starts = lower(a.during))
  AND NOT EXISTS (SELECT 1 FROM closure k JOIN location l ON l.location_id = r.location_id
                  WHERE k.business_id = a.business_id AND (k.location_id IS NULL OR k.location_id = r.location_id)
                    AND (lower(a.during) AT TIME ZONE l.time_zone)::date BETWEEN k.first_day AND k.last_day)
ORDER BY h.hours, lower(a.during);

-- reminder_written -- once for each start an appointment has
INSERT INTO reminder (business_id, appointment_id, hours, starts, written_at)
VALUES (%(business_id)s, %(appointment_id)s, %(hours)s, %(starts)s, %(now)s)
ON CONFLICT DO NOTHING RETURNING hours;

-- message_template -- the approved template for a purpose, in a language or else in the business's own
SELECT t.name, t.code FROM message_template t JOIN business b USING (business_id)
WHERE t.purpose = %(purpose)s AND t.language IN (%(language)s, b.languages[1])
ORDER BY t.language = %(language)s DESC LIMIT 1;

-- zone_of_appointment -- the time zone of its place
SELECT l.time_zone FROM appointment a JOIN resource r USING (resource_id)
JOIN location l ON l.location_id = r.location_id WHERE a.appointment_id = %(appointment_id)s;
