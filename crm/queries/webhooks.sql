-- payload_insert -- a raw webhook body
INSERT INTO webhook_payload (digest, body) VALUES (%(digest)s, %(body)s) ON CONFLICT DO NOTHING;

-- payload_unwaited -- a commit that waits for no disk: what is taken in from a body commits after it, and writes both
SELECT set_config('synchronous_commit', 'off', true);

-- unparsed_insert -- an item of a webhook that could not be taken in
INSERT INTO webhook_unparsed (digest, path, reason) VALUES (%(digest)s, %(path)s, %(reason)s) ON CONFLICT DO NOTHING;

-- payload_again -- raw bodies kept since a moment, oldest first; only those of which something was left out, or all
SELECT p.digest, p.body, p.received_at FROM webhook_payload p
WHERE (%(since)s::timestamptz IS NULL OR p.received_at >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR p.received_at < %(until)s)
  AND (%(digest)s::text IS NULL OR encode(p.digest, 'hex') LIKE %(digest)s || '%%')
  AND (NOT %(left_out)s OR EXISTS (SELECT FROM webhook_unparsed u WHERE u.digest = p.digest))
  AND (p.received_at, p.digest) > (%(after_at)s, %(after_digest)s)
ORDER BY p.received_at, p.digest LIMIT %(most)s;

-- unparsed_forget -- what was left out of a body, before it is taken in again
DELETE FROM webhook_unparsed WHERE digest = %(digest)s;
