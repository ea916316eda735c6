-- governor_admit -- may one message leave now, or in how many seconds, and what it waits for
SELECT wait_s, reason FROM governor_admit(%(phone_number_id)s, %(contact_id)s, %(campaign)s, %(initiated)s, %(now)s,
    %(patience)s);

-- governor_reserve -- a campaign's place in the tier for one customer
SELECT wait_s, reason FROM governor_reserve(%(phone_number_id)s, %(contact_id)s, %(now)s);

-- governor_release -- a place that is not needed after all
SELECT governor_release(%(phone_number_id)s, %(contact_id)s);

-- governor_heard -- a message that came in counts towards the number's throughput
SELECT governor_heard(%(phone_number_id)s, %(now)s);

-- governor_slow -- the number was told that it sends too fast
SELECT governor_slow(%(phone_number_id)s, %(now)s);

-- governor_hold_pair -- nothing to one customer for a while
SELECT governor_hold_pair(%(phone_number_id)s, %(contact_id)s, %(until)s, %(now)s);

-- governor_cool -- no marketing to one customer for a while
SELECT governor_cool(%(phone_number_id)s, %(contact_id)s, %(until)s);

-- governor_stop -- campaigns may not use the number, or may again
SELECT governor_stop(%(phone_number_id)s, %(why)s);

-- governor_limits -- what Meta or the operator says of a number
SELECT governor_limits(%(phone_number_id)s, %(per_second)s, %(tier)s, %(portfolio)s, %(quality)s);

-- governor_state -- what a number may do and has done
SELECT phone_number_id, portfolio, per_second, pace, tier, used, stopped, quality
FROM governor_state(%(phone_number_id)s, %(now)s);

-- governor_forget -- keys that have long been idle
SELECT governor_forget(%(now)s);
