-- quote_insert -- a customer asks what something would cost
INSERT INTO quote (business_id, contact_id, conversation_id, currency, request, idempotency_key, language, created_at)
VALUES (%(business_id)s, %(contact_id)s, %(conversation_id)s, %(currency)s, %(request)s, %(idempotency_key)s,
        %(language)s, %(now)s)
ON CONFLICT (business_id, idempotency_key) DO NOTHING
RETURNING quote_id;

-- quote_line_insert -- one line of a quote
INSERT INTO quote_line (business_id, quote_id, ordinal, service_id, description, quantity, unit_price)
VALUES (%(business_id)s, %(quote_id)s, %(ordinal)s, %(service_id)s, %(description)s, %(quantity)s, %(unit_price)s);

-- quote_by_key -- the quote an earlier try of the same turn made
SELECT quote_id FROM quote WHERE idempotency_key = %(idempotency_key)s;

-- quote -- one quote
SELECT quote_id, contact_id, conversation_id, status, number, currency, language, request, created_at, issued_at,
       valid_until
FROM quote WHERE quote_id = %(quote_id)s;

-- quote_lock -- one quote, for whoever decides about it
SELECT quote_id, contact_id, conversation_id, status, number, currency, language, request, created_at, issued_at,
       valid_until
FROM quote WHERE quote_id = %(quote_id)s FOR UPDATE;

-- quote_lines -- its lines, with the VAT they have or will have
SELECT l.ordinal, l.service_id, l.description, l.quantity, l.unit_price,
       coalesce(l.vat_rate, s.vat_rate, f.vat_rate) AS vat_rate,
       CASE WHEN l.vat_rate IS NOT NULL THEN l.vat_nature WHEN s.vat_rate IS NOT NULL THEN s.vat_nature
            ELSE f.vat_nature END AS vat_nature
FROM quote_line l LEFT JOIN service s USING (service_id) LEFT JOIN business_fiscal f ON f.business_id = l.business_id
WHERE l.quote_id = %(quote_id)s ORDER BY l.ordinal;

-- quote_line_price -- a person has priced a line
UPDATE quote_line SET unit_price = %(unit_price)s
WHERE quote_id = %(quote_id)s AND ordinal = %(ordinal)s
  AND EXISTS (SELECT 1 FROM quote q WHERE q.quote_id = quote_line.quote_id AND q.status = 'requested');

-- quote_line_vat -- the VAT a line is issued with
UPDATE quote_line SET vat_rate = %(vat_rate)s, vat_nature = %(vat_nature)s
WHERE quote_id = %(quote_id)s AND ordinal = %(ordinal)s;

-- quote_issue -- it is binding from here on
UPDATE quote SET status = 'issued', number = %(number)s, issued_at = %(now)s, valid_until = %(valid_until)s
WHERE quote_id = %(quote_id)s;

-- quote_decide -- accepted, declined or expired
UPDATE quote SET status = %(status)s, decided_at = %(now)s WHERE quote_id = %(quote_id)s;

-- quotes_of_contact -- a customer's open quotes, the latest first
SELECT quote_id, contact_id, conversation_id, status, number, currency, language, request, created_at, issued_at,
       valid_until
FROM quote WHERE contact_id = %(contact_id)s AND status IN ('requested', 'issued') ORDER BY quote_id DESC;

-- quote_by_number -- a customer's quote by the number it was issued with
SELECT quote_id, contact_id, conversation_id, status, number, currency, language, request, created_at, issued_at,
       valid_until
FROM quote WHERE contact_id = %(contact_id)s AND number = %(number)s;

-- quotes_open -- what customers wait for, the longest waiting first
SELECT quote_id, contact_id, conversation_id, status, number, currency, language, request, created_at, issued_at,
       valid_until
FROM quote WHERE status IN ('requested', 'issued') ORDER BY quote_id;

-- quotes_overdue -- issued quotes past their day
SELECT quote_id, contact_id, conversation_id, status, number, currency, language, request, created_at, issued_at,
       valid_until
FROM quote WHERE status = 'issued' AND valid_until < %(today)s FOR UPDATE SKIP LOCKED;

-- document_number -- the next number of a yearly series
INSERT INTO document_series (business_id, kind, year, last) VALUES (%(business_id)s, %(kind)s, %(year)s, 1)
ON CONFLICT (business_id, kind, year) DO UPDATE SET last = document_series.last + 1
RETURNING last;

-- fiscal -- who the business is to the tax office
SELECT f.legal_name, f.vat_number, f.tax_code, f.regime, f.street, f.postal_code, f.city, f.province, f.country,
       f.vat_rate, f.vat_nature, f.quote_valid_days, f.quote_limit, b.time_zone, b.email, b.display_phone AS phone
FROM business_fiscal f JOIN business b USING (business_id) WHERE f.business_id = %(business_id)s;

-- contact_fiscal -- who pays
SELECT name, vat_number, tax_code, street, postal_code, city, province, country, sdi_code, pec
FROM contact_fiscal WHERE contact_id = %(contact_id)s;

-- contact_fiscal_put -- what a customer told of who pays; what was not told now stays
INSERT INTO contact_fiscal (business_id, contact_id, name, vat_number, tax_code, street, postal_code, city, province,
    country, sdi_code, pec)
VALUES (%(business_id)s, %(contact_id)s, %(name)s, %(vat_number)s, %(tax_code)s, %(street)s, %(postal_code)s, %(city)s,
    %(province)s, %(country)s, %(sdi_code)s, %(pec)s)
ON CONFLICT (contact_id) DO UPDATE SET name = EXCLUDED.name,
    vat_number = coalesce(EXCLUDED.vat_number, contact_fiscal.vat_number),
    tax_code = coalesce(EXCLUDED.tax_code, contact_fiscal.tax_code),
    street = coalesce(EXCLUDED.street, contact_fiscal.street),
    postal_code = coalesce(EXCLUDED.postal_code, contact_fiscal.postal_code),
    city = coalesce(EXCLUDED.city, contact_fiscal.city),
    province = coalesce(EXCLUDED.province, contact_fiscal.province), country = EXCLUDED.country,
    sdi_code = coalesce(EXCLUDED.sdi_code, contact_fiscal.sdi_code), pec = coalesce(EXCLUDED.pec, contact_fiscal.pec);
