-- rehearsal_begins -- a rehearsal gives way to live turns: it waits for no row longer than this
SELECT set_config('lock_timeout', %(patience)s, true);

-- conversations_of_late -- the conversations something last happened in, latest first
SELECT conversation_id, thread_id, last_activity_at FROM conversation c
WHERE NOT %(handed_over)s OR EXISTS (SELECT FROM handoff h WHERE h.conversation_id = c.conversation_id)
ORDER BY last_activity_at DESC, conversation_id DESC LIMIT %(most)s OFFSET %(skip)s;
