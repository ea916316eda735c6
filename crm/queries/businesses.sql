-- business_of_number -- which business a WhatsApp number belongs to
SELECT business_of_number(%(phone_number_id)s);

-- business_of_slug -- which business a slug names
SELECT business_of_slug(%(slug)s);

-- business_directory -- every business, ids and slugs only
SELECT business_id, slug FROM business_directory();

-- memberships_of_token -- where the holder of an API token works
SELECT business_id, agent_id, role FROM memberships_of_token(%(digest)s);

-- business -- the business of this transaction
SELECT business_id, slug, name, vertical, country, time_zone, currency, languages, email, website, display_phone,
       lead_time_minutes, cancel_notice_hours
FROM business WHERE business_id = %(business_id)s;

-- profile_version -- moves with every change of what `profile` reads
SELECT version FROM profile_version;

-- numbers -- its WhatsApp numbers
SELECT phone_number_id, display_phone FROM business_number ORDER BY phone_number_id;

-- number_to_tell -- the number a customer is written to on: where they wrote last, or else the first
SELECT phone_number_id FROM business_number n
ORDER BY (SELECT max(c.last_customer_at) FROM conversation c
          WHERE c.contact_id = %(contact_id)s AND c.phone_number_id = n.phone_number_id) DESC NULLS LAST,
         phone_number_id
LIMIT 1;

-- texts -- its own sentences
SELECT kind, key, language, body FROM business_text ORDER BY kind, key, language;

-- thresholds -- its own sensitivity thresholds
SELECT label, threshold FROM sensitivity_threshold;

-- locations -- where it is and was
SELECT location_id, key, name, address, city, country, time_zone, retired_at IS NOT NULL AS retired
FROM location ORDER BY location_id;

-- opening_hours -- its week at every location
SELECT location_id, weekday, opens, closes FROM opening_hours ORDER BY location_id, weekday, opens;

-- closures -- days it is shut, from a day on
SELECT location_id, first_day, last_day FROM closure WHERE last_day >= %(since)s ORDER BY first_day;

-- services -- what it offers and has offered
SELECT service_id, key, duration_minutes, buffer_minutes, price, price_max, price_unit, bookable, quotable, capacity,
       retired_at IS NOT NULL AS retired
FROM service ORDER BY service_id;

-- service_names -- what its services are called, the name first
SELECT service_id, language, ordinal, name, description FROM service_name ORDER BY service_id, language, ordinal;

-- resources -- the people and rooms that can be booked
SELECT resource_id, location_id, key, name, kind FROM resource ORDER BY resource_id;

-- agents -- who works for it
SELECT agent_id, email, name, role FROM agent JOIN membership USING (agent_id) WHERE active ORDER BY agent_id;
