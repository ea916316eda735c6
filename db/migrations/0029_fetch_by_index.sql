-- A worker finds its next job by the index of waiting jobs in order, whatever the statistics say.
-- A queue fills faster than it is analysed: after a rush the planner still believed that it was nearly empty, read
-- and sorted all of it for each job (108 ms with 4000 waiting, 0.4 ms by the index), and the rush took longer yet.
ALTER FUNCTION procrastinate_fetch_job_v2(character varying[], bigint)
    SET enable_seqscan = off
    SET enable_sort = off
    SET enable_hashjoin = off
    SET enable_mergejoin = off;
