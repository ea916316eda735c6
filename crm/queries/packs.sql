-- clear_pack -- what comes from the vertical is replaced as a whole
WITH intents AS (DELETE FROM pack_intent_off WHERE business_id = %(business)s),
     topics AS (DELETE FROM pack_topic WHERE business_id = %(business)s),
     disclaimers AS (DELETE FROM pack_disclaimer WHERE business_id = %(business)s),
     phrases AS (DELETE FROM pack_phrase WHERE business_id = %(business)s)
DELETE FROM pack_question WHERE business_id = %(business)s;

-- put_queue -- who takes its hand-overs
UPDATE business SET queue = %(queue)s WHERE business_id = %(business)s;

-- put_intent_off -- an intent it does not carry out
INSERT INTO pack_intent_off (business_id, intent) VALUES (%(business)s, %(intent)s);

-- put_question -- something the customer is asked
INSERT INTO pack_question (business_id, intent, key, ordinal, answer, required, weight)
VALUES (%(business)s, %(intent)s, %(key)s, %(ordinal)s, %(answer)s, %(required)s, %(weight)s);

-- put_option -- an answer to choose
INSERT INTO pack_option (business_id, intent, key, option, language, ordinal, title, share)
VALUES (%(business)s, %(intent)s, %(key)s, %(option)s, %(language)s, %(ordinal)s, %(title)s, %(share)s);

-- put_topic -- something only a human answers
INSERT INTO pack_topic (business_id, key, kind) VALUES (%(business)s, %(key)s, %(kind)s);

-- put_disclaimer -- a sentence added by rule
INSERT INTO pack_disclaimer (business_id, key, said) VALUES (%(business)s, %(key)s, %(said)s);

-- put_phrase -- words of a topic or disclaimer, or to prefer or avoid
INSERT INTO pack_phrase (business_id, kind, key, language, ordinal, body)
VALUES (%(business)s, %(kind)s, %(key)s, %(language)s, %(ordinal)s, %(body)s);

-- pack_rules -- intents that are off, topics with their kind, disclaimers with their occasion
SELECT 'off' AS part, intent AS key, '' AS value FROM pack_intent_off
UNION ALL SELECT 'topic', key, kind FROM pack_topic
UNION ALL SELECT 'disclaimer', key, said FROM pack_disclaimer
UNION ALL SELECT 'queue', queue, '' FROM business WHERE business_id = %(business_id)s AND queue IS NOT NULL
ORDER BY part, key;

-- pack_questions -- what is asked, in order; a question has a row for each option and language
SELECT q.intent, q.key, q.answer, q.required, q.weight, o.option, o.language, o.title, o.share
FROM pack_question q LEFT JOIN pack_option o USING (business_id, intent, key)
ORDER BY q.intent, q.ordinal, o.ordinal, o.language;

-- pack_phrases -- the words of topics and disclaimers, and those to prefer or avoid
SELECT kind, key, language, body FROM pack_phrase ORDER BY kind, key, language, ordinal;
