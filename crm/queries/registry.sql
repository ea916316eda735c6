-- put_business -- a business, made or brought up to date by its slug
INSERT INTO business (slug, name, vertical, country, time_zone, currency, languages, email, website, display_phone,
    lead_time_minutes, cancel_notice_hours, dormant_after_days, reminder_hours, asks_nps, nps_every_days)
VALUES (%(slug)s, %(name)s, %(vertical)s, %(country)s, %(time_zone)s, %(currency)s, %(languages)s, %(email)s,
    %(website)s, %(display_phone)s, %(lead_time_minutes)s, %(cancel_notice_hours)s, %(dormant_after_days)s,
    %(reminder_hours)s, %(asks_nps)s, %(nps_every_days)s)
ON CONFLICT (slug) DO UPDATE SET name = EXCLUDED.name, vertical = EXCLUDED.vertical, country = EXCLUDED.country,
    time_zone = EXCLUDED.time_zone, currency = EXCLUDED.currency, languages = EXCLUDED.languages,
    email = EXCLUDED.email, website = EXCLUDED.website, display_phone = EXCLUDED.display_phone,
    lead_time_minutes = EXCLUDED.lead_time_minutes, cancel_notice_hours = EXCLUDED.cancel_notice_hours,
    dormant_after_days = EXCLUDED.dormant_after_days, reminder_hours = EXCLUDED.reminder_hours,
    asks_nps = EXCLUDED.asks_nps, nps_every_days = EXCLUDED.nps_every_days
RETURNING business_id;

-- put_number -- its WhatsApp number; a number that belongs to another business stays there
INSERT INTO business_number (phone_number_id, business_id, display_phone)
VALUES (%(phone_number_id)s, %(business)s, %(display_phone)s)
ON CONFLICT (phone_number_id) DO UPDATE SET display_phone = EXCLUDED.display_phone
WHERE business_number.business_id = EXCLUDED.business_id
RETURNING business_id;

-- numbers_unused -- numbers it had before and that nobody ever wrote to: they were mistyped, or a demo's
DELETE FROM business_number n
WHERE n.business_id = %(business)s AND n.phone_number_id <> %(phone_number_id)s AND n.sealed_token IS NULL
  AND NOT EXISTS (SELECT FROM conversation c WHERE c.phone_number_id = n.phone_number_id);

-- clear_texts -- sentences and thresholds are replaced as a whole
-- (not the holding messages, which are entered in the console alone)
WITH gone AS (DELETE FROM business_text WHERE business_id = %(business)s AND kind <> 'holding')
DELETE FROM sensitivity_threshold WHERE business_id = %(business)s;

-- clear_calendar -- hours, closures, skills and the names of the services entered are replaced as a whole
-- A service that is not entered, such as one accepted from a price list, keeps its names and places.
WITH closures AS (DELETE FROM closure WHERE business_id = %(business)s),
     weeks AS (DELETE FROM resource_hours WHERE business_id = %(business)s),
     skills AS (DELETE FROM resource_skill WHERE business_id = %(business)s),
     entered AS (SELECT service_id FROM service WHERE business_id = %(business)s AND key = ANY (%(services)s)),
     places AS (DELETE FROM service_location WHERE service_id IN (SELECT service_id FROM entered)),
     names AS (DELETE FROM service_name WHERE service_id IN (SELECT service_id FROM entered))
DELETE FROM opening_hours WHERE business_id = %(business)s;

-- put_text -- one sentence of its own
INSERT INTO business_text (business_id, kind, key, language, body)
VALUES (%(business)s, %(kind)s, %(key)s, %(language)s, %(body)s);

-- put_threshold -- one sensitivity threshold of its own
INSERT INTO sensitivity_threshold (business_id, label, threshold) VALUES (%(business)s, %(label)s, %(threshold)s);

-- put_location -- a place
INSERT INTO location (business_id, key, name, address, city, country, time_zone)
VALUES (%(business)s, %(key)s, %(name)s, %(address)s, %(city)s, %(country)s, %(time_zone)s)
ON CONFLICT (business_id, key) DO UPDATE SET name = EXCLUDED.name, address = EXCLUDED.address, city = EXCLUDED.city,
    country = EXCLUDED.country, time_zone = EXCLUDED.time_zone, retired_at = NULL
RETURNING location_id;

-- put_hours -- one span of a location's week
INSERT INTO opening_hours (business_id, location_id, weekday, opens, closes)
VALUES (%(business)s, %(location_id)s, %(weekday)s, %(opens)s, %(closes)s);

-- put_closure -- days it is shut
INSERT INTO closure (business_id, location_id, first_day, last_day)
VALUES (%(business)s, %(location_id)s, %(first_day)s, %(last_day)s);

-- put_service -- a service
INSERT INTO service (business_id, key, duration_minutes, buffer_minutes, price, price_max, price_unit, bookable,
    quotable, capacity, vat_rate, vat_nature, from_file)
VALUES (%(business)s, %(key)s, %(duration_minutes)s, %(buffer_minutes)s, %(price)s, %(price_max)s, %(price_unit)s,
    %(bookable)s, %(quotable)s, %(capacity)s, %(vat_rate)s, %(vat_nature)s, true)
