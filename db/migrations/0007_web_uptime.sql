-- When webhooks could be taken in. A status that did not come proves something only for a time at which
-- it could have come. One row per process of `sara serve`; ids of processes, nothing of any tenant.
CREATE TABLE web_uptime (
    process uuid PRIMARY KEY,
    started_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON web_uptime TO sara_app;
