-- Contacts and conversations are locked FOR NO KEY UPDATE: whoever adds a row that refers to one takes a
-- KEY SHARE lock on it, and a webhook (contact, then conversation) and a turn (conversation, then a message
-- of the contact) would otherwise wait for each other.

-- contact_by_wa_id -- a customer known by phone
SELECT contact_id, bsuid FROM contact WHERE wa_id = %(wa_id)s FOR NO KEY UPDATE;

-- contact_by_bsuid -- a customer known by business-scoped user id
SELECT contact_id FROM contact WHERE bsuid = %(bsuid)s FOR NO KEY UPDATE;

-- contact_insert -- a customer seen for the first time
INSERT INTO contact (business_id, wa_id, bsuid, name, last_seen_at)
VALUES (%(business_id)s, %(wa_id)s, %(bsuid)s, %(name)s, %(now)s)
ON CONFLICT DO NOTHING
RETURNING contact_id;

-- newcomer_insert -- a customer seen for the first time, and their first conversation
WITH made AS (
    INSERT INTO contact (business_id, wa_id, bsuid, name, last_seen_at)
    SELECT %(business_id)s, %(wa_id)s, %(bsuid)s, %(name)s, %(now)s
    WHERE num_nonnulls(%(wa_id)s::text, %(bsuid)s::text) > 0
      AND NOT EXISTS (SELECT FROM contact WHERE wa_id = %(wa_id)s)
      AND NOT EXISTS (SELECT FROM contact WHERE bsuid = %(bsuid)s)
      AND NOT EXISTS (SELECT FROM contact_alias WHERE wa_id = %(wa_id)s)
      AND NOT EXISTS (SELECT FROM contact_alias WHERE bsuid = %(bsuid)s)
      AND NOT EXISTS (SELECT FROM message WHERE wamid = %(wamid)s)
    ON CONFLICT DO NOTHING RETURNING contact_id)
INSERT INTO conversation (business_id, contact_id, phone_number_id, opened_at, last_activity_at)
SELECT %(business_id)s, contact_id, %(phone_number_id)s, %(now)s, %(now)s FROM made
RETURNING contact_id, conversation_id;

-- contact_enter -- a customer entered by the business
INSERT INTO contact (business_id, wa_id, name) VALUES (%(business_id)s, %(wa_id)s, %(name)s)
ON CONFLICT DO NOTHING RETURNING contact_id;

-- contact_seen -- what a new message tells about its sender
UPDATE contact SET wa_id = coalesce(wa_id, %(wa_id)s), bsuid = coalesce(bsuid, %(bsuid)s),
       name = coalesce(name, %(name)s), last_seen_at = %(now)s
WHERE contact_id = %(contact_id)s;

-- contact -- one customer
SELECT contact_id, wa_id, bsuid, name, email, language, lifecycle, opted_out_at, created_at, last_seen_at, told_language
FROM contact WHERE contact_id = %(contact_id)s;

-- contact_of_conversation -- whom a conversation is with
SELECT k.contact_id, k.wa_id, k.bsuid, k.name, k.email, k.language, k.lifecycle, k.opted_out_at, k.created_at,
       k.last_seen_at, k.told_language
FROM contact k JOIN conversation c USING (contact_id) WHERE c.conversation_id = %(conversation_id)s;

-- contact_language -- the language a customer writes in
UPDATE contact SET language = %(language)s WHERE contact_id = %(contact_id)s AND language IS DISTINCT FROM %(language)s;

-- contact_opt_out -- a customer leaves
UPDATE contact SET opted_out_at = %(now)s WHERE contact_id = %(contact_id)s AND opted_out_at IS NULL;

-- contact_opt_in -- a customer comes back
UPDATE contact SET opted_out_at = NULL WHERE contact_id = %(contact_id)s;

-- conversation_open -- the open conversation of a customer on a number, locked
SELECT conversation_id, last_activity_at, owner FROM conversation
WHERE contact_id = %(contact_id)s AND phone_number_id = %(phone_number_id)s AND status = 'open' FOR NO KEY UPDATE;

-- conversation_open_of_phone -- the same by the customer's phone number
SELECT c.conversation_id, c.last_activity_at, c.owner FROM conversation c JOIN contact k USING (contact_id)
WHERE k.wa_id = %(wa_id)s AND c.phone_number_id = %(phone_number_id)s AND c.status = 'open' FOR NO KEY UPDATE OF c;

-- conversation_insert -- a new conversation
INSERT INTO conversation (business_id, contact_id, phone_number_id, opened_at, last_activity_at)
VALUES (%(business_id)s, %(contact_id)s, %(phone_number_id)s, %(now)s, %(now)s)
ON CONFLICT DO NOTHING
RETURNING conversation_id;

