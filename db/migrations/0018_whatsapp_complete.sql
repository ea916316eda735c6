-- WhatsApp, complete: what customers send besides words, files as they came, delivery that is told truly,
-- numbers that may not send at the moment.

-- An edit replaces a message's words and keeps the first; a message taken back keeps none.
ALTER TABLE message ADD COLUMN edited_at timestamptz;
ALTER TABLE message ADD COLUMN earlier_body text;
ALTER TABLE message ADD COLUMN deleted_at timestamptz;
ALTER TABLE message ADD COLUMN forwarded boolean NOT NULL DEFAULT false;
ALTER TABLE message ADD COLUMN preview boolean NOT NULL DEFAULT false; -- of ours: a link in it is shown as a card
CREATE INDEX message_taken_back ON message (business_id, reply_to_wamid) WHERE kind = 'revoke';

-- A place that a message shows, whoever sent it. Degrees.
CREATE TABLE message_place (
    message_id bigint PRIMARY KEY REFERENCES message ON DELETE CASCADE,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    latitude double precision NOT NULL CHECK (latitude BETWEEN -90 AND 90),
    longitude double precision NOT NULL CHECK (longitude BETWEEN -180 AND 180),
    name text,
    address text
);
SELECT tenant_table('message_place');
CREATE INDEX ON message_place (business_id);

-- The advertisement or post that a customer pressed before writing.
CREATE TABLE message_referral (
    message_id bigint PRIMARY KEY REFERENCES message ON DELETE CASCADE,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    source_type text,
    source_id text,
    source_url text,
    headline text,
    body text,
    click_id text
);
SELECT tenant_table('message_referral');
CREATE INDEX ON message_referral (business_id, source_id);

-- Pictures and documents of customers: the channel gives them out for a week only. Encrypted by the application.
CREATE TABLE inbound_file (
    message_id bigint PRIMARY KEY REFERENCES message ON DELETE CASCADE,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    sealed bytea, -- null: it could not be had
    bytes int CHECK (bytes >= 0), -- of the file as it came
    problem text, -- why it could not
    kept_at timestamptz NOT NULL DEFAULT now(),
    CHECK (num_nonnulls(sealed, problem) = 1)
);
SELECT tenant_table('inbound_file');
ALTER TABLE inbound_file ALTER COLUMN sealed SET STORAGE EXTERNAL; -- encrypted bytes do not compress
CREATE INDEX ON inbound_file (kept_at);
CREATE INDEX ON inbound_file (business_id);

-- For the retention job: deletes what is older, over all tenants, and says how many.
CREATE FUNCTION forget_inbound_files(older_than interval) RETURNS bigint
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ WITH gone AS (DELETE FROM inbound_file WHERE kept_at < now() - older_than RETURNING 1)
       SELECT count(*) FROM gone $$;

-- A message that the channel took and then failed for a passing cause goes out again under a new wamid:
-- what is said of the old one later is about this attempt, no longer about the message.
CREATE TABLE outbox_failure (
    outbox_failure_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    outbox_id bigint NOT NULL REFERENCES outbox ON DELETE CASCADE,
    wamid text NOT NULL,
    error_code int,
    error text,
    at timestamptz NOT NULL,
    UNIQUE (business_id, wamid)
);
SELECT tenant_table('outbox_failure', 'SELECT, INSERT, DELETE');
CREATE INDEX ON outbox_failure (outbox_id);

-- A number on which nothing passes until somebody acts (token expired, account locked): nothing is sent on it,
-- and from time to time one question finds out whether it works again.
CREATE TABLE number_halt (
    phone_number_id text PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    error_code int,
    reason text NOT NULL,
    since timestamptz NOT NULL,
    ask_at timestamptz NOT NULL
);
SELECT tenant_table('number_halt');
CREATE INDEX ON number_halt (business_id);

CREATE FUNCTION numbers_to_ask() RETURNS TABLE (business_id bigint, phone_number_id text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT h.business_id, h.phone_number_id FROM number_halt h WHERE h.ask_at <= now() $$;

-- Businesses with accounts of their own at Meta: a token per number, encrypted by the application. Without one
-- the installation's token is used.
ALTER TABLE business_number ADD COLUMN sealed_token bytea;
ALTER TABLE business_number ADD COLUMN waba_id text; -- the account the number belongs to

-- Raw webhooks are read by the owner's role, oldest first, to be taken in again.
CREATE INDEX webhook_payload_received ON webhook_payload (received_at);
