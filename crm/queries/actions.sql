-- busy -- when the resources of a service are taken, and by what; places not of a class have no numbers
SELECT a.resource_id, lower(a.during) AS starts, upper(a.during) AS ends, a.service_id,
       lower(t.seat) AS first_seat, upper(t.seat) AS end_seat
FROM appointment a JOIN resource_skill k USING (resource_id), LATERAL unnest(a.seats) AS t(seat)
WHERE k.service_id = %(service_id)s AND a.status <> 'cancelled' AND a.during && tstzrange(%(since)s, %(until)s)
  AND a.appointment_id IS DISTINCT FROM %(but)s::bigint
UNION ALL
SELECT b.resource_id, lower(b.during), upper(b.during), NULL, NULL, NULL
FROM calendar_busy b JOIN resource_skill k USING (resource_id)
WHERE k.service_id = %(service_id)s AND b.during && tstzrange(%(since)s, %(until)s);

-- resource_busy -- the same of one resource
SELECT a.resource_id, lower(a.during) AS starts, upper(a.during) AS ends, a.service_id,
       lower(t.seat) AS first_seat, upper(t.seat) AS end_seat
FROM appointment a, LATERAL unnest(a.seats) AS t(seat)
WHERE a.resource_id = %(resource_id)s AND a.status <> 'cancelled' AND a.during && tstzrange(%(starts)s, %(ends)s)
  AND a.appointment_id IS DISTINCT FROM %(but)s::bigint
UNION ALL
SELECT b.resource_id, lower(b.during), upper(b.during), NULL, NULL, NULL FROM calendar_busy b
WHERE b.resource_id = %(resource_id)s AND b.during && tstzrange(%(starts)s, %(ends)s);

-- skilled -- who or what can do a service, and where
SELECT r.resource_id, r.name, r.kind, r.location_id FROM resource r JOIN resource_skill k USING (resource_id)
WHERE k.service_id = %(service_id)s ORDER BY r.resource_id;

-- resource_weeks -- the weeks of resources that do not simply follow their location
SELECT resource_id, weekday, starts, ends FROM resource_hours ORDER BY resource_id, weekday, starts;

-- resource_lock -- one booking of a resource at a time
SELECT resource_id FROM resource WHERE resource_id = %(resource_id)s FOR NO KEY UPDATE;

-- service_capacity -- how many people share one time of a service
SELECT capacity FROM service WHERE service_id = %(service_id)s;

-- appointment_insert -- a time is taken; the constraint decides who was first
INSERT INTO appointment (business_id, contact_id, conversation_id, service_id, resource_id, during, price, people, seats,
    status, idempotency_key, created_at)
VALUES (%(business_id)s, %(contact_id)s, %(conversation_id)s, %(service_id)s, %(resource_id)s,
        tstzrange(%(starts)s, %(ends)s), %(price)s, %(people)s, %(seats)s::int4multirange, %(status)s,
        %(idempotency_key)s, %(now)s)
RETURNING appointment_id;

-- appointment_by_key -- the appointment an earlier try of the same turn made
SELECT a.appointment_id, a.contact_id, a.service_id, s.key AS service_key, a.resource_id, r.name AS resource_name,
       r.location_id, lower(a.during) AS starts, upper(a.during) AS ends, a.status, a.price, a.people
FROM appointment a JOIN service s USING (service_id) JOIN resource r USING (resource_id)
WHERE a.idempotency_key = %(idempotency_key)s;

-- appointment -- one appointment
SELECT a.appointment_id, a.contact_id, a.service_id, s.key AS service_key, a.resource_id, r.name AS resource_name,
       r.location_id, lower(a.during) AS starts, upper(a.during) AS ends, a.status, a.price, a.people
FROM appointment a JOIN service s USING (service_id) JOIN resource r USING (resource_id)
WHERE a.appointment_id = %(appointment_id)s;

-- appointments_of_contact -- what a customer has booked from now on
SELECT a.appointment_id, a.contact_id, a.service_id, s.key AS service_key, a.resource_id, r.name AS resource_name,
       r.location_id, lower(a.during) AS starts, upper(a.during) AS ends, a.status, a.price, a.people
FROM appointment a JOIN service s USING (service_id) JOIN resource r USING (resource_id)
WHERE a.contact_id = %(contact_id)s AND a.status = 'booked' AND upper(a.during) > %(now)s ORDER BY lower(a.during);

-- visits_of_contact -- what a customer came for, the latest first
SELECT a.appointment_id, a.contact_id, a.service_id, s.key AS service_key, a.resource_id, r.name AS resource_name,
       r.location_id, lower(a.during) AS starts, upper(a.during) AS ends, a.status, a.price, a.people
FROM appointment a JOIN service s USING (service_id) JOIN resource r USING (resource_id)
WHERE a.contact_id = %(contact_id)s AND a.status IN ('booked', 'completed') AND upper(a.during) <= %(now)s
ORDER BY lower(a.during) DESC LIMIT %(most)s;

-- appointments_between -- what begins between two moments, with who comes
SELECT a.appointment_id, s.key AS service_key, r.key AS resource_key, lower(a.during) AS starts,
       upper(a.during) AS ends, a.status, a.people, c.name AS contact_name, c.wa_id
FROM appointment a JOIN service s USING (service_id) JOIN resource r USING (resource_id)
JOIN contact c USING (contact_id)
WHERE a.status NOT IN ('cancelled', 'held') AND lower(a.during) >= %(since)s AND lower(a.during) < %(until)s
ORDER BY lower(a.during), a.appointment_id;

-- appointment_move -- another time, or somebody else; the constraint decides here too
UPDATE appointment SET resource_id = %(resource_id)s, during = tstzrange(%(starts)s, %(ends)s),
       seats = %(seats)s::int4multirange, moved_at = %(now)s
WHERE appointment_id = %(appointment_id)s AND contact_id = %(contact_id)s AND status = 'booked'
RETURNING appointment_id;

-- appointment_cancel -- it will not take place: its time is free again
UPDATE appointment SET status = 'cancelled'
WHERE appointment_id = %(appointment_id)s AND contact_id = %(contact_id)s AND status = 'booked'
RETURNING appointment_id;

-- appointment_release -- nobody took what was held
UPDATE appointment SET status = 'cancelled' WHERE appointment_id = %(appointment_id)s AND status = 'held';

-- appointment_taken_up -- what was held is booked
UPDATE appointment SET status = 'booked', conversation_id = %(conversation_id)s
WHERE appointment_id = %(appointment_id)s AND contact_id = %(contact_id)s AND status = 'held'
RETURNING appointment_id;

-- appointments_missed -- how often a customer did not come
SELECT count(*) FROM appointment
WHERE contact_id = %(contact_id)s AND status = 'no_show' AND lower(during) > %(since)s;