-- conversation_touch -- a customer wrote: the 24-hour window starts again
UPDATE conversation SET last_customer_at = greatest(last_customer_at, %(at)s), last_activity_at = %(now)s
WHERE conversation_id = %(conversation_id)s;

-- conversation_lock -- waits for whoever is adding to the conversation, then shows it
-- The 24 hours are the contact's on the number, whichever conversation of theirs the last words belong to.
SELECT c.conversation_id, c.contact_id, c.phone_number_id, c.thread_id, c.owner, c.agent_id, c.epoch, c.status,
       c.summary, c.opened_at, greatest(c.last_customer_at, (
           SELECT max(w.last_customer_at) FROM conversation w
           WHERE w.contact_id = c.contact_id AND w.phone_number_id = c.phone_number_id)) AS last_customer_at,
       c.last_activity_at
FROM conversation c WHERE c.conversation_id = %(conversation_id)s FOR NO KEY UPDATE;

-- conversation -- one conversation
SELECT c.conversation_id, c.contact_id, c.phone_number_id, c.thread_id, c.owner, c.agent_id, c.epoch, c.status,
       c.summary, c.opened_at, greatest(c.last_customer_at, (
           SELECT max(w.last_customer_at) FROM conversation w
           WHERE w.contact_id = c.contact_id AND w.phone_number_id = c.phone_number_id)) AS last_customer_at,
       c.last_activity_at
FROM conversation c WHERE c.conversation_id = %(conversation_id)s;

-- conversation_last_words -- when a customer last wrote on a number, in whichever conversation
SELECT max(last_customer_at) FROM conversation
WHERE contact_id = %(contact_id)s AND phone_number_id = %(phone_number_id)s;

-- conversation_close -- it ended; without a summary the customer's last words stand for one
UPDATE conversation c SET status = 'closed', closed_at = %(now)s, summary = coalesce(%(summary)s, c.summary, (
    SELECT left(string_agg(said, ' / ' ORDER BY message_id), 400) FROM (
        SELECT message_id, coalesce(nullif(transcript, ''), body) AS said FROM message m
        WHERE m.conversation_id = c.conversation_id AND m.author = 'customer'
        ORDER BY message_id DESC LIMIT 3) AS latest WHERE said <> ''))
WHERE conversation_id = %(conversation_id)s;

-- conversations_close_idle -- sessions that nobody went on with ended by themselves; at most so many of a business
-- Nothing of them is under way: no person has or is to have them, every event is done, all was sent.
WITH idle AS (
    SELECT conversation_id FROM conversation i
    WHERE status = 'open' AND owner = 'bot' AND last_activity_at < %(now)s - %(idle)s
      AND NOT EXISTS (SELECT FROM handoff h WHERE h.conversation_id = i.conversation_id
                      AND h.status IN ('open', 'claimed'))
      AND NOT EXISTS (SELECT FROM inbox_event e WHERE e.conversation_id = i.conversation_id AND e.done_at IS NULL)
      AND NOT EXISTS (SELECT FROM outbox o WHERE o.conversation_id = i.conversation_id
                      AND o.state IN ('queued', 'sending', 'unknown'))
    LIMIT %(most)s FOR NO KEY UPDATE OF i SKIP LOCKED)
UPDATE conversation c SET status = 'closed', closed_at = c.last_activity_at + %(idle)s, summary = coalesce(c.summary, (
    SELECT left(string_agg(said, ' / ' ORDER BY message_id), 400) FROM (
        SELECT message_id, coalesce(nullif(transcript, ''), body) AS said FROM message m
        WHERE m.conversation_id = c.conversation_id AND m.author = 'customer'
        ORDER BY message_id DESC LIMIT 3) AS latest WHERE said <> ''))
FROM idle WHERE c.conversation_id = idle.conversation_id;

-- conversation_outcome -- what the last turn came to
UPDATE conversation SET last_intent = %(intent)s, last_outcome = %(outcome)s, last_activity_at = %(now)s
WHERE conversation_id = %(conversation_id)s;

-- conversation_owner -- bot or human, and the epoch that says since which change. What gives an emergency number and
-- waits still goes out whoever has the conversation now: its epoch is the new one
WITH owned AS (
    UPDATE conversation SET owner = %(owner)s, agent_id = %(agent_id)s, epoch = epoch + 1, last_activity_at = %(now)s
    WHERE conversation_id = %(conversation_id)s RETURNING conversation_id, epoch
), help AS (
    UPDATE outbox r SET epoch = owned.epoch FROM owned
    WHERE r.conversation_id = owned.conversation_id AND r.state IN ('queued', 'sending', 'unknown')
      AND (r.turn_id LIKE '%%:emergency' OR EXISTS (
          SELECT FROM handoff h WHERE h.conversation_id = r.conversation_id AND h.label = 'emergency'
            AND (h.turn_id = r.turn_id OR r.turn_id LIKE '%%:failed'))))
