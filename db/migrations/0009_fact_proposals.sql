-- What a business's own lists say differently from its record, waiting for a person to accept or reject it.

CREATE TABLE fact_proposal (
    proposal_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('new_service', 'service', 'hours')),
    subject text NOT NULL, -- key of the service or location; of a new service the key it would get
    subject_name text NOT NULL,
    -- 'service' (all of a new one), 'price' with its range and unit, 'duration', or a day of the week
    field text NOT NULL CHECK (field IN ('service', 'price', 'duration',
        'mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun')),
    old_value text, -- as it is shown and compared; null where the record has none
    new_value text NOT NULL,
    -- The list's typed reading, which accepting writes; of a day's hours it is in fact_proposal_hours.
    language char(2) NOT NULL,
    duration_minutes int CHECK (duration_minutes > 0),
    price numeric(12, 2) CHECK (price >= 0), -- of a service or price: null = on request
    price_max numeric(12, 2) CHECK (price_max >= price),
    price_unit text,
    similar_to text, -- key of a service it may be another name of
    document text NOT NULL,
    row_text text NOT NULL, -- the row as written there
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'accepted', 'rejected', 'superseded')),
    agent_id bigint REFERENCES agent, -- who decided; null = the operator, or a later reading of the lists
    created_at timestamptz NOT NULL DEFAULT now(),
    decided_at timestamptz
);
SELECT tenant_table('fact_proposal');
CREATE UNIQUE INDEX fact_proposal_one_open ON fact_proposal
    (business_id, kind, subject, field, new_value) WHERE status = 'open';
CREATE INDEX ON fact_proposal (business_id, status, proposal_id);

-- The spans of a proposed day, none when it is closed.
CREATE TABLE fact_proposal_hours (
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    proposal_id bigint NOT NULL REFERENCES fact_proposal ON DELETE CASCADE,
    opens time NOT NULL,
    closes time NOT NULL CHECK (closes > opens),
    PRIMARY KEY (proposal_id, opens)
);
SELECT tenant_table('fact_proposal_hours');

-- An accepted fact is an event of the business as a whole, of no customer.
ALTER TABLE crm_event ALTER COLUMN contact_id DROP NOT NULL;
