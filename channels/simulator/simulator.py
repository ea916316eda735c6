"""The simulated WhatsApp as one object: customers write, businesses send, statuses flow back."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Coroutine
from datetime import datetime
from typing import Any

import httpx

from channels.messages import Button, Row
from channels.simulator.account import Account
from channels.simulator.faults import FaultPlan
from channels.simulator.payloads import (
    STATUS_ERRORS,
    ReplyKind,
    audio_content,
    message_part,
    metadata,
    reply_content,
    status_part,
)
from channels.simulator.quotas import Quotas
from channels.simulator.sending import Refusal, check_address, check_template, read_send
from channels.simulator.settings import BusinessNumber, Identity, SimulatorSettings
from channels.simulator.webhooks import Courier
from channels.simulator.world import Clock, SimMessage, State, World, new_wamid, utc_now
from channels.whatsapp.transport import prompt_or_not_at_all

log = logging.getLogger(__name__)


class NoReply(Exception):
    """The business did not answer in time: look at the worker's log and at the webhook's address."""


class NoSuchButton(Exception):
    """No message to this customer offers such a button or row: press one that is on the screen."""


class UnknownNumber(Exception):
    """No business has this phone_number_id: add it to the simulator's settings."""


class Simulator:
    """A Graph API's other side, for tests, the demo and the phone page. Bound to one event loop.

    Close it with `aclose()` or use it as an async context manager.
    """

    def __init__(
        self, settings: SimulatorSettings, *, clock: Clock = utc_now, http: httpx.AsyncClient | None = None
    ) -> None:
        """`http` posts the webhooks; without one the simulator opens and closes its own."""
        self.settings = settings
        self.world = World(settings, clock)
        self.faults = FaultPlan(settings.faults)
        self.quotas = Quotas(
            throughput_per_s=settings.throughput_per_s, pair_limit=settings.pair_limit, tier=settings.tier
        )
        self.account = Account(self.world.numbers, self._tell)
        self.access_token = settings.access_token
        """What calls must carry; another one makes every old one expired."""
        self.subscribed = True
        self.refused: Counter[int] = Counter()
        """How many sends were refused, by code."""
        poster = http or httpx.AsyncClient(transport=prompt_or_not_at_all())
        self._own_http = None if http else poster
        self.courier = Courier(settings, poster)
        self._tasks: set[asyncio.Task[None]] = set()
        self._read_on_arrival: set[str] = set()

    async def __aenter__(self) -> Simulator:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Stop statuses and webhooks that are still on their way."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.courier.aclose()
        if self._own_http:
            await self._own_http.aclose()

    async def settle(self) -> None:
        """Wait until every status and webhook on its way has arrived or been given up."""
        while self._tasks:
            await asyncio.gather(*list(self._tasks), return_exceptions=True)

    async def customer_sends(
        self,
        phone_number_id: str,
        wa_id: str,
        *,
        text: str | None = None,
        voice: bytes | None = None,
        voice_mime: str = "audio/ogg; codecs=opus",
        button: str | None = None,
        content: dict[str, Any] | None = None,
        name: str | None = None,
        reply_to: str | None = None,
        identity: Identity | None = None,
    ) -> str:
        """A customer writes, speaks, or presses a button (by id or title); returns the new wamid.

        `content` is any other message as Meta writes it: its `type` and the object of that type.
        Returns at once; the webhook goes out in the background, after earlier ones of this customer.
        Raises UnknownNumber, NoSuchButton, or ValueError unless exactly one kind of content is given.
        """
        if sum(given is not None for given in (text, voice, button, content)) != 1:
            raise ValueError("give exactly one of text, voice, button and content")
        if phone_number_id not in self.world.numbers:
            raise UnknownNumber(phone_number_id)
        seen: dict[str, Any] = {"reply_to": reply_to}
        if text is not None:
            content, seen["text"] = {"type": "text", "text": {"body": text}}, text
        elif voice is not None:
            media = self.world.keep_media(voice, voice_mime)
            content = audio_content(media, voice=True)
            seen |= {"media_id": media.id, "mime_type": media.mime_type, "voice": True}
        elif button is not None:
            content, chosen = self._press(phone_number_id, wa_id, button)
            seen |= chosen
        return self._receive(phone_number_id, wa_id, name, content or {}, seen, identity)

    def sent_to(self, wa_id: str, phone_number_id: str | None = None) -> list[SimMessage]:
        """What was sent to a customer by all businesses or one, oldest first."""
        return self.world.sent_to(wa_id, phone_number_id)

    async def wait_for_reply(
        self, wa_id: str, *, after: int = 0, timeout: float = 30.0, phone_number_id: str | None = None
    ) -> SimMessage:
        """The first message to a customer beyond the `after` oldest ones, awaited for `timeout` seconds.

        Raises NoReply when none comes.
        """
        with self.world.listen() as changes:
            try:
                async with asyncio.timeout(timeout):
                    while len(sent := self.world.sent_to(wa_id, phone_number_id)) <= after:
                        await changes.get()
            except TimeoutError:
                raise NoReply(f"no message {after + 1} to {wa_id} within {timeout:g} s") from None
        return sent[after]

    def business_sends(self, phone_number_id: str, body: object) -> SimMessage:
        """Accept a send and let its statuses follow. Raises Refusal, as the Graph API would answer."""
        try:
            return self._accept(phone_number_id, body)
        except Refusal as refusal:
            self.refused[refusal.code] += 1
            raise

    def _accept(self, phone_number_id: str, body: object) -> SimMessage:
        to, recipient = check_address(body)
        customer = self.world.find_customer(to, recipient)
        now = self.world.now()
        if not self.quotas.count(phone_number_id, now):
            raise Refusal(130429, "Rate limit hit", status=429, retry_after_s=1)
        if (code := self.faults.refusal(customer)) is not None:
            raise Refusal(
                code, STATUS_ERRORS.get(code, "Refused as told"), status=429 if code == 130429 else 400
            )
        message = read_send(body, phone_number_id=phone_number_id, customer=customer or "", at=now)
        if customer is None:
            raise Refusal(131026, "Message undeliverable: no customer has this user id.")
        closed = not self.world.window_is_open(phone_number_id, customer)
        expired = message.type != "template" and closed
        waba_id = self.world.numbers[phone_number_id].waba_id
        if message.type == "template":
            check_template(self.account, waba_id, message.raw)
        if expired and self.settings.refuse_by == "answer":
            raise Refusal(131047, "More than 24 hours have passed since the customer last replied.")
        if message.type == "template" and closed and not self.quotas.count_begun(waba_id, customer, now):
            raise Refusal(131048, "Spam rate limit hit: the messaging limit of this account is reached.")
        if not self.quotas.count_pair(phone_number_id, customer, now):
            raise Refusal(131056, "(Business Account, Consumer Account) pair rate limit hit")
        self.world.customer(customer)
        self.world.add(message)
        failure = 131047 if expired else 131026 if customer in self.settings.unreachable else None
        self._spawn(self._follow(message, failure))
        return message

    def open_window(self, phone_number_id: str, wa_id: str, at: datetime) -> None:
        """As if the customer had written then, without telling the business."""
        message = SimMessage(
            wamid=new_wamid(),
            phone_number_id=phone_number_id,
            customer=wa_id,
            direction="in",
            type="text",
            at=at,
        )
        self.world.customer(wa_id)
        self.world.add(message)

    def business_reads(self, phone_number_id: str, wamid: str, *, typing: bool) -> None:
        """Mark a customer's message, and those before it, as read. Raises Refusal 100 for an unknown one."""
        message = self.world.message(wamid)
        if message is None or message.phone_number_id != phone_number_id or message.direction != "in":
            raise Refusal(100, "Param message_id is not a message of this phone number.")
        for earlier in self.world.thread(phone_number_id, message.customer):
            if earlier.direction == "in" and earlier.at <= message.at:
                self.world.move(earlier.wamid, "read")
        if typing:
            self.world.show_typing(phone_number_id, message.customer)

    def customer_reads(self, phone_number_id: str, wa_id: str) -> None:
        """The customer looks at the conversation: everything delivered becomes read."""
        for message in self.world.thread(phone_number_id, wa_id):
            if message.direction == "out" and message.status == "sent":
                self._read_on_arrival.add(message.wamid)
            elif message.direction == "out" and message.status == "delivered":
                self._report(message, "read")

    def _receive(
        self,
        phone_number_id: str,
        wa_id: str,
        name: str | None,
        content: dict[str, Any],
        seen: dict[str, Any],
        identity: Identity | None,
    ) -> str:
        customer = self.world.customer(wa_id, name)
        now = self.world.now()
        message = SimMessage(
            wamid=new_wamid(),
            phone_number_id=phone_number_id,
            customer=wa_id,
            direction="in",
            type=str(content.get("type", "unknown")),
            at=now,
            raw=content,
            **seen,
        )
        self.quotas.count(phone_number_id, now)
        self.world.add(message)
        number = self.world.numbers[phone_number_id]
        part = message_part(number, customer, message, content, identity or self.settings.identity)
        posted = self.courier.deliver(f"{phone_number_id}:{wa_id}", part)
        self._spawn(self._confirm(message.wamid, posted))
        return message.wamid

    def _press(self, phone_number_id: str, wa_id: str, button: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """The latest offer of this button or row, as the reply's content and as the phone shows it."""
        for message in reversed(self.world.sent_to(wa_id, phone_number_id)):
            choices: tuple[Button | Row, ...] = (*message.buttons, *message.rows)
            for choice in choices:
                if button in (choice.id, choice.title):
                    kind: ReplyKind = "button_reply" if message.buttons else "list_reply"
                    content = reply_content(kind, choice.model_dump(exclude_none=True))
                    return content, {"text": choice.title, "reply_to": message.wamid}
        raise NoSuchButton(button)

    async def _confirm(self, wamid: str, posted: asyncio.Task[bool]) -> None:
        if await posted:
            self.world.move(wamid, "delivered")

    async def _follow(self, message: SimMessage, failure: int | None) -> None:
        """Let an accepted message reach the phone: sent, delivered and, if told so, read; or failed."""
        delay = self.settings.status_delay_s
        await asyncio.sleep(delay + self.faults.now.late_status_s)
        if failure:
            self._report(message, "failed", failure)
            return
        if self.faults.disorders():
            await self._disordered(message)
            return
        # The phone shows it as sent from the start; only Meta's confirmation is new here.
        self._post_status(message)
        await asyncio.sleep(delay)
        self._report(message, "delivered")
        if message.wamid in self._read_on_arrival:
            self._read_on_arrival.discard(message.wamid)
            self._report(message, "read")
        elif self.settings.auto_read:
            await asyncio.sleep(delay)
            self._report(message, "read")

    async def _disordered(self, message: SimMessage) -> None:
        """All its statuses, the last first."""
        self.world.move(message.wamid, "read")
        for status in ("read", "delivered", "sent"):
            self._post_status(message.model_copy(update={"status": status}))
            await asyncio.sleep(self.settings.status_delay_s)

    def report(self, wamid: str, status: State, error_code: int | None = None) -> None:
        """Post any status of a message, however late, doubled or contradictory. Raises KeyError."""
        message = self.world.message(wamid)
        if message is None:
            raise KeyError(wamid)
        self.world.move(wamid, status, error_code)
        self._post_status(message.model_copy(update={"status": status, "error_code": error_code}))

    def owner_sends(self, phone_number_id: str, wa_id: str, text: str) -> str:
        """The owner writes on the phone app: the webhook `smb_message_echoes`; returns the wamid."""
        number, wamid = self.world.numbers[phone_number_id], new_wamid()
        item = {
            "from": number.display_phone.lstrip("+"),
            "to": wa_id,
            "id": wamid,
            "timestamp": str(int(self.world.now().timestamp())),
            "type": "text",
            "text": {"body": text},
        }
        value = {"metadata": metadata(number), "messaging_product": "whatsapp", "message_echoes": [item]}
        self._tell(number, "smb_message_echoes", value)
        return wamid

    def customer_prefers(self, phone_number_id: str, wa_id: str, *, stop: bool) -> None:
        """The customer stops or allows marketing in WhatsApp's own menu: `user_preferences`."""
        number, customer = self.world.numbers[phone_number_id], self.world.customer(wa_id)
        item = {
            "wa_id": wa_id,
            "user_id": customer.bsuid,
            "detail": "User requested to stop marketing messages" if stop else "User resumed them",
            "category": "marketing_messages",
            "value": "stop" if stop else "resume",
            "timestamp": int(self.world.now().timestamp()),
        }
        value = {"metadata": metadata(number), "messaging_product": "whatsapp", "user_preferences": [item]}
        self._tell(number, "user_preferences", value)

    def _tell(self, number: BusinessNumber, field: str, value: dict[str, Any]) -> None:
        """Post a change that is neither a customer's message nor a status."""
        body = {
            "object": "whatsapp_business_account",
            "entry": [{"id": number.waba_id, "changes": [{"field": field, "value": value}]}],
        }
        self._spawn(self._arrived(self.courier.deliver_body(f"{number.waba_id}:{field}", body)))

    def _report(self, message: SimMessage, status: State, error_code: int | None = None) -> None:
        """Move a message along and tell the business, unless it already was there or further."""
        if self.world.move(message.wamid, status, error_code):
            self._post_status(message.model_copy(update={"status": status, "error_code": error_code}))

    def _post_status(self, message: SimMessage) -> None:
        number = self.world.numbers[message.phone_number_id]
        customer = self.world.customer(message.customer)
        part = status_part(number, customer, message, self.world.now(), self.settings.identity)
        self._spawn(self._arrived(self.courier.deliver(message.wamid, part)))

    async def _arrived(self, posted: asyncio.Task[bool]) -> None:
        await posted

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (problem := task.exception()):
            log.error("the simulator failed in the background", exc_info=problem)
