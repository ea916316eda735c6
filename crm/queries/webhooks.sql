-- payload_insert -- a raw webhook body
INSERT INTO webhook_payload (digest, body) VALUES (%(digest)s, %(body)s) ON CONFLICT DO NOTHING;

-- unparsed_insert -- an item of a webhook that could not be taken in
INSERT INTO webhook_unparsed (digest, path, reason) VALUES (%(digest)s, %(path)s, %(reason)s) ON CONFLICT DO NOTHING;
