-- digest_state -- whether the team wants the week in figures, and the Monday it was last told on
SELECT weekly_digest AS wanted, digest_told_on AS told_on FROM business WHERE business_id = %(business_id)s;

-- digest_claim -- this Monday's is told by whoever comes first
UPDATE business SET digest_told_on = %(monday)s
WHERE business_id = %(business_id)s AND weekly_digest AND (digest_told_on IS NULL OR digest_told_on < %(monday)s)
RETURNING digest_told_on;

-- digest_put -- whether the team wants it
UPDATE business SET weekly_digest = %(wanted)s WHERE business_id = %(business_id)s;
