-- The application's role, the tenant predicate, and what describes a business.
-- Every tenant table carries business_id and a row-level policy; the application never connects with
-- BYPASSRLS rights: each of its transactions starts with set_config('role', 'sara_app', true) and
-- set_config('app.business_id', <id>, true), both local to the transaction, so that a pooler is safe.

CREATE EXTENSION IF NOT EXISTS vector;

DO $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'sara_app') THEN
        CREATE ROLE sara_app NOLOGIN NOSUPERUSER NOBYPASSRLS;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL; -- another database of the same server is being migrated at this moment
END $$;

GRANT sara_app TO CURRENT_USER;
GRANT USAGE ON SCHEMA public TO sara_app;

CREATE FUNCTION current_business() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS
    $$ SELECT nullif(current_setting('app.business_id', true), '')::bigint $$;

-- Turns on the tenant's policy for a table and grants the application what it may do there.
CREATE FUNCTION tenant_table(target regclass, rights text DEFAULT 'SELECT, INSERT, UPDATE, DELETE')
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('CREATE POLICY tenant ON %s TO sara_app USING (business_id = current_business())'
                   ' WITH CHECK (business_id = current_business())', target);
    EXECUTE format('GRANT %s ON %s TO sara_app', rights, target);
END $$;

CREATE TABLE business (
    business_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slug text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9][a-z0-9-]{1,40}$'),
    name text NOT NULL,
    vertical text NOT NULL,
    country char(2) NOT NULL,
    time_zone text NOT NULL,
    currency char(3) NOT NULL,
    languages text[] NOT NULL CHECK (cardinality(languages) > 0), -- first = default
    email text,
    website text,
    display_phone text,
    lead_time_minutes int NOT NULL DEFAULT 60,
    cancel_notice_hours int NOT NULL DEFAULT 24,
    created_at timestamptz NOT NULL DEFAULT now()
);
SELECT tenant_table('business', 'SELECT, UPDATE');

CREATE TABLE business_number (
    phone_number_id text PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    display_phone text
);
SELECT tenant_table('business_number', 'SELECT');
CREATE INDEX ON business_number (business_id);

-- A sentence of the business's own, per language: kind 'persona' or 'house_rule'.
CREATE TABLE business_text (
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    kind text NOT NULL,
    key text NOT NULL,
    language char(2) NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (business_id, kind, key, language)
);
SELECT tenant_table('business_text');

CREATE TABLE sensitivity_threshold (
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    label text NOT NULL,
    threshold real NOT NULL CHECK (threshold BETWEEN 0 AND 1),
    PRIMARY KEY (business_id, label)
);
SELECT tenant_table('sensitivity_threshold');

CREATE TABLE location (
    location_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    key text NOT NULL,
    name text NOT NULL,
    address text NOT NULL,
    city text NOT NULL,
    country char(2) NOT NULL,
    time_zone text NOT NULL,
    UNIQUE (business_id, key)
);
SELECT tenant_table('location');

CREATE TABLE opening_hours (
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    location_id bigint NOT NULL REFERENCES location ON DELETE CASCADE,
    weekday smallint NOT NULL CHECK (weekday BETWEEN 0 AND 6), -- 0 = Monday
    opens time NOT NULL,
    closes time NOT NULL CHECK (closes > opens),
    PRIMARY KEY (location_id, weekday, opens)
);
SELECT tenant_table('opening_hours');

CREATE TABLE closure (
    closure_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    location_id bigint REFERENCES location ON DELETE CASCADE, -- null = every location
    first_day date NOT NULL,
    last_day date NOT NULL CHECK (last_day >= first_day)
);
SELECT tenant_table('closure');
CREATE INDEX ON closure (business_id, first_day);

