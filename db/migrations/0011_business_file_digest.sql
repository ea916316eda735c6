-- What a business was last entered from: the demo enters its businesses again only when their files changed,
-- so that prices accepted from lists stay.

ALTER TABLE business ADD COLUMN file_digest bytea;
