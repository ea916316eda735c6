-- Handling begins when somebody takes a hand-over up: one that nobody ever did (an idle one that SARA took back, or
-- that was resolved from the list) was waited for and not handled. So it has none, and is no part of the median.
CREATE OR REPLACE VIEW metric_handoff WITH (security_invoker = true) AS
    SELECT h.business_id, h.opened_at AS at, h.conversation_id, h.handoff_id, h.reason, h.closed_at,
           h.reason NOT IN ('agent_takeover', 'owner_on_phone', 'reopened') AS asked,
           extract(epoch FROM r.taken_at - h.opened_at)::double precision AS first_response, r.taken_at AS responded_at,
           CASE WHEN h.claimed_at IS NOT NULL AND h.closed_at IS NOT NULL
                THEN greatest(extract(epoch FROM h.closed_at - h.claimed_at), 0)::double precision END AS handling
    FROM handoff h
    LEFT JOIN LATERAL (
        SELECT m.taken_at FROM metric_message m
        WHERE m.conversation_id = h.conversation_id AND m.author = 'agent' AND m.reply
          AND m.at >= h.opened_at AND m.at <= coalesce(h.closed_at, 'infinity')
        ORDER BY m.message_id LIMIT 1) r ON true;

-- Everything that a figure is made of: one row a thing, `at` the moment whose day it counts for, `decided_at`
-- since when it counts at all. `value` is 1 or 0 in a share, seconds in a duration, how many in a count.
CREATE OR REPLACE VIEW metric_fact WITH (security_invoker = true) AS
    SELECT 'messages_in' AS name, '' AS key, business_id, at, at AS decided_at, conversation_id,
           1::double precision AS value FROM metric_message WHERE inbound
    UNION ALL SELECT 'messages_out', '', business_id, at, at, conversation_id, 1 FROM metric_message WHERE NOT inbound
    UNION ALL SELECT 'voice_share', '', business_id, at, at, conversation_id, voice::int
              FROM metric_message WHERE inbound
    UNION ALL SELECT 'response', '', business_id, at, at, conversation_id, seconds
              FROM metric_response WHERE author = 'bot'
    UNION ALL SELECT 'conversations', '', business_id, at, at, conversation_id, 1 FROM metric_talk
    UNION ALL SELECT 'containment', '', business_id, at, at, conversation_id, contained::int FROM metric_conversation
    UNION ALL SELECT 'escalation', '', business_id, at, at, conversation_id, escalated::int FROM metric_conversation
    UNION ALL SELECT 'reasons', reason, business_id, opened_at, opened_at, conversation_id, 1 FROM handoff
    UNION ALL SELECT 'first_response', '', business_id, at, responded_at, conversation_id, first_response
              FROM metric_handoff WHERE asked AND responded_at IS NOT NULL
    UNION ALL SELECT 'handling', '', business_id, at, closed_at, conversation_id, handling
              FROM metric_handoff WHERE handling IS NOT NULL
    UNION ALL SELECT 'leads', '', business_id, created_at, created_at, conversation_id, 1 FROM lead
    UNION ALL SELECT 'lead_qualified_48h', '', business_id, at, decided_at, conversation_id, qualified::int
              FROM metric_lead
    UNION ALL SELECT 'bookings', '', business_id, at, at, conversation_id, 1
              FROM crm_event WHERE kind = 'appointment_booked'
    UNION ALL SELECT 'no_shows', '', business_id, at, at, conversation_id, missed::int FROM metric_visit
    UNION ALL SELECT 'quotes_sent', '', business_id, issued_at, issued_at, conversation_id, 1
              FROM quote WHERE issued_at IS NOT NULL
    UNION ALL SELECT 'quotes_accepted', '', business_id, decided_at, decided_at, conversation_id, 1
              FROM quote WHERE status = 'accepted'
    UNION ALL SELECT 'tickets', '', business_id, created_at, created_at, conversation_id, 1 FROM ticket
    UNION ALL SELECT 'tickets_in_sla', '', business_id, at, decided_at, conversation_id, in_time::int
              FROM metric_ticket WHERE measured
    UNION ALL SELECT 'unanswered', '', business_id, at, at, conversation_id, 1 FROM turn WHERE unanswered
    UNION ALL SELECT 'tokens', '', business_id, at, at, conversation_id, tokens_in + tokens_out FROM turn
    UNION ALL SELECT 'compute_seconds', '', business_id, at, at, conversation_id, seconds FROM turn
    UNION ALL SELECT 'languages', language, business_id, at, at, conversation_id, 1 FROM turn WHERE language IS NOT NULL
    UNION ALL SELECT 'intents', intent, business_id, at, at, conversation_id, 1 FROM turn WHERE intent IS NOT NULL;
