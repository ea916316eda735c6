-- A password that is to be checked, counted against its person and its network before the check: guesses sent
-- at once wait for each other here, so that they are limited like guesses sent in turn. False: there were too
-- many already, and this one is not counted.
CREATE FUNCTION login_tried(person bytea, most bigint, near bytea, most_near bigint, since timestamptz,
                            tried timestamptz) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    -- Both in one order: two of the same pair cannot wait for each other.
    PERFORM pg_advisory_xact_lock(2, k.key) FROM (
        SELECT DISTINCT hashtext(encode(w.who, 'hex')) AS key FROM unnest(ARRAY[person, near]) AS w (who)
        ORDER BY 1) AS k;
    IF login_failures(person, since) >= most OR login_failures(near, since) >= most_near THEN
        RETURN false;
    END IF;
    PERFORM login_failed(ARRAY[person, near], tried);
    RETURN true;
END $$;

-- The password was right: what counted against its network is taken back. What counted against the person is
-- forgotten altogether (login_succeeded).
CREATE FUNCTION login_excused(near bytea, tried timestamptz) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DELETE FROM login_failure WHERE ctid = (
        SELECT f.ctid FROM login_failure f WHERE f.who = near AND f.at = tried LIMIT 1) $$;

REVOKE ALL ON FUNCTION login_tried, login_excused FROM PUBLIC;
GRANT EXECUTE ON FUNCTION login_tried, login_excused TO sara_app;
