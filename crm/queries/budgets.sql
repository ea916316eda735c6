-- budget -- what a business may use of language models, and what it has used
SELECT b.tokens_per_day, b.tokens_per_month, today.day,
       coalesce(sum(u.tokens_in + u.tokens_out) FILTER (WHERE u.day = today.day), 0)::bigint AS used_today,
       coalesce(sum(u.tokens_in + u.tokens_out), 0)::bigint AS used_this_month,
       coalesce(sum(u.answers), 0)::bigint AS answers_this_month
FROM business b
CROSS JOIN LATERAL (SELECT (%(now)s AT TIME ZONE b.time_zone)::date AS day) today
LEFT JOIN model_use u ON u.business_id = b.business_id
    AND u.day BETWEEN date_trunc('month', today.day)::date AND today.day
WHERE b.business_id = %(business_id)s
GROUP BY b.tokens_per_day, b.tokens_per_month, today.day;

-- budget_put -- what it may use
UPDATE business SET tokens_per_day = %(tokens_per_day)s, tokens_per_month = %(tokens_per_month)s
WHERE business_id = %(business_id)s;

-- budget_spend -- an answer took so many
INSERT INTO model_use AS u (business_id, day, answers, tokens_in, tokens_out)
SELECT b.business_id, (%(now)s AT TIME ZONE b.time_zone)::date, 1, %(tokens_in)s, %(tokens_out)s
FROM business b WHERE b.business_id = %(business_id)s
ON CONFLICT (business_id, day) DO UPDATE SET answers = u.answers + 1, tokens_in = u.tokens_in + excluded.tokens_in,
    tokens_out = u.tokens_out + excluded.tokens_out;
