-- template_put -- a template as Meta has it
INSERT INTO wa_template (business_id, name, code, category, status, quality, reason, body, variables, plain,
    quick_replies, synced_at)
VALUES (%(business_id)s, %(name)s, %(code)s, %(category)s, %(status)s, %(quality)s, %(reason)s, %(body)s,
    %(variables)s, %(plain)s, %(quick_replies)s, %(now)s)
ON CONFLICT (business_id, name, code) DO UPDATE SET category = EXCLUDED.category, status = EXCLUDED.status,
    quality = EXCLUDED.quality, reason = EXCLUDED.reason, body = EXCLUDED.body, variables = EXCLUDED.variables,
    plain = EXCLUDED.plain, quick_replies = EXCLUDED.quick_replies, synced_at = EXCLUDED.synced_at;

-- templates_gone -- what Meta no longer has
DELETE FROM wa_template WHERE synced_at < %(now)s;

-- templates_known -- every template
SELECT name, code, category, status, quality, reason, body, variables, plain, quick_replies, synced_at
FROM wa_template ORDER BY name, code;

-- template_known -- one of them
SELECT name, code, category, status, quality, reason, body, variables, plain, quick_replies, synced_at
FROM wa_template WHERE name = %(name)s AND code = %(code)s;

-- template_languages -- the languages of a template
SELECT name, code, category, status, quality, reason, body, variables, plain, quick_replies, synced_at
FROM wa_template WHERE name = %(name)s ORDER BY code;

-- template_status -- Meta says what became of one
UPDATE wa_template SET status = coalesce(%(status)s, status), reason = coalesce(%(reason)s, reason),
       quality = coalesce(%(quality)s, quality), category = coalesce(%(category)s, category)
WHERE name = %(name)s AND (code = %(code)s OR %(code)s IS NULL);

-- template_for_purpose -- what says something once the 24 hours are over, in a language or the business's own
SELECT t.name, t.code, t.language FROM message_template t JOIN business b USING (business_id)
LEFT JOIN wa_template w ON w.business_id = t.business_id AND w.name = t.name AND w.code = t.code
WHERE t.purpose = %(purpose)s AND t.language IN (%(language)s, b.languages[1])
  AND coalesce(w.status, 'APPROVED') = 'APPROVED'
ORDER BY t.language IS NOT DISTINCT FROM %(language)s DESC LIMIT 1;

-- template_use -- the template of a purpose in a language
INSERT INTO message_template (business_id, purpose, language, name, code)
VALUES (%(business_id)s, %(purpose)s, %(language)s, %(name)s, %(code)s)
ON CONFLICT (business_id, purpose, language) DO UPDATE SET name = EXCLUDED.name, code = EXCLUDED.code;

-- template_uses -- which template says what
SELECT purpose, language, name, code FROM message_template ORDER BY purpose, language;

-- account_of_numbers -- the account the business's templates belong to
SELECT waba_id FROM business_number WHERE waba_id IS NOT NULL ORDER BY phone_number_id LIMIT 1;

-- account_set -- remembered at the first sync
UPDATE business_number SET waba_id = %(waba_id)s WHERE waba_id IS NULL;

-- account_businesses -- whose account or number a webhook speaks of, over all tenants
SELECT business_id, phone_number_id FROM business_of_account(%(waba_id)s, %(digits)s);
