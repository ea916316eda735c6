-- Booking in full: places of a class, holds, the waiting list, reminders, templates, calendars outside.

ALTER TABLE business ADD COLUMN reminder_hours smallint[] NOT NULL DEFAULT '{24,2}';

-- A booking takes places of its resource: all of them, or as many of a class's as people come.
ALTER TABLE appointment ADD COLUMN people smallint NOT NULL DEFAULT 1 CHECK (people > 0);
ALTER TABLE appointment ADD COLUMN seats int4multirange NOT NULL DEFAULT '{(,)}' CHECK (NOT isempty(seats));
ALTER TABLE appointment ADD COLUMN moved_at timestamptz;
UPDATE appointment a SET seats = '{[1,2)}' FROM service s WHERE s.service_id = a.service_id AND s.capacity > 1;

-- 'held': kept for somebody of the waiting list until they answer.
ALTER TABLE appointment DROP CONSTRAINT appointment_status_check;
ALTER TABLE appointment ADD CONSTRAINT appointment_status_check
    CHECK (status IN ('held', 'booked', 'completed', 'no_show', 'cancelled'));
ALTER TABLE appointment DROP CONSTRAINT appointment_no_double_booking;
ALTER TABLE appointment ADD CONSTRAINT appointment_no_double_booking EXCLUDE USING gist (
    int8range(resource_id, resource_id, '[]') WITH &&, seats WITH &&, during WITH &&) WHERE (status <> 'cancelled');
CREATE INDEX appointment_of_resource ON appointment (resource_id, lower(during)) WHERE status <> 'cancelled';

-- Who would come if a place became free: wanted is when they would start.
CREATE TABLE waiting (
    waiting_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    contact_id bigint NOT NULL REFERENCES contact ON DELETE CASCADE,
    conversation_id bigint REFERENCES conversation ON DELETE SET NULL,
    service_id bigint NOT NULL REFERENCES service ON DELETE CASCADE,
    location_id bigint NOT NULL REFERENCES location ON DELETE CASCADE,
    resource_id bigint REFERENCES resource ON DELETE CASCADE, -- with whom; null: whoever is free
    wanted tstzrange NOT NULL CHECK (NOT isempty(wanted)),
    people smallint NOT NULL DEFAULT 1 CHECK (people > 0),
    language char(2) NOT NULL,
    status text NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'offered', 'taken', 'left', 'lapsed')),
    appointment_id bigint REFERENCES appointment ON DELETE SET NULL, -- the place held for them
    answer_by timestamptz,
    idempotency_key text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (business_id, idempotency_key)
);
SELECT tenant_table('waiting');
CREATE INDEX waiting_open ON waiting (business_id, status, waiting_id) WHERE status IN ('waiting', 'offered');
CREATE INDEX ON waiting (contact_id);

-- A reminder that was written, or that nothing could be done for: once for each start an appointment has.
CREATE TABLE reminder (
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    appointment_id bigint NOT NULL REFERENCES appointment ON DELETE CASCADE,
    hours smallint NOT NULL,
    starts timestamptz NOT NULL,
    written_at timestamptz NOT NULL,
    PRIMARY KEY (appointment_id, hours, starts)
);
SELECT tenant_table('reminder');

-- The approved templates a business has at Meta for what SARA says first; their words live there.
CREATE TABLE message_template (
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    purpose text NOT NULL CHECK (purpose IN ('reminder', 'freed_place')),
    language char(2) NOT NULL,
    name text NOT NULL,
    code text NOT NULL, -- the template's language as Meta writes it, such as pt_BR
    PRIMARY KEY (business_id, purpose, language)
);
SELECT tenant_table('message_template', 'SELECT');

-- What a message says where only a template may be sent.
ALTER TABLE message ADD COLUMN template_name text, ADD COLUMN template_code text, ADD COLUMN template_values text[];

-- A resource's calendars outside: the feed any calendar app reads, and one that is written to and read.
CREATE TABLE calendar (
    resource_id bigint PRIMARY KEY REFERENCES resource ON DELETE CASCADE,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    feed_sha256 bytea UNIQUE, -- the token itself is shown once and never stored
    provider text CHECK (provider IN ('caldav', 'google')),
    address text NOT NULL DEFAULT '', -- a CalDAV collection's URL, or Google's calendar id
    username text NOT NULL DEFAULT '',
    secret bytea, -- encrypted by the application
    checked_at timestamptz, -- when it was read last
    error text,
    CHECK (provider IS NULL OR (address <> '' AND secret IS NOT NULL))
);
SELECT tenant_table('calendar');
CREATE INDEX ON calendar (business_id);

-- Which appointment stands in whose calendar, as what.
CREATE TABLE calendar_event (
    appointment_id bigint NOT NULL REFERENCES appointment ON DELETE CASCADE,
    resource_id bigint NOT NULL REFERENCES resource ON DELETE CASCADE,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    during tstzrange NOT NULL,
    status text NOT NULL,
    written_at timestamptz NOT NULL,
    PRIMARY KEY (appointment_id, resource_id)
);
SELECT tenant_table('calendar_event');

-- What somebody wrote into a calendar themselves: the resource cannot be booked then.
CREATE TABLE calendar_busy (
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    resource_id bigint NOT NULL REFERENCES resource ON DELETE CASCADE,
    uid text NOT NULL,
    during tstzrange NOT NULL CHECK (NOT isempty(during)),
    PRIMARY KEY (resource_id, uid, during)
);
SELECT tenant_table('calendar_busy');
CREATE INDEX ON calendar_busy (business_id);

-- Asked before the tenant is known: whose calendar a feed's token opens.
CREATE FUNCTION calendar_of_feed(digest bytea) RETURNS TABLE (business_id bigint, resource_id bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT business_id, resource_id FROM calendar WHERE feed_sha256 = digest $$;

-- For the jobs: which businesses have reminders to write, places to give away or offers that nobody took, and
-- which have calendars. Ids only, over all tenants.
CREATE FUNCTION businesses_with_agenda(at timestamptz) RETURNS TABLE (business_id bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT DISTINCT b.business_id FROM business b JOIN appointment a USING (business_id)
       WHERE a.status = 'booked' AND lower(a.during) > at AND lower(a.during) <= at + make_interval(
             hours => (SELECT coalesce(max(h), 0) FROM unnest(b.reminder_hours) h) + 12)
       UNION SELECT w.business_id FROM waiting w WHERE w.status IN ('waiting', 'offered') $$;

CREATE FUNCTION businesses_with_calendars() RETURNS TABLE (business_id bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT DISTINCT business_id FROM calendar WHERE provider IS NOT NULL $$;
