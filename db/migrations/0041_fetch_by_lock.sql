-- online: statement by statement, each in a transaction of its own; written so that it may be begun again.
-- A worker finds out by index whether another job has a job's lock. Without one that begins with the lock, and with
-- statistics of a quiet hour (everything is done), the planner read all that wait for each job: 8 ms with 4000 of them.

CREATE INDEX CONCURRENTLY IF NOT EXISTS job_of_lock ON procrastinate_jobs (lock)
    WHERE lock IS NOT NULL AND status IN ('todo', 'doing');

-- How many jobs are in which state changes within seconds: what was counted an hour ago is worse than no count. What a
-- database has counted before this stays until the table is made anew.
ALTER TABLE procrastinate_jobs ALTER COLUMN status SET STATISTICS 0;
