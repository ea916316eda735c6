-- Logging in through a company's own OpenID provider.

-- A login that was sent to the provider and has not come back: what its answer is checked against. Belongs to no
-- business, and nobody reads it but through the functions below.
CREATE TABLE login_flow (
    digest bytea PRIMARY KEY, -- SHA-256 of the browser's cookie, which is never stored
    state text NOT NULL,
    nonce text NOT NULL,
    verifier text NOT NULL, -- PKCE (RFC 7636); worth nothing without the provider's code
    go_on text NOT NULL, -- where in the console the person was going
    ends_at timestamptz NOT NULL
);
ALTER TABLE login_flow ENABLE ROW LEVEL SECURITY;
CREATE INDEX ON login_flow (ends_at);

CREATE FUNCTION flow_open(cookie bytea, state text, nonce text, verifier text, go_on text, at timestamptz,
                          until timestamptz) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ DELETE FROM login_flow f WHERE f.ends_at < at;
       INSERT INTO login_flow (digest, state, nonce, verifier, go_on, ends_at)
       VALUES (cookie, state, nonce, verifier, go_on, until) $$;

-- Taken once: the same answer of a provider, sent again, meets nothing.
CREATE FUNCTION flow_take(cookie bytea, at timestamptz)
RETURNS TABLE (state text, nonce text, verifier text, go_on text)
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ DELETE FROM login_flow f WHERE f.digest = cookie AND f.ends_at > at
       RETURNING f.state, f.nonce, f.verifier, f.go_on $$;

-- Who an e-mail address that a provider vouches for belongs to; only somebody who may log in.
CREATE FUNCTION agent_of_email(wanted text) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT a.agent_id FROM agent a WHERE lower(a.email) = lower(wanted) AND a.active $$;
REVOKE ALL ON FUNCTION flow_open(bytea, text, text, text, text, timestamptz, timestamptz),
    flow_take(bytea, timestamptz), agent_of_email(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION flow_open(bytea, text, text, text, text, timestamptz, timestamptz),
    flow_take(bytea, timestamptz), agent_of_email(text) TO sara_app;
