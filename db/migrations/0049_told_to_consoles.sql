-- What was edited or taken back, and who left, is told to open consoles: it stayed on the screen as it was.
CREATE OR REPLACE TRIGGER live_update AFTER UPDATE OF status, transcript_status, edited_at, deleted_at ON message
    FOR EACH ROW EXECUTE FUNCTION tell_consoles('status');

CREATE FUNCTION tell_consoles_of_leaving() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('sara_live', OLD.business_id || ':' || OLD.conversation_id || ':presence');
    RETURN NULL;
END $$;
CREATE TRIGGER live_delete AFTER DELETE ON presence FOR EACH ROW EXECUTE FUNCTION tell_consoles_of_leaving();
