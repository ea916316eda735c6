-- How likely customers are to recommend a business: asked now and then after a conversation that ended well.

ALTER TABLE business ADD COLUMN asks_nps boolean NOT NULL DEFAULT false,
    ADD COLUMN nps_every_days int NOT NULL DEFAULT 90 CHECK (nps_every_days BETWEEN 7 AND 3650);

-- One row per question, whether it was answered or not.
CREATE TABLE nps_response (
    nps_response_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    contact_id bigint NOT NULL REFERENCES contact ON DELETE CASCADE,
    conversation_id bigint REFERENCES conversation ON DELETE SET NULL, -- the one it was asked after
    message_id bigint REFERENCES message ON DELETE SET NULL, -- the question
    language char(2) NOT NULL, -- in which it was asked
    status text NOT NULL DEFAULT 'asked' CHECK (status IN ('asked', 'answered', 'declined')),
    score smallint CHECK (score BETWEEN 0 AND 10),
    comment text NOT NULL DEFAULT '', -- the customer's words
    turn_id text, -- the turn that took the answer in: run again, it finds its question
    asked_at timestamptz NOT NULL,
    answered_at timestamptz,
    CHECK ((status = 'answered') = (score IS NOT NULL)),
    CHECK ((status = 'asked') = (answered_at IS NULL))
);
SELECT tenant_table('nps_response');
CREATE INDEX ON nps_response (contact_id, nps_response_id);
CREATE INDEX ON nps_response (business_id, answered_at) WHERE score IS NOT NULL;
CREATE INDEX ON nps_response (conversation_id);
CREATE INDEX ON nps_response (message_id);

-- For the job: which businesses ask, and spoke with somebody since a moment. Ids only, over all tenants.
CREATE FUNCTION businesses_that_ask_nps(since timestamptz) RETURNS TABLE (business_id bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT b.business_id FROM business b WHERE b.asks_nps AND EXISTS (
           SELECT FROM conversation c WHERE c.business_id = b.business_id AND c.last_activity_at > since) $$;
REVOKE ALL ON FUNCTION businesses_that_ask_nps(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION businesses_that_ask_nps(timestamptz) TO sara_app;
