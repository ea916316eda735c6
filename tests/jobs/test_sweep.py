"""Jobs of dead workers, and work without a job."""

from crm import queue
from jobs.sweep import sweep_once
from tests.jobs.shop import Shop

DOING = """
WITH w AS (
    INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - %s * interval '1 s') RETURNING id
)
UPDATE procrastinate_jobs SET status = 'doing', worker_id = w.id FROM w WHERE lock = %s AND status = 'todo'
"""
JOBS = "SELECT status::text, (args ->> 'attempt')::int AS attempt FROM procrastinate_jobs WHERE lock = %s"


async def test_the_turn_of_a_dead_worker_is_queued_again(shop: Shop) -> None:
    conversation = await shop.open_conversation("393700000001")
    await shop.customer_writes(conversation, "Dove siete?")
    await shop.rows(DOING, 60, f"conv:{conversation}")
    await sweep_once(shop.services)
    assert await shop.rows(JOBS, f"conv:{conversation}") == [{"status": "todo", "attempt": 0}]


async def test_failures_before_the_crash_are_not_forgotten(shop: Shop) -> None:
    conversation = await shop.open_conversation("393700000002")
    async with shop.crm.transaction(shop.business_id) as tx:
        await queue.drain(tx, conversation, delay_s=0, attempt=2)
    await shop.rows(DOING, 60, f"conv:{conversation}")
    await shop.customer_writes(conversation, "pronto?")
    await sweep_once(shop.services)
    assert await shop.rows(JOBS, f"conv:{conversation}") == [{"status": "todo", "attempt": 2}]


async def test_the_deliveries_of_a_dead_worker_are_queued_again(shop: Shop) -> None:
    conversation = await shop.open_conversation("393700000003")
    await shop.bot_says(conversation, "Eccoci")
    await shop.rows(DOING, 60, f"send:{conversation}")
    await sweep_once(shop.services)
    assert await shop.rows(JOBS, f"send:{conversation}") == [{"status": "todo", "attempt": None}]


async def test_a_late_heartbeat_is_no_death(shop: Shop) -> None:
    conversation = await shop.open_conversation("393700000004")
    await shop.customer_writes(conversation, "Dove siete?")
    await shop.rows(DOING, 60, f"conv:{conversation}")
    async with shop.crm.hold(conversation) as held:
        assert held
        await sweep_once(shop.services)
        assert [job["status"] for job in await shop.rows(JOBS, f"conv:{conversation}")] == ["doing"]
    await sweep_once(shop.services)
    assert [job["status"] for job in await shop.rows(JOBS, f"conv:{conversation}")] == ["todo"]


async def test_a_job_whose_end_went_unrecorded_is_freed(shop: Shop) -> None:
    """Its worker lives, but the database was away when the job ended."""
    conversation = await shop.open_conversation("393700000005")
    await shop.customer_writes(conversation, "Dove siete?")
    await shop.rows(DOING, 0, f"conv:{conversation}")
    await sweep_once(shop.services)
    assert [job["status"] for job in await shop.rows(JOBS, f"conv:{conversation}")] == ["doing"]
    await shop.rows(
        "UPDATE procrastinate_events SET at = at - interval '1 min' FROM procrastinate_jobs j"
        " WHERE job_id = j.id AND j.lock = %s",
        f"conv:{conversation}",
    )
    await sweep_once(shop.services)
    assert [job["status"] for job in await shop.rows(JOBS, f"conv:{conversation}")] == ["todo"]


async def test_work_without_a_job_gets_one(shop: Shop) -> None:
    conversation = await shop.open_conversation("393700000006")
    await shop.customer_writes(conversation, "Dove siete?", job=False)
    await shop.bot_says(conversation, "Eccoci")
    await shop.rows("DELETE FROM procrastinate_jobs WHERE lock = %s", f"send:{conversation}")
    await sweep_once(shop.services)
    assert not await shop.rows(JOBS, f"conv:{conversation}"), "it may be under way: not before 2 s"
    await shop.rows("UPDATE inbox_event SET created_at = now() - interval '3 s'")
    await shop.rows("UPDATE outbox SET created_at = now() - interval '3 s'")
    await sweep_once(shop.services)
    assert await shop.rows(JOBS, f"conv:{conversation}") == [{"status": "todo", "attempt": 0}]
    assert await shop.rows(JOBS, f"send:{conversation}") == [{"status": "todo", "attempt": None}]


async def test_the_dead_sweep_of_a_dead_worker_is_freed(shop: Shop) -> None:
    await shop.rows(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status)"
        " VALUES ('turns', 'sara:sweep', '{\"timestamp\": 1}', 'doing')"
    )
    await sweep_once(shop.services)
    assert not await shop.rows(
        "SELECT 1 FROM procrastinate_jobs WHERE task_name = 'sara:sweep' AND status = 'doing'"
    )
