-- contacts_page -- a page of customers, whoever was heard of last first
SELECT k.contact_id, k.name, k.wa_id, k.email, coalesce(k.told_language, k.language) AS language, k.lifecycle,
       k.opted_out_at IS NOT NULL AS opted_out, k.last_seen_at, k.created_at
FROM contact k
WHERE k.merged_into IS NULL AND k.erased_at IS NULL
  AND (%(lifecycle)s::text IS NULL OR k.lifecycle = %(lifecycle)s)
  AND (%(language)s::text IS NULL OR coalesce(k.told_language, k.language) = %(language)s)
  AND (%(words)s::text IS NULL OR k.contact_id IN (SELECT contact_id FROM contacts_with_words(%(words)s, 2000)))
ORDER BY k.last_seen_at DESC NULLS LAST, k.contact_id DESC LIMIT %(most)s OFFSET %(skip)s;

-- contact_standing -- whether an entry still stands for a customer, and where it went
SELECT merged_into, erased_at FROM contact WHERE contact_id = %(contact_id)s;

-- contact_timeline -- everything with a customer before a moment, the latest first
SELECT * FROM (
    (SELECT 'message' AS kind, m.sent_at AS at, m.author AS what, a.name AS agent_name,
            left(coalesce(nullif(m.transcript, ''), m.body), 300) AS detail, m.conversation_id AS place,
            NULL::bigint AS location_id
     FROM message m LEFT JOIN agent a USING (agent_id)
     WHERE m.contact_id = %(contact_id)s AND m.sent_at < %(before)s
       AND NOT (m.author = 'system' AND m.kind IN ('edit', 'revoke'))
     ORDER BY m.sent_at DESC LIMIT %(most)s)
    UNION ALL
    (SELECT 'appointment', lower(p.during), p.status, NULL, s.key || ' · ' || r.name, p.conversation_id,
            r.location_id
     FROM appointment p JOIN service s USING (service_id) JOIN resource r USING (resource_id)
     WHERE p.contact_id = %(contact_id)s AND lower(p.during) < %(before)s ORDER BY 2 DESC LIMIT %(most)s)
    UNION ALL
    (SELECT 'quote', q.created_at, q.status, NULL, coalesce(q.number, '#' || q.quote_id) || ' ' || left(q.request, 200),
            q.conversation_id, NULL
     FROM quote q WHERE q.contact_id = %(contact_id)s AND q.created_at < %(before)s ORDER BY 2 DESC LIMIT %(most)s)
    UNION ALL
    (SELECT 'invoice', i.created_at, i.status, NULL, coalesce(i.number, '#' || i.invoice_draft_id),
            i.conversation_id, NULL
     FROM invoice_draft i WHERE i.contact_id = %(contact_id)s AND i.created_at < %(before)s
     ORDER BY 2 DESC LIMIT %(most)s)
    UNION ALL
    (SELECT 'ticket', t.created_at, t.status, NULL, '#' || t.ticket_id || ' ' || left(t.description, 200),
            t.conversation_id, NULL
     FROM ticket t WHERE t.contact_id = %(contact_id)s AND t.created_at < %(before)s ORDER BY 2 DESC LIMIT %(most)s)
    UNION ALL
    (SELECT 'lead', l.created_at, l.stage, NULL, left(l.wish, 200), l.conversation_id, NULL
     FROM lead l WHERE l.contact_id = %(contact_id)s AND l.created_at < %(before)s ORDER BY 2 DESC LIMIT %(most)s)
    UNION ALL
    (SELECT 'event', e.at, e.kind, a.name, left(e.detail, 300), e.conversation_id, NULL
     FROM crm_event e LEFT JOIN agent a ON a.agent_id = e.agent_id
     WHERE e.contact_id = %(contact_id)s AND e.at < %(before)s ORDER BY e.at DESC LIMIT %(most)s)
) AS all_of_it ORDER BY at DESC, kind LIMIT %(most)s;

-- contact_conversations -- a customer's conversations, the latest first
SELECT conversation_id, status, owner, last_activity_at, summary FROM conversation
WHERE contact_id = %(contact_id)s ORDER BY conversation_id DESC LIMIT 20;

-- contact_lock -- a customer, with nobody else changing them
SELECT contact_id, wa_id, bsuid, name, email, language, lifecycle, opted_out_at, created_at, last_seen_at, told_language
FROM contact WHERE contact_id = %(contact_id)s FOR UPDATE;

-- contact_edit -- what somebody of the team enters
UPDATE contact SET name = %(name)s, email = %(email)s, told_language = %(language)s
WHERE contact_id = %(contact_id)s AND merged_into IS NULL AND erased_at IS NULL;

-- contact_aliases -- the other numbers and ids of a customer
SELECT wa_id, bsuid FROM contact_alias WHERE contact_id = %(contact_id)s ORDER BY contact_alias_id;

-- contact_merges -- what was merged into a customer, by whom
SELECT m.at, a.name AS agent_name, m.name, m.wa_id, m.rows_moved
FROM contact_merge m LEFT JOIN agent a USING (agent_id)
WHERE m.contact_id = %(contact_id)s ORDER BY m.contact_merge_id DESC;

-- contact_of_alias -- a customer by another of their numbers
SELECT contact_id FROM contact_alias WHERE wa_id = %(wa_id)s;

