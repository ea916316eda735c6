-- A second factor at the console's login: codes of an app (RFC 6238), recovery codes, businesses that want it.

-- A factor belongs to a person, not to a business; nobody reads it but through the functions below.
CREATE TABLE agent_factor (
    agent_id bigint PRIMARY KEY REFERENCES agent ON DELETE CASCADE,
    sealed bytea NOT NULL, -- the shared secret, encrypted by the application
    made_at timestamptz NOT NULL,
    confirmed_at timestamptz, -- null: shown, and asked of nobody until a code of it was entered
    last_step bigint NOT NULL DEFAULT 0 -- the latest half minute whose code was taken: none counts twice
);
ALTER TABLE agent_factor ENABLE ROW LEVEL SECURITY;

-- Codes for a lost phone; a row goes when its code is used.
CREATE TABLE agent_recovery (
    agent_id bigint NOT NULL REFERENCES agent ON DELETE CASCADE,
    digest bytea NOT NULL, -- SHA-256 of 80 random bits
    PRIMARY KEY (agent_id, digest)
);
ALTER TABLE agent_recovery ENABLE ROW LEVEL SECURITY;

-- Whose password was right and who still owes a code. Not a session, and never taken for one.
CREATE TABLE login_challenge (
    digest bytea PRIMARY KEY, -- SHA-256 of the cookie
    agent_id bigint NOT NULL REFERENCES agent ON DELETE CASCADE,
    ends_at timestamptz NOT NULL
);
ALTER TABLE login_challenge ENABLE ROW LEVEL SECURITY;
CREATE INDEX ON login_challenge (agent_id);

ALTER TABLE agent_session ADD COLUMN factor boolean NOT NULL DEFAULT false; -- opened with a second factor
ALTER TABLE business ADD COLUMN factor_required boolean NOT NULL DEFAULT false;

-- The five-argument one stays for processes of the version before: their sessions have no factor.
CREATE FUNCTION session_open(cookie bytea, whose bigint, token text, at timestamptz, until timestamptz,
                             with_factor boolean) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ DELETE FROM agent_session WHERE ends_at < at;
       INSERT INTO agent_session (digest, agent_id, csrf, opened_at, seen_at, ends_at, factor)
       VALUES (cookie, whose, token, at, at, until, with_factor) $$;

-- Whoever has a factor is nobody without it, however their session was opened.
DROP FUNCTION session_of(bytea, timestamptz, interval);
CREATE FUNCTION session_of(cookie bytea, at timestamptz, idle interval)
RETURNS TABLE (agent_id bigint, email text, name text, csrf text, factor boolean)
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ UPDATE agent_session SET seen_at = at WHERE digest = cookie AND seen_at < at - interval '30 seconds'
           AND ends_at > at AND seen_at > at - idle;
       SELECT a.agent_id, a.email, a.name, s.csrf, s.factor FROM agent_session s JOIN agent a USING (agent_id)
       WHERE s.digest = cookie AND s.ends_at > at AND s.seen_at > at - idle AND a.active
         AND (s.factor OR NOT EXISTS (SELECT FROM agent_factor f
                                      WHERE f.agent_id = a.agent_id AND f.confirmed_at IS NOT NULL)) $$;

