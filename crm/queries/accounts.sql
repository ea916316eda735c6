-- account_token -- a number's own token, encrypted
SELECT sealed_token FROM business_number WHERE phone_number_id = %(phone_number_id)s;

-- accounts -- the business's numbers
SELECT phone_number_id, display_phone, waba_id, sealed_token IS NOT NULL AS own_token FROM business_number
ORDER BY phone_number_id;

-- account_token_set -- a token of its own, or none
UPDATE business_number SET sealed_token = %(sealed)s
WHERE business_id = %(business)s AND phone_number_id = %(phone_number_id)s;

-- account_waba_set -- which account it belongs to
UPDATE business_number SET waba_id = %(waba_id)s
WHERE business_id = %(business)s AND phone_number_id = %(phone_number_id)s;
