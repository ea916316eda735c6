-- soak_claims_table -- by whose right each message was handed to the channel, on a database made for a soak
CREATE TABLE soak_claim (
    outbox_id bigint NOT NULL, turn_id text NOT NULL, lane text NOT NULL, author text NOT NULL,
    epoch int NOT NULL, epoch_now int NOT NULL, owner text NOT NULL, of_handoff boolean NOT NULL
);

-- soak_claims_grant -- whoever sends may write it down
GRANT INSERT ON soak_claim TO sara_app;

-- soak_claims_function -- judged where a row is claimed, with the conversation's row locked
CREATE FUNCTION soak_claimed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO soak_claim
    SELECT NEW.outbox_id, NEW.turn_id, NEW.lane, m.author, NEW.epoch, c.epoch, c.owner,
           EXISTS (SELECT FROM handoff h WHERE h.turn_id = NEW.turn_id)
    FROM conversation c, message m
    WHERE c.conversation_id = NEW.conversation_id AND m.message_id = NEW.message_id;
    RETURN NULL;
END $$;

-- soak_claims_trigger -- on every claim
CREATE TRIGGER soak_claims AFTER UPDATE OF state ON outbox FOR EACH ROW WHEN (NEW.state = 'sending')
EXECUTE FUNCTION soak_claimed();

-- soak_claims -- what was claimed
SELECT outbox_id, turn_id, lane, author, epoch, epoch_now, owner, of_handoff FROM soak_claim;

-- soak_heard -- every message of a customer and what became of its event
SELECT m.wamid, c.wa_id, m.conversation_id, e.event_id, e.created_at, e.done_at
FROM message m JOIN contact c USING (contact_id) LEFT JOIN inbox_event e USING (message_id)
WHERE m.author = 'customer' AND m.wamid IS NOT NULL
ORDER BY e.event_id;

-- soak_said -- every message that was to go out
SELECT o.outbox_id, o.conversation_id, o.turn_id, o.ordinal, o.lane, o.state, o.answers, o.attempts, o.error,
       m.author, c.wa_id, v.phone_number_id
FROM outbox o JOIN message m USING (message_id) JOIN contact c USING (contact_id)
JOIN conversation v ON v.conversation_id = o.conversation_id
ORDER BY o.outbox_id;

-- soak_handoffs -- when people had which conversation
SELECT conversation_id, turn_id, reason, status, opened_at, closed_at FROM handoff;

-- soak_jobs -- what waits or runs in the queue, without what begins by the clock anew each time
SELECT task_name || ' ' || status::text AS name, count(*)::int AS number
FROM procrastinate_jobs
WHERE status IN ('todo', 'doing') AND NOT args ? 'timestamp' AND (scheduled_at IS NULL OR scheduled_at < now())
GROUP BY 1;

-- soak_locks -- locks of the program's own, and transactions left open
SELECT 'advisory lock' AS name, count(*)::int AS number FROM pg_locks WHERE locktype = 'advisory'
UNION ALL
SELECT 'transaction left open', count(*)::int FROM pg_stat_activity
WHERE state LIKE 'idle in transaction%%' AND pid <> pg_backend_pid() AND now() - xact_start > interval '10 s';

-- soak_connections -- how many the server has
SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend';

-- soak_done -- what was done, by kind
SELECT 'appointments booked' AS name, count(*)::int AS number FROM appointment
UNION ALL SELECT 'appointments cancelled', count(*)::int FROM appointment WHERE status = 'cancelled'
UNION ALL SELECT 'voice notes transcribed', count(*)::int FROM message WHERE transcript_status = 'ok'
UNION ALL SELECT 'statuses of messages', count(*)::int FROM message_status
UNION ALL SELECT 'messages sent again', count(*)::int FROM outbox WHERE attempts > 1
UNION ALL SELECT 'bot words withheld', count(*)::int FROM outbox WHERE state = 'superseded'
UNION ALL SELECT 'hand-overs ' || kind, count(*)::int FROM handoff_step GROUP BY kind
UNION ALL SELECT 'hand-overs for ' || reason, count(*)::int FROM handoff GROUP BY reason
UNION ALL SELECT 'language ' || language, count(*)::int FROM contact WHERE language IS NOT NULL GROUP BY language;
