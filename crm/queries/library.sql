-- library -- the documents of a business, with their passages
SELECT d.document_id, d.path, d.title, d.language, d.valid_from, d.valid_until, d.dated_by_hand,
       d.ingested_at,
       (SELECT count(*) FROM chunk c WHERE c.document_id = d.document_id) AS passages
FROM document d ORDER BY d.path;

-- library_drop -- SARA knows it no more
DELETE FROM document WHERE document_id = %(document_id)s RETURNING path;

-- library_validity -- from when to when a document holds; a section that says so itself may begin later or end sooner
WITH before AS (SELECT document_id, valid_from, valid_until FROM document WHERE document_id = %(document_id)s FOR UPDATE),
-- What differs from its document's days is a section's own, also where whoever wrote it down did not say so.
own AS (
    SELECT c.id, coalesce(c.own_from, nullif(c.valid_from, coalesce(b.valid_from, '-infinity'))) AS starts,
           coalesce(c.own_until, nullif(c.valid_until, coalesce(b.valid_until, 'infinity'))) AS ends
    FROM chunk c JOIN before b USING (document_id)),
passages AS (
    UPDATE chunk c SET own_from = own.starts, own_until = own.ends,
           valid_from = greatest(%(valid_from)s::date, own.starts, '-infinity'),
           valid_until = least(%(valid_until)s::date, own.ends, 'infinity')
    FROM own WHERE c.id = own.id)
UPDATE document d SET valid_from = %(valid_from)s, valid_until = %(valid_until)s, dated_by_hand = true
FROM before b, business n WHERE d.document_id = b.document_id AND n.business_id = d.business_id
RETURNING d.path, (%(now)s AT TIME ZONE n.time_zone)::date
    BETWEEN coalesce(d.valid_from, '-infinity') AND coalesce(d.valid_until, 'infinity') AS today;
