"""What must be true of a customer after every step, and once all work is done."""

from dataclasses import dataclass, field
from typing import Any

from db.tenancy import tenant
from graph.build import Machine
from graph.run import remembered
from graph.state import KEPT
from tests.chaos.steps.customer import Customer

RANKS = (None, "sent", "delivered", "read", "played", "failed")


@dataclass
class Invariants:
    """What is remembered of a customer from one look to the next.

    `out`: opted out; `erased`, and not heard of since; `before_erasure`: messages on the phone that the
    record knows nothing of any more. `refusals` are Meta's, as scripted, `days` how often a day passed;
    `handed`: a person had a conversation at the last look. `undecided`: deliveries that nobody could tell
    anything of for longer than they are waited for, so that a person has to look.
    """

    customer: Customer
    claims: int
    epochs: dict[int, int] = field(default_factory=dict)
    ranks: dict[int, int] = field(default_factory=dict)
    out: bool = False
    erased: bool = False
    before_erasure: int = 0
    refusals: int = 0
    days: int = 0
    handed: bool = False
    undecided: set[int] = field(default_factory=set)

    def forget(self) -> None:
        """The customer was erased."""
        self.customer.webhooks.clear()
        self.customer.wamids.clear()
        self.epochs.clear()
        self.ranks.clear()
        self.before_erasure = len(self.customer.phone())
        self.out, self.erased = False, True

    async def hold(self) -> None:
        await self._conversations_hold()
        await self._messages_hold()
        await self._claims_hold()
        assert not self.customer.shop.simulator.refused[131047], (
            "Meta had to refuse it: the window was closed"
        )

    async def _conversations_hold(self) -> None:
        known = await self.customer.conversations()
        assert not (self.erased and known), "an erased customer is known again"
        self.handed = any(one["handed"] for one in known)
        assert sum(one["status"] == "open" for one in known) <= 1
        for one in known:
            assert (one["owner"] == "human") == one["handed"], "a person has it, or there is no hand-over"
            assert one["epoch"] >= self.epochs.get(one["conversation_id"], 0), "epochs only grow"
            self.epochs[one["conversation_id"]] = one["epoch"]
            assert None in (one["waiting"], one["done"]) or one["waiting"] > one["done"], "taken in in order"
        stored = await self.customer.rows(
            "SELECT wamid FROM message WHERE wamid = ANY (%s) AND author = 'customer' ORDER BY message_id",
            self.customer.wamids,
        )
        assert [row["wamid"] for row in stored] == self.customer.wamids, "each stored once, in order"
        if known and not self.erased:
            (contact,) = await self.customer.rows(
                "SELECT opted_out_at FROM contact WHERE wa_id = %s", self.customer.wa_id
            )
            assert contact["opted_out_at"] is not None or not self.out, "who leaves has left at once"

    async def _messages_hold(self) -> None:
        heard = [int((one.callback_data or "").split("|")[0]) for one in self.customer.phone()]
        assert len(heard) == len(set(heard)), "said twice"
        rows = {row["outbox_id"]: row for row in await self.customer.outbox()}
        assert heard == sorted(heard), "out of order"
        for number in heard[self.before_erasure :]:
            assert rows[number]["attempts"] > 0, "sent without being claimed"
            assert rows[number]["state"] != "superseded", "sent and withdrawn"
        for number, row in rows.items():
            rank = RANKS.index(row["status"])
            assert rank >= self.ranks.get(number, 0), "a status never goes back"
            self.ranks[number] = rank

    async def _claims_hold(self) -> None:
        found = await self.customer.rows("SELECT * FROM claimed WHERE n > %s ORDER BY n", self.claims)
        for row in found:
            self.claims = row["n"]
            apology = row["turn_id"].startswith("apology:")
            if row["author"] == "bot" and not apology:
                assert row["epoch"] == row["epoch_now"], "the bot spoke out of turn"
                assert row["owner"] == "bot" or row["of_handoff"] or row["unasked"], "over a person"
            assert not (row["unasked"] and row["out"]), "who left was written to"

    async def nothing_is_lost(self, machine: Machine) -> None:
        rows = await self.customer.outbox()
        heard = {
            int((m.callback_data or "").split("|")[0]) for m in self.customer.phone()[self.before_erasure :]
        }
        assert heard == {row["outbox_id"] for row in rows if row["state"] == "accepted"}
        assert sum(row["state"] == "refused" for row in rows) <= self.refusals
        for row in rows:
            if row["author"] == "agent":
                assert row["state"] != "superseded", "words of a person were withdrawn"
                may = self.days or row["outbox_id"] in self.undecided
                assert row["state"] != "held" or may, "words of a person were held"
        await self._all_are_answered(rows)
        for one in await self.customer.conversations():
            await self._thread_is_whole(machine, one["conversation_id"])

    async def _all_are_answered(self, rows: list[dict[str, Any]]) -> None:
        """Where no person ever had a conversation, a reply of SARA's names every message."""
        named = {wamid for row in rows for wamid in (row["answers"] or "").split(",")}
        alone = await self.customer.rows(
            "SELECT m.wamid FROM message m JOIN conversation c USING (conversation_id)"
            " WHERE m.wamid = ANY (%s) AND NOT EXISTS (SELECT FROM handoff h"
            " WHERE h.conversation_id = c.conversation_id)",
            self.customer.wamids,
        )
        assert {row["wamid"] for row in alone} <= named, "nobody answered"

    async def _thread_is_whole(self, machine: Machine, conversation_id: int) -> None:
        said = await self.customer.rows(
            "SELECT m.author, m.body FROM inbox_event e JOIN message m USING (message_id)"
            " WHERE e.conversation_id = %s ORDER BY e.event_id",
            conversation_id,
        )
        business_id = self.customer.shop.business_id
        with tenant(business_id):
            state = await remembered(machine, f"{business_id}:{conversation_id}")
        lines = [(one["author"], one["text"]) for one in state.get("window", []) if one["author"] != "bot"]
        wanted = [(row["author"], row["body"]) for row in said]
        # A full window has lost its beginning, and a new conversation begins with the end of the one before.
        full = len(state.get("window", [])) >= KEPT
        most = min(len(lines), len(wanted)) if full else len(wanted)
        told = f"conversation {conversation_id}: {lines} for {wanted}"
        assert lines[len(lines) - most :] == wanted[len(wanted) - most :], told
