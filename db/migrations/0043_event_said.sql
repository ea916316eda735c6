-- What an event of the road in says: its message, with what the graph is told of it.
CREATE VIEW event_said WITH (security_invoker = true) AS
SELECT e.conversation_id, e.done_at, e.event_id, e.kind, e.message_id, e.handoff_id, m.author, m.agent_id, m.wamid,
       m.kind AS message_kind, m.body, m.option_id, m.reply_to_wamid, m.media_id, m.media_mime_type, m.media_sha256,
       m.media_voice, m.media_filename, m.sent_at, p.latitude, p.longitude, p.name AS place_name,
       p.address AS place_address,
       (SELECT left(coalesce(nullif(q.transcript, ''), q.body), 500) FROM message q WHERE q.wamid = m.reply_to_wamid)
           AS quoted,
       (SELECT concat_ws(' — ', r.headline, r.body) FROM message_referral r WHERE r.message_id = m.message_id)
           AS advertised, e.trace
FROM inbox_event e LEFT JOIN message m USING (message_id) LEFT JOIN message_place p USING (message_id);
GRANT SELECT ON event_said TO sara_app;

-- The event a turn ends with, by the turn's id; none for what is no turn of a conversation's thread.
CREATE FUNCTION event_of_turn(turn_id text) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT substring(turn_id FROM '^[0-9]+:([0-9]+)$')::bigint $$;
