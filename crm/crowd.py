"""Very many customers who wait for a person at once, for benchmarks of the console."""

from crm.record import Tx


async def wait_for_a_person(tx: Tx, business_id: int, count: int, phone_number_id: str) -> None:
    """Adds `count` conversations with an open hand-over, and tells the planner how many there are."""
    await tx.run("crowd", business=business_id, count=count, phone_number_id=phone_number_id)
    await tx.run("crowd_counted")
