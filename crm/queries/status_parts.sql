-- status_parts -- the parts of message_status
SELECT part, lower_id, upper_id, cut_id FROM status_parts();

-- status_cut_begin -- a part for a month is begun
SELECT status_cut_begin(%(month)s, %(least)s);

-- status_cut_look -- the open part holds nothing of it
SELECT status_cut_look();

-- status_cut_end -- and is cut
SELECT status_cut_end(%(month)s);

-- status_drop -- the oldest part goes
SELECT status_drop(%(older_than)s);