CREATE TABLE service (
    service_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    key text NOT NULL,
    duration_minutes int CHECK (duration_minutes > 0),
    buffer_minutes int NOT NULL DEFAULT 0,
    price numeric(12, 2) CHECK (price >= 0),
    price_max numeric(12, 2) CHECK (price_max >= price),
    price_unit text NOT NULL DEFAULT 'session',
    bookable boolean NOT NULL DEFAULT false,
    quotable boolean NOT NULL DEFAULT false,
    capacity int NOT NULL DEFAULT 1 CHECK (capacity > 0),
    UNIQUE (business_id, key)
);
SELECT tenant_table('service');

-- What a service is called: ordinal 0 is its name in that language, the rest how customers say it.
CREATE TABLE service_name (
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    service_id bigint NOT NULL REFERENCES service ON DELETE CASCADE,
    language char(2) NOT NULL,
    ordinal smallint NOT NULL,
    name text NOT NULL,
    description text,
    PRIMARY KEY (service_id, language, ordinal)
);
SELECT tenant_table('service_name');
CREATE INDEX ON service_name (business_id);

CREATE TABLE service_location (
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    service_id bigint NOT NULL REFERENCES service ON DELETE CASCADE,
    location_id bigint NOT NULL REFERENCES location ON DELETE CASCADE,
    PRIMARY KEY (service_id, location_id)
);
SELECT tenant_table('service_location');

CREATE TABLE resource (
    resource_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    location_id bigint NOT NULL REFERENCES location ON DELETE CASCADE,
    key text NOT NULL,
    name text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('person', 'room')),
    UNIQUE (business_id, key)
);
SELECT tenant_table('resource');

CREATE TABLE resource_skill (
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    resource_id bigint NOT NULL REFERENCES resource ON DELETE CASCADE,
    service_id bigint NOT NULL REFERENCES service ON DELETE CASCADE,
    PRIMARY KEY (resource_id, service_id)
);
SELECT tenant_table('resource_skill');

-- Rows here narrow a resource's week; a resource without rows works its location's hours.
CREATE TABLE resource_hours (
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    resource_id bigint NOT NULL REFERENCES resource ON DELETE CASCADE,
    weekday smallint NOT NULL CHECK (weekday BETWEEN 0 AND 6),
    starts time NOT NULL,
    ends time NOT NULL CHECK (ends > starts),
    PRIMARY KEY (resource_id, weekday, starts)
);
SELECT tenant_table('resource_hours');

CREATE TABLE agent (
    agent_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email text NOT NULL UNIQUE,
    name text NOT NULL,
    token_sha256 bytea UNIQUE, -- API token; the token itself is shown once and never stored
    active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE membership (
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    agent_id bigint NOT NULL REFERENCES agent ON DELETE CASCADE,
    role text NOT NULL CHECK (role IN ('agent', 'supervisor', 'admin')),
    PRIMARY KEY (business_id, agent_id)
);
SELECT tenant_table('membership', 'SELECT');

-- An agent is visible inside the businesses that agent works for.
ALTER TABLE agent ENABLE ROW LEVEL SECURITY;
CREATE POLICY colleague ON agent TO sara_app USING (
    EXISTS (SELECT 1 FROM membership m WHERE m.agent_id = agent.agent_id AND m.business_id = current_business()));
GRANT SELECT (agent_id, email, name, active) ON agent TO sara_app;

-- The few questions that must be asked before the tenant is known. Each returns ids only.
CREATE FUNCTION business_of_number(number text) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT business_id FROM business_number WHERE phone_number_id = number $$;

CREATE FUNCTION business_of_slug(wanted text) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT business_id FROM business WHERE slug = wanted $$;

CREATE FUNCTION business_directory() RETURNS TABLE (business_id bigint, slug text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT business_id, slug FROM business ORDER BY business_id $$;

CREATE FUNCTION memberships_of_token(digest bytea) RETURNS TABLE (business_id bigint, agent_id bigint, role text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT m.business_id, m.agent_id, m.role FROM agent a JOIN membership m USING (agent_id)
       WHERE a.token_sha256 = digest AND a.active ORDER BY m.business_id $$;
