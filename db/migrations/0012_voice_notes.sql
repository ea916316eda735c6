-- Voice notes: why one was not understood, how long it is, and its sound for as long as it is kept.

ALTER TABLE message ADD COLUMN transcript_reason text, ADD COLUMN media_seconds real;

-- Encrypted by the application; the key is in its settings, never in the database.
CREATE TABLE recording (
    message_id bigint PRIMARY KEY REFERENCES message ON DELETE CASCADE,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    sealed bytea NOT NULL,
    bytes int NOT NULL CHECK (bytes >= 0), -- of the sound as it came
    kept_at timestamptz NOT NULL DEFAULT now()
);
SELECT tenant_table('recording');
ALTER TABLE recording ALTER COLUMN sealed SET STORAGE EXTERNAL; -- encrypted bytes do not compress
CREATE INDEX ON recording (kept_at);
CREATE INDEX ON recording (business_id);

-- For the retention job: deletes what is older, over all tenants, and says how many.
CREATE FUNCTION forget_recordings(older_than interval) RETURNS bigint
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ WITH gone AS (DELETE FROM recording WHERE kept_at < now() - older_than RETURNING 1)
       SELECT count(*) FROM gone $$;
