-- What SARA may say: documents and their passages. `chunk` has the columns langchain-postgres'
-- PGVectorStore expects (id, content, embedding) beside our own.

CREATE TABLE document (
    document_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    path text NOT NULL, -- name relative to the ingested folder: what a citation shows
    title text NOT NULL,
    language char(2) NOT NULL,
    content_hash bytea NOT NULL,
    embedding_model text NOT NULL,
    valid_from date,
    valid_until date,
    ingested_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (business_id, path)
);
SELECT tenant_table('document');

CREATE TABLE chunk (
    id uuid PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    document_id bigint NOT NULL REFERENCES document ON DELETE CASCADE,
    ordinal int NOT NULL,
    source text NOT NULL, -- document.path, so that a hit needs no join
    section text NOT NULL DEFAULT '', -- headings above the passage, joined by ' > '
    language char(2) NOT NULL,
    valid_from date NOT NULL DEFAULT '-infinity',
    valid_until date NOT NULL DEFAULT 'infinity',
    content text NOT NULL,
    embedding vector(384) NOT NULL,
    UNIQUE (document_id, ordinal)
);
SELECT tenant_table('chunk');
CREATE INDEX chunk_business ON chunk (business_id);
CREATE INDEX chunk_embedding ON chunk USING hnsw (embedding vector_cosine_ops);
