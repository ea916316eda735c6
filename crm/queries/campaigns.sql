-- consent_insert -- a customer allowed marketing or stopped it
INSERT INTO marketing_consent (business_id, contact_id, given, source, evidence, at)
VALUES (%(business_id)s, %(contact_id)s, %(given)s, %(source)s, %(evidence)s, %(at)s);

-- consents_of_contact -- every change of a customer's mind, latest first
SELECT given, source, evidence, at FROM marketing_consent WHERE contact_id = %(contact_id)s
ORDER BY at DESC, marketing_consent_id DESC;

-- campaign_insert -- a campaign, not started
INSERT INTO campaign (business_id, name, phone_number_id, lifecycles, languages, countries, seen_within_days,
    unseen_for_days, service_key, cap_messages, cap_days, per_minute, first_wave, first_wave_seconds, changed_at,
    created_at)
VALUES (%(business_id)s, %(name)s, %(phone_number_id)s, %(lifecycles)s, %(languages)s, %(countries)s,
    %(seen_within_days)s, %(unseen_for_days)s, %(service_key)s, %(cap_messages)s, %(cap_days)s, %(per_minute)s,
    %(first_wave)s, %(first_wave_seconds)s, %(now)s, %(now)s)
ON CONFLICT (business_id, name) DO NOTHING
RETURNING campaign_id;

-- campaign_variant_insert -- what it says
INSERT INTO campaign_variant (business_id, campaign_id, variant, template_name, template_values)
VALUES (%(business_id)s, %(campaign_id)s, %(variant)s, %(template_name)s, %(template_values)s);

-- campaign_variants -- what it says, in order
SELECT variant, template_name, template_values FROM campaign_variant WHERE campaign_id = %(campaign_id)s ORDER BY variant;

-- campaign_by_name -- by its name
SELECT campaign_id FROM campaign WHERE name = %(name)s;

-- campaign -- one campaign
SELECT * FROM campaign WHERE campaign_id = %(campaign_id)s;

-- campaign_lock -- the same, and nobody changes its state meanwhile
SELECT * FROM campaign WHERE campaign_id = %(campaign_id)s FOR NO KEY UPDATE;

-- campaign_share -- the same while messages are handed over, which several processes may do
SELECT * FROM campaign WHERE campaign_id = %(campaign_id)s FOR SHARE;

-- campaigns -- all of them, the latest first
SELECT * FROM campaign ORDER BY campaign_id DESC;

-- campaign_move -- its new state
UPDATE campaign SET state = %(state)s, note = %(note)s, changed_at = %(now)s, starts_at = coalesce(%(starts_at)s, starts_at),
    started_at = CASE WHEN %(state)s = 'running' THEN coalesce(started_at, %(now)s) ELSE started_at END,
    finished_at = CASE WHEN %(state)s IN ('finished', 'cancelled') THEN %(now)s ELSE finished_at END
WHERE campaign_id = %(campaign_id)s;

-- campaign_note -- what it waits for
UPDATE campaign SET note = %(note)s WHERE campaign_id = %(campaign_id)s AND note IS DISTINCT FROM %(note)s;

-- campaign_audience -- who the filter means, and whether they may be written to
SELECT c.contact_id, c.wa_id, coalesce(c.told_language, c.language) AS language, c.opted_out_at IS NOT NULL AS opted_out,
       coalesce((SELECT k.given FROM marketing_consent k WHERE k.contact_id = c.contact_id
                 ORDER BY k.at DESC, k.marketing_consent_id DESC LIMIT 1), false) AS consented,
       (SELECT count(*) FROM campaign_recipient r JOIN message m USING (message_id) JOIN outbox x USING (message_id)
            WHERE r.contact_id = c.contact_id AND r.state = 'handed' AND r.campaign_id <> g.campaign_id
            AND m.status IS DISTINCT FROM 'failed' AND x.state NOT IN ('refused', 'superseded')
            AND r.handed_at > %(now)s - make_interval(days => g.cap_days)) >= g.cap_messages AS capped
