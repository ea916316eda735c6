"""One customer of the steps test: what they wrote and got, as the record, the phone and Meta know it."""

import json
import time
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.rows import dict_row

from channels.simulator.world import SimMessage
from tests.chaos.town import NUMBER
from tests.jobs.shop import Shop

_FACTS = """
SELECT c.conversation_id, c.owner, c.epoch, c.status,
       EXISTS (SELECT FROM handoff h WHERE h.conversation_id = c.conversation_id
               AND h.status IN ('open', 'claimed')) AS handed,
       (SELECT min(e.event_id) FROM inbox_event e WHERE e.conversation_id = c.conversation_id
        AND e.done_at IS NULL) AS waiting,
       (SELECT max(e.event_id) FROM inbox_event e WHERE e.conversation_id = c.conversation_id
        AND e.done_at IS NOT NULL) AS done
FROM conversation c JOIN contact k USING (contact_id) WHERE k.wa_id = %s ORDER BY 1
"""
_OUTBOX = """
SELECT o.outbox_id, o.conversation_id, o.turn_id, o.state, o.lane, o.purpose, o.attempts, o.answers, m.author,
       m.status, m.wamid
FROM outbox o JOIN message m USING (message_id) JOIN contact k USING (contact_id)
WHERE k.wa_id = %s ORDER BY 1
"""
_AGES = """
UPDATE conversation SET opened_at = opened_at - %(by)s, last_activity_at = last_activity_at - %(by)s,
    last_customer_at = last_customer_at - %(by)s WHERE conversation_id = ANY (%(ids)s);
UPDATE handoff SET opened_at = opened_at - %(by)s, claimed_at = claimed_at - %(by)s,
    touched_at = touched_at - %(by)s, closed_at = closed_at - %(by)s WHERE conversation_id = ANY (%(ids)s);
UPDATE message SET sent_at = sent_at - %(by)s, created_at = created_at - %(by)s
    WHERE conversation_id = ANY (%(ids)s);
UPDATE outbox SET created_at = created_at - %(by)s, next_attempt_at = next_attempt_at - %(by)s,
    settled_at = settled_at - %(by)s WHERE conversation_id = ANY (%(ids)s);
UPDATE outbox SET attempted_at = attempted_at - %(by)s;
"""


@dataclass
class Customer:
    """`webhooks` are the bodies posted so far, `wamids` what they carried; both without what was erased."""

    shop: Shop
    owner: psycopg.AsyncConnection[dict[str, Any]]
    wa_id: str
    webhooks: list[bytes] = field(default_factory=list)
    wamids: list[str] = field(default_factory=list)

    async def writes(self, *texts: str) -> None:
        """One webhook with these messages, as Meta posts it."""
        now = self.shop.simulator.world.now()
        self.shop.simulator.open_window(NUMBER, self.wa_id, now)
        items = [
            {
                "from": self.wa_id,
                "id": f"wamid.{self.wa_id}.{time.monotonic_ns()}.{n}",
                "timestamp": str(int(now.timestamp())),
                "type": "text",
                "text": {"body": text},
            }
            for n, text in enumerate(texts)
        ]
        body = self._envelope(
            messages=items, contacts=[{"profile": {"name": "Ugo Passi"}, "wa_id": self.wa_id}]
        )
        counts = await self._posted(body)
        assert counts["messages"] == len(texts), counts
        self.webhooks.append(body)
        self.wamids += [item["id"] for item in items]

    async def writes_again(self, number: int) -> None:
        """A webhook comes once more."""
        if self.webhooks:
            counts = await self._posted(self.webhooks[number % len(self.webhooks)])
            assert counts["messages"] == 0, counts

    async def told(self, message: SimMessage, status: str) -> None:
        """Meta tells a status of a message that reached the phone."""
        item = {
            "id": message.wamid,
            "status": status,
            "timestamp": str(int(message.at.timestamp())),
            "recipient_id": self.wa_id,
            "biz_opaque_callback_data": message.callback_data,
        }
        await self._posted(self._envelope(statuses=[item]))

    def phone(self) -> list[SimMessage]:
        """What the phone got, in order."""
        thread = self.shop.simulator.world.thread(NUMBER, self.wa_id)
        return [one for one in thread if one.direction == "out"]

    async def rows(self, query: str, *parameters: object) -> list[dict[str, Any]]:
        """Rows of the database as its owner sees them."""
        return await (await self.owner.execute(query, parameters)).fetchall()  # type: ignore[call-overload,no-any-return]

    async def conversations(self) -> list[dict[str, Any]]:
        """Theirs, with owner, epoch, whether a person has it, and which events are done."""
        return await self.rows(_FACTS, self.wa_id)

    async def outbox(self) -> list[dict[str, Any]]:
        """Every message that was ever to go to them."""
        return await self.rows(_OUTBOX, self.wa_id)

    async def open_one(self) -> dict[str, Any] | None:
        """Their open conversation."""
        return next((one for one in await self.conversations() if one["status"] == "open"), None)

    async def ages(self, minutes: int) -> None:
        """As if so much time had passed, for them; and for what was sent to others on the number, whose
        statuses tell something of it."""
        ids = [one["conversation_id"] for one in await self.conversations()]
        for statement in filter(str.strip, _AGES.split(";")):
            about = {"ids": ids, "by": f"{minutes} minutes"}
            await self.owner.execute(statement.replace("%(by)s", "%(by)s::interval"), about)  # type: ignore[call-overload]
        if minutes >= 24 * 60:
            self.shop.simulator.world.close_window(NUMBER, self.wa_id)

    async def _posted(self, body: bytes) -> dict[str, int]:
        answer = await self.shop.post(body)
        assert answer.status_code == 200, answer.text
        counts: dict[str, int] = answer.json()
        assert not counts.get("unparsed"), counts
        return counts

    def _envelope(self, **value: Any) -> bytes:
        value |= {"messaging_product": "whatsapp", "metadata": {"phone_number_id": NUMBER}}
        entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
        return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


async def owner_of(shop: Shop) -> psycopg.AsyncConnection[dict[str, Any]]:
    """A connection above all tenants."""
    return await psycopg.AsyncConnection.connect(shop.dsn, row_factory=dict_row, autocommit=True)
