-- proposals_lock -- one reading or decision at a time in a business
SELECT business_id FROM business WHERE business_id = %(business_id)s FOR NO KEY UPDATE;

-- proposals -- proposals in some states, in the order they were made
SELECT proposal_id, kind, subject, subject_name, field, old_value, new_value, language, duration_minutes, price,
       price_max, price_unit, similar_to, document, row_text, status, agent_id, created_at, decided_at
FROM fact_proposal WHERE status = ANY(%(statuses)s) ORDER BY proposal_id;

-- proposal_hours -- the spans of a proposed day
SELECT opens, closes FROM fact_proposal_hours WHERE proposal_id = %(proposal_id)s ORDER BY opens;

-- proposal_insert -- something a list says differently
INSERT INTO fact_proposal (business_id, kind, subject, subject_name, field, old_value, new_value, language,
    duration_minutes, price, price_max, price_unit, similar_to, document, row_text, created_at)
VALUES (%(business_id)s, %(kind)s, %(subject)s, %(subject_name)s, %(field)s, %(old_value)s, %(new_value)s, %(language)s,
    %(duration_minutes)s, %(price)s, %(price_max)s, %(price_unit)s, %(similar_to)s, %(document)s, %(row_text)s, %(now)s)
RETURNING proposal_id;

-- proposal_hours_insert -- one span of a proposed day
INSERT INTO fact_proposal_hours (business_id, proposal_id, opens, closes)
VALUES (%(business_id)s, %(proposal_id)s, %(opens)s, %(closes)s);

-- proposal_decide -- it is settled
UPDATE fact_proposal SET status = %(status)s, agent_id = %(agent_id)s, decided_at = %(now)s
WHERE proposal_id = %(proposal_id)s;

-- fact_price -- a service costs something else; a price on request can be asked for
UPDATE service SET price = %(price)s, price_max = %(price_max)s, price_unit = %(price_unit)s,
    quotable = quotable OR %(price)s::numeric IS NULL
WHERE key = %(subject)s;

-- fact_duration -- a service takes another time
UPDATE service SET duration_minutes = %(duration_minutes)s WHERE key = %(subject)s;

-- fact_service -- a new service, given everywhere
WITH made AS (
    INSERT INTO service (business_id, key, duration_minutes, price, price_max, price_unit, bookable, quotable)
    VALUES (%(business_id)s, %(subject)s, %(duration_minutes)s, %(price)s, %(price_max)s, %(price_unit)s, false,
            %(price)s::numeric IS NULL)
    RETURNING service_id),
named AS (
    INSERT INTO service_name (business_id, service_id, language, ordinal, name)
    SELECT %(business_id)s, service_id, %(language)s, 0, %(subject_name)s FROM made)
INSERT INTO service_location (business_id, service_id, location_id)
SELECT %(business_id)s, service_id, location_id FROM made, location WHERE retired_at IS NULL;

-- fact_name -- one more name of a service; the first in its language is what it is called there
INSERT INTO service_name (business_id, service_id, language, ordinal, name)
SELECT business_id, service_id, %(language)s, coalesce((
    SELECT max(n.ordinal) + 1 FROM service_name n
    WHERE n.service_id = s.service_id AND n.language = %(language)s), 0), %(subject_name)s
FROM service s WHERE key = %(similar_to)s;

-- fact_day_clear -- the hours of a day are replaced as a whole
DELETE FROM opening_hours WHERE weekday = %(weekday)s
    AND location_id = (SELECT location_id FROM location WHERE key = %(subject)s);

-- fact_day_insert -- one span of a day
INSERT INTO opening_hours (business_id, location_id, weekday, opens, closes)
SELECT %(business_id)s, location_id, %(weekday)s, %(opens)s, %(closes)s FROM location WHERE key = %(subject)s;
