-- person -- a customer by the number SARA gives them, their phone or their business-scoped user id
SELECT contact_id, wa_id, bsuid, name, email, erased_at FROM contact
WHERE contact_id = coalesce((SELECT m.merged_into FROM contact m WHERE m.contact_id = %(contact_id)s), %(contact_id)s)
   OR wa_id = %(wa_id)s OR bsuid = %(bsuid)s
   OR contact_id IN (SELECT a.contact_id FROM contact_alias a WHERE a.wa_id = %(wa_id)s OR a.bsuid = %(bsuid)s)
ORDER BY contact_id LIMIT 1;

-- person_lock -- the same, held against messages that come in: they wait, and then meet somebody new; not an entry
-- that was merged meanwhile, which stands for nobody, nor who has written since they were out of time
SELECT contact_id, wa_id, bsuid, name, email, erased_at FROM contact
WHERE contact_id = %(contact_id)s AND business_id = %(business_id)s AND merged_into IS NULL
  AND (%(unheard_for)s::interval IS NULL OR coalesce(last_seen_at, created_at) < now() - %(unheard_for)s::interval)
FOR UPDATE;

-- person_open_handoffs -- hand-overs nobody has ended
SELECT h.handoff_id AS number FROM handoff h JOIN conversation c USING (conversation_id)
WHERE c.contact_id = %(contact_id)s AND h.status IN ('open', 'claimed') ORDER BY 1;

-- person_open_appointments -- appointments that are still to come
SELECT appointment_id AS number FROM appointment
WHERE contact_id = %(contact_id)s AND status IN ('held', 'booked') AND upper(during) > %(now)s ORDER BY 1;

-- person_open_tickets -- reports nobody has closed
SELECT ticket_id AS number FROM ticket WHERE contact_id = %(contact_id)s AND status <> 'closed' ORDER BY 1;

-- person_numbered_invoices -- invoice drafts that have a number of the business's series
SELECT invoice_draft_id AS number FROM invoice_draft
WHERE contact_id = %(contact_id)s AND status = 'ready' ORDER BY 1;

-- person_conversations -- every conversation, with its thread
SELECT conversation_id, thread_id, status FROM conversation WHERE contact_id = %(contact_id)s ORDER BY 1;

-- person_jobs_running -- how many jobs about a customer run at this moment
SELECT count(*) FROM procrastinate_jobs j WHERE j.status = 'doing'
  AND ((j.args ->> 'conversation_id')::bigint = ANY (%(conversations)s)
       OR (j.args ->> 'message_id')::bigint = ANY (%(messages)s)
       OR (j.args ->> 'handoff_id')::bigint = ANY (%(handoffs)s));

-- person_jobs_drop -- jobs about a customer that have not begun
DELETE FROM procrastinate_jobs j WHERE j.status = 'todo'
  AND ((j.args ->> 'conversation_id')::bigint = ANY (%(conversations)s)
       OR (j.args ->> 'message_id')::bigint = ANY (%(messages)s)
       OR (j.args ->> 'handoff_id')::bigint = ANY (%(handoffs)s));

-- person_settle_events -- nothing waits for a turn any more
UPDATE inbox_event SET done_at = %(now)s WHERE conversation_id = ANY (%(conversations)s) AND done_at IS NULL;

-- person_settle_outbox -- nothing goes out any more
UPDATE outbox SET state = 'superseded', settled_at = %(now)s
WHERE conversation_id = ANY (%(conversations)s) AND state IN ('queued', 'sending', 'unknown', 'held');

-- person_settle_hooks -- no file and no alert is made of what happened; calendars are still brought in line
UPDATE event_hook h SET state = 'done', settled_at = %(now)s FROM crm_event e
WHERE e.crm_event_id = h.crm_event_id AND e.contact_id = %(contact_id)s AND h.state = 'waiting' AND h.target <> 'calendar';

-- person_settle_follow_ups -- nobody calls
UPDATE follow_up SET status = 'cancelled', closed_at = %(now)s WHERE contact_id = %(contact_id)s AND status = 'open';

-- person_settle_waiting -- no place is kept
UPDATE waiting SET status = 'left' WHERE contact_id = %(contact_id)s AND status IN ('waiting', 'offered');

-- person_settle_campaigns -- no campaign reaches them
UPDATE campaign_recipient SET state = 'skipped', reason = 'erased' WHERE contact_id = %(contact_id)s AND state = 'waiting';

-- person_settle_conversations -- everything is closed
UPDATE conversation SET status = 'closed', closed_at = coalesce(closed_at, %(now)s), epoch = epoch + 1,
       thread_forgotten_at = %(now)s
WHERE contact_id = %(contact_id)s;

-- person_mark_erased -- a row that nobody can be known by
UPDATE contact SET erased_at = %(now)s, opted_out_at = coalesce(opted_out_at, %(now)s) WHERE contact_id = %(contact_id)s;

