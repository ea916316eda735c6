-- trail_looked -- somebody saw a customer's data, or a list; the same again within the span is not written down
INSERT INTO access_log (business_id, agent_id, what, contact_id, subject_id, via, address, at, span)
SELECT %(business_id)s, %(agent_id)s::bigint, %(what)s::text, c.id, %(subject_id)s::bigint, %(via)s::text,
       %(address)s::text, %(now)s, %(span)s
FROM unnest(%(contacts)s::bigint[]) AS c (id)
ON CONFLICT DO NOTHING;

-- trail_looked_at_message -- the same for what hangs on a message
INSERT INTO access_log (business_id, agent_id, what, contact_id, subject_id, via, address, at, span)
SELECT m.business_id, %(agent_id)s::bigint, %(what)s::text, m.contact_id, m.message_id, %(via)s::text,
       %(address)s::text, %(now)s, %(span)s
FROM message m WHERE m.message_id = %(message_id)s
ON CONFLICT DO NOTHING;

-- trail_did -- somebody changed something that keeps no word of it itself
INSERT INTO access_log (business_id, agent_id, what, contact_id, subject_id, via, address, detail, at, span)
VALUES (%(business_id)s, %(agent_id)s, %(what)s, %(contact_id)s, %(subject_id)s, %(via)s, %(address)s, %(detail)s,
        %(now)s, extract(epoch FROM %(now)s::timestamptz) * 1000000)
ON CONFLICT DO NOTHING;

-- trail_of_agent -- somebody came in or failed to, or was given other means to
SELECT agent_noted(%(whose)s, %(agent_id)s, %(what)s, %(via)s, %(address)s, %(detail)s, %(now)s);

-- trail_membership -- by the operator: somebody works for one more business, or as something else
INSERT INTO access_log (business_id, what, subject_id, via, detail, at, span)
SELECT b.business_id, 'membership', %(whose)s, 'terminal', %(role)s, %(now)s,
       extract(epoch FROM %(now)s::timestamptz) * 1000000
FROM business b WHERE b.slug = %(slug)s ON CONFLICT DO NOTHING;

-- trail_agent -- somebody of the business, also who may no longer log in
SELECT a.agent_id FROM agent a WHERE lower(a.email) = lower(%(email)s);

-- trail_forget -- what is older, of all tenants
SELECT forget_accesses(%(older_than)s, %(most)s);

-- trail_entries -- one customer's entries, the ones merged into it too
SELECT contact_id FROM contact WHERE contact_id = %(contact_id)s OR merged_into = %(contact_id)s;

-- trail_of_contact -- when a customer's data was looked at, and what of it: for the customer, so without by whom
SELECT a.what, a.via, a.at FROM access_log a
WHERE a.contact_id = ANY (ARRAY(
    SELECT contact_id FROM contact WHERE contact_id = %(contact_id)s OR merged_into = %(contact_id)s))
ORDER BY a.at, a.access_log_id;

-- trail_page -- who looked, came in and changed something, the latest first
SELECT t.kind, t.what, t.at, t.agent_id, n.name AS agent_name, t.contact_id, k.name AS contact_name, t.subject_id,
       s.name AS subject_name, t.detail, t.via, t.address
