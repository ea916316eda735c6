-- busy -- when the resources of a service are taken
SELECT a.resource_id, lower(a.during) AS starts, upper(a.during) AS ends
FROM appointment a JOIN resource_skill k USING (resource_id)
WHERE k.service_id = %(service_id)s AND a.status <> 'cancelled' AND a.during && tstzrange(%(since)s, %(until)s);

-- skilled -- who or what can do a service, and where
SELECT r.resource_id, r.name, r.kind, r.location_id FROM resource r JOIN resource_skill k USING (resource_id)
WHERE k.service_id = %(service_id)s ORDER BY r.resource_id;

-- resource_weeks -- the weeks of resources that do not simply follow their location
SELECT resource_id, weekday, starts, ends FROM resource_hours ORDER BY resource_id, weekday, starts;

-- resource_lock -- one booking of a resource at a time
SELECT resource_id FROM resource WHERE resource_id = %(resource_id)s FOR NO KEY UPDATE;

-- appointment_insert -- a time is taken; the constraint decides who was first
INSERT INTO appointment (business_id, contact_id, conversation_id, service_id, resource_id, during, price, idempotency_key)
VALUES (%(business_id)s, %(contact_id)s, %(conversation_id)s, %(service_id)s, %(resource_id)s,
        tstzrange(%(starts)s, %(ends)s), %(price)s, %(idempotency_key)s)
RETURNING appointment_id;

-- appointment_by_key -- the appointment an earlier try of the same turn made
SELECT a.appointment_id, a.service_id, s.key AS service_key, a.resource_id, r.name AS resource_name, r.location_id,
       lower(a.during) AS starts, upper(a.during) AS ends, a.status, a.price
FROM appointment a JOIN service s USING (service_id) JOIN resource r USING (resource_id)
WHERE a.idempotency_key = %(idempotency_key)s;

-- appointments_of_contact -- what a customer has booked from now on
SELECT a.appointment_id, a.service_id, s.key AS service_key, a.resource_id, r.name AS resource_name, r.location_id,
       lower(a.during) AS starts, upper(a.during) AS ends, a.status, a.price
FROM appointment a JOIN service s USING (service_id) JOIN resource r USING (resource_id)
WHERE a.contact_id = %(contact_id)s AND a.status = 'booked' AND upper(a.during) > %(now)s ORDER BY lower(a.during);

-- quote_insert -- a customer asks what something would cost
INSERT INTO quote (business_id, contact_id, conversation_id, currency, request, idempotency_key)
VALUES (%(business_id)s, %(contact_id)s, %(conversation_id)s, %(currency)s, %(request)s, %(idempotency_key)s)
ON CONFLICT (business_id, idempotency_key) DO NOTHING
RETURNING quote_id;

-- quote_line_insert -- one line of a quote
INSERT INTO quote_line (business_id, quote_id, ordinal, service_id, description, quantity, unit_price)
VALUES (%(business_id)s, %(quote_id)s, %(ordinal)s, %(service_id)s, %(description)s, %(quantity)s, %(unit_price)s);

-- quote_by_key -- the quote an earlier try of the same turn made
SELECT quote_id FROM quote WHERE idempotency_key = %(idempotency_key)s;

-- quotes_of_contact -- a customer's open quotes
SELECT quote_id, status, request, created_at FROM quote
WHERE contact_id = %(contact_id)s AND status IN ('requested', 'issued') ORDER BY quote_id;

-- ticket_insert -- something is wrong
INSERT INTO ticket (business_id, contact_id, conversation_id, description, idempotency_key)
VALUES (%(business_id)s, %(contact_id)s, %(conversation_id)s, %(description)s, %(idempotency_key)s)
ON CONFLICT (business_id, idempotency_key) DO NOTHING
RETURNING ticket_id;

-- ticket_by_key -- the ticket an earlier try of the same turn made
SELECT ticket_id FROM ticket WHERE idempotency_key = %(idempotency_key)s;

-- tickets_of_contact -- a customer's open tickets
SELECT ticket_id, status, description, created_at FROM ticket
WHERE contact_id = %(contact_id)s AND status <> 'closed' ORDER BY ticket_id;