-- person_payloads -- raw webhooks that carry something of a customer, their notes of what was not understood too
WITH bodies AS (DELETE FROM webhook_payload p WHERE EXISTS (
        SELECT FROM unnest(%(identities)s::bytea[]) i WHERE position(i IN p.body) > 0) RETURNING p.digest),
     notes AS (DELETE FROM webhook_unparsed u USING bodies b WHERE u.digest = b.digest RETURNING 1)
SELECT count(*) FROM bodies;

-- person_payloads_count -- how many raw webhooks carry something of a customer
SELECT count(*) FROM webhook_payload p WHERE EXISTS (
    SELECT FROM unnest(%(identities)s::bytea[]) i WHERE position(i IN p.body) > 0);

-- person_named_in_alerts -- alerts that tell of several customers at once
DELETE FROM alert a WHERE a.business_id = %(business_id)s AND a.contact_id IS NULL AND EXISTS (
    SELECT FROM unnest(%(words)s::text[]) w WHERE position(lower(w) IN lower(a.title || ' ' || a.body)) > 0);

-- person_former_numbers -- phone numbers and business-scoped user ids a customer had, or has besides
SELECT DISTINCT detail AS number FROM crm_event
WHERE contact_id = %(contact_id)s AND kind IN ('number_changed', 'number_left', 'number_taken') AND detail <> ''
UNION SELECT unnest(ARRAY[wa_id, bsuid]) FROM contact_alias WHERE contact_id = %(contact_id)s
UNION SELECT unnest(ARRAY[wa_id, bsuid]) FROM contact_merge WHERE contact_id = %(contact_id)s
EXCEPT SELECT NULL;

-- person_erased -- that it was done
INSERT INTO erasure (business_id, contact_id, cause, invoices, at)
VALUES (%(business_id)s, %(contact_id)s, %(cause)s, %(invoices)s, %(now)s) RETURNING erasure_id;

-- person_erased_part -- what became of one table
INSERT INTO erasure_part (business_id, erasure_id, table_name, deleted, emptied)
VALUES (%(business_id)s, %(erasure_id)s, %(table_name)s, %(deleted)s, %(emptied)s);

-- person_searched -- what the search afterwards found
UPDATE erasure SET traces = %(traces)s WHERE erasure_id = %(erasure_id)s;

-- basis_insert -- why the business says that it may use a customer's data for a purpose
INSERT INTO contact_basis (business_id, contact_id, purpose, basis, evidence, at)
VALUES (%(business_id)s, %(contact_id)s, %(purpose)s, %(basis)s, %(evidence)s, %(now)s);

-- bases_told -- the latest word on each purpose
SELECT DISTINCT ON (purpose) purpose, basis, evidence, at AS since FROM contact_basis
WHERE contact_id = %(contact_id)s ORDER BY purpose, contact_basis_id DESC;

-- basis_facts -- what the record itself says: since when there is a customer, an invoice (a draft without a number is
-- none yet), a consent
SELECT k.created_at AS known_since,
       (SELECT min(i.created_at) FROM invoice_draft i WHERE i.contact_id = k.contact_id
           AND i.status = 'ready') AS invoiced_since,
       m.given AS consented, m.source AS consent_source, m.evidence AS consent_evidence, m.at AS consent_at,
       k.opted_out_at
FROM contact k LEFT JOIN LATERAL (
    SELECT given, source, evidence, at FROM marketing_consent c WHERE c.contact_id = k.contact_id
    ORDER BY at DESC, marketing_consent_id DESC LIMIT 1) m ON true
WHERE k.contact_id = %(contact_id)s;

-- webhooks_forget -- raw bodies older than that
SELECT forget_webhooks(%(older_than)s);

-- threads_forget -- what threads of conversations closed longer ago remembered
SELECT forget_threads(%(older_than)s, %(most)s);

-- threads_prune -- what threads of open conversations remember of turns long over
SELECT last, threads, pruned FROM prune_threads(%(turns)s, %(after)s, %(most)s);

-- events_forget -- work that was done longer ago
SELECT forget_events(%(older_than)s, %(most)s);

-- contacts_out_of_time -- customers not heard of for that long
SELECT business_id, contact_id FROM contacts_out_of_time(%(older_than)s, %(most)s);

-- restored_outbox_hold -- what was on its way out in a backup may have gone out since
UPDATE outbox SET state = 'held', error = 'restored from a backup: it may have gone out since'
WHERE state IN ('queued', 'sending', 'unknown');

-- restored_campaigns_pause -- a person decides whether they go on
UPDATE campaign SET state = 'paused', note = 'restored from a backup: look which recipients it reached since'
WHERE state IN ('scheduled', 'running');
