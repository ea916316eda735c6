-- health_undelivered -- messages of a period that will not reach their customer; campaigns are another matter
SELECT (SELECT count(*) FROM outbox o WHERE o.business_id = %(business_id)s AND o.state IN ('refused', 'held')
        AND o.lane = 'service' AND o.settled_at >= %(since)s AND o.settled_at < %(until)s) AS unsent,
       (SELECT count(*) FROM message_status s JOIN outbox o USING (message_id)
        WHERE s.business_id = %(business_id)s AND s.status = 'failed' AND o.lane = 'service' AND o.state = 'accepted'
        AND s.received_at >= %(since)s AND s.received_at < %(until)s) AS failed;

-- health_open_tickets -- open tickets, and those whose answer or solution is late at this moment
SELECT count(*) AS open,
       count(*) FILTER (WHERE (answered_at IS NULL AND answer_due < %(now)s) OR solve_due < %(now)s) AS late
FROM ticket WHERE business_id = %(business_id)s AND status <> 'closed';
