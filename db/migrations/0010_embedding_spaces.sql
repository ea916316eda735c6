-- Passages apart from their vectors: one table of vectors for each embedding model, so that another model
-- can be brought in while the one in use goes on answering. And each passage's words, kept stemmed.

-- Customers leave accents out; documents do not. translate() is immutable, which unaccent is not.
CREATE FUNCTION folded(said text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
    $$ SELECT translate(lower(said), 'àáâãäåçèéêëìíîïñòóôõöùúûüýÿ’', 'aaaaaaceeeeiiiinooooouuuuyy''') $$;

-- PostgreSQL's configuration for a language; one that has none is not stemmed.
CREATE FUNCTION stemming_of(language char(2)) RETURNS regconfig LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE language
        WHEN 'it' THEN 'pg_catalog.italian'::regconfig WHEN 'en' THEN 'pg_catalog.english'::regconfig
        WHEN 'es' THEN 'pg_catalog.spanish'::regconfig WHEN 'pt' THEN 'pg_catalog.portuguese'::regconfig
        WHEN 'fr' THEN 'pg_catalog.french'::regconfig WHEN 'de' THEN 'pg_catalog.german'::regconfig
        ELSE 'pg_catalog.simple'::regconfig END $$;

ALTER TABLE chunk ADD COLUMN words tsvector
    GENERATED ALWAYS AS (to_tsvector(stemming_of(language), folded(section || ' ' || content))) STORED;
DROP INDEX chunk_business;
CREATE INDEX chunk_business ON chunk (business_id, language);

-- `vectors` holds (id, business_id, embedding); `passages` is the view PGVectorStore reads.
CREATE TABLE embedding_space (
    space_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    model text NOT NULL UNIQUE,
    dimensions int NOT NULL CHECK (dimensions BETWEEN 1 AND 16000),
    vectors text GENERATED ALWAYS AS ('vector_' || space_id::text) STORED,
    passages text GENERATED ALWAYS AS ('passage_' || space_id::text) STORED
);
GRANT SELECT ON embedding_space TO sara_app;

-- The space of a model, made at the first call; a second process that asks meanwhile waits for the first.
CREATE FUNCTION open_embedding_space(wanted text, length int) RETURNS embedding_space LANGUAGE plpgsql AS $$
DECLARE space embedding_space;
BEGIN
    INSERT INTO embedding_space (model, dimensions) VALUES (wanted, length)
    ON CONFLICT (model) DO NOTHING RETURNING * INTO space;
    IF space.space_id IS NULL THEN
        SELECT * INTO space FROM embedding_space WHERE model = wanted;
        RETURN space;
    END IF;
    EXECUTE format('CREATE TABLE %I (id uuid PRIMARY KEY REFERENCES chunk ON DELETE CASCADE, '
                   'business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE, '
                   'embedding vector(%s) NOT NULL)', space.vectors, length);
    PERFORM tenant_table(space.vectors::regclass);
    -- Inline, not in the overflow table: a search reads hundreds of them. A page holds at most this many.
    IF length <= 1900 THEN
        EXECUTE format('ALTER TABLE %I ALTER COLUMN embedding SET STORAGE PLAIN', space.vectors);
    END IF;
    EXECUTE format('CREATE INDEX ON %I (business_id)', space.vectors);
    -- pgvector's HNSW takes at most 2000 dimensions; beyond, a business's own vectors are scanned.
    IF length <= 2000 THEN
        EXECUTE format('CREATE INDEX ON %I USING hnsw (embedding vector_cosine_ops)', space.vectors);
    END IF;
    EXECUTE format('CREATE VIEW %I WITH (security_invoker = true) AS '
                   'SELECT c.id, v.business_id, c.document_id, c.ordinal, c.source, c.section, c.language, '
                   'c.valid_from, c.valid_until, c.content, v.embedding '
                   'FROM %I v JOIN chunk c ON c.id = v.id', space.passages, space.vectors);
    EXECUTE format('GRANT SELECT ON %I TO sara_app', space.passages);
    RETURN space;
END $$;

CREATE FUNCTION drop_embedding_space(unwanted text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE space embedding_space;
BEGIN
    DELETE FROM embedding_space WHERE model = unwanted RETURNING * INTO space;
    IF space.space_id IS NOT NULL THEN
        EXECUTE format('DROP VIEW %I', space.passages);
        EXECUTE format('DROP TABLE %I', space.vectors);
    END IF;
END $$;

DO $$ BEGIN
    IF EXISTS (SELECT FROM chunk) THEN
        PERFORM open_embedding_space('e5', 384);
        INSERT INTO vector_1 (id, business_id, embedding)
            SELECT c.id, c.business_id, c.embedding FROM chunk c JOIN document d USING (document_id)
            WHERE d.embedding_model = 'e5';
    END IF;
END $$;
ALTER TABLE chunk DROP COLUMN embedding;
ALTER TABLE document DROP COLUMN embedding_model;
