-- challenge_open -- a password was right, a code is owed
SELECT challenge_open(%(digest)s, %(agent_id)s, %(now)s, %(until)s);

-- challenge_of -- who owes a code
SELECT challenge_of(%(digest)s, %(now)s);

-- challenge_close -- it was given
SELECT challenge_close(%(digest)s);

-- has_factor -- whether somebody is asked for a code
SELECT has_factor(%(agent_id)s);

-- factor_held -- a person's factor, locked until the transaction ends
SELECT sealed, confirmed, recovery_left FROM factor_held(%(agent_id)s);

-- factor_put -- a secret to be confirmed
SELECT factor_put(%(agent_id)s, %(sealed)s, %(now)s);

-- factor_confirm -- it is asked for from now on
SELECT factor_confirm(%(agent_id)s, %(digest)s, %(now)s);

-- factor_take -- a code counts once
SELECT factor_take(%(agent_id)s, %(step)s);

-- recovery_put -- other recovery codes
SELECT recovery_put(%(agent_id)s, %(digests)s::bytea[]);

-- recovery_take -- one of them, used up
SELECT recovery_take(%(agent_id)s, %(digest)s);

-- factor_drop -- no second factor any more
SELECT factor_drop(%(agent_id)s);

-- factor_noted -- who changed whose
SELECT factor_noted(%(agent_id)s, %(by)s, %(before)s, %(after)s, %(now)s);

-- factors_of_business -- the people of a business
SELECT agent_id, name, role, factor, elsewhere FROM factors_of_business();

-- factor_reset -- by an admin of the business
SELECT factor_reset(%(agent_id)s);

-- factor_required -- whether the business wants one of everybody
SELECT factor_required FROM business WHERE business_id = %(business_id)s;

-- factor_require -- or does not
UPDATE business SET factor_required = %(required)s WHERE business_id = %(business_id)s;

-- factor_of_email -- by the operator: whose it is
SELECT agent_id FROM agent WHERE lower(email) = lower(%(email)s);
