-- A number sends evenly. Bursts left no room for what the way to Meta pushes together: a full second was refused
-- (130429), and the pace was halved for minutes that could have been full.

DROP FUNCTION outbox_take(bigint, text, bigint, boolean, boolean, timestamptz, double precision);
DROP FUNCTION governor_admit(text, bigint, boolean, boolean, timestamptz, double precision);

-- May one message leave now, or at a time that `patience` (seconds) reaches to? Then it is counted on every key,
-- `counted` is true, and `wait_s` says when (0: now). Else `wait_s` says when to ask again, and why. `gap_s` is
-- the number's seconds between two messages: a turn taken too late must not leave together with the next.
-- `campaign` messages keep to four fifths of the throughput: replies always find room. `initiated`: the
-- customer's 24 hours are over, so the customer counts towards the tier.
-- Locks are taken in one order (portfolio, number, campaign, pair) and last in their transaction.
CREATE FUNCTION governor_admit(number text, customer bigint, campaign boolean, initiated boolean, moment timestamptz,
    patience double precision, OUT wait_s double precision, OUT reason text, OUT counted boolean,
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
    number_due := gcra_due('number:' || number, moment);
    WITH heard AS (DELETE FROM number_inbound i WHERE i.phone_number_id = number RETURNING i.at)
    SELECT count(*) INTO came FROM heard WHERE at > moment - interval '1 second';
    number_due := number_due + gap * came;
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

-- A waiting row becomes one that is being sent, if the governor has a turn for it within `patience` seconds.
-- No row: somebody else took it back or settled it. It runs with the caller's rights: the row's tenant sees it.
CREATE FUNCTION outbox_take(wanted bigint, number text, customer bigint, campaign boolean, initiated boolean,
    moment timestamptz, patience double precision)
RETURNS TABLE (wait_s double precision, reason text, taken boolean, gap_s double precision) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM outbox o WHERE o.outbox_id = wanted AND o.state = 'queued' FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT a.wait_s, a.reason, a.counted, a.gap_s INTO wait_s, reason, taken, gap_s
    FROM governor_admit(number, customer, campaign, initiated, moment, patience) a;
    IF taken THEN -- from here on a crash leaves the outcome unknown
        UPDATE outbox o SET state = 'sending', attempts = o.attempts + 1,
            attempted_at = moment + make_interval(secs => wait_s) WHERE o.outbox_id = wanted;
    END IF;
    RETURN NEXT;
END $$;
