"""The queue stays quick when it fills faster than the database analyses it."""

import psycopg
import pytest

_DONE = (
    "INSERT INTO procrastinate_jobs (queue_name, task_name, lock, args, status, scheduled_at)"
    " SELECT 'rush', 'none', 'done-' || i, '{}', 'succeeded', now() FROM generate_series(1, 3000) i"
)
_ONE_LOCK = (
    "INSERT INTO procrastinate_jobs (queue_name, task_name, lock, args, status, scheduled_at)"
    " SELECT 'rush', 'none', 'same', '{}', 'doing', now()"
)


@pytest.mark.parametrize("running", [0, 1])
def test_a_worker_finds_its_next_job_without_reading_all_that_wait(dsn: str, running: int) -> None:
    """Nothing waited when the database last looked: everything was done."""
    with psycopg.connect(dsn) as link:
        link.execute("DELETE FROM procrastinate_jobs")
        link.execute(_DONE)
        if running:
            link.execute(_ONE_LOCK)
        link.execute("ANALYZE procrastinate_jobs")
        link.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, lock, args, status, scheduled_at)"
            " SELECT 'rush', 'none', 'rush-' || i, '{}', 'todo', now() FROM generate_series(1, 4000) i"
        )
        worker = link.execute("INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id").fetchone()
        assert worker is not None
        before = _read(link)
        found = link.execute(
            "SELECT lock FROM procrastinate_fetch_job_v2(ARRAY['rush'], %s)", worker
        ).fetchone()
        read = _read(link) - before
        link.rollback()
    assert found == ("rush-1",)
    assert read < 50


def _read(link: psycopg.Connection) -> int:
    """How many rows of the queue this transaction has read so far."""
    found = link.execute(
        "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables"
        " WHERE relname = 'procrastinate_jobs'"
    ).fetchone()
    assert found is not None
    return int(found[0])