SELECT epoch FROM owned;

-- conversation_summaries -- how this customer's earlier conversations ended
SELECT closed_at, summary FROM conversation
WHERE contact_id = %(contact_id)s AND status = 'closed' AND summary IS NOT NULL
ORDER BY closed_at DESC LIMIT %(most)s;

-- message_numbers -- the ids of messages about to be written
SELECT nextval('message_message_id_seq') AS message_id FROM generate_series(1, %(count)s);

-- message_insert -- something was said
INSERT INTO message (message_id, business_id, conversation_id, contact_id, author, agent_id, wamid, kind, body, opener,
    language, reply_to_wamid, option_id, media_id, media_mime_type, media_sha256, media_voice, media_filename, file_id,
    sent_at, template_name, template_code, template_values, forwarded, preview)
OVERRIDING SYSTEM VALUE
VALUES (coalesce(%(message_id)s, nextval('message_message_id_seq')), %(business_id)s, %(conversation_id)s,
    %(contact_id)s, %(author)s, %(agent_id)s, %(wamid)s, %(kind)s, %(body)s, %(opener)s, %(language)s,
    %(reply_to_wamid)s, %(option_id)s, %(media_id)s, %(media_mime_type)s, %(media_sha256)s, %(media_voice)s,
    %(media_filename)s, %(file_id)s, %(sent_at)s, %(template_name)s, %(template_code)s, %(template_values)s,
    %(forwarded)s, %(preview)s)
ON CONFLICT (business_id, wamid) DO NOTHING
RETURNING message_id;

-- message_known -- whether a message was taken in before
SELECT message_id FROM message WHERE wamid = %(wamid)s;

-- message_option_insert -- one button or list row of a message
INSERT INTO message_option (business_id, message_id, ordinal, option_id, title, description)
VALUES (%(business_id)s, %(message_id)s, %(ordinal)s, %(option_id)s, %(title)s, %(description)s);

-- message_source_insert -- what an answer rests on
INSERT INTO message_source (business_id, message_id, ordinal, source, section)
VALUES (%(business_id)s, %(message_id)s, %(ordinal)s, %(source)s, %(section)s);

-- message_transcript -- what was heard in a voice note, unless it was taken back meanwhile
UPDATE message SET transcript = %(transcript)s, transcript_status = %(status)s,
       transcript_confidence = %(confidence)s, transcript_reason = %(reason)s, media_seconds = %(seconds)s,
       language = coalesce(%(language)s, language)
WHERE message_id = %(message_id)s AND deleted_at IS NULL;

-- messages_taken_back -- which of these their authors have deleted
SELECT message_id FROM message WHERE message_id = ANY (%(message_ids)s) AND deleted_at IS NOT NULL;

-- messages_of_conversation -- the last messages, oldest first
SELECT * FROM (
    SELECT message_id, author, agent_id, wamid, kind, coalesce(nullif(transcript, ''), body) AS body, language,
           media_id, media_mime_type, media_voice, transcript_status, transcript_confidence, media_seconds,
           EXISTS (SELECT FROM recording r WHERE r.message_id = message.message_id) AS recorded, status, sent_at
    FROM message WHERE conversation_id = %(conversation_id)s ORDER BY message_id DESC LIMIT %(most)s
) AS latest ORDER BY message_id;

-- messages_of_contact -- a customer's last messages over all conversations, oldest first
SELECT * FROM (
    SELECT message_id, author, agent_id, wamid, kind, coalesce(nullif(transcript, ''), body) AS body, language,
           media_id, media_mime_type, media_voice, transcript_status, transcript_confidence, media_seconds,
           EXISTS (SELECT FROM recording r WHERE r.message_id = message.message_id) AS recorded, status, sent_at
    FROM message WHERE contact_id = %(contact_id)s ORDER BY message_id DESC LIMIT %(most)s
) AS latest ORDER BY message_id;

-- messages_lately -- how many a customer wrote since a moment: of the last, lest a long history be read
SELECT least(count(*), %(most)s) FROM (
    SELECT author, sent_at FROM message WHERE contact_id = %(contact_id)s ORDER BY message_id DESC LIMIT 3 * %(most)s
) AS latest WHERE author = 'customer' AND sent_at >= %(since)s;

