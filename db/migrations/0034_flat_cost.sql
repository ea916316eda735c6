-- online: statement by statement, each in a transaction of its own; written so that it may be begun again.
-- What costs more and more as the record grows, found with five million messages in it (`sara bench flat`).

-- A customer's messages over all conversations: the contact's page, the export, the erasure.
CREATE INDEX CONCURRENTLY IF NOT EXISTS message_of_contact ON message (contact_id, message_id);

-- What became of a message: asked when one is edited or taken back, and for every message that is deleted.
CREATE INDEX CONCURRENTLY IF NOT EXISTS inbox_event_of_message ON inbox_event (message_id);

-- How many turns of one business wait (enqueue_job): the index holds nothing but the jobs that do.
CREATE INDEX CONCURRENTLY IF NOT EXISTS waiting_turns_of_business ON procrastinate_jobs ((args ->> 'business_id'), priority)
    WHERE status = 'todo' AND queue_name = 'turns';

-- A message's state changes up to four times in its first minute: with room on its page it stays there, and no
-- index is touched. Dead rows of a large table are cleaned up while they are few, not when they are a fifth of it.
ALTER TABLE message SET (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.01,
    autovacuum_vacuum_insert_scale_factor = 0.05);

ALTER TABLE outbox SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.01,
    autovacuum_vacuum_insert_scale_factor = 0.05);

ALTER TABLE inbox_event SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.01,
    autovacuum_vacuum_insert_scale_factor = 0.05);

ALTER TABLE checkpoints SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.01);

ALTER TABLE checkpoint_blobs SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.01);

ALTER TABLE checkpoint_writes SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.01);
