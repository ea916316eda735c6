-- What a business takes from its vertical, its own changes merged in. Sentences are rows of business_text, of
-- the kinds 'tone', 'queue', 'disclaimer' and 'question'.

ALTER TABLE business ADD COLUMN queue text; -- who takes its hand-overs
ALTER TABLE handoff ADD COLUMN queue text;

-- An intent that is off is never carried out: a person is offered instead.
CREATE TABLE pack_intent_off (
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    intent text NOT NULL,
    PRIMARY KEY (business_id, intent)
);
SELECT tenant_table('pack_intent_off');

-- What is asked before an intent is carried out, one after the other.
CREATE TABLE pack_question (
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    intent text NOT NULL,
    key text NOT NULL,
    ordinal smallint NOT NULL,
    answer text NOT NULL, -- how the answer is read: text, choice, people, money, …
    required boolean NOT NULL,
    PRIMARY KEY (business_id, intent, key)
);
SELECT tenant_table('pack_question');

CREATE TABLE pack_option (
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    intent text NOT NULL,
    key text NOT NULL,
    option text NOT NULL,
    language char(2) NOT NULL,
    ordinal smallint NOT NULL,
    title text NOT NULL,
    PRIMARY KEY (business_id, intent, key, option, language),
    FOREIGN KEY (business_id, intent, key) REFERENCES pack_question ON DELETE CASCADE
);
SELECT tenant_table('pack_option');

-- What always goes to a human, whatever its sensitivity scores.
CREATE TABLE pack_topic (
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    key text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('legal', 'medical', 'financial', 'emergency', 'policy')),
    PRIMARY KEY (business_id, key)
);
SELECT tenant_table('pack_topic');

CREATE TABLE pack_disclaimer (
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    key text NOT NULL,
    said text NOT NULL CHECK (said IN ('first_answer', 'price', 'about', 'booking', 'quote', 'ticket')),
    PRIMARY KEY (business_id, key)
);
SELECT tenant_table('pack_disclaimer');

-- Words by which a topic or a disclaimer is recognised, and words to prefer or avoid.
CREATE TABLE pack_phrase (
    business_id bigint NOT NULL REFERENCES business ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('topic', 'disclaimer', 'prefer', 'avoid')),
    key text NOT NULL,
    language char(2) NOT NULL,
    ordinal smallint NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (business_id, kind, key, language, ordinal)
);
SELECT tenant_table('pack_phrase');