FROM campaign g, contact c
WHERE g.campaign_id = %(campaign_id)s
  AND (g.lifecycles = '{}' OR c.lifecycle = ANY (g.lifecycles))
  AND (g.languages = '{}' OR coalesce(c.told_language, c.language) = ANY (g.languages))
  AND (g.seen_within_days IS NULL OR c.last_seen_at > %(now)s - make_interval(days => g.seen_within_days))
  AND (g.unseen_for_days IS NULL
       OR coalesce(c.last_seen_at, c.created_at) < %(now)s - make_interval(days => g.unseen_for_days))
  AND (g.service_key IS NULL OR EXISTS (
       SELECT FROM appointment a JOIN service s USING (service_id)
       WHERE a.contact_id = c.contact_id AND s.key = g.service_key AND a.status IN ('booked', 'completed')))
ORDER BY c.contact_id;

-- campaign_recipients_insert -- who gets it and who does not
INSERT INTO campaign_recipient (campaign_id, contact_id, business_id, variant, state, reason)
SELECT %(campaign_id)s, t.contact_id, %(business_id)s, t.variant,
       CASE WHEN t.reason IS NULL THEN 'waiting' ELSE 'skipped' END, t.reason
FROM unnest(%(contact_ids)s::bigint[], %(variants)s::text[], %(reasons)s::text[]) AS t (contact_id, variant, reason)
ON CONFLICT DO NOTHING;

-- campaign_next -- who is next
SELECT contact_id FROM campaign_recipient
WHERE campaign_id = %(campaign_id)s AND state = 'waiting' AND (not_before IS NULL OR not_before <= %(now)s)
ORDER BY contact_id LIMIT %(most)s;

-- campaign_turn -- one recipient's turn, unless another process has it: all that decides about it
SELECT r.contact_id, r.variant, r.tries, c.wa_id, c.name, coalesce(c.told_language, c.language) AS language,
       c.opted_out_at IS NOT NULL AS opted_out,
       coalesce((SELECT k.given FROM marketing_consent k WHERE k.contact_id = c.contact_id
                 ORDER BY k.at DESC, k.marketing_consent_id DESC LIMIT 1), false) AS consented,
       (SELECT count(*) FROM campaign_recipient o JOIN message m USING (message_id) JOIN outbox x USING (message_id)
            WHERE o.contact_id = c.contact_id AND o.state = 'handed' AND o.campaign_id <> g.campaign_id
            AND m.status IS DISTINCT FROM 'failed' AND x.state NOT IN ('refused', 'superseded')
            AND o.handed_at > %(now)s - make_interval(days => g.cap_days)) >= g.cap_messages AS capped,
       EXISTS (SELECT FROM conversation v WHERE v.contact_id = c.contact_id AND v.status = 'open'
               AND (v.owner = 'human' OR v.last_customer_at > %(now)s - %(talking)s)) AS talking,
       coalesce((g.lifecycles = '{}' OR c.lifecycle = ANY (g.lifecycles))
       AND (g.languages = '{}' OR coalesce(c.told_language, c.language) = ANY (g.languages))
       AND (g.seen_within_days IS NULL OR c.last_seen_at > %(now)s - make_interval(days => g.seen_within_days))
       AND (g.unseen_for_days IS NULL
            OR coalesce(c.last_seen_at, c.created_at) < %(now)s - make_interval(days => g.unseen_for_days))
       AND (g.service_key IS NULL OR EXISTS (
            SELECT FROM appointment a JOIN service s USING (service_id)
            WHERE a.contact_id = c.contact_id AND s.key = g.service_key AND a.status IN ('booked', 'completed'))), false)
       AS meant
FROM campaign_recipient r JOIN campaign g USING (campaign_id) JOIN contact c USING (contact_id)
WHERE r.campaign_id = %(campaign_id)s AND r.contact_id = %(contact_id)s AND r.state = 'waiting'
FOR UPDATE OF r SKIP LOCKED;

-- recipient_handed -- its message is written and in the outbox
UPDATE campaign_recipient SET state = 'handed', handed_at = %(now)s, message_id = %(message_id)s, tries = tries + 1,
       not_before = NULL, reason = NULL
WHERE campaign_id = %(campaign_id)s AND contact_id = %(contact_id)s AND state = 'waiting';

