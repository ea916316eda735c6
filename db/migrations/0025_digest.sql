-- The week in figures, told to the team on Mondays: whether a business wants it, and the Monday it was last told on.

ALTER TABLE business ADD COLUMN weekly_digest boolean NOT NULL DEFAULT true;
ALTER TABLE business ADD COLUMN digest_told_on date;
