-- What a customer wrote takes its place among a number's messages when it came, not when the answer is ready: an
-- answer to one message waited thirteen milliseconds for the message it answers.

-- A key's due time as it was kept, its row locked until the transaction ends.
CREATE FUNCTION gcra_kept(wanted text, moment timestamptz) RETURNS timestamptz
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE found_due timestamptz;
BEGIN
    SELECT due INTO found_due FROM sending_rate WHERE key = wanted FOR UPDATE;
    IF NOT FOUND THEN
        INSERT INTO sending_rate VALUES (wanted, moment - interval '1 hour') ON CONFLICT DO NOTHING;
        SELECT due INTO found_due FROM sending_rate WHERE key = wanted FOR UPDATE;
    END IF;
    RETURN found_due;
END $$;
REVOKE ALL ON FUNCTION gcra_kept(text, timestamptz) FROM PUBLIC;

-- The same, or now where that is past.
CREATE OR REPLACE FUNCTION gcra_due(wanted text, moment timestamptz) RETURNS timestamptz
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT greatest(gcra_kept(wanted, moment), moment) $$;

-- As before, but for what was heard: each message moves the number's due time on from when it came,
-- due(n) = max(due(n - 1), came(n)) + gap, which for all of them is the expression below.
CREATE OR REPLACE FUNCTION governor_admit(number text, customer bigint, campaign boolean, initiated boolean,
    moment timestamptz, patience double precision, OUT wait_s double precision, OUT reason text, OUT counted boolean,
    OUT gap_s double precision)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    pair_gap CONSTANT interval := interval '6 seconds';
    even_share CONSTANT double precision := 0.95; -- the rest is for what the way there pushes together
    pair_burst CONSTANT int := 44; -- Meta's 45, less one for clocks that disagree
    sender sender_number := sender_of(number);
    rate double precision;
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
    counted := false;
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
    rate := greatest(1, sender.per_second * pace_of(sender, moment));
    gap_s := 1 / (rate * even_share);
    gap := make_interval(secs => gap_s);
    campaign_gap := gap * 1.25;
    number_due := gcra_kept('number:' || number, moment);
    WITH heard AS (DELETE FROM number_inbound i WHERE i.phone_number_id = number
                   RETURNING least(i.at, moment) AS at), -- clocks disagree
    recent AS (SELECT at, row_number() OVER (ORDER BY at DESC) AS place FROM heard
               WHERE at > moment - interval '1 second')
    SELECT count(*), greatest(number_due + gap * count(*), max(at + gap * place)) INTO came, number_due FROM recent;
    number_due := greatest(number_due, moment);
    waits := gcra_wait(number_due, gap, 1, moment);
    reason := 'number';
    IF campaign THEN
        campaign_due := gcra_due('campaign:' || number, moment);
        waits := greatest(waits, gcra_wait(campaign_due, campaign_gap, 1, moment));
    END IF;
    pair_due := gcra_due('pair:' || number || ':' || customer, moment);
    IF gcra_wait(pair_due, pair_gap, pair_burst, moment) > waits THEN
        waits := gcra_wait(pair_due, pair_gap, pair_burst, moment);
        reason := 'pair';
    END IF;
    wait_s := extract(epoch FROM waits);
    IF wait_s > patience THEN
        IF came > 0 THEN
            UPDATE sending_rate SET due = number_due WHERE key = 'number:' || number;
        END IF;
        RETURN;
    END IF;
    counted := true;
    reason := CASE WHEN wait_s > 0 THEN reason END;
    UPDATE sending_rate SET due = number_due + gap WHERE key = 'number:' || number;
    UPDATE sending_rate SET due = pair_due + pair_gap WHERE key = 'pair:' || number || ':' || customer;
    IF campaign THEN
        UPDATE sending_rate SET due = campaign_due + campaign_gap WHERE key = 'campaign:' || number;
    END IF;
END $$;
