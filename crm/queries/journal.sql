-- journal_appointments -- what a customer has booked
SELECT s.key AS service, r.key AS resource, a.status, a.price, a.people, lower(a.during) AS starts,
       to_char(lower(a.during) AT TIME ZONE l.time_zone, 'HH24:MI') AS at, a.moved_at IS NOT NULL AS moved
FROM appointment a JOIN service s USING (service_id) JOIN resource r USING (resource_id)
JOIN location l USING (location_id) WHERE a.contact_id = %(contact_id)s ORDER BY a.appointment_id;

-- journal_quotes -- the quotes of a customer
SELECT q.number, q.status, q.currency, q.language, q.request,
       (SELECT sum(round(l.quantity * l.unit_price, 2)) FROM quote_line l WHERE l.quote_id = q.quote_id) AS total,
       q.valid_until - (q.issued_at AT TIME ZONE b.time_zone)::date AS valid_days
FROM quote q JOIN business b USING (business_id) WHERE q.contact_id = %(contact_id)s ORDER BY q.quote_id;

-- journal_quote_lines -- and their lines
SELECT l.description, l.quantity, l.unit_price, l.vat_rate, l.vat_nature, s.key AS service
FROM quote_line l JOIN quote q USING (quote_id) LEFT JOIN service s USING (service_id)
WHERE q.contact_id = %(contact_id)s ORDER BY l.quote_id, l.ordinal;

-- journal_invoices -- the invoice drafts of a customer
SELECT status, currency, language, number, missing, CASE WHEN quote_id IS NULL THEN 'appointment' ELSE 'quote' END AS of
FROM invoice_draft WHERE contact_id = %(contact_id)s ORDER BY invoice_draft_id;

-- journal_invoice_lines -- and their lines
SELECT l.description, l.quantity, l.unit_price, l.vat_rate, l.vat_nature
FROM invoice_draft_line l JOIN invoice_draft d USING (invoice_draft_id)
WHERE d.contact_id = %(contact_id)s ORDER BY l.invoice_draft_id, l.ordinal;

-- journal_files -- the files made for a customer, by their first bytes
SELECT kind, filename, mime_type, encode(substring(content FOR 5), 'escape') AS begins, length(content) AS bytes
FROM stored_file WHERE contact_id = %(contact_id)s ORDER BY file_id;

-- journal_documents -- the files sent to a customer, and what became of them
SELECT m.media_filename AS filename, m.body AS caption, o.state
FROM message m JOIN outbox o USING (message_id)
WHERE m.contact_id = %(contact_id)s AND m.kind = 'document' ORDER BY m.message_id;

-- journal_tickets -- the reports of a customer; the times in minutes since it was opened
SELECT status, queue, priority, description, (extract(epoch FROM answer_due - created_at) / 60)::int AS answer_minutes,
       (extract(epoch FROM solve_due - created_at) / 60)::int AS solve_minutes
FROM ticket WHERE contact_id = %(contact_id)s ORDER BY ticket_id;

-- journal_leads -- the leads of a customer
SELECT wish, score, stage FROM lead WHERE contact_id = %(contact_id)s ORDER BY lead_id;

-- journal_lead_answers -- what was answered about them
SELECT a.key, a.answer FROM lead_answer a JOIN lead l USING (lead_id)
WHERE l.contact_id = %(contact_id)s ORDER BY a.lead_id, a.key;

-- journal_stages -- how they moved along the pipeline, and why
SELECT s.from_stage, s.to_stage, e.kind AS because
FROM stage_change s JOIN lead l USING (lead_id) LEFT JOIN crm_event e USING (crm_event_id)
WHERE l.contact_id = %(contact_id)s ORDER BY s.stage_change_id;

-- journal_lifecycle -- how the customer rose and slept, and why
SELECT c.from_lifecycle, c.to_lifecycle, e.kind AS because
FROM lifecycle_change c LEFT JOIN crm_event e USING (crm_event_id)
WHERE c.contact_id = %(contact_id)s ORDER BY c.lifecycle_change_id;

-- journal_contact -- the customer
SELECT name, email, language, told_language, lifecycle, opted_out_at IS NOT NULL AS opted_out
FROM contact WHERE contact_id = %(contact_id)s;

-- journal_billing -- who pays for the customer
SELECT name, vat_number, tax_code, street, postal_code, city, province, country
FROM contact_fiscal WHERE contact_id = %(contact_id)s;

-- journal_follow_ups -- what somebody has to do for the customer
SELECT f.kind, f.status, f.queue, a.name AS agent, f.due_at FROM follow_up f LEFT JOIN agent a USING (agent_id)
WHERE f.contact_id = %(contact_id)s ORDER BY f.follow_up_id;

-- journal_events -- what happened, in order
SELECT kind, detail FROM crm_event WHERE contact_id = %(contact_id)s ORDER BY crm_event_id;

-- journal_hooks -- what it set in motion outside of the record
SELECT e.kind AS because, h.target, h.state FROM event_hook h JOIN crm_event e USING (crm_event_id)
WHERE e.contact_id = %(contact_id)s ORDER BY h.event_hook_id;

-- journal_handoffs -- the hand-overs to people
SELECT h.reason, h.queue, h.status, h.wants FROM handoff h JOIN conversation c USING (conversation_id)
WHERE c.contact_id = %(contact_id)s ORDER BY h.handoff_id;

-- journal_waiting -- what a customer waits for, or waited for
SELECT s.key AS service, w.people, w.status, w.language FROM waiting w JOIN service s USING (service_id)
WHERE w.contact_id = %(contact_id)s ORDER BY w.waiting_id;

-- journal_reminders -- what a customer was reminded of
SELECT m.hours, m.starts FROM reminder m JOIN appointment a USING (appointment_id)
WHERE a.contact_id = %(contact_id)s ORDER BY m.starts, m.hours DESC;