ON CONFLICT (business_id, key) DO UPDATE SET duration_minutes = EXCLUDED.duration_minutes,
    buffer_minutes = EXCLUDED.buffer_minutes, price = EXCLUDED.price, price_max = EXCLUDED.price_max,
    price_unit = EXCLUDED.price_unit, bookable = EXCLUDED.bookable, quotable = EXCLUDED.quotable,
    capacity = EXCLUDED.capacity, vat_rate = EXCLUDED.vat_rate, vat_nature = EXCLUDED.vat_nature, from_file = true,
    retired_at = NULL
RETURNING service_id;

-- retire_services -- what the file had and has no more
UPDATE service SET retired_at = now()
WHERE business_id = %(business)s AND from_file AND retired_at IS NULL AND NOT key = ANY (%(services)s);

-- retire_locations -- places the file has no more
UPDATE location SET retired_at = now()
WHERE business_id = %(business)s AND retired_at IS NULL AND NOT key = ANY (%(locations)s);

-- retired_booked -- services not offered any more that people still have appointments for
SELECT s.key, count(*) AS visits FROM service s JOIN appointment a USING (service_id)
WHERE s.retired_at IS NOT NULL AND a.status = 'booked' AND lower(a.during) > %(now)s GROUP BY s.key ORDER BY s.key;

-- put_service_name -- what a service is called
INSERT INTO service_name (business_id, service_id, language, ordinal, name, description)
VALUES (%(business)s, %(service_id)s, %(language)s, %(ordinal)s, %(name)s, %(description)s);

-- put_service_location -- where a service is given
INSERT INTO service_location (business_id, service_id, location_id)
VALUES (%(business)s, %(service_id)s, %(location_id)s);

-- put_resource -- a person or room
INSERT INTO resource (business_id, location_id, key, name, kind)
VALUES (%(business)s, %(location_id)s, %(key)s, %(name)s, %(kind)s)
ON CONFLICT (business_id, key) DO UPDATE SET location_id = EXCLUDED.location_id, name = EXCLUDED.name,
    kind = EXCLUDED.kind
RETURNING resource_id;

-- put_skill -- what a resource can do
INSERT INTO resource_skill (business_id, resource_id, service_id)
VALUES (%(business)s, %(resource_id)s, %(service_id)s);

-- put_resource_hours -- one span of a resource's own week
INSERT INTO resource_hours (business_id, resource_id, weekday, starts, ends)
VALUES (%(business)s, %(resource_id)s, %(weekday)s, %(starts)s, %(ends)s);

-- put_agent -- somebody who works there
WITH known AS (UPDATE agent SET name = %(name)s WHERE lower(email) = lower(%(email)s) RETURNING agent_id),
     made AS (INSERT INTO agent (email, name) SELECT lower(%(email)s), %(name)s WHERE NOT EXISTS (SELECT FROM known)
              ON CONFLICT (email) DO UPDATE SET name = EXCLUDED.name RETURNING agent_id)
SELECT min(agent_id) AS agent_id FROM (SELECT agent_id FROM known UNION ALL SELECT agent_id FROM made) AS whose;

-- put_membership -- where somebody works, as what
INSERT INTO membership (business_id, agent_id, role) VALUES (%(business)s, %(agent_id)s, %(role)s)
ON CONFLICT (business_id, agent_id) DO UPDATE SET role = EXCLUDED.role;

-- put_token -- a new API token for an agent, by e-mail
UPDATE agent SET token_sha256 = %(digest)s WHERE lower(email) = lower(%(email)s) RETURNING agent_id;

-- entered_from -- the id of a business that was last entered from the same file
SELECT business_id FROM business WHERE slug = %(slug)s AND file_digest = %(digest)s;

-- put_file_digest -- what it was entered from
UPDATE business SET file_digest = %(digest)s WHERE business_id = %(business)s;

-- clear_terms -- tax data and due times are replaced as a whole
WITH levels AS (DELETE FROM service_level WHERE business_id = %(business)s)
DELETE FROM business_fiscal WHERE business_id = %(business)s;

-- put_fiscal -- who it is to the tax office, and the terms of its quotes
INSERT INTO business_fiscal (business_id, legal_name, vat_number, tax_code, regime, street, postal_code, city, province,
    country, vat_rate, vat_nature, quote_valid_days, quote_limit)
VALUES (%(business)s, %(legal_name)s, %(vat_number)s, %(tax_code)s, %(regime)s, %(street)s, %(postal_code)s, %(city)s,
    %(province)s, %(country)s, %(vat_rate)s, %(vat_nature)s, %(quote_valid_days)s, %(quote_limit)s);

-- put_service_level -- by when a ticket is answered and solved
INSERT INTO service_level (business_id, priority, answer_minutes, solve_minutes)
VALUES (%(business)s, %(priority)s, %(answer_minutes)s, %(solve_minutes)s);

-- put_template -- an approved template for what SARA says first
INSERT INTO message_template (business_id, purpose, language, name, code)
VALUES (%(business)s, %(purpose)s, %(language)s, %(name)s, %(code)s)
ON CONFLICT (business_id, purpose, language) DO UPDATE SET name = EXCLUDED.name, code = EXCLUDED.code;
