-- recording_keep -- the sound of a voice note, encrypted; a turn that runs again keeps it once, and nothing of one
-- that was taken back while it was fetched
INSERT INTO recording (message_id, business_id, sealed, bytes, kept_at)
SELECT message_id, %(business_id)s, %(sealed)s::bytea, %(bytes)s, %(now)s FROM message
WHERE message_id = %(message_id)s AND deleted_at IS NULL
FOR SHARE
ON CONFLICT (message_id) DO NOTHING;

-- recording -- the sound of a voice note, encrypted
SELECT r.sealed, m.media_mime_type AS mime_type FROM recording r JOIN message m USING (message_id)
WHERE r.message_id = %(message_id)s;

-- recordings_forget -- over all tenants: what was kept for longer
SELECT forget_recordings(%(older_than)s);
