-- A service or a place that is no longer in the business's file is not offered or told any more; its row stays, since
-- appointments and quotes refer to it. What came from an accepted price list is not the file's to take away.
ALTER TABLE service ADD COLUMN from_file boolean NOT NULL DEFAULT false;
ALTER TABLE service ADD COLUMN retired_at timestamptz;
ALTER TABLE location ADD COLUMN retired_at timestamptz;

UPDATE service s SET from_file = NOT EXISTS (
    SELECT FROM fact_proposal p
    WHERE p.business_id = s.business_id AND p.kind = 'new_service' AND p.status = 'accepted' AND p.subject = s.key);
