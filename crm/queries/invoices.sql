-- invoice_insert -- the draft of a quote or of an appointment, once
INSERT INTO invoice_draft (business_id, contact_id, conversation_id, quote_id, appointment_id, currency, language,
    created_at)
VALUES (%(business_id)s, %(contact_id)s, %(conversation_id)s, %(quote_id)s, %(appointment_id)s, %(currency)s,
    %(language)s, %(now)s)
ON CONFLICT DO NOTHING
RETURNING invoice_draft_id;

-- invoice_line_insert -- one line of a draft
INSERT INTO invoice_draft_line (business_id, invoice_draft_id, ordinal, description, quantity, unit_price, vat_rate,
    vat_nature)
VALUES (%(business_id)s, %(invoice_draft_id)s, %(ordinal)s, %(description)s, %(quantity)s, %(unit_price)s,
    %(vat_rate)s, %(vat_nature)s);

-- invoice_of -- the draft of a quote or of an appointment
SELECT invoice_draft_id, contact_id, conversation_id, quote_id, appointment_id, status, currency, language, number,
       invoice_date, missing
FROM invoice_draft WHERE quote_id = %(quote_id)s OR appointment_id = %(appointment_id)s FOR UPDATE;

-- invoice -- one draft
SELECT invoice_draft_id, contact_id, conversation_id, quote_id, appointment_id, status, currency, language, number,
       invoice_date, missing
FROM invoice_draft WHERE invoice_draft_id = %(invoice_draft_id)s;

-- invoices_of_contact -- a customer's drafts, the latest first
SELECT invoice_draft_id, contact_id, conversation_id, quote_id, appointment_id, status, currency, language, number,
       invoice_date, missing
FROM invoice_draft WHERE contact_id = %(contact_id)s ORDER BY invoice_draft_id DESC;

-- invoice_lines -- its lines
SELECT description, quantity, unit_price, vat_rate, vat_nature
FROM invoice_draft_line WHERE invoice_draft_id = %(invoice_draft_id)s ORDER BY ordinal;

-- invoice_ready -- there is something to pay
UPDATE invoice_draft SET status = 'ready', number = %(number)s, invoice_date = %(invoice_date)s
WHERE invoice_draft_id = %(invoice_draft_id)s AND status = 'pending';

-- invoice_void -- there is nothing to pay
UPDATE invoice_draft SET status = 'void' WHERE invoice_draft_id = %(invoice_draft_id)s AND status = 'pending';

-- invoice_missing -- what keeps the electronic invoice from being written
UPDATE invoice_draft SET missing = %(missing)s WHERE invoice_draft_id = %(invoice_draft_id)s;

-- booked_service -- what an appointment is for, as it goes on an invoice
SELECT a.appointment_id, a.contact_id, a.conversation_id, a.status, a.price, s.key AS service_key, s.price_unit,
       upper(a.during) AS ends, c.language, b.currency,
       coalesce(s.vat_rate, f.vat_rate) AS vat_rate,
       CASE WHEN s.vat_rate IS NOT NULL THEN s.vat_nature ELSE f.vat_nature END AS vat_nature,
       coalesce((SELECT n.name FROM service_name n WHERE n.service_id = s.service_id AND n.language = c.language
                 AND n.ordinal = 0),
                (SELECT n.name FROM service_name n WHERE n.service_id = s.service_id AND n.ordinal = 0
                 ORDER BY n.language = b.languages[1] DESC LIMIT 1), s.key) AS service_name
FROM appointment a JOIN service s USING (service_id) JOIN contact c USING (contact_id)
JOIN business b ON b.business_id = a.business_id LEFT JOIN business_fiscal f ON f.business_id = a.business_id
WHERE a.appointment_id = %(appointment_id)s;

-- appointment_close -- how an appointment ended: it took place, or nobody came
UPDATE appointment SET status = %(status)s
WHERE appointment_id = %(appointment_id)s AND status = 'booked' RETURNING contact_id;

-- file_insert -- something rendered, once a document
INSERT INTO stored_file (business_id, contact_id, kind, quote_id, invoice_draft_id, filename, mime_type, content,
    created_at)
VALUES (%(business_id)s, %(contact_id)s, %(kind)s, %(quote_id)s, %(invoice_draft_id)s, %(filename)s, %(mime_type)s,
    %(content)s, %(now)s)
ON CONFLICT DO NOTHING
RETURNING file_id;

-- file_of -- the file already made of a document
SELECT file_id FROM stored_file
WHERE kind = %(kind)s AND (quote_id = %(quote_id)s OR invoice_draft_id = %(invoice_draft_id)s);

-- file -- one file with its bytes
SELECT file_id, contact_id, kind, filename, mime_type, content FROM stored_file WHERE file_id = %(file_id)s;

-- files_of_contact -- the files made for a customer
SELECT file_id, contact_id, kind, filename, mime_type, content FROM stored_file
WHERE contact_id = %(contact_id)s ORDER BY file_id;