-- event_insert -- something happened to a conversation
INSERT INTO inbox_event (business_id, conversation_id, kind, message_id, handoff_id, trace)
VALUES (%(business_id)s, %(conversation_id)s, %(kind)s, %(message_id)s, %(handoff_id)s, %(trace)s)
RETURNING event_id;

-- events_waiting -- what the graph has not seen yet, in order
SELECT event_id, kind, message_id, handoff_id, author, agent_id, wamid, message_kind, body, option_id, reply_to_wamid,
       media_id, media_mime_type, media_sha256, media_voice, media_filename, sent_at, latitude, longitude, place_name,
       place_address, quoted, advertised, trace
FROM event_said
WHERE conversation_id = %(conversation_id)s AND done_at IS NULL AND event_id > %(after)s
ORDER BY event_id LIMIT %(most)s;

-- events_waiting_since -- when the oldest event came in that the graph has not seen yet
SELECT min(created_at) FROM inbox_event WHERE conversation_id = %(conversation_id)s AND done_at IS NULL;

-- events_of_turns -- what the customer had said in turns: up to a turn's event, from behind whatever came before it,
-- and what it names as answered (after a hand-back that is of earlier turns)
SELECT event_id, kind, message_id, handoff_id, author, agent_id, wamid, message_kind, body, option_id, reply_to_wamid,
       media_id, media_mime_type, media_sha256, media_voice, media_filename, sent_at, latitude, longitude, place_name,
       place_address, quoted, advertised, trace
FROM event_said
WHERE conversation_id = %(conversation_id)s AND kind = 'customer_message' AND message_kind IS NOT NULL AND event_id IN (
    SELECT e.event_id FROM (
        SELECT o.turn_id, event_of_turn(o.turn_id) AS last, string_to_array(max(o.answers), ',') AS answers
        FROM outbox o WHERE o.turn_id = ANY (%(turn_ids)s) GROUP BY o.turn_id
    ) AS t CROSS JOIN LATERAL (
        SELECT coalesce(max(b.event_id), 0) AS behind FROM (
            SELECT event_of_turn(x.turn_id) AS event_id FROM message y JOIN outbox x USING (message_id)
            WHERE y.conversation_id = %(conversation_id)s
            UNION ALL
            SELECT x.event_id FROM inbox_event x
            WHERE x.conversation_id = %(conversation_id)s AND x.kind <> 'customer_message'
        ) AS b WHERE b.event_id < t.last
    ) AS before
    JOIN inbox_event e ON e.conversation_id = %(conversation_id)s LEFT JOIN message m USING (message_id)
    WHERE m.deleted_at IS NULL
      AND (e.event_id > before.behind AND e.event_id <= t.last OR m.wamid = ANY (t.answers)))
ORDER BY event_id;

-- event_trace -- the trace an event was written down under
SELECT trace FROM inbox_event WHERE event_id = %(event_id)s;

-- events_done -- the graph has taken these in
UPDATE inbox_event SET done_at = %(now)s
WHERE conversation_id = %(conversation_id)s AND done_at IS NULL AND event_id <= %(up_to)s;

-- waiting_conversations -- work nobody seems to be doing, over all tenants
SELECT business_id, conversation_id FROM conversations_with_waiting_events(%(older_than)s);

-- crm_event_insert -- something worth remembering
INSERT INTO crm_event (business_id, contact_id, conversation_id, kind, subject_id, detail)
VALUES (%(business_id)s, %(contact_id)s, %(conversation_id)s, %(kind)s, %(subject_id)s, %(detail)s);

-- crm_events_of_contact -- what this customer did here, latest first
SELECT kind, detail, at FROM crm_event WHERE contact_id = %(contact_id)s ORDER BY at DESC LIMIT %(most)s;

-- enqueue -- one job within this transaction, unless one of the same lock already waits
SELECT enqueue_job(%(task)s, %(queue)s, %(priority)s, %(lock)s, %(args)s, make_interval(secs => %(delay_s)s));

-- hold -- one process at a time for one purpose on a conversation, until the transaction ends
SELECT pg_try_advisory_xact_lock((%(purpose)s::bigint << 56) + %(conversation_id)s) AS held;

-- event_of_wamid -- what became of a customer's message
SELECT m.message_id, m.conversation_id, e.event_id, e.done_at IS NOT NULL AS done
FROM message m JOIN inbox_event e USING (message_id) WHERE m.wamid = %(wamid)s;

-- message_options -- the buttons or rows of a message
SELECT option_id, title, description FROM message_option WHERE message_id = %(message_id)s ORDER BY ordinal;

-- message_sources -- what an answer rests on
SELECT source, section FROM message_source WHERE message_id = %(message_id)s ORDER BY ordinal;