-- recipient_skip -- it will not get it
UPDATE campaign_recipient SET state = 'skipped', reason = %(reason)s
WHERE campaign_id = %(campaign_id)s AND contact_id = %(contact_id)s AND state = 'waiting';

-- recipient_later -- not before
UPDATE campaign_recipient SET not_before = %(not_before)s, reason = %(reason)s
WHERE campaign_id = %(campaign_id)s AND contact_id = %(contact_id)s AND state = 'waiting';

-- recipient_again -- Meta would not have it today: the message it was handed in counts no more
UPDATE campaign_recipient SET state = CASE WHEN tries < %(most_tries)s THEN 'waiting' ELSE state END,
       not_before = %(not_before)s, reason = %(reason)s,
       message_id = CASE WHEN tries < %(most_tries)s THEN NULL ELSE message_id END
WHERE message_id = %(message_id)s AND state = 'handed';

-- recipients_withdrawn -- messages of a campaign that nobody has begun to send
SELECT o.message_id, r.contact_id FROM campaign_recipient r JOIN outbox o USING (message_id)
WHERE r.campaign_id = %(campaign_id)s AND r.state = 'handed' AND o.state = 'queued' AND o.attempts = 0
FOR UPDATE OF o SKIP LOCKED;

-- recipients_back -- they wait again
UPDATE campaign_recipient SET state = 'waiting', handed_at = NULL, message_id = NULL, tries = tries - 1
WHERE campaign_id = %(campaign_id)s AND message_id = ANY (%(message_ids)s);

-- messages_unwritten -- never sent, so never said
DELETE FROM message WHERE message_id = ANY (%(message_ids)s);

-- recipients_left_out -- of a cancelled campaign
UPDATE campaign_recipient SET state = 'skipped', reason = 'cancelled'
WHERE campaign_id = %(campaign_id)s AND state = 'waiting';

-- recipient_replied -- a customer wrote after a campaign reached them: the message quoted, or else the latest
UPDATE campaign_recipient r SET replied_at = %(now)s, reply_message_id = %(message_id)s
WHERE r.contact_id = %(contact_id)s AND r.state = 'handed' AND r.replied_at IS NULL AND r.message_id = coalesce(
    (SELECT m.message_id FROM message m WHERE m.wamid = %(reply_to)s AND m.contact_id = %(contact_id)s
     AND EXISTS (SELECT FROM campaign_recipient q WHERE q.message_id = m.message_id)),
    (SELECT q.message_id FROM campaign_recipient q JOIN message s ON s.message_id = q.message_id
     WHERE q.contact_id = %(contact_id)s AND q.state = 'handed' AND s.wamid IS NOT NULL
       AND q.handed_at > %(now)s - %(within)s
     ORDER BY q.handed_at DESC LIMIT 1));

-- campaign_counts -- how far it has come, per variant; who left did so after this message and before a later one
SELECT r.variant, CASE
           WHEN r.state <> 'handed' THEN r.state
           WHEN m.status = 'failed' OR o.state IN ('refused', 'held', 'superseded') THEN 'failed'
           WHEN m.status IN ('read', 'played') THEN 'read'
           WHEN m.status = 'delivered' THEN 'delivered'
           WHEN o.state = 'accepted' THEN 'sent'
           ELSE 'queued' END AS state,
       count(*)::int AS people, count(r.replied_at)::int AS replied, count(w.at)::int AS "left"
FROM campaign_recipient r LEFT JOIN message m ON m.message_id = r.message_id
LEFT JOIN outbox o ON o.message_id = r.message_id
LEFT JOIN LATERAL (
    SELECT min(k.at) AS at FROM marketing_consent k
    WHERE r.state = 'handed' AND o.state = 'accepted' AND m.status IS DISTINCT FROM 'failed'
      AND k.contact_id = r.contact_id AND NOT k.given AND k.at BETWEEN r.handed_at AND r.handed_at + %(within)s
      AND NOT EXISTS (SELECT FROM campaign_recipient q WHERE q.contact_id = r.contact_id AND q.state = 'handed'
                      AND q.handed_at > r.handed_at AND q.handed_at <= k.at)) w ON true
