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
