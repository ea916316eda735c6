-- Quotes that can be issued and accepted, invoice drafts with VAT, and the files made of them.
-- Prices of the record hold VAT, as customers hear them; net and VAT are worked out from them, never stored.

-- Who the business is to the tax office, and the terms of its quotes.
CREATE TABLE business_fiscal (
    business_id bigint PRIMARY KEY REFERENCES business ON DELETE CASCADE,
    legal_name text NOT NULL,
    vat_number text NOT NULL, -- without the country's letters
    tax_code text,
    regime text NOT NULL DEFAULT 'RF01', -- RegimeFiscale of FatturaPA
    street text NOT NULL,
    postal_code text NOT NULL,
    city text NOT NULL,
    province text,
    country char(2) NOT NULL,
    vat_rate numeric(5, 2) NOT NULL CHECK (vat_rate BETWEEN 0 AND 100),
    vat_nature text, -- why there is no VAT, where the rate is 0
    quote_valid_days int NOT NULL DEFAULT 30 CHECK (quote_valid_days > 0),
    quote_limit numeric(12, 2) CHECK (quote_limit > 0) -- a larger quote waits for a person; null: none does
);
SELECT tenant_table('business_fiscal', 'SELECT');

ALTER TABLE service ADD COLUMN vat_rate numeric(5, 2) CHECK (vat_rate BETWEEN 0 AND 100); -- null: the business's
ALTER TABLE service ADD COLUMN vat_nature text;

-- The last number given out of each yearly series; taken in the transaction that uses it, so without gaps.
CREATE TABLE document_series (
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('quote', 'invoice')),
    year int NOT NULL,
    last int NOT NULL,
    PRIMARY KEY (business_id, kind, year)
);
SELECT tenant_table('document_series', 'SELECT, INSERT, UPDATE');

ALTER TABLE quote ADD COLUMN number text;
ALTER TABLE quote ADD COLUMN language char(2);
ALTER TABLE quote ADD COLUMN issued_at timestamptz;
ALTER TABLE quote ADD COLUMN decided_at timestamptz;
ALTER TABLE quote ADD CONSTRAINT quote_number_once UNIQUE (business_id, number);
ALTER TABLE quote ADD CONSTRAINT quote_issued_whole CHECK (
    status IN ('requested', 'declined') OR (number IS NOT NULL AND issued_at IS NOT NULL AND valid_until IS NOT NULL));
ALTER TABLE quote_line ADD COLUMN vat_rate numeric(5, 2) CHECK (vat_rate BETWEEN 0 AND 100);
ALTER TABLE quote_line ADD COLUMN vat_nature text;

-- Who pays, as the customer told it; what is missing here keeps an electronic invoice from being written.
CREATE TABLE contact_fiscal (
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    contact_id bigint PRIMARY KEY REFERENCES contact ON DELETE CASCADE,
    name text NOT NULL,
    vat_number text,
    tax_code text,
    street text,
    postal_code text,
    city text,
    province text,
    country char(2) NOT NULL,
    sdi_code text, -- CodiceDestinatario
    pec text
);
SELECT tenant_table('contact_fiscal');
CREATE INDEX ON contact_fiscal (business_id);

-- pending: the booking is still to come; ready: to be checked and sent by the business; void: nothing to pay.
CREATE TABLE invoice_draft (
    invoice_draft_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    contact_id bigint NOT NULL REFERENCES contact ON DELETE CASCADE,
    conversation_id bigint REFERENCES conversation ON DELETE SET NULL,
    quote_id bigint UNIQUE REFERENCES quote ON DELETE CASCADE,
    appointment_id bigint UNIQUE REFERENCES appointment ON DELETE CASCADE,
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'ready', 'void')),
    currency char(3) NOT NULL,
    language char(2),
    number text,
    invoice_date date,
    missing text[] NOT NULL DEFAULT '{}', -- what keeps the electronic invoice from being written
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (num_nonnulls(quote_id, appointment_id) = 1),
    CHECK (status <> 'ready' OR (number IS NOT NULL AND invoice_date IS NOT NULL)),
    UNIQUE (business_id, number)
);
SELECT tenant_table('invoice_draft');
CREATE INDEX ON invoice_draft (contact_id);

CREATE TABLE invoice_draft_line (
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    invoice_draft_id bigint NOT NULL REFERENCES invoice_draft ON DELETE CASCADE,
    ordinal smallint NOT NULL,
    description text NOT NULL,
    quantity numeric(10, 2) NOT NULL CHECK (quantity > 0),
    unit_price numeric(12, 2) NOT NULL CHECK (unit_price >= 0),
    vat_rate numeric(5, 2) NOT NULL CHECK (vat_rate BETWEEN 0 AND 100),
    vat_nature text,
    PRIMARY KEY (invoice_draft_id, ordinal)
);
SELECT tenant_table('invoice_draft_line');

-- What was rendered, kept as it was sent.
CREATE TABLE stored_file (
    file_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    contact_id bigint NOT NULL REFERENCES contact ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('quote_pdf', 'invoice_pdf', 'invoice_xml')),
    quote_id bigint REFERENCES quote ON DELETE CASCADE,
    invoice_draft_id bigint REFERENCES invoice_draft ON DELETE CASCADE,
    filename text NOT NULL,
    mime_type text NOT NULL,
    content bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (num_nonnulls(quote_id, invoice_draft_id) = 1)
);
SELECT tenant_table('stored_file');
CREATE UNIQUE INDEX stored_file_of_quote ON stored_file (quote_id, kind) WHERE quote_id IS NOT NULL;
CREATE UNIQUE INDEX stored_file_of_invoice ON stored_file (invoice_draft_id, kind) WHERE invoice_draft_id IS NOT NULL;
CREATE INDEX ON stored_file (contact_id);

-- A document of ours: uploaded when it is sent, since an upload lasts 30 days at WhatsApp and a file here stays.
ALTER TABLE message ADD COLUMN file_id bigint REFERENCES stored_file ON DELETE SET NULL;
