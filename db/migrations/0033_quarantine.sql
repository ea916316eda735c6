-- Turns that were given up: they failed every time, or ended the process that ran them. The tries before that are
-- counted in the arguments of the job, which is there before the try and outlives the process; here is what is
-- left to see and to release.
CREATE TABLE quarantine (
    quarantine_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    conversation_id bigint NOT NULL REFERENCES conversation ON DELETE CASCADE,
    handoff_id bigint NOT NULL REFERENCES handoff ON DELETE CASCADE, -- who has the conversation since
    last_event_id bigint NOT NULL, -- of the messages that were given up
    tries int NOT NULL CHECK (tries >= 0), -- that raised an error
    deaths int NOT NULL CHECK (deaths >= 0), -- that ended the process
    cause text NOT NULL, -- kind and place of the last error, none of its words; '' when no error was seen
    at timestamptz NOT NULL,
    released_at timestamptz, -- when it was given back to SARA for another try
    UNIQUE (conversation_id, last_event_id)
);
SELECT tenant_table('quarantine');
CREATE INDEX ON quarantine (business_id, at);
CREATE INDEX ON quarantine (handoff_id);
