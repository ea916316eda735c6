-- Days the team gives a document hold for all of its passages, and stay when its file is taken in again. A passage
-- holds on the days its document does and, where its section says so itself, on those of the section only: the
-- section's own are kept apart, so that a document that is given more days gives them back.
ALTER TABLE document ADD COLUMN dated_by_hand boolean NOT NULL DEFAULT false;
ALTER TABLE chunk ADD COLUMN own_from date, ADD COLUMN own_until date;

-- The trail tells which were dated by hand since their file was taken in. What their sections say of themselves was
-- written down together with the days of the file, and only the file can tell the two apart: it is read anew when it
-- is taken in again, as it is then another than the one known (no file has this digest, and its folder stays).
UPDATE document d
   SET dated_by_hand = true, content_hash = decode(repeat('00', 32), 'hex') || substring(content_hash FROM 33)
 WHERE EXISTS (
    SELECT FROM access_log a
    WHERE a.business_id = d.business_id AND a.what = 'document_dated' AND a.subject_id = d.document_id
      AND a.at > d.ingested_at);

-- Sections that went on after their document had ended, or began before it. A day they share with it is not their own.
UPDATE chunk c SET
       own_from = CASE WHEN c.valid_from <> coalesce(d.valid_from, '-infinity')
                       THEN nullif(c.valid_from, '-infinity') END,
       own_until = CASE WHEN c.valid_until <> coalesce(d.valid_until, 'infinity')
                        THEN nullif(c.valid_until, 'infinity') END,
       valid_from = greatest(c.valid_from, d.valid_from), valid_until = least(c.valid_until, d.valid_until)
FROM document d
WHERE c.document_id = d.document_id AND (d.valid_from IS NOT NULL OR d.valid_until IS NOT NULL)
  AND (c.valid_from < d.valid_from OR c.valid_until > d.valid_until);
