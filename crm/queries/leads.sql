-- lead_open_of -- the open lead of a customer, for whoever changes it
SELECT lead_id, contact_id, wish, score, stage FROM lead
WHERE contact_id = %(contact_id)s AND stage NOT IN ('won', 'lost') FOR UPDATE;

-- leads_of_contact -- a customer's leads, the latest first
SELECT lead_id, contact_id, wish, score, stage FROM lead WHERE contact_id = %(contact_id)s ORDER BY lead_id DESC;

-- lead_insert -- somebody may buy
INSERT INTO lead (business_id, contact_id, conversation_id, wish, score, stage, created_at, updated_at)
VALUES (%(business_id)s, %(contact_id)s, %(conversation_id)s, %(wish)s, %(score)s, 'new', %(now)s, %(now)s)
ON CONFLICT (contact_id) WHERE stage NOT IN ('won', 'lost') DO NOTHING
RETURNING lead_id;

-- lead_update -- what is known of it now
UPDATE lead SET wish = %(wish)s, score = greatest(score, %(score)s), updated_at = %(now)s WHERE lead_id = %(lead_id)s;

-- lead_answer_put -- what the customer answered
INSERT INTO lead_answer (business_id, lead_id, key, answer) VALUES (%(business_id)s, %(lead_id)s, %(key)s, %(answer)s)
ON CONFLICT (lead_id, key) DO UPDATE SET answer = EXCLUDED.answer;

-- lead_stage -- it moves along the pipeline
UPDATE lead SET stage = %(stage)s, updated_at = %(now)s WHERE lead_id = %(lead_id)s;

-- stage_change_insert -- and that is remembered
INSERT INTO stage_change (business_id, lead_id, crm_event_id, from_stage, to_stage, at)
VALUES (%(business_id)s, %(lead_id)s, %(crm_event_id)s, %(from_stage)s, %(to_stage)s, %(now)s);

-- stage_changes -- how a lead moved, oldest first
SELECT from_stage, to_stage, at FROM stage_change WHERE lead_id = %(lead_id)s ORDER BY stage_change_id;

-- pipeline -- how many leads stand where
SELECT stage, count(*) AS leads FROM lead GROUP BY stage;

-- contact_lifecycle_lock -- where a customer stands, for whoever changes it
SELECT lifecycle FROM contact WHERE contact_id = %(contact_id)s FOR NO KEY UPDATE;

-- contact_lifecycle -- a customer stands elsewhere now
UPDATE contact SET lifecycle = %(lifecycle)s WHERE contact_id = %(contact_id)s;

-- lifecycle_change_insert -- and that is remembered
INSERT INTO lifecycle_change (business_id, contact_id, crm_event_id, from_lifecycle, to_lifecycle, at)
VALUES (%(business_id)s, %(contact_id)s, %(crm_event_id)s, %(from_lifecycle)s, %(to_lifecycle)s, %(now)s);

-- lifecycle_before_sleep -- what a dormant customer was before
SELECT from_lifecycle FROM lifecycle_change WHERE contact_id = %(contact_id)s AND to_lifecycle = 'dormant'
ORDER BY lifecycle_change_id DESC LIMIT 1;

-- contacts_asleep -- customers not heard of for as long as the business says
SELECT c.contact_id FROM contact c JOIN business b USING (business_id)
WHERE c.lifecycle <> 'dormant'
  AND coalesce(c.last_seen_at, c.created_at) < %(now)s - make_interval(days => b.dormant_after_days)
  AND NOT EXISTS (SELECT 1 FROM appointment a WHERE a.contact_id = c.contact_id AND a.status = 'booked'
                  AND upper(a.during) > %(now)s)
ORDER BY c.contact_id LIMIT %(most)s FOR NO KEY UPDATE OF c SKIP LOCKED;

-- contact_update -- what a customer tells of themselves; null leaves it
UPDATE contact SET name = coalesce(%(name)s, name), email = coalesce(%(email)s, email),
       told_language = coalesce(%(told_language)s, told_language), language = coalesce(%(told_language)s, language)
WHERE contact_id = %(contact_id)s;

-- overdue_businesses -- businesses with records whose time has come, over all tenants
SELECT business_id FROM businesses_with_overdue_records();
