-- subscription_insert -- another system wants to hear of events
INSERT INTO webhook_subscription (business_id, host, events, with_content, sealed_url, sealed_secret, created_at)
VALUES (%(business_id)s, %(host)s, %(events)s, %(with_content)s, %(sealed_url)s, %(sealed_secret)s, %(now)s)
RETURNING webhook_subscription_id;

-- subscription_delete -- it does not any more; what waits for it goes too
DELETE FROM webhook_subscription WHERE webhook_subscription_id = %(webhook_subscription_id)s;

-- subscriptions -- who hears of what, with what waits, arrived and was given up
SELECT s.webhook_subscription_id, s.host, s.events, s.with_content, s.sealed_url, s.sealed_secret, s.sealed_previous,
       s.previous_until, s.stopped, s.failures, s.paused_until,
       count(d.webhook_delivery_id) FILTER (WHERE d.state = 'queued') AS queued,
       count(d.webhook_delivery_id) FILTER (WHERE d.state = 'delivered') AS delivered,
       count(d.webhook_delivery_id) FILTER (WHERE d.state = 'dead') AS dead
FROM webhook_subscription s LEFT JOIN webhook_delivery d USING (webhook_subscription_id)
GROUP BY s.webhook_subscription_id ORDER BY s.webhook_subscription_id;

-- subscription -- one of them
SELECT s.webhook_subscription_id, s.host, s.events, s.with_content, s.sealed_url, s.sealed_secret, s.sealed_previous,
       s.previous_until, s.stopped, s.failures, s.paused_until, 0 AS queued, 0 AS delivered, 0 AS dead
FROM webhook_subscription s WHERE s.webhook_subscription_id = %(webhook_subscription_id)s;

-- subscription_rotate -- a new secret; the one of before signs too until a moment
UPDATE webhook_subscription SET sealed_previous = sealed_secret, previous_until = %(previous_until)s,
       sealed_secret = %(sealed_secret)s
WHERE webhook_subscription_id = %(webhook_subscription_id)s;

-- subscription_stop -- the receiver said that it is gone
UPDATE webhook_subscription SET stopped = %(reason)s WHERE webhook_subscription_id = %(webhook_subscription_id)s;

-- subscription_wake -- it is tried again at once
UPDATE webhook_subscription SET stopped = NULL, failures = 0, paused_until = NULL
WHERE webhook_subscription_id = %(webhook_subscription_id)s;

-- subscription_worked -- it took something
UPDATE webhook_subscription SET failures = 0, paused_until = NULL
WHERE webhook_subscription_id = %(webhook_subscription_id)s AND failures > 0;

-- subscription_failed -- it took nothing and is left alone for a while
UPDATE webhook_subscription SET failures = failures + 1, paused_until = %(until)s
WHERE webhook_subscription_id = %(webhook_subscription_id)s;

-- delivery_claim -- the oldest delivery that is due, marked as being sent until the lease is over
UPDATE webhook_delivery SET attempts = attempts + 1, next_attempt_at = %(now)s + %(lease)s
WHERE webhook_delivery_id = (
    SELECT webhook_delivery_id FROM webhook_delivery
    WHERE webhook_subscription_id = %(webhook_subscription_id)s AND state = 'queued' AND next_attempt_at <= %(now)s
    ORDER BY webhook_delivery_id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING webhook_delivery_id, type, webhook_id, body, attempts;

-- delivery_settle -- it arrived, or was given up
UPDATE webhook_delivery SET state = %(state)s, settled_at = %(now)s, status_code = %(status_code)s, error = %(error)s
WHERE webhook_delivery_id = %(webhook_delivery_id)s AND state = 'queued';

-- delivery_again -- to be tried again later
UPDATE webhook_delivery SET next_attempt_at = %(at)s, status_code = %(status_code)s, error = %(error)s
WHERE webhook_delivery_id = %(webhook_delivery_id)s AND state = 'queued';

-- deliveries -- what was sent to whom, the newest first
SELECT d.webhook_delivery_id, d.webhook_subscription_id, s.host, d.type, d.webhook_id, d.state, d.attempts,
       d.next_attempt_at, d.settled_at, d.status_code, d.error, d.created_at
FROM webhook_delivery d JOIN webhook_subscription s USING (webhook_subscription_id)
WHERE (%(state)s::text IS NULL OR d.state = %(state)s) ORDER BY d.webhook_delivery_id DESC LIMIT %(most)s;

-- deliveries_replay -- what was settled is sent once more, under the same id
UPDATE webhook_delivery SET state = 'queued', attempts = 0, next_attempt_at = %(now)s, settled_at = NULL, error = NULL
WHERE state <> 'queued'
  AND (%(webhook_subscription_id)s::bigint IS NULL OR webhook_subscription_id = %(webhook_subscription_id)s)
  AND (%(ids)s::bigint[] IS NULL OR webhook_delivery_id = ANY (%(ids)s))
  AND (%(state)s::text IS NULL OR state = %(state)s)
  AND (%(since)s::timestamptz IS NULL OR created_at >= %(since)s)
RETURNING webhook_subscription_id;

-- webhook_subscriptions_due -- subscriptions, of all tenants, with deliveries that are due and that no job does
SELECT business_id, target_id FROM webhook_subscriptions_due();
