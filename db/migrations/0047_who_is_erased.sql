-- Whoever was merged twice was erased in the emptied entry between, and stayed in the one that stands. An entry that
-- was merged leads to the one that stands in one step: a merge sees to it, and chains of before are shortened.
WITH RECURSIVE way AS (
    SELECT contact_id, merged_into AS next FROM contact WHERE merged_into IS NOT NULL
    UNION
    SELECT w.contact_id, k.merged_into FROM way w JOIN contact k ON k.contact_id = w.next
    WHERE k.merged_into IS NOT NULL)
UPDATE contact c SET merged_into = w.next FROM way w JOIN contact k ON k.contact_id = w.next
WHERE c.contact_id = w.contact_id AND k.merged_into IS NULL AND c.merged_into <> w.next;

-- As before, but for entries that were merged: they are empty, and the one that stands has a time of its own.
CREATE OR REPLACE FUNCTION contacts_out_of_time(older_than interval, most int)
RETURNS TABLE (business_id bigint, contact_id bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT k.business_id, k.contact_id FROM contact k
       WHERE k.erased_at IS NULL AND k.merged_into IS NULL
         AND coalesce(k.last_seen_at, k.created_at) < now() - older_than
         AND NOT EXISTS (SELECT FROM handoff h JOIN conversation c USING (conversation_id)
                         WHERE c.contact_id = k.contact_id AND h.status IN ('open', 'claimed'))
         AND NOT EXISTS (SELECT FROM appointment a WHERE a.contact_id = k.contact_id
                         AND a.status IN ('held', 'booked') AND upper(a.during) > now())
         AND NOT EXISTS (SELECT FROM ticket t WHERE t.contact_id = k.contact_id AND t.status <> 'closed')
         AND NOT EXISTS (SELECT FROM invoice_draft i WHERE i.contact_id = k.contact_id AND i.status = 'ready')
       ORDER BY k.contact_id LIMIT most $$;

-- As before, but for whoever was erased: a status that came later found their message by our reference, and wrote
-- WhatsApp's id, which carries the phone number, back into it. One that comes while they are erased waits for that;
-- the customer is locked before the message, as an erasure does.
CREATE OR REPLACE FUNCTION status_taken(business bigint, said_of text, reference bigint, came text, came_at timestamptz,
    code int, title text, moment timestamptz)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    ours bigint;
BEGIN
    UPDATE message m SET status = status_after(m.status, came) WHERE m.wamid = said_of RETURNING m.message_id INTO ours;
    IF ours IS NULL AND NOT EXISTS (SELECT FROM outbox_failure f WHERE f.wamid = said_of) THEN
        SELECT m.message_id INTO ours
        FROM outbox o JOIN message m USING (message_id) JOIN contact k ON k.contact_id = m.contact_id
        WHERE o.outbox_id = reference AND k.erased_at IS NULL FOR KEY SHARE OF k;
        UPDATE message m SET status = status_after(m.status, came), wamid = coalesce(m.wamid, said_of)
        WHERE m.message_id = ours;
    END IF;
    IF ours IS NULL THEN
        RETURN NULL;
    END IF;
    INSERT INTO message_status (business_id, message_id, status, at, error_code, error_title)
    VALUES (business, ours, came, came_at, code, title) ON CONFLICT DO NOTHING;
    -- A row that was given up, or waits for another try, has arrived all the same.
    UPDATE outbox o SET state = 'accepted', settled_at = moment, error = NULL, error_code = NULL
    WHERE o.outbox_id = reference
      AND (o.state IN ('sending', 'unknown') OR (o.state IN ('queued', 'held', 'refused') AND o.attempts > 0));
    RETURN ours;
END $$;
