-- What language models may cost each business, turns that wait fairly, and what long conversations leave behind.

-- Tokens a business may use; null: as many as it likes. What lies over them is answered without a model.
ALTER TABLE business ADD COLUMN tokens_per_day bigint CHECK (tokens_per_day >= 0);
ALTER TABLE business ADD COLUMN tokens_per_month bigint CHECK (tokens_per_month >= 0);

-- Tokens used, by day of the business's own time zone. Counted when an answer has come.
CREATE TABLE model_use (
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    day date NOT NULL,
    answers bigint NOT NULL DEFAULT 0,
    tokens_in bigint NOT NULL DEFAULT 0,
    tokens_out bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (business_id, day)
);
SELECT tenant_table('model_use', 'SELECT, INSERT, UPDATE');

-- Turns of a business with many waiting turns come after those of the others, by steps; within the business they
-- keep their order, since none gets a better place than one that waits already. All steps lie between what is
-- urgent (0) and what nobody waits for (-5).
CREATE OR REPLACE FUNCTION enqueue_job(task text, queue text, job_priority int, exclusive_lock text, job_args jsonb, delay interval)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    waiting bigint;
    lowest int;
BEGIN
    IF task = 'sara:drain' THEN
        SELECT count(*), min(j.priority) INTO waiting, lowest FROM (
            SELECT w.priority FROM procrastinate_jobs w
            WHERE w.status = 'todo' AND w.queue_name = 'turns' AND w.args ->> 'business_id' = job_args ->> 'business_id'
              AND w.priority > -5
            ORDER BY w.priority LIMIT 64) j;
        job_priority := least(job_priority, lowest, CASE
            WHEN waiting < 8 THEN 0 WHEN waiting < 16 THEN -1 WHEN waiting < 32 THEN -2 WHEN waiting < 64 THEN -3
            ELSE -4 END);
    END IF;
    PERFORM procrastinate_defer_jobs_v1(ARRAY[ROW(queue, task, job_priority, exclusive_lock, exclusive_lock,
        job_args, CASE WHEN delay > interval '0' THEN now() + delay END)::procrastinate_job_to_defer_v1]);
    RETURN true;
EXCEPTION WHEN unique_violation THEN
    RETURN false;
END $$;