FROM (
    (SELECT CASE WHEN a.what IN ('login', 'login_provider', 'login_failed', 'logout', 'password', 'token', 'disabled',
                                 'membership') THEN 'entry'
                 WHEN a.what IN ('message', 'sent_again', 'canned_reply', 'document_added', 'document_dated',
                                 'document_deleted') THEN 'change'
                 ELSE 'look' END AS kind,
            a.what, a.at, a.agent_id, a.contact_id, a.subject_id, a.detail, a.via, a.address, a.access_log_id AS number
     FROM access_log a
     WHERE (%(agent_id)s::bigint IS NULL OR a.agent_id = %(agent_id)s)
       AND (%(contacts)s::bigint[] IS NULL OR a.contact_id = ANY (%(contacts)s))
       AND a.at >= %(since)s AND a.at < %(until)s
     ORDER BY a.at DESC, a.access_log_id DESC LIMIT %(most)s::int + %(skip)s::int)
    UNION ALL
    (SELECT 'change', 'setting', c.at, c.agent_id, NULL, NULL, c.setting || ': ' || c.before || ' → ' || c.after, '',
            '', c.setting_change_id
     FROM setting_change c
     WHERE (%(agent_id)s::bigint IS NULL OR c.agent_id = %(agent_id)s) AND %(contacts)s::bigint[] IS NULL
       AND c.at >= %(since)s AND c.at < %(until)s
     ORDER BY c.at DESC, c.setting_change_id DESC LIMIT %(most)s::int + %(skip)s::int)
    UNION ALL
    (SELECT 'change', h.kind, h.at, h.agent_id, v.contact_id, v.conversation_id, '', '', '', h.handoff_step_id
     FROM handoff_step h JOIN handoff o USING (handoff_id) JOIN conversation v ON v.conversation_id = o.conversation_id
     WHERE (CASE WHEN %(agent_id)s::bigint IS NULL THEN h.agent_id IS NOT NULL ELSE h.agent_id = %(agent_id)s END)
       AND (%(contacts)s::bigint[] IS NULL OR v.contact_id = ANY (%(contacts)s))
       AND h.at >= %(since)s AND h.at < %(until)s
     ORDER BY h.at DESC, h.handoff_step_id DESC LIMIT %(most)s::int + %(skip)s::int)
    UNION ALL
    (SELECT 'change', 'note', c.at, c.agent_id, v.contact_id, v.conversation_id, '', '', '', c.conversation_note_id
     FROM conversation_note c JOIN conversation v USING (conversation_id)
     WHERE (%(agent_id)s::bigint IS NULL OR c.agent_id = %(agent_id)s)
       AND (%(contacts)s::bigint[] IS NULL OR v.contact_id = ANY (%(contacts)s))
       AND c.at >= %(since)s AND c.at < %(until)s
     ORDER BY c.at DESC, c.conversation_note_id DESC LIMIT %(most)s::int + %(skip)s::int)
    UNION ALL
    (SELECT 'change', e.kind, e.at, e.agent_id, e.contact_id, e.subject_id, '', '', '', e.crm_event_id
     FROM crm_event e
     WHERE e.agent_id IS NOT NULL AND (%(agent_id)s::bigint IS NULL OR e.agent_id = %(agent_id)s)
       AND (%(contacts)s::bigint[] IS NULL OR e.contact_id = ANY (%(contacts)s))
       AND e.at >= %(since)s AND e.at < %(until)s
     ORDER BY e.at DESC, e.crm_event_id DESC LIMIT %(most)s::int + %(skip)s::int)
    UNION ALL
    (SELECT 'change', CASE WHEN p.status = 'rejected' THEN 'fact_rejected' ELSE 'fact_accepted' END, p.decided_at,
            p.agent_id, NULL, p.proposal_id, p.subject_name || ' ' || p.field, '', '', p.proposal_id
     FROM fact_proposal p
     WHERE p.agent_id IS NOT NULL AND (%(agent_id)s::bigint IS NULL OR p.agent_id = %(agent_id)s)
       AND %(contacts)s::bigint[] IS NULL AND p.decided_at >= %(since)s AND p.decided_at < %(until)s
     ORDER BY p.decided_at DESC, p.proposal_id DESC LIMIT %(most)s::int + %(skip)s::int)
    UNION ALL
    (SELECT 'change', 'erased', e.at, NULL, e.contact_id, e.erasure_id, '', '', '', e.erasure_id
     FROM erasure e
     WHERE %(agent_id)s::bigint IS NULL AND (%(contacts)s::bigint[] IS NULL OR e.contact_id = ANY (%(contacts)s))
       AND e.at >= %(since)s AND e.at < %(until)s
     ORDER BY e.at DESC, e.erasure_id DESC LIMIT %(most)s::int + %(skip)s::int)
) t
LEFT JOIN agent n ON n.agent_id = t.agent_id
LEFT JOIN agent s ON t.kind = 'entry' AND s.agent_id = t.subject_id AND s.agent_id IS DISTINCT FROM t.agent_id
LEFT JOIN contact k ON k.contact_id = t.contact_id
ORDER BY t.at DESC, t.kind, t.number DESC LIMIT %(most)s::int OFFSET %(skip)s::int;