WHERE r.campaign_id = %(campaign_id)s GROUP BY 1, 2 ORDER BY 1, 2;

-- campaign_fares -- of what was handed over since it last began or went on: how many it is settled of, and failures
SELECT count(*) FILTER (WHERE o.state = 'accepted' OR m.status IS NOT NULL
                        OR o.state IN ('refused', 'held', 'superseded'))::int AS settled,
       count(*) FILTER (WHERE m.status = 'failed' OR o.state IN ('refused', 'held', 'superseded'))::int AS failed
FROM campaign g JOIN campaign_recipient r USING (campaign_id) JOIN message m USING (message_id)
JOIN outbox o USING (message_id)
WHERE g.campaign_id = %(campaign_id)s AND r.state = 'handed' AND r.handed_at >= g.changed_at;

-- campaign_people -- each recipient
SELECT r.contact_id, c.wa_id, c.name, r.variant, CASE
           WHEN r.state <> 'handed' THEN r.state
           WHEN m.status = 'failed' OR o.state IN ('refused', 'held', 'superseded') THEN 'failed'
           WHEN m.status IS NOT NULL THEN m.status
           WHEN o.state = 'accepted' THEN 'sent'
           ELSE 'queued' END AS state,
       coalesce(r.reason, o.error, (SELECT s.error_title FROM message_status s
                WHERE s.message_id = r.message_id AND s.status = 'failed')) AS reason,
       r.not_before, r.handed_at, r.replied_at
FROM campaign_recipient r JOIN contact c USING (contact_id) LEFT JOIN message m ON m.message_id = r.message_id
LEFT JOIN outbox o ON o.message_id = r.message_id
WHERE r.campaign_id = %(campaign_id)s ORDER BY r.contact_id;

-- campaign_pace -- how much of it is on its way, how much was handed over since, and when the next may go
SELECT (SELECT count(*)::int FROM outbox o WHERE o.lane = 'campaign' AND o.state IN ('queued', 'sending')
        AND o.business_id = %(business_id)s) AS in_flight,
       (SELECT count(*)::int FROM campaign_recipient r WHERE r.campaign_id = %(campaign_id)s AND r.state = 'handed'
        AND r.handed_at > %(now)s - interval '1 minute') AS last_minute,
       (SELECT count(*)::int FROM campaign_recipient r
        WHERE r.campaign_id = %(campaign_id)s AND r.state = 'handed') AS handed,
       (SELECT max(r.handed_at) FROM campaign_recipient r
        WHERE r.campaign_id = %(campaign_id)s AND r.state = 'handed') AS last_handed,
       (SELECT count(*)::int FROM campaign_recipient r
        WHERE r.campaign_id = %(campaign_id)s AND r.state = 'waiting') AS waiting,
       (SELECT min(coalesce(r.not_before, %(now)s)) FROM campaign_recipient r
        WHERE r.campaign_id = %(campaign_id)s AND r.state = 'waiting') AS next_at;

-- campaigns_on_number -- running ones that use a number, or a template
SELECT DISTINCT g.campaign_id FROM campaign g JOIN campaign_variant v USING (campaign_id)
WHERE g.state IN ('running', 'scheduled')
  AND (%(phone_number_id)s::text IS NULL OR g.phone_number_id = %(phone_number_id)s)
  AND (%(template_name)s::text IS NULL OR v.template_name = %(template_name)s)
ORDER BY g.campaign_id;

-- campaigns_in_trouble -- paused by what Meta said or by how the first messages fared, and not told yet
SELECT campaign_id, name, note, changed_at FROM campaign g
WHERE state = 'paused' AND note <> 'by hand' AND changed_at > %(now)s - interval '7 days'
  AND NOT EXISTS (SELECT FROM alert a WHERE a.business_id = g.business_id
                  AND a.key = concat('campaign_paused:', g.campaign_id, ':', floor(extract(epoch FROM g.changed_at))))
ORDER BY campaign_id;

-- campaigns_due -- campaigns, of all tenants, that have something to do
SELECT business_id, campaign_id FROM campaigns_to_run(%(now)s);