-- contact_writes_as -- a customer writes from another of their numbers: from now on they are answered there
WITH found AS (DELETE FROM contact_alias WHERE wa_id = %(wa_id)s RETURNING contact_id),
kept AS (
    INSERT INTO contact_alias (business_id, contact_id, wa_id)
    SELECT k.business_id, k.contact_id, k.wa_id FROM contact k JOIN found USING (contact_id) WHERE k.wa_id IS NOT NULL)
UPDATE contact k SET wa_id = %(wa_id)s FROM found WHERE k.contact_id = found.contact_id RETURNING k.contact_id;

-- contact_known_as -- the same by a business-scoped user id, unless it is the one somebody is answered on
WITH found AS (
    DELETE FROM contact_alias WHERE bsuid = %(bsuid)s AND NOT EXISTS (SELECT FROM contact WHERE bsuid = %(bsuid)s)
    RETURNING contact_id),
kept AS (
    INSERT INTO contact_alias (business_id, contact_id, bsuid)
    SELECT k.business_id, k.contact_id, k.bsuid FROM contact k JOIN found USING (contact_id) WHERE k.bsuid IS NOT NULL)
UPDATE contact k SET bsuid = %(bsuid)s FROM found WHERE k.contact_id = found.contact_id RETURNING k.contact_id;

-- merge_lock -- two entries, locked in one order
SELECT contact_id, wa_id, bsuid, name, email, language, lifecycle, opted_out_at, created_at, last_seen_at, told_language
FROM contact WHERE contact_id = ANY (%(ids)s) AND merged_into IS NULL AND erased_at IS NULL
ORDER BY contact_id FOR UPDATE;

-- merge_open -- open conversations of both entries on one number, and whether a human has one of them
SELECT c.conversation_id, c.contact_id, c.owner, c.last_activity_at FROM conversation c
WHERE c.contact_id = ANY (%(ids)s) AND c.status = 'open' AND EXISTS (
    SELECT FROM conversation o WHERE o.status = 'open' AND o.phone_number_id = c.phone_number_id
    AND o.contact_id = ANY (%(ids)s) AND o.contact_id <> c.contact_id)
ORDER BY c.last_activity_at;

-- merge_lead -- one possible sale stays open: what was said of the other joins it
WITH one AS (SELECT * FROM lead WHERE contact_id = %(gone)s AND stage NOT IN ('won', 'lost')),
other AS (SELECT * FROM lead WHERE contact_id = %(kept)s AND stage NOT IN ('won', 'lost')),
answers AS (
    INSERT INTO lead_answer (business_id, lead_id, key, answer)
    SELECT w.business_id, other.lead_id, w.key, w.answer FROM lead_answer w JOIN one USING (lead_id), other
    ON CONFLICT DO NOTHING),
joined AS (
    UPDATE lead l SET wish = concat_ws(' / ', nullif(l.wish, ''), nullif(one.wish, '')),
           score = greatest(l.score, one.score), updated_at = %(now)s
    FROM one, other WHERE l.lead_id = other.lead_id)
UPDATE lead l SET stage = 'lost', updated_at = %(now)s FROM one, other WHERE l.lead_id = one.lead_id;

-- merge_billing -- invoice details of the other entry: taken over where there are none, else handed back as words
WITH taken AS (
    UPDATE contact_fiscal f SET contact_id = %(kept)s WHERE f.contact_id = %(gone)s
    AND NOT EXISTS (SELECT FROM contact_fiscal o WHERE o.contact_id = %(kept)s) RETURNING 1),
dropped AS (
    DELETE FROM contact_fiscal f WHERE f.contact_id = %(gone)s
    AND EXISTS (SELECT FROM contact_fiscal o WHERE o.contact_id = %(kept)s) RETURNING f.*)
SELECT concat_ws(', ', name, vat_number, tax_code, street, postal_code, city, province, country, sdi_code, pec)
FROM dropped;

-- merge_campaigns -- what a campaign did to both entries stays with each of them
UPDATE campaign_recipient r SET contact_id = %(kept)s WHERE r.contact_id = %(gone)s
AND NOT EXISTS (SELECT FROM campaign_recipient o WHERE o.campaign_id = r.campaign_id AND o.contact_id = %(kept)s);

-- merge_alias -- another number or id of a customer
INSERT INTO contact_alias (business_id, contact_id, wa_id, bsuid)
VALUES (%(business_id)s, %(kept)s, %(wa_id)s, %(bsuid)s);

-- merge_empty -- the other entry stands for nobody any more, nor does what was merged into it: each leads to the one
-- that stands, so that whoever asks by an old number is found in one step
UPDATE contact SET merged_into = %(kept)s, wa_id = NULL, bsuid = NULL, name = NULL, email = NULL
WHERE contact_id = %(gone)s OR merged_into = %(gone)s;

-- merge_fill -- what the entry that stays did not know
UPDATE contact SET wa_id = %(wa_id)s, bsuid = %(bsuid)s, name = %(name)s, email = %(email)s, language = %(language)s,
       told_language = %(told_language)s, lifecycle = %(lifecycle)s, opted_out_at = %(opted_out_at)s,
       created_at = %(created_at)s, last_seen_at = %(last_seen_at)s
WHERE contact_id = %(kept)s;

-- merge_written -- who merged whom, with what the other entry said
INSERT INTO contact_merge (business_id, contact_id, merged_contact_id, agent_id, wa_id, bsuid, name, email, billing,
    rows_moved, at)
VALUES (%(business_id)s, %(kept)s, %(gone)s, %(agent_id)s, %(wa_id)s, %(bsuid)s, %(name)s, %(email)s, %(billing)s,
    %(rows_moved)s, %(now)s);
