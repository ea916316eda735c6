-- agent_secret -- what a login is checked against
SELECT agent_id, password_hash FROM agent_secret(%(email)s);

-- agent_rehash -- the same password under today's parameters
SELECT agent_rehash(%(agent_id)s, %(hash)s);

-- memberships_of_agent -- where somebody works
SELECT business_id, slug, name, role, factor_required FROM memberships_of_agent(%(agent_id)s);

-- session_open -- somebody logged in
SELECT session_open(%(digest)s, %(agent_id)s, %(csrf)s, %(now)s, %(until)s, %(factor)s);

-- session_of -- who a cookie belongs to
SELECT agent_id, email, name, csrf, factor FROM session_of(%(digest)s, %(now)s, %(idle)s);

-- session_close -- somebody logged out
SELECT session_close(%(digest)s);

-- login_tried -- a password is about to be checked: false when there were too many wrong ones lately
SELECT login_tried(%(person)s, %(most)s, %(near)s, %(most_near)s, %(since)s, %(now)s);

-- login_failed -- a wrong code
SELECT login_failed(%(who)s::bytea[], %(now)s);

-- login_failures -- how many lately
SELECT login_failures(%(who)s, %(since)s);

-- login_excused -- it was right: it does not count against its network
SELECT login_excused(%(near)s, %(tried)s);

-- login_succeeded -- earlier failures are forgotten
SELECT login_succeeded(%(who)s);

-- put_password -- by the operator
UPDATE agent SET password_hash = %(hash)s, active = true WHERE lower(email) = lower(%(email)s) RETURNING agent_id;

-- disable_agent -- by the operator
UPDATE agent SET active = false, token_sha256 = NULL WHERE lower(email) = lower(%(email)s) RETURNING agent_id;

-- clear_sessions -- all sessions of one person, and logins half done
WITH half AS (DELETE FROM login_challenge
              WHERE agent_id IN (SELECT agent_id FROM agent WHERE lower(email) = lower(%(email)s)))
DELETE FROM agent_session WHERE agent_id IN (SELECT agent_id FROM agent WHERE lower(email) = lower(%(email)s));

-- put_agent_of -- somebody works for one more business, or as something else
INSERT INTO membership (business_id, agent_id, role)
SELECT b.business_id, a.agent_id, %(role)s FROM business b, agent a
WHERE b.slug = %(slug)s AND lower(a.email) = lower(%(email)s)
ON CONFLICT (business_id, agent_id) DO UPDATE SET role = EXCLUDED.role RETURNING agent_id;

-- all_agents -- everybody, for the operator
SELECT a.email, a.name, a.active, a.password_hash IS NOT NULL AS password, has_factor(a.agent_id) AS factor,
       b.slug AS business, m.role
FROM agent a LEFT JOIN membership m USING (agent_id) LEFT JOIN business b USING (business_id)
ORDER BY a.email, b.slug;

-- flow_open -- somebody goes to the company's provider
SELECT flow_open(%(digest)s, %(state)s, %(nonce)s, %(verifier)s, %(go_on)s, %(now)s, %(until)s);

-- flow_take -- somebody comes back from there
SELECT state, nonce, verifier, go_on FROM flow_take(%(digest)s, %(now)s);

-- agent_of_email -- whom a provider vouches for
SELECT agent_of_email(%(email)s);
