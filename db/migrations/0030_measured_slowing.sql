-- One refusal among thousands is no reason to halve a number's pace for minutes: a tenth less, unless another came
-- within the minute before. Then the number's limit is not what we believe, and the pace is halved each time.

-- 130429. Errors of the same burst count once. A tenth is won back each minute (pace_of).
CREATE OR REPLACE FUNCTION governor_slow(number text, moment timestamptz) RETURNS double precision
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE sender sender_number := sender_of(number); slower double precision;
BEGIN
    SELECT * INTO sender FROM sender_number WHERE phone_number_id = number FOR UPDATE;
    IF sender.slowed_at > moment - interval '2 seconds' THEN
        RETURN pace_of(sender, moment);
    END IF;
    slower := CASE WHEN sender.slowed_at > moment - interval '1 minute' THEN 0.5 ELSE 0.9 END;
    slower := greatest(0.1, pace_of(sender, moment) * slower);
    UPDATE sender_number SET pace = slower, slowed_at = moment WHERE phone_number_id = number;
    RETURN slower;
END $$;
