-- slot_service -- what a free time must hold, and how far ahead of now it must start
SELECT s.duration_minutes, s.buffer_minutes, s.bookable, s.capacity, b.lead_time_minutes
FROM service s JOIN business b USING (business_id) WHERE s.service_id = %(service_id)s;

-- slot_shifts -- when each resource of a service works: its own week cut to its location's hours, else those hours
SELECT r.resource_id, r.name, l.location_id, l.time_zone, h.weekday,
       greatest(h.opens, w.starts) AS opens, least(h.closes, w.ends) AS closes
FROM resource_skill k
JOIN resource r USING (resource_id)
JOIN location l USING (location_id)
JOIN service_location p ON p.service_id = k.service_id AND p.location_id = l.location_id
JOIN opening_hours h ON h.location_id = l.location_id
LEFT JOIN resource_hours w ON w.resource_id = r.resource_id AND w.weekday = h.weekday
    AND w.starts < h.closes AND w.ends > h.opens
WHERE k.service_id = %(service_id)s
  AND (w.resource_id IS NOT NULL
       OR NOT EXISTS (SELECT 1 FROM resource_hours o WHERE o.resource_id = r.resource_id))
ORDER BY r.resource_id, h.weekday, opens;

-- slot_closures -- the days shut between two days, per location or everywhere
SELECT location_id, first_day, last_day FROM closure
WHERE last_day >= %(first_day)s AND first_day <= %(last_day)s;
