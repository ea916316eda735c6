-- The sweep asks which conversations have work that nobody will do. Work with a job, waiting or running,
-- is not forgotten: leaving it out keeps the sweep cheap when there is a long queue.

CREATE OR REPLACE FUNCTION conversations_with_waiting_events(older_than interval)
RETURNS TABLE (business_id bigint, conversation_id bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT DISTINCT e.business_id, e.conversation_id FROM inbox_event e
       WHERE e.done_at IS NULL AND e.created_at < now() - older_than
         AND NOT EXISTS (SELECT 1 FROM procrastinate_jobs j
                         WHERE j.queueing_lock = 'conv:' || e.conversation_id AND j.status = 'todo')
         AND NOT EXISTS (SELECT 1 FROM procrastinate_jobs j
                         WHERE j.lock = 'conv:' || e.conversation_id AND j.status = 'doing') $$;

CREATE OR REPLACE FUNCTION conversations_with_open_outbox(older_than interval)
RETURNS TABLE (business_id bigint, conversation_id bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT DISTINCT o.business_id, o.conversation_id FROM outbox o
       WHERE o.state IN ('queued', 'sending', 'unknown')
         AND o.created_at < now() - older_than AND o.next_attempt_at < now()
         AND NOT EXISTS (SELECT 1 FROM procrastinate_jobs j
                         WHERE j.queueing_lock = 'send:' || o.conversation_id AND j.status = 'todo')
         AND NOT EXISTS (SELECT 1 FROM procrastinate_jobs j
                         WHERE j.lock = 'send:' || o.conversation_id AND j.status = 'doing') $$;
