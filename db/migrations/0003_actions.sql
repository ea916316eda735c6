-- What SARA does for a customer: appointments, quotes, tickets.

CREATE TABLE appointment (
    appointment_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    contact_id bigint NOT NULL REFERENCES contact ON DELETE CASCADE,
    conversation_id bigint REFERENCES conversation ON DELETE SET NULL,
    service_id bigint NOT NULL REFERENCES service,
    resource_id bigint NOT NULL REFERENCES resource,
    during tstzrange NOT NULL CHECK (NOT isempty(during)),
    status text NOT NULL DEFAULT 'booked' CHECK (status IN ('booked', 'completed', 'no_show', 'cancelled')),
    price numeric(12, 2),
    idempotency_key text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (business_id, idempotency_key),
    -- One resource, one customer at a time; int8range because btree_gist is not everywhere.
    CONSTRAINT appointment_no_double_booking EXCLUDE USING gist (
        int8range(resource_id, resource_id, '[]') WITH &&, during WITH &&) WHERE (status <> 'cancelled')
);
SELECT tenant_table('appointment');
CREATE INDEX ON appointment (contact_id);
CREATE INDEX ON appointment (business_id, lower(during));

CREATE TABLE quote (
    quote_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    contact_id bigint NOT NULL REFERENCES contact ON DELETE CASCADE,
    conversation_id bigint REFERENCES conversation ON DELETE SET NULL,
    status text NOT NULL DEFAULT 'requested' CHECK (status IN ('requested', 'issued', 'accepted', 'declined', 'expired')),
    currency char(3) NOT NULL,
    request text NOT NULL DEFAULT '', -- what the customer asked, in the customer's words
    valid_until date,
    idempotency_key text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (business_id, idempotency_key)
);
SELECT tenant_table('quote');
CREATE INDEX ON quote (contact_id);

CREATE TABLE quote_line (
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    quote_id bigint NOT NULL REFERENCES quote ON DELETE CASCADE,
    ordinal smallint NOT NULL,
    service_id bigint REFERENCES service,
    description text NOT NULL,
    quantity numeric(10, 2) NOT NULL CHECK (quantity > 0),
    unit_price numeric(12, 2), -- null until a person has priced it
    PRIMARY KEY (quote_id, ordinal)
);
SELECT tenant_table('quote_line');

CREATE TABLE ticket (
    ticket_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    contact_id bigint NOT NULL REFERENCES contact ON DELETE CASCADE,
    conversation_id bigint REFERENCES conversation ON DELETE SET NULL,
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'in_progress', 'closed')),
    description text NOT NULL,
    idempotency_key text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (business_id, idempotency_key)
);
SELECT tenant_table('ticket');
CREATE INDEX ON ticket (contact_id);