-- Of open conversations after `after` that were at work lately, at most so many: what their threads remember of
-- turns before the last `keep` goes. The newest checkpoints stay whatever they are, so that a turn under way and
-- one that waits for a person lose nothing; values that a kept checkpoint names stay too. A turn begins with an
-- input; one that waits for a person goes on for many messages without one, and keeps 40 checkpoints for each.
CREATE FUNCTION prune_threads(keep int, after bigint, most int, OUT last bigint, OUT threads int, OUT pruned bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    one record;
    cut text;
    gone bigint;
BEGIN
    threads := 0;
    pruned := 0;
    FOR one IN
        SELECT c.conversation_id, c.thread_id FROM conversation c
        WHERE c.conversation_id > after AND c.status = 'open' AND c.last_activity_at > now() - interval '3 hours'
        ORDER BY c.conversation_id LIMIT most
    LOOP
        last := one.conversation_id;
        -- No turn leaves fewer than three.
        CONTINUE WHEN NOT EXISTS (SELECT FROM checkpoints p WHERE p.thread_id = one.thread_id OFFSET 3 * keep LIMIT 1);
        SELECT max(found.checkpoint_id) INTO cut FROM (
            (SELECT p.checkpoint_id FROM checkpoints p
             WHERE p.thread_id = one.thread_id AND p.checkpoint_ns = '' AND p.metadata ->> 'source' = 'input'
             ORDER BY p.checkpoint_id DESC OFFSET keep - 1 LIMIT 1)
            UNION ALL
            (SELECT p.checkpoint_id FROM checkpoints p WHERE p.thread_id = one.thread_id AND p.checkpoint_ns = ''
             ORDER BY p.checkpoint_id DESC OFFSET 40 * keep LIMIT 1)) found;
        CONTINUE WHEN cut IS NULL;
        DELETE FROM checkpoints p
        WHERE p.thread_id = one.thread_id AND p.checkpoint_ns = '' AND p.checkpoint_id < cut;
        GET DIAGNOSTICS gone = ROW_COUNT;
        CONTINUE WHEN gone = 0;
        DELETE FROM checkpoint_writes w
        WHERE w.thread_id = one.thread_id AND w.checkpoint_ns = '' AND w.checkpoint_id < cut;
        DELETE FROM checkpoint_blobs b
        WHERE b.thread_id = one.thread_id AND b.checkpoint_ns = '' AND NOT EXISTS (
            SELECT FROM (SELECT DISTINCT v.key, v.value FROM checkpoints p,
                             jsonb_each_text(p.checkpoint -> 'channel_versions') v
                         WHERE p.thread_id = one.thread_id AND p.checkpoint_ns = '') named
            WHERE named.key = b.channel AND named.value = b.version);
        threads := threads + 1;
        pruned := pruned + gone;
    END LOOP;
END $$;

-- Work that was done longer ago. What is waiting stays however old it is.
CREATE FUNCTION forget_events(older_than interval, most int) RETURNS bigint
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ WITH gone AS (
           DELETE FROM inbox_event WHERE event_id IN (
               SELECT e.event_id FROM inbox_event e WHERE e.done_at < now() - older_than
               ORDER BY e.event_id LIMIT most) RETURNING 1)
       SELECT count(*) FROM gone $$;

REVOKE ALL ON FUNCTION prune_threads(int, bigint, int), forget_events(interval, int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION prune_threads(int, bigint, int), forget_events(interval, int) TO sara_app;

-- Statuses by months: written once, never changed, dropped when they are old. Cut by message_id, which grows with time:
-- the key (message_id, status) tells a status that came twice, so that a month cannot be the key. The table that is
-- there becomes the first part as it stands; this takes milliseconds however much is in it, and nothing that asks for
-- `message_status` sees a difference. Whoever writes has locks on both tables in one order or the other: the one that
-- gives way is this, since it waits for less than the second after which PostgreSQL would choose.
SET LOCAL lock_timeout = '500ms';
ALTER TABLE message_status RENAME TO message_status_first;
ALTER TABLE message_status_first RENAME CONSTRAINT message_status_pkey TO message_status_first_pkey;
ALTER INDEX message_status_failed RENAME TO message_status_first_failed;
CREATE TABLE message_status (
    LIKE message_status_first INCLUDING DEFAULTS,
    PRIMARY KEY (message_id, status),
    FOREIGN KEY (business_id) REFERENCES business ON DELETE CASCADE,
    FOREIGN KEY (message_id) REFERENCES message ON DELETE CASCADE
) PARTITION BY RANGE (message_id);
CREATE INDEX message_status_failed ON message_status (business_id, received_at) WHERE status = 'failed';
SELECT tenant_table('message_status');
ALTER TABLE message_status ATTACH PARTITION message_status_first FOR VALUES FROM (MINVALUE) TO (MAXVALUE);
REVOKE ALL ON message_status_first FROM sara_app; -- parts are reached through the whole alone
-- The net: a status of a message whose part was dropped long ago.
CREATE TABLE message_status_rest PARTITION OF message_status DEFAULT;
ALTER TABLE message_status_rest ENABLE ROW LEVEL SECURITY;

-- The parts in order; `upper_id` null: the one that takes what comes. `cut_id`: where it is being cut just now.
CREATE FUNCTION status_parts() RETURNS TABLE (part text, lower_id bigint, upper_id bigint, cut_id bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT c.relname::text, substring(b.bounds FROM 'FROM \(''(\d+)')::bigint, substring(b.bounds FROM 'TO \(''(\d+)')::bigint,
              (SELECT substring(pg_get_constraintdef(k.oid) FROM '< \D*(\d+)')::bigint FROM pg_constraint k
               WHERE k.conrelid = c.oid AND k.conname = 'message_status_cut')
       FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid,
            LATERAL (SELECT pg_get_expr(c.relpartbound, c.oid) AS bounds) b
       WHERE i.inhparent = 'message_status'::regclass AND b.bounds <> 'DEFAULT'
       ORDER BY 2 NULLS FIRST $$;

-- A new month begins with the messages of tomorrow: a day's worth of ids ahead, which is the time there is to finish.
-- Three steps, each a transaction of its own, so that writers wait for milliseconds only: say that nothing from there on
-- is in the open part; look whether it is so, beside the writers; cut. False: nothing to do, since the month has its
-- part or fewer than `enough` messages came in since the last cut. What was begun and not finished is gone on with.
-- None of them waits long for a lock, for the reason above: they fail, and are called again later.
CREATE FUNCTION status_cut_begin(month date, enough bigint) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '500ms' AS $$
DECLARE
    live record;
    newest bigint;
    yesterday bigint;
BEGIN
    SELECT * INTO STRICT live FROM status_parts() p WHERE p.upper_id IS NULL;
    IF live.cut_id IS NOT NULL THEN
        RETURN true;
    END IF;
    SELECT max(m.message_id) INTO newest FROM message m;
    IF to_regclass('message_status_' || to_char(month, 'YYYY_MM')) IS NOT NULL
       OR newest IS NULL OR newest - coalesce(live.lower_id, 0) < enough THEN
        RETURN false;
    END IF;
    SELECT m.message_id INTO yesterday FROM message m WHERE m.created_at < now() - interval '1 day'
    ORDER BY m.message_id DESC LIMIT 1;
    EXECUTE format('ALTER TABLE %I ADD CONSTRAINT message_status_cut CHECK'
        ' (message_id >= %s::bigint AND message_id < %s::bigint) NOT VALID', live.part,
        coalesce(live.lower_id, 0), newest + greatest(1000, newest - coalesce(yesterday, 0)));
    RETURN true;
END $$;

CREATE FUNCTION status_cut_look() RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '500ms' AS $$
BEGIN
    EXECUTE (SELECT format('ALTER TABLE %I VALIDATE CONSTRAINT message_status_cut', p.part)
             FROM status_parts() p WHERE p.cut_id IS NOT NULL);
END $$;

CREATE FUNCTION status_cut_end(month date) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '500ms' AS $$
DECLARE
    live record;
    made text := 'message_status_' || to_char(month, 'YYYY_MM');
BEGIN
    SELECT * INTO STRICT live FROM status_parts() p WHERE p.cut_id IS NOT NULL;
    EXECUTE format('ALTER TABLE message_status DETACH PARTITION %I', live.part);
    EXECUTE format('ALTER TABLE message_status ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)',
        live.part, coalesce(live.lower_id::text, 'MINVALUE'), live.cut_id);
    EXECUTE format('ALTER TABLE %I DROP CONSTRAINT message_status_cut', live.part);
    EXECUTE format('CREATE TABLE %I PARTITION OF message_status FOR VALUES FROM (%s) TO (MAXVALUE)', made, live.cut_id);
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', made);
    RETURN made;
END $$;

-- Drops the oldest part when its newest message is older; its name, or null. What a message came to last stays with
-- the message; only when it was delivered and read, and why not, is forgotten.
CREATE FUNCTION status_drop(older_than interval) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '500ms' AS $$
DECLARE
    oldest record;
BEGIN
    SELECT * INTO oldest FROM status_parts() p WHERE p.upper_id IS NOT NULL ORDER BY p.upper_id LIMIT 1;
    IF oldest IS NULL OR EXISTS (
        SELECT FROM (SELECT m.created_at FROM message m WHERE m.message_id < oldest.upper_id
                     ORDER BY m.message_id DESC LIMIT 1) newest
        WHERE newest.created_at >= now() - older_than) THEN
        RETURN NULL;
    END IF;
    EXECUTE format('DROP TABLE %I', oldest.part);
    RETURN oldest.part;
END $$;

REVOKE ALL ON FUNCTION status_parts(), status_cut_begin(date, bigint), status_cut_look(), status_cut_end(date),
    status_drop(interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION status_parts(), status_cut_begin(date, bigint), status_cut_look(), status_cut_end(date),
    status_drop(interval) TO sara_app;