DROP FUNCTION memberships_of_agent(bigint);
CREATE FUNCTION memberships_of_agent(whose bigint)
RETURNS TABLE (business_id bigint, slug text, name text, role text, factor_required boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT b.business_id, b.slug, b.name, m.role, b.factor_required
       FROM membership m JOIN business b USING (business_id)
       WHERE m.agent_id = whose ORDER BY b.name, b.business_id $$;

CREATE FUNCTION challenge_open(cookie bytea, whose bigint, at timestamptz, until timestamptz) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ DELETE FROM login_challenge WHERE ends_at < at;
       INSERT INTO login_challenge (digest, agent_id, ends_at) VALUES (cookie, whose, until) $$;

CREATE FUNCTION challenge_of(cookie bytea, at timestamptz) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT c.agent_id FROM login_challenge c JOIN agent a USING (agent_id)
       WHERE c.digest = cookie AND c.ends_at > at AND a.active $$;

CREATE FUNCTION challenge_close(cookie bytea) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ DELETE FROM login_challenge WHERE digest = cookie $$;

CREATE FUNCTION has_factor(whose bigint) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT EXISTS (SELECT FROM agent_factor f WHERE f.agent_id = whose AND f.confirmed_at IS NOT NULL) $$;

-- One check of a person's codes at a time: guesses sent at once are counted one after the other.
CREATE FUNCTION factor_held(whose bigint)
RETURNS TABLE (sealed bytea, confirmed boolean, recovery_left bigint)
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT f.sealed, f.confirmed_at IS NOT NULL,
              (SELECT count(*) FROM agent_recovery r WHERE r.agent_id = whose)
       FROM agent_factor f WHERE f.agent_id = whose FOR UPDATE OF f $$;

-- A secret that was never confirmed makes room for another; a confirmed one does not.
CREATE FUNCTION factor_put(whose bigint, secret bytea, at timestamptz) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ INSERT INTO agent_factor (agent_id, sealed, made_at) VALUES (whose, secret, at)
       ON CONFLICT (agent_id) DO UPDATE SET sealed = EXCLUDED.sealed, made_at = EXCLUDED.made_at
       WHERE agent_factor.confirmed_at IS NULL $$;

-- From now on it is asked for. The session it was confirmed in goes on, every other one of the person ends.
CREATE FUNCTION factor_confirm(whose bigint, cookie bytea, at timestamptz) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ UPDATE agent_factor SET confirmed_at = at WHERE agent_id = whose AND confirmed_at IS NULL;
       DELETE FROM agent_session WHERE agent_id = whose AND digest <> cookie;
       UPDATE agent_session SET factor = true WHERE agent_id = whose AND digest = cookie $$;

-- True for a code that was not taken before, nor one after it.
CREATE FUNCTION factor_take(whose bigint, step bigint) RETURNS boolean
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ WITH taken AS (UPDATE agent_factor SET last_step = step WHERE agent_id = whose AND last_step < step RETURNING 1)
       SELECT EXISTS (SELECT FROM taken) $$;

CREATE FUNCTION recovery_put(whose bigint, digests bytea[]) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ DELETE FROM agent_recovery WHERE agent_id = whose;
       INSERT INTO agent_recovery (agent_id, digest) SELECT whose, unnest(digests) $$;

CREATE FUNCTION recovery_take(whose bigint, code bytea) RETURNS boolean
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ WITH taken AS (DELETE FROM agent_recovery WHERE agent_id = whose AND digest = code RETURNING 1)
       SELECT EXISTS (SELECT FROM taken) $$;

CREATE FUNCTION factor_drop(whose bigint) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ DELETE FROM agent_recovery WHERE agent_id = whose;
       DELETE FROM login_challenge WHERE agent_id = whose;
       DELETE FROM agent_factor WHERE agent_id = whose $$;

-- Written down at every business the person works for.
CREATE FUNCTION factor_noted(whose bigint, by_whom bigint, was text, is_now text, at timestamptz) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ INSERT INTO setting_change (business_id, agent_id, setting, before, after, at)
       SELECT m.business_id, by_whom, 'second factor ' || a.name, was, is_now, factor_noted.at
       FROM membership m JOIN agent a USING (agent_id) WHERE m.agent_id = whose $$;

-- The people of the current business, for its admins.
CREATE FUNCTION factors_of_business()
RETURNS TABLE (agent_id bigint, name text, role text, factor boolean, elsewhere boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT a.agent_id, a.name, m.role, has_factor(a.agent_id),
              EXISTS (SELECT FROM membership o WHERE o.agent_id = a.agent_id AND o.business_id <> m.business_id)
       FROM membership m JOIN agent a USING (agent_id)
       WHERE m.business_id = current_business() AND a.active ORDER BY a.name, a.agent_id $$;

-- By an admin of the current business: a person's factor goes and their sessions end. Only where they work
-- nowhere else: an admin here must not open the door of another business.
CREATE FUNCTION factor_reset(whose bigint) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT has_factor(whose)
       OR NOT EXISTS (SELECT FROM membership m WHERE m.agent_id = whose AND m.business_id = current_business())
       OR EXISTS (SELECT FROM membership m WHERE m.agent_id = whose AND m.business_id <> current_business()) THEN
        RETURN false;
    END IF;
    PERFORM factor_drop(whose);
    DELETE FROM agent_session s WHERE s.agent_id = whose;
    RETURN true;
END $$;
