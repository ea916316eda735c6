-- place_insert -- the place a message shows
INSERT INTO message_place (business_id, message_id, latitude, longitude, name, address)
VALUES (%(business_id)s, %(message_id)s, %(latitude)s, %(longitude)s, %(name)s, %(address)s);

-- place -- the place a message shows
SELECT latitude, longitude, name, address FROM message_place WHERE message_id = %(message_id)s;

-- referral_insert -- the advertisement pressed before a message
INSERT INTO message_referral (business_id, message_id, source_type, source_id, source_url, headline, body, click_id)
VALUES (%(business_id)s, %(message_id)s, %(source_type)s, %(source_id)s, %(source_url)s, %(headline)s, %(body)s,
        %(click_id)s);

-- message_to_change -- a message that is edited or taken back, and whether the graph has yet to see it: a turn that
-- runs has read the old words, though its events are done only with its reply
SELECT m.message_id, m.conversation_id, m.body, m.deleted_at IS NOT NULL AS deleted, e.event_id,
       e.event_id IS NOT NULL AND e.done_at IS NULL AND NOT EXISTS (
           SELECT FROM procrastinate_jobs j WHERE j.lock = 'conv:' || m.conversation_id AND j.status = 'doing') AS unseen
FROM message m LEFT JOIN inbox_event e USING (message_id) WHERE m.wamid = %(wamid)s FOR UPDATE OF m;

-- message_edit -- other words; the first stay readable
UPDATE message SET body = %(body)s, earlier_body = coalesce(earlier_body, body), edited_at = %(at)s
WHERE message_id = %(message_id)s AND deleted_at IS NULL;

-- message_take_back -- no words any more
UPDATE message SET body = '', earlier_body = NULL, transcript = NULL, media_id = NULL, deleted_at = %(at)s
WHERE message_id = %(message_id)s AND deleted_at IS NULL;

-- copies_take_back -- nor in the messages by which it was changed once it had been seen; those not seen yet never are
WITH original AS (SELECT conversation_id, wamid FROM message WHERE message_id = %(message_id)s),
     gone AS (UPDATE message m SET body = '', transcript = NULL, deleted_at = %(at)s FROM original o
              WHERE m.conversation_id = o.conversation_id AND m.kind = 'edit' AND m.reply_to_wamid = o.wamid
                AND m.deleted_at IS NULL
              RETURNING m.message_id, m.conversation_id)
UPDATE inbox_event e SET done_at = %(now)s FROM gone g
WHERE e.message_id = g.message_id AND e.done_at IS NULL AND NOT EXISTS (
    SELECT FROM procrastinate_jobs j WHERE j.lock = 'conv:' || g.conversation_id AND j.status = 'doing');

-- file_take_back -- nor its file
DELETE FROM inbound_file WHERE message_id = %(message_id)s;

-- recording_take_back -- nor its sound
DELETE FROM recording WHERE message_id = %(message_id)s;

-- event_drop -- the graph need not see it
UPDATE inbox_event SET done_at = %(now)s WHERE event_id = %(event_id)s AND done_at IS NULL;

-- message_taken_back -- whether a message was taken back before it came
SELECT message_id FROM message WHERE kind = 'revoke' AND reply_to_wamid = %(wamid)s LIMIT 1;

-- contact_find -- a customer there is, by either identity
SELECT contact_id FROM contact WHERE wa_id = %(wa_id)s OR bsuid = %(bsuid)s ORDER BY (wa_id = %(wa_id)s) DESC NULLS LAST
LIMIT 1;

-- contact_move -- a customer has another number; returns the number and the user id they had
WITH had AS (SELECT contact_id, wa_id, bsuid FROM contact WHERE contact_id = %(contact_id)s FOR UPDATE)
UPDATE contact k SET wa_id = coalesce(%(wa_id)s, k.wa_id), bsuid = coalesce(%(bsuid)s, k.bsuid)
FROM had WHERE k.contact_id = had.contact_id RETURNING had.wa_id, had.bsuid;

-- file_of_message -- what has to be fetched
SELECT m.message_id, m.media_id, m.media_sha256, m.kind, c.phone_number_id, f.message_id IS NOT NULL AS kept
FROM message m JOIN conversation c USING (conversation_id) LEFT JOIN inbound_file f USING (message_id)
WHERE m.message_id = %(message_id)s;

-- inbound_file_keep -- a customer's file, or why there is none; nothing of one that was taken back meanwhile
INSERT INTO inbound_file (business_id, message_id, sealed, bytes, problem, kept_at)
SELECT %(business_id)s, message_id, %(sealed)s::bytea, %(bytes)s::int, %(problem)s::text, %(now)s FROM message
WHERE message_id = %(message_id)s AND deleted_at IS NULL
FOR SHARE
ON CONFLICT DO NOTHING;

-- inbound_file -- a customer's file
SELECT sealed, problem FROM inbound_file WHERE message_id = %(message_id)s;

-- inbound_files_forget -- what was kept for longer, over all tenants
SELECT forget_inbound_files(%(older_than)s);
