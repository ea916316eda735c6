"""A record that was read back from a backup: what may have happened since is not done twice."""

from dataclasses import dataclass

from crm.record import Tx


@dataclass(frozen=True)
class HeldBack:
    """How many messages a person has to look at, and how many campaigns were paused."""

    messages: int
    campaigns: int


async def hold_back(tx: Tx) -> HeldBack:
    """Holds what was on its way out and pauses running campaigns, of every tenant; the owner's transaction.

    WhatsApp has no idempotency key: a message that waited in the backup may have reached its customer since.
    """
    return HeldBack(
        messages=await tx.run("restored_outbox_hold"), campaigns=await tx.run("restored_campaigns_pause")
    )
