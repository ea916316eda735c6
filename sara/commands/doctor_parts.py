"""The doctor's look at the parts of large tables."""

from crm import status_parts
from crm.record import Crm
from sara.commands.findings import OK, WARN, Finding


async def of_parts(crm: Crm) -> list[Finding]:
    """Whether a cut was left unfinished; nothing where there is one part."""
    async with crm.outside() as tx:
        found = await status_parts.parts(tx)
    cut = next((part.cut_id for part in found if part.cut_id is not None), None)
    if cut is not None:
        detail = (
            f"message_status is being cut at message {cut} and takes nothing from there on until it is done"
        )
        mend = "a worker goes on with it every hour: if this stays, `parts_not_tended` in its log says why"
        return [Finding("partitions", WARN, detail, mend)]
    return [Finding("partitions", OK, f"{len(found)} of message_status")] if len(found) > 1 else []
