"""People who look at customers, and what is written down of it."""

import secrets
from typing import Any

from crm import contacts
from tests.api.house import House, Person


async def looks(house: House, who: Person) -> list[dict[str, Any]]:
    """What is written down of somebody's looks and deeds, in order."""
    return await house.rows(
        "SELECT what, contact_id, subject_id, via, address, detail FROM access_log"
        " WHERE agent_id = %s AND what NOT LIKE 'log%%' ORDER BY access_log_id",
        who.agent_id,
    )


async def customer(house: House, name: str) -> int:
    """A new customer of the first business."""
    async with house.crm.transaction(house.business_id) as tx:
        return await contacts.seen(tx, wa_id=f"39{secrets.randbelow(10**10):010d}", bsuid=None, name=name)
