-- Templates as Meta has them, the governor of everything that is sent, campaigns, and proof of consent.

-- What Meta knows of a business's templates; filled by `sara template sync`, kept true by webhooks.
CREATE TABLE wa_template (
    wa_template_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    name text NOT NULL,
    code text NOT NULL, -- the language as Meta writes it
    category text NOT NULL,
    status text NOT NULL,
    quality text,
    reason text, -- why it was rejected, paused or disabled
    body text NOT NULL DEFAULT '',
    variables smallint NOT NULL DEFAULT 0 CHECK (variables >= 0), -- of the body
    plain boolean NOT NULL DEFAULT true, -- needs nothing but the body's variables
    quick_replies text[] NOT NULL DEFAULT '{}',
    synced_at timestamptz NOT NULL,
    UNIQUE (business_id, name, code)
);
SELECT tenant_table('wa_template');

ALTER TABLE business_number ADD COLUMN IF NOT EXISTS waba_id text; -- the account its templates belong to
CREATE INDEX ON business_number (waba_id);

-- Asked before the tenant is known: whose account or number a webhook speaks of.
CREATE FUNCTION business_of_account(account text, digits text) RETURNS TABLE (business_id bigint, phone_number_id text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT n.business_id, n.phone_number_id FROM business_number n
       WHERE CASE WHEN digits IS NULL THEN n.waba_id = account
                  ELSE regexp_replace(n.display_phone, '\D', '', 'g') = digits END $$;

GRANT UPDATE (waba_id) ON business_number TO sara_app;
GRANT INSERT, UPDATE, DELETE ON message_template TO sara_app;
ALTER TABLE message_template DROP CONSTRAINT message_template_purpose_check;
ALTER TABLE message_template ADD CONSTRAINT message_template_purpose_check
    CHECK (purpose IN ('reminder', 'freed_place', 'write_again', 'follow_up', 'quote'));

-- `purpose`: which template says it once the 24 hours are over. `lane`: whom it gives way to.
ALTER TABLE outbox ADD COLUMN purpose text,
    ADD COLUMN lane text NOT NULL DEFAULT 'service' CHECK (lane IN ('service', 'campaign'));
CREATE INDEX outbox_of_message ON outbox (message_id);
CREATE INDEX outbox_campaign ON outbox (business_id) WHERE lane = 'campaign' AND state IN ('queued', 'sending', 'unknown');

-- The governor. Its keys are numbers and ids; they belong to no tenant's screen, so nobody reads them but
-- through the functions below.

-- Numbers of one Meta portfolio share its tier: so many unique customers per moving 24 hours.
CREATE TABLE sender_portfolio (
    portfolio text PRIMARY KEY,
    tier int DEFAULT 250 CHECK (tier > 0), -- null: unlimited
    used int NOT NULL DEFAULT 0 -- how many rows it has in portfolio_reach
);
CREATE TABLE portfolio_reach (
    portfolio text NOT NULL REFERENCES sender_portfolio ON UPDATE CASCADE ON DELETE CASCADE,
    contact_id bigint NOT NULL,
    at timestamptz NOT NULL,
    sent boolean NOT NULL, -- false: a place kept for a message on its way to the sender
    PRIMARY KEY (portfolio, contact_id)
);
CREATE INDEX ON portfolio_reach (portfolio, at);

CREATE TABLE sender_number (
    phone_number_id text PRIMARY KEY,
    portfolio text NOT NULL REFERENCES sender_portfolio ON UPDATE CASCADE,
    per_second int NOT NULL DEFAULT 80 CHECK (per_second > 0),
    pace double precision NOT NULL DEFAULT 1 CHECK (pace > 0 AND pace <= 1), -- share of it after a 130429
    slowed_at timestamptz,
    stopped text, -- why campaigns may not use it
    quality text
);

-- When each key's next message is due (the theoretical arrival time of the generic cell rate algorithm).
CREATE TABLE sending_rate (
    key text PRIMARY KEY,
    due timestamptz NOT NULL
);

CREATE TABLE marketing_cooldown (
    phone_number_id text NOT NULL,
    contact_id bigint NOT NULL,
    until timestamptz NOT NULL,
    PRIMARY KEY (phone_number_id, contact_id)
);

-- What came in on a number counts towards its throughput. Worthless after a second, so not logged.
CREATE UNLOGGED TABLE number_inbound (
    phone_number_id text NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX ON number_inbound (phone_number_id);

-- How long a key has to wait: messages `gap` apart, with `burst` of them at once.
CREATE FUNCTION gcra_wait(due timestamptz, gap interval, burst double precision, moment timestamptz)
RETURNS interval LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
    $$ SELECT greatest(due - moment - gap * (burst - 1), interval '0') $$;

-- A key's due time, its row locked until the transaction ends.
CREATE FUNCTION gcra_due(wanted text, moment timestamptz) RETURNS timestamptz
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE found_due timestamptz;
BEGIN
    SELECT due INTO found_due FROM sending_rate WHERE key = wanted FOR UPDATE;
    IF NOT FOUND THEN
        INSERT INTO sending_rate VALUES (wanted, moment) ON CONFLICT DO NOTHING;
        SELECT due INTO found_due FROM sending_rate WHERE key = wanted FOR UPDATE;
    END IF;
    RETURN greatest(found_due, moment);
END $$;

-- What a number may do; one that nobody described has the limits Meta gives to a new one.
CREATE FUNCTION sender_of(number text) RETURNS sender_number
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE found_number sender_number; own text := 'business:' || coalesce(current_business(), 0);
BEGIN
    SELECT * INTO found_number FROM sender_number WHERE phone_number_id = number;
    IF NOT FOUND THEN
        INSERT INTO sender_portfolio (portfolio) VALUES (own) ON CONFLICT DO NOTHING;
        INSERT INTO sender_number (phone_number_id, portfolio) VALUES (number, own) ON CONFLICT DO NOTHING;
        SELECT * INTO found_number FROM sender_number WHERE phone_number_id = number;
    END IF;
    RETURN found_number;
END $$;

-- The share of its throughput a number uses: halved by each 130429, a tenth won back each minute.
CREATE FUNCTION pace_of(number sender_number, moment timestamptz) RETURNS double precision LANGUAGE sql IMMUTABLE AS
    $$ SELECT CASE WHEN number.slowed_at IS NULL THEN 1.0 ELSE least(1.0,
           number.pace + greatest(0, extract(epoch FROM moment - number.slowed_at)) / 600) END $$;

-- Takes a customer's place in the tier, or says in how many seconds one becomes free. A minute more than
-- 24 hours, since Meta counts from when it has the message.
CREATE FUNCTION portfolio_take(name text, customer bigint, moment timestamptz, goes_out boolean)
RETURNS double precision LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    kept CONSTANT interval := interval '24 hours 1 minute';
    whole sender_portfolio;
    expired bigint;
BEGIN
    SELECT * INTO whole FROM sender_portfolio WHERE portfolio = name FOR UPDATE;
    WITH gone AS (DELETE FROM portfolio_reach r WHERE r.portfolio = name AND r.at <= moment - kept RETURNING 1)
    SELECT count(*) INTO expired FROM gone;
    whole.used := whole.used - expired;
    UPDATE portfolio_reach r SET at = greatest(r.at, moment), sent = r.sent OR goes_out
    WHERE r.portfolio = name AND r.contact_id = customer;
    IF NOT FOUND THEN
        IF whole.used >= whole.tier THEN
            UPDATE sender_portfolio SET used = whole.used WHERE portfolio = name;
            RETURN greatest(1, extract(epoch FROM (
                SELECT min(r.at) FROM portfolio_reach r WHERE r.portfolio = name) + kept - moment));
        END IF;
        INSERT INTO portfolio_reach VALUES (name, customer, moment, goes_out);
        whole.used := whole.used + 1;
    END IF;
    UPDATE sender_portfolio SET used = whole.used WHERE portfolio = name;
    RETURN 0;
END $$;

-- A campaign asks for a customer's place in the tier before it writes the message.
CREATE FUNCTION governor_reserve(number text, customer bigint, moment timestamptz,
    OUT wait_s double precision, OUT reason text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    sender sender_number := sender_of(number);
    cool timestamptz;
BEGIN
    wait_s := 0;
    SELECT c.until INTO cool FROM marketing_cooldown c WHERE c.phone_number_id = number AND c.contact_id = customer;
    IF sender.stopped IS NOT NULL THEN
        wait_s := 60; reason := 'stopped';
    ELSIF cool > moment THEN
        wait_s := extract(epoch FROM cool - moment); reason := 'cooldown';
    ELSE
        wait_s := portfolio_take(sender.portfolio, customer, moment, false);
        reason := CASE WHEN wait_s > 0 THEN 'tier' END;
    END IF;
END $$;

-- It will not be sent after all.
CREATE FUNCTION governor_release(number text, customer bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE sender sender_number := sender_of(number);
BEGIN
    PERFORM FROM sender_portfolio WHERE portfolio = sender.portfolio FOR UPDATE;
    DELETE FROM portfolio_reach r
    WHERE r.portfolio = sender.portfolio AND r.contact_id = customer AND NOT r.sent;
    IF FOUND THEN
        UPDATE sender_portfolio SET used = used - 1 WHERE portfolio = sender.portfolio;
    END IF;
END $$;

-- May one message leave now? 0 and the message is counted on every key, or the seconds to wait and why.
-- `campaign` messages keep to four fifths of the throughput: replies always find room. `initiated`: the
-- customer's 24 hours are over, so the customer counts towards the tier.
-- Locks are taken in one order (portfolio, number, campaign, pair) and last in their transaction.
CREATE FUNCTION governor_admit(number text, customer bigint, campaign boolean, initiated boolean, moment timestamptz,
    OUT wait_s double precision, OUT reason text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    pair_gap CONSTANT interval := interval '6 seconds';
    pair_burst CONSTANT int := 44; -- Meta's 45, less one for clocks that disagree
    sender sender_number := sender_of(number);
    rate double precision;
    burst double precision;
    gap interval;
    campaign_gap interval;
    cool timestamptz;
    number_due timestamptz;
    campaign_due timestamptz;
    pair_due timestamptz;
    came bigint;
    waits interval;
BEGIN
    wait_s := 0;
    IF campaign THEN
        SELECT c.until INTO cool FROM marketing_cooldown c WHERE c.phone_number_id = number AND c.contact_id = customer;
        IF sender.stopped IS NOT NULL OR cool > moment THEN
            wait_s := CASE WHEN sender.stopped IS NULL THEN extract(epoch FROM cool - moment) ELSE 60 END;
            reason := CASE WHEN sender.stopped IS NULL THEN 'cooldown' ELSE 'stopped' END;
            RETURN;
        END IF;
    END IF;
    IF initiated THEN
        wait_s := portfolio_take(sender.portfolio, customer, moment, true);
        IF wait_s > 0 THEN
            reason := 'tier';
            RETURN;
        END IF;
    END IF;
    -- In any second at most `burst` at once and the rest evenly: together never more than the rate.
    rate := greatest(1, sender.per_second * pace_of(sender, moment));
    burst := greatest(1, floor(rate / 20));
    gap := make_interval(secs => 1 / greatest(0.5, rate - burst));
    campaign_gap := gap * 1.25;
    number_due := gcra_due('number:' || number, moment);
    WITH heard AS (DELETE FROM number_inbound i WHERE i.phone_number_id = number RETURNING i.at)
    SELECT count(*) INTO came FROM heard WHERE at > moment - interval '1 second';
    number_due := number_due + gap * came;
    waits := gcra_wait(number_due, gap, burst, moment);
    reason := 'number';
    IF campaign THEN
        campaign_due := gcra_due('campaign:' || number, moment);
        IF gcra_wait(campaign_due, campaign_gap, 1, moment) > waits THEN
            waits := gcra_wait(campaign_due, campaign_gap, 1, moment);
        END IF;
    END IF;
    pair_due := gcra_due('pair:' || number || ':' || customer, moment);
    IF gcra_wait(pair_due, pair_gap, pair_burst, moment) > waits THEN
        waits := gcra_wait(pair_due, pair_gap, pair_burst, moment);
        reason := 'pair';
    END IF;
    wait_s := extract(epoch FROM waits);
    IF wait_s > 0 THEN
        IF came > 0 THEN
            UPDATE sending_rate SET due = number_due WHERE key = 'number:' || number;
        END IF;
        RETURN;
    END IF;
    reason := NULL;
    UPDATE sending_rate SET due = number_due + gap WHERE key = 'number:' || number;
    UPDATE sending_rate SET due = pair_due + pair_gap WHERE key = 'pair:' || number || ':' || customer;
    IF campaign THEN
        UPDATE sending_rate SET due = campaign_due + campaign_gap WHERE key = 'campaign:' || number;
    END IF;
END $$;

-- A message came in: it counts, and whoever writes it down waits for nobody.
CREATE FUNCTION governor_heard(number text, moment timestamptz) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ INSERT INTO number_inbound VALUES (number, moment) $$;

-- 130429: half the pace. Errors of the same burst count once.
CREATE FUNCTION governor_slow(number text, moment timestamptz) RETURNS double precision
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE sender sender_number := sender_of(number); slower double precision;
BEGIN
    SELECT * INTO sender FROM sender_number WHERE phone_number_id = number FOR UPDATE;
    IF sender.slowed_at > moment - interval '2 seconds' THEN
        RETURN pace_of(sender, moment);
    END IF;
    slower := greatest(0.1, pace_of(sender, moment) / 2);
    UPDATE sender_number SET pace = slower, slowed_at = moment WHERE phone_number_id = number;
    RETURN slower;
END $$;

-- 131056: nothing to this customer before `until`.
CREATE FUNCTION governor_hold_pair(number text, customer bigint, until_when timestamptz, moment timestamptz)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM gcra_due('pair:' || number || ':' || customer, moment);
    UPDATE sending_rate SET due = greatest(due, until_when + interval '6 seconds' * 43)
    WHERE key = 'pair:' || number || ':' || customer;
END $$;

-- 131049: no marketing to this customer before `until`.
CREATE FUNCTION governor_cool(number text, customer bigint, until_when timestamptz) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ INSERT INTO marketing_cooldown VALUES (number, customer, until_when)
       ON CONFLICT (phone_number_id, contact_id) DO UPDATE SET until = greatest(marketing_cooldown.until, EXCLUDED.until) $$;

-- Campaigns may not use the number, and why; null: they may again.
CREATE FUNCTION governor_stop(number text, why text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM sender_of(number);
    UPDATE sender_number SET stopped = why WHERE phone_number_id = number;
END $$;

-- What Meta or the operator says of a number; null leaves it, a tier of 0 is unlimited.
CREATE FUNCTION governor_limits(number text, rate int, new_tier int, shared text, new_quality text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE sender sender_number := sender_of(number);
BEGIN
    IF shared IS NOT NULL THEN
        INSERT INTO sender_portfolio (portfolio) VALUES (shared) ON CONFLICT DO NOTHING;
    END IF;
    UPDATE sender_number SET per_second = coalesce(rate, per_second), portfolio = coalesce(shared, portfolio),
        quality = coalesce(new_quality, quality) WHERE phone_number_id = number RETURNING * INTO sender;
    IF new_tier IS NOT NULL THEN
        UPDATE sender_portfolio SET tier = nullif(new_tier, 0) WHERE portfolio = sender.portfolio;
    END IF;
END $$;

CREATE FUNCTION governor_state(number text, moment timestamptz)
RETURNS TABLE (phone_number_id text, portfolio text, per_second int, pace double precision, tier int, used int,
    stopped text, quality text)
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT s.phone_number_id, s.portfolio, s.per_second, pace_of(s, moment), p.tier,
              (SELECT count(*)::int FROM portfolio_reach r WHERE r.portfolio = s.portfolio
               AND r.at > moment - interval '24 hours 1 minute'), s.stopped, s.quality
       FROM sender_of(number) s JOIN sender_portfolio p ON p.portfolio = s.portfolio $$;

-- Keys that have long been idle, and cooldowns that are over.
CREATE FUNCTION governor_forget(moment timestamptz) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ DELETE FROM sending_rate WHERE key IN (
           SELECT key FROM sending_rate WHERE due < moment - interval '1 hour' FOR UPDATE SKIP LOCKED);
       DELETE FROM marketing_cooldown WHERE until < moment;
       DELETE FROM number_inbound WHERE at < moment - interval '1 minute' $$;

REVOKE ALL ON FUNCTION gcra_due(text, timestamptz), portfolio_take(text, bigint, timestamptz, boolean) FROM PUBLIC;

-- Consent. Each time a customer allowed marketing or withdrew it: how, and what proves it.
CREATE TABLE marketing_consent (
    marketing_consent_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    contact_id bigint NOT NULL REFERENCES contact ON DELETE CASCADE,
    given boolean NOT NULL,
    source text NOT NULL, -- word, whatsapp_menu, meta_131050, import, agent
    evidence text NOT NULL DEFAULT '',
    at timestamptz NOT NULL
);
SELECT tenant_table('marketing_consent', 'SELECT, INSERT, DELETE');
CREATE INDEX ON marketing_consent (contact_id, at);

CREATE TABLE campaign (
    campaign_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    name text NOT NULL,
    phone_number_id text NOT NULL,
    state text NOT NULL DEFAULT 'draft'
        CHECK (state IN ('draft', 'scheduled', 'running', 'paused', 'finished', 'cancelled')),
    -- The audience: what is null or empty does not narrow it.
    lifecycles text[] NOT NULL DEFAULT '{}',
    languages text[] NOT NULL DEFAULT '{}',
    countries text[] NOT NULL DEFAULT '{}', -- by the phone's country
    seen_within_days int CHECK (seen_within_days > 0),
    unseen_for_days int CHECK (unseen_for_days > 0),
    service_key text, -- had an appointment for it
    -- How it is sent.
    cap_messages int NOT NULL DEFAULT 1 CHECK (cap_messages > 0), -- campaign messages to one contact …
    cap_days int NOT NULL DEFAULT 7 CHECK (cap_days > 0), -- … in so many days
    per_minute int CHECK (per_minute > 0),
    first_wave int NOT NULL DEFAULT 50 CHECK (first_wave >= 0), -- sent first, then looked at
    first_wave_seconds int NOT NULL DEFAULT 120 CHECK (first_wave_seconds >= 0),
    starts_at timestamptz,
    started_at timestamptz,
    finished_at timestamptz,
    note text, -- why it is paused, or what it waits for
    changed_at timestamptz NOT NULL, -- its state
    created_at timestamptz NOT NULL,
    UNIQUE (business_id, name)
);
SELECT tenant_table('campaign');
CREATE INDEX campaign_live ON campaign (state) WHERE state IN ('scheduled', 'running');

CREATE TABLE campaign_variant (
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    campaign_id bigint NOT NULL REFERENCES campaign ON DELETE CASCADE,
    variant char(1) NOT NULL CHECK (variant IN ('a', 'b')),
    template_name text NOT NULL,
    template_values text[] NOT NULL DEFAULT '{}', -- {name} and {business} are filled in
    PRIMARY KEY (campaign_id, variant)
);
SELECT tenant_table('campaign_variant');

-- waiting → handed (written and in the outbox, whose row says what became of it) | skipped, with why.
CREATE TABLE campaign_recipient (
    campaign_id bigint NOT NULL REFERENCES campaign ON DELETE CASCADE,
    contact_id bigint NOT NULL REFERENCES contact ON DELETE CASCADE,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    variant char(1) NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'handed', 'skipped')),
    reason text,
    not_before timestamptz,
    tries smallint NOT NULL DEFAULT 0,
    handed_at timestamptz,
    message_id bigint UNIQUE REFERENCES message ON DELETE SET NULL,
    replied_at timestamptz,
    reply_message_id bigint REFERENCES message ON DELETE SET NULL,
    PRIMARY KEY (campaign_id, contact_id)
);
SELECT tenant_table('campaign_recipient');
CREATE INDEX campaign_recipient_waiting ON campaign_recipient (campaign_id, contact_id) WHERE state = 'waiting';
CREATE INDEX campaign_recipient_of_contact ON campaign_recipient (contact_id, handed_at) WHERE state = 'handed';
CREATE INDEX campaign_recipient_pace ON campaign_recipient (campaign_id, handed_at) WHERE state = 'handed';

-- For the tick: campaigns, of all tenants, that are running or whose time has come. Ids only.
CREATE FUNCTION campaigns_to_run(moment timestamptz) RETURNS TABLE (business_id bigint, campaign_id bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT c.business_id, c.campaign_id FROM campaign c
       WHERE c.state = 'running' OR (c.state = 'scheduled' AND c.starts_at <= moment) ORDER BY c.campaign_id $$;
