-- What a customer may ask for: why their data is held, and that it goes. And how long each kind of it stays.

-- An erased contact keeps its row, so that figures stay, and nobody can be known by it any more.
ALTER TABLE contact ADD COLUMN erased_at timestamptz;
ALTER TABLE contact DROP CONSTRAINT contact_check;
ALTER TABLE contact ADD CONSTRAINT contact_check CHECK (num_nonnulls(wa_id, bsuid, erased_at) > 0);

-- Why a customer's data is used, purpose by purpose, where the business said so itself (GDPR article 6(1)).
CREATE TABLE contact_basis (
    contact_basis_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    contact_id bigint NOT NULL REFERENCES contact ON DELETE CASCADE,
    purpose text NOT NULL CHECK (purpose IN ('service', 'invoicing', 'marketing', 'sensitive')),
    basis text NOT NULL CHECK (basis IN ('consent', 'contract', 'legal_obligation', 'vital_interests',
                                         'public_task', 'legitimate_interests', 'none')),
    evidence text NOT NULL DEFAULT '',
    at timestamptz NOT NULL
);
SELECT tenant_table('contact_basis', 'SELECT, INSERT, DELETE');
CREATE INDEX ON contact_basis (contact_id, contact_basis_id);
CREATE INDEX ON contact_basis (business_id);

-- That a customer was erased, when, and what became of which table. Names nobody: contact_id leads to an empty row.
CREATE TABLE erasure (
    erasure_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    contact_id bigint NOT NULL REFERENCES contact ON DELETE CASCADE,
    cause text NOT NULL CHECK (cause IN ('asked', 'retention')),
    invoices text NOT NULL CHECK (invoices IN ('none', 'anonymise', 'keep')),
    at timestamptz NOT NULL,
    traces int -- what the search afterwards found; null: it did not search
);
SELECT tenant_table('erasure', 'SELECT');
CREATE INDEX ON erasure (business_id, at);
CREATE INDEX ON erasure (contact_id);

CREATE TABLE erasure_part (
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    erasure_id bigint NOT NULL REFERENCES erasure ON DELETE CASCADE,
    table_name text NOT NULL,
    deleted int NOT NULL,
    emptied int NOT NULL,
    PRIMARY KEY (erasure_id, table_name)
);
SELECT tenant_table('erasure_part', 'SELECT');
CREATE INDEX ON erasure_part (business_id);

-- What a thread remembered is needed for as long as its conversation may be asked about.
ALTER TABLE conversation ADD COLUMN thread_forgotten_at timestamptz;
CREATE INDEX conversation_remembered ON conversation (closed_at)
    WHERE status = 'closed' AND (thread_forgotten_at IS NULL OR thread_forgotten_at < closed_at);

-- For the retention job: over all tenants, says how many.
CREATE FUNCTION forget_webhooks(older_than interval) RETURNS bigint
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ WITH bodies AS (DELETE FROM webhook_payload WHERE received_at < now() - older_than RETURNING 1),
            notes AS (DELETE FROM webhook_unparsed WHERE received_at < now() - older_than RETURNING 1)
       SELECT count(*) FROM bodies $$;

-- At most so many threads at once. Their conversations are closed: nothing resumes them.
CREATE FUNCTION forget_threads(older_than interval, most int) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    threads text[];
BEGIN
    WITH old AS (
        SELECT c.conversation_id FROM conversation c
        WHERE c.status = 'closed' AND (c.thread_forgotten_at IS NULL OR c.thread_forgotten_at < c.closed_at)
          AND c.closed_at < now() - older_than
          AND NOT EXISTS (SELECT FROM handoff h WHERE h.conversation_id = c.conversation_id
                          AND h.status IN ('open', 'claimed'))
          AND NOT EXISTS (SELECT FROM inbox_event e WHERE e.conversation_id = c.conversation_id
                          AND e.done_at IS NULL)
        ORDER BY c.closed_at LIMIT most FOR UPDATE SKIP LOCKED),
    done AS (
        UPDATE conversation c SET thread_forgotten_at = now() FROM old
        WHERE c.conversation_id = old.conversation_id RETURNING c.thread_id)
    SELECT coalesce(array_agg(thread_id), '{}') INTO threads FROM done;
    DELETE FROM checkpoint_writes WHERE thread_id = ANY (threads);
    DELETE FROM checkpoint_blobs WHERE thread_id = ANY (threads);
    DELETE FROM checkpoints WHERE thread_id = ANY (threads);
    RETURN cardinality(threads);
END $$;

-- Customers whose time is over and about whom nothing is open. Ids only.
CREATE FUNCTION contacts_out_of_time(older_than interval, most int)
RETURNS TABLE (business_id bigint, contact_id bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT k.business_id, k.contact_id FROM contact k
       WHERE k.erased_at IS NULL AND coalesce(k.last_seen_at, k.created_at) < now() - older_than
         AND NOT EXISTS (SELECT FROM handoff h JOIN conversation c USING (conversation_id)
                         WHERE c.contact_id = k.contact_id AND h.status IN ('open', 'claimed'))
         AND NOT EXISTS (SELECT FROM appointment a WHERE a.contact_id = k.contact_id
                         AND a.status IN ('held', 'booked') AND upper(a.during) > now())
         AND NOT EXISTS (SELECT FROM ticket t WHERE t.contact_id = k.contact_id AND t.status <> 'closed')
         AND NOT EXISTS (SELECT FROM invoice_draft i WHERE i.contact_id = k.contact_id AND i.status = 'ready')
       ORDER BY k.contact_id LIMIT most $$;
REVOKE ALL ON FUNCTION forget_webhooks(interval), forget_threads(interval, int),
    contacts_out_of_time(interval, int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION forget_webhooks(interval), forget_threads(interval, int),
    contacts_out_of_time(interval, int) TO sara_app;
