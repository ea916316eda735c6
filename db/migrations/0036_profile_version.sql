-- What a business is (its row, texts, places, hours, services, pack) is a dozen queries at the start of every
-- turn, and changes a few times a year. A number that every change moves lets a worker keep what it has read.

CREATE TABLE profile_version (
    business_id bigint PRIMARY KEY REFERENCES business ON DELETE CASCADE,
    version bigint NOT NULL
);
SELECT tenant_table('profile_version', 'SELECT');

CREATE FUNCTION profile_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    -- A business that is being deleted takes its version along.
    INSERT INTO profile_version (business_id, version)
    SELECT b.business_id, 1 FROM business b WHERE b.business_id = coalesce(NEW.business_id, OLD.business_id)
    ON CONFLICT (business_id) DO UPDATE SET version = profile_version.version + 1;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION profile_changed() FROM PUBLIC;

-- At the end of the transaction: whoever changes several rows holds the version's row for a moment only, and
-- two who change different ones never wait for each other in a circle.
DO $$
DECLARE
    source text;
BEGIN
    FOREACH source IN ARRAY ARRAY[
        'business', 'business_text', 'location', 'opening_hours', 'closure', 'service', 'service_name',
        'sensitivity_threshold', 'pack_intent_off', 'pack_question', 'pack_option', 'pack_topic',
        'pack_disclaimer', 'pack_phrase'
    ] LOOP
        EXECUTE format(
            'CREATE CONSTRAINT TRIGGER profile_changed AFTER INSERT OR UPDATE OR DELETE ON %I
                 DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION profile_changed()', source);
    END LOOP;
END $$;
