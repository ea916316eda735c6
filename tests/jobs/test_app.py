"""The queue's two lanes: everything is in one, and deliveries never wait for turns."""

from crm import queue
from jobs.app import SENDING, TURNING, build_app


def test_every_task_is_in_one_lane() -> None:
    tasks = build_app("postgresql://nowhere/none").tasks.values()
    queues = {task.queue for task in tasks if task.name.startswith("sara:")}
    assert queues <= {*TURNING, *SENDING}
    assert not set(TURNING) & set(SENDING)
    assert {task.name for task in tasks if task.queue in SENDING} >= {queue.SEND_TASK}
