-- library -- the documents of a business, with their passages
SELECT d.document_id, d.path, d.title, d.language, d.valid_from, d.valid_until, d.ingested_at,
       (SELECT count(*) FROM chunk c WHERE c.document_id = d.document_id) AS passages
FROM document d ORDER BY d.path;

-- library_drop -- SARA knows it no more
DELETE FROM document WHERE document_id = %(document_id)s RETURNING path;

-- library_validity -- from when to when a document holds; sections that say so themselves keep what they say
WITH before AS (SELECT document_id, valid_from, valid_until FROM document WHERE document_id = %(document_id)s FOR UPDATE),
passages AS (
    UPDATE chunk c SET valid_from = coalesce(%(valid_from)s::date, '-infinity'),
           valid_until = coalesce(%(valid_until)s::date, 'infinity')
    FROM before b WHERE c.document_id = b.document_id AND c.valid_from = coalesce(b.valid_from, '-infinity')
      AND c.valid_until = coalesce(b.valid_until, 'infinity'))
UPDATE document d SET valid_from = %(valid_from)s, valid_until = %(valid_until)s
FROM before b WHERE d.document_id = b.document_id RETURNING d.path;
