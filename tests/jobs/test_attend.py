"""Hand-overs nobody looks after: apologies in the customer's language, idle agents, sensitive matters."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString

import pytest
import pytest_asyncio

from crm import (
    alerts,
    businesses,
    contacts,
    conversations,
    desk,
    handoffs,
    inbox,
    messages,
    outbox,
    takeover,
)
from crm.messages import NewMessage
from crm.record import Crm
from db.pool import open_pool
from jobs.attend import attend_once
from jobs.services import Attention, Services
from jobs.watch import watch_once
from sara.local import Local
from tests.crm.conftest import sender
from tools.holding import call_for_help

MORNING = datetime(2026, 11, 18, 8, 30, tzinfo=UTC)  # a Wednesday, 9:30 in Rome: Conti is open until one


class Clock:
    def __init__(self) -> None:
        self.now = MORNING

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Desk:
    """A business with a clock, and the services of its worker."""

    services: Services
    clock: Clock
    business_id: int
    number: str
    agent: int

    async def waits(self, *, label: str | None = None, language: str = "it") -> tuple[int, int]:
        """A customer who waits for a human: conversation and hand-over."""
        async with self.services.crm.transaction(self.business_id) as tx:
            contact_id = await contacts.seen(tx, wa_id=sender(), bsuid=None, name="Anna")
            await contacts.speaks(tx, contact_id, language)
            conversation_id = await conversations.open_for(tx, contact_id, self.number)
            await conversations.customer_wrote(tx, conversation_id, tx.now)
            handoff_id = await handoffs.open_one(
                tx,
                conversation_id,
                turn_id=f"t{conversation_id}",
                reason="sensitive" if label else "customer_request",
                label=label,
                score=None,
                summary="",
                wants="",
                draft="",
            )
            await conversations.give_to_human(tx, conversation_id)
        return conversation_id, handoff_id

    async def says(
        self, conversation_id: int, *texts: str, kind: str = "text", option: str | None = None
    ) -> None:
        """The customer writes, or presses a button."""
        async with self.services.crm.transaction(self.business_id) as tx:
            contact_id = (await conversations.get(tx, conversation_id)).contact_id
            for text in texts:
                said = NewMessage(
                    conversation_id, contact_id, "customer", kind, tx.now, text, option_id=option
                )
                await messages.add(tx, said)

    async def talked(self, *states: str) -> int:
        """A customer to whose question SARA has written messages that are in these states now."""
        async with self.services.crm.transaction(self.business_id) as tx:
            contact_id = await contacts.seen(tx, wa_id=sender(), bsuid=None, name="Anna")
            conversation_id = await conversations.open_for(tx, contact_id, self.number)
            await conversations.customer_wrote(tx, conversation_id, tx.now)
            asked = NewMessage(conversation_id, contact_id, "customer", "text", tx.now, "Quanto costa?")
            await messages.add(tx, asked)
            said = NewMessage(conversation_id, contact_id, "bot", "text", tx.now, "65,00 €")
            turn_id = f"{conversation_id}:1"
            await outbox.add(tx, [said] * len(states), turn_id=turn_id, epoch=0, answers=None)
        for ordinal, state in enumerate(states):
            query = "UPDATE outbox SET state = %s WHERE turn_id = %s AND ordinal = %s"
            await self.as_owner(query, state, turn_id, ordinal)
        await self.happened_then(conversation_id)
        return conversation_id

    async def happened_then(self, conversation_id: int) -> None:
        """What was said so far was written down at the time of the clock."""
        query = "UPDATE message SET created_at = sent_at WHERE conversation_id = %s"
        await self.as_owner(query, conversation_id)
        self.clock.now += timedelta(minutes=1)

    async def takes(self, conversation_id: int) -> int:
        """The agent takes it over, or opens it again, and says nothing."""
        async with self.services.crm.transaction(self.business_id) as tx:
            return await takeover.reopen(tx, conversation_id, self.agent)

    async def as_owner(self, query: LiteralString, *values: object) -> list[dict[str, Any]]:
        async with self.services.crm.as_owner() as tx:
            cursor = await tx.connection.execute(query, values)
            return await cursor.fetchall() if cursor.description else []

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Somebody wants to hear of everything."""
        async with self.services.crm.transaction(self.business_id) as tx:
            await alerts.add_target(tx, "desk", queue=None, kinds=[], service="Test", sealed=b"-")
        try:
            yield
        finally:
            async with self.services.crm.transaction(self.business_id) as tx:
                await alerts.remove_target(tx, "desk")

    async def told(self, handoff_id: int) -> list[str]:
        """The kinds of what the team is told of a hand-over, in order."""
        await watch_once(self.services)
        query = "SELECT kind FROM alert WHERE split_part(key, ':', 2) = %s ORDER BY alert_id"
        rows = await self.as_owner(query, str(handoff_id))
        return [row["kind"] for row in rows if row["kind"].startswith("handoff")]

    async def answers(self, handoff_id: int, text: str) -> None:
        """The agent writes."""
        async with self.services.crm.transaction(self.business_id) as tx:
            await desk.answer(tx, handoff_id, self.agent, [text])

    async def after(self, minutes: int) -> None:
        self.clock.now += timedelta(minutes=minutes)
        await attend_once(self.services)

    async def bot_said(self, conversation_id: int) -> list[messages.MessageRow]:
        async with self.services.crm.transaction(self.business_id) as tx:
            said = await messages.of_conversation(tx, conversation_id)
        return [one for one in said if one.author == "bot"]

    async def status(self, handoff_id: int) -> handoffs.HandoffRow:
        async with self.services.crm.transaction(self.business_id) as tx:
            return await handoffs.get(tx, handoff_id)


@pytest_asyncio.fixture(loop_scope="session")
async def here(whole: Local) -> Any:
    pool = await open_pool(whole.dsn, max_size=4, name="attend")
    clock = Clock()
    crm = Crm(pool, clock)
    async with crm.outside() as tx:
        business_id = await businesses.of_slug(tx, "conti")
    async with crm.transaction(business_id) as tx:
        number = (await businesses.numbers(tx))[0].phone_number_id
        agent = (await businesses.agents(tx))[0].agent_id
    services = replace(
        whole.services,
        crm=crm,
        clock=clock,
        context=replace(whole.services.context, crm=crm, clock=clock),
        attention=Attention(apologise_after=30, idle_after=60),
    )
    # Nobody else's hand-over is looked at: those of other tests are open for real.
    yield Desk(services, clock, business_id, number, agent)
    async with crm.as_owner() as tx:
        await tx.connection.execute(
            "UPDATE handoff SET status = 'resolved', closed_at = now()"
            " WHERE business_id = %s AND (turn_id = 't' || conversation_id"
            "                             OR reason IN ('agent_takeover', 'reopened'))",
            (business_id,),
        )
    await pool.close()


async def test_an_apology_addresses_the_customer_as_the_business_does(here: Desk) -> None:
    conversation_id, _ = await here.waits()
    await here.after(31)
    (said,) = await here.bot_said(conversation_id)
    assert "se preferisce, la richiamiamo" in said.body


async def test_an_apology_and_a_call_are_offered_once_in_the_customers_language(here: Desk) -> None:
    conversation_id, handoff_id = await here.waits(language="pt")
    await here.after(29)
    assert await here.bot_said(conversation_id) == []
    await here.after(2)
    await here.after(5)
    (said,) = await here.bot_said(conversation_id)
    assert "desculpa" in said.body
    assert said.kind == "buttons"
    async with here.services.crm.transaction(here.business_id) as tx:
        assert [o.option_id for o in await messages.options(tx, said.message_id)] == [
            "callback:yes",
            "callback:no",
        ]
    assert (await here.status(handoff_id)).apologised_at is not None


@pytest.mark.parametrize("language", ["it", "en", "es", "pt"])
async def test_who_may_be_in_danger_hears_first_whom_to_call_and_is_not_asked_to_wait(
    here: Desk, language: str
) -> None:
    conversation_id, _ = await here.waits(label="emergency", language=language)
    other_id, _ = await here.waits(label="legal", language=language)
    await here.after(31)
    [said], [plain] = await here.bot_said(conversation_id), await here.bot_said(other_id)
    async with here.services.crm.transaction(here.business_id) as tx:
        profile = await businesses.profile(tx)
        help_ = call_for_help(
            profile, here.services.context.phrases.speaker(language, formal=profile.pack.formal)
        )
        pressed = [o.option_id for o in await messages.options(tx, said.message_id)]
    assert "112" in help_
    assert said.body == f"{help_} {plain.body}"
    assert pressed == ["callback:yes"]


async def test_an_apology_is_known_for_one(here: Desk) -> None:
    """Whatever tells answers from what SARA begins with goes by the purpose."""
    conversation_id, _ = await here.waits()
    await here.after(31)
    async with here.services.crm.transaction(here.business_id) as tx:
        [row] = await outbox.open_rows(tx, conversation_id)
    assert (row.purpose, row.template_name) == ("apology", None)


async def test_closed_hours_do_not_count(here: Desk) -> None:
    here.clock.now = MORNING.replace(hour=20)
    conversation_id, _ = await here.waits()
    await here.after(300)
    assert await here.bot_said(conversation_id) == []


async def test_whoever_was_answered_is_not_apologised_to(here: Desk) -> None:
    conversation_id, handoff_id = await here.waits()
    async with here.services.crm.transaction(here.business_id) as tx:
        await desk.answer(tx, handoff_id, here.agent, ["Eccomi"])
    await here.after(45)
    assert await here.bot_said(conversation_id) == []
    assert (await here.status(handoff_id)).status == "claimed"  # idle, but nobody waits


async def test_an_idle_agents_hand_over_goes_back_to_sara(here: Desk) -> None:
    conversation_id, handoff_id = await here.waits()
    async with here.services.crm.transaction(here.business_id) as tx:
        await desk.claim(tx, handoff_id, here.agent)
    await here.after(58)
    assert (await here.status(handoff_id)).status == "claimed"
    async with here.services.crm.transaction(here.business_id) as tx:
        await handoffs.touch(tx, handoff_id)  # typing counts
    await here.after(30)
    assert (await here.status(handoff_id)).status == "claimed"
    await here.after(31)
    row = await here.status(handoff_id)
    assert (row.status, row.owner) == ("returned", "bot")
    async with here.services.crm.transaction(here.business_id) as tx:
        assert [one.kind for one in await inbox.waiting(tx, conversation_id, after=0)] == [inbox.HAND_BACK]


async def test_what_is_sensitive_goes_back_to_colleagues_and_never_to_sara(here: Desk) -> None:
    _, handoff_id = await here.waits(label="legal")
    async with here.services.crm.transaction(here.business_id) as tx:
        await desk.claim(tx, handoff_id, here.agent)
    await here.after(61)
    row = await here.status(handoff_id)
    assert (row.status, row.agent_id, row.owner) == ("open", None, "human")


async def test_what_the_owner_answered_on_the_phone_goes_back_once_it_is_quiet(here: Desk) -> None:
    wa_id = sender()
    async with here.services.crm.transaction(here.business_id) as tx:
        await takeover.echoed(
            tx,
            phone_number_id=here.number,
            wa_id=wa_id,
            bsuid=None,
            wamid=f"wamid.{wa_id}",
            text="Ci penso io",
            at=tx.now,
        )
        contact_id = await contacts.seen(tx, wa_id=wa_id, bsuid=None, name=None)
        conversation_id = await conversations.open_for(tx, contact_id, here.number)
        handoff_id = await handoffs.open_of(tx, conversation_id)
        assert handoff_id is not None
        message = NewMessage(conversation_id, contact_id, "customer", "text", tx.now, body="E allora?")
        await messages.add(tx, message)
    here.clock.now += timedelta(minutes=0)
    await here.after(61)
    assert (await here.status(handoff_id)).status == "returned"


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (["Grazie!"], "text"),
        (["Perfetto, grazie mille", "👍"], "text"),
        (["👍"], "reaction"),
        ([""], "sticker"),
        ([""], "revoke"),
    ],
)
async def test_who_thanks_a_colleague_waits_for_nothing(here: Desk, said: list[str], kind: str) -> None:
    """No apology, and the colleague keeps the conversation."""
    conversation_id, handoff_id = await here.waits()
    await here.answers(handoff_id, "Eccomi, la aspettiamo alle dieci.")
    await here.says(conversation_id, *said, kind=kind)
    await here.after(31)
    await here.after(60)
    row = await here.status(handoff_id)
    assert await here.bot_said(conversation_id) == []
    assert (row.status, row.owner, row.apologised_at) == ("claimed", "human", None)


@pytest.mark.parametrize(
    ("said", "kind"), [("Grazie, e domani?", "text"), ("?", "text"), ("Grazie", "image")]
)
async def test_who_asks_on_after_thanks_waits(here: Desk, said: str, kind: str) -> None:
    """From the question on, not from the thanks."""
    conversation_id, handoff_id = await here.waits()
    await here.answers(handoff_id, "Eccomi")
    await here.says(conversation_id, "Grazie!")
    await here.after(20)
    await here.says(conversation_id, said, kind=kind)
    await here.after(20)
    assert await here.bot_said(conversation_id) == []
    await here.after(11)
    assert len(await here.bot_said(conversation_id)) == 1


async def test_thanks_for_being_passed_on_end_no_wait(here: Desk) -> None:
    """No human has spoken yet."""
    conversation_id, _ = await here.waits()
    await here.says(conversation_id, "Ok, grazie")
    await here.after(31)
    assert len(await here.bot_said(conversation_id)) == 1


@pytest.mark.parametrize(
    ("words", "option"), [("Richiamatemi", "callback:yes"), ("richiamatemi!", None), ("", "callback:yes")]
)
async def test_who_would_rather_be_called_stays_with_people(
    here: Desk, words: str, option: str | None
) -> None:
    """SARA has offered the call, and can call nobody."""
    conversation_id, handoff_id = await here.waits()
    async with here.listening():
        assert await here.told(handoff_id) == ["handoff_opened"]
        async with here.services.crm.transaction(here.business_id) as tx:
            await desk.claim(tx, handoff_id, here.agent)
        await here.after(31)
        assert len(await here.bot_said(conversation_id)) == 1
        await here.says(conversation_id, words, option=option)
        await here.after(61)
        row = await here.status(handoff_id)
        assert (row.status, row.agent_id, row.owner) == ("open", None, "human")
        assert row.wants.lower().startswith("richiamatemi")
        told = await here.told(handoff_id)
    assert told.count("handoff_opened") == 2


async def test_a_call_is_wanted_in_the_words_it_was_offered_in(here: Desk) -> None:
    """Also by who has chosen another language than they write in."""
    conversation_id, handoff_id = await here.waits(language="en")
    async with here.services.crm.transaction(here.business_id) as tx:
        contact_id = (await conversations.get(tx, conversation_id)).contact_id
        await contacts.update(tx, contact_id, language="it")
        await contacts.speaks(tx, contact_id, "en")
        await desk.claim(tx, handoff_id, here.agent)
    await here.after(31)
    [said] = await here.bot_said(conversation_id)
    async with here.services.crm.transaction(here.business_id) as tx:
        offered = (await messages.options(tx, said.message_id))[0].title
    assert offered == "Richiamatemi"
    await here.says(conversation_id, offered)
    await here.after(61)
    row = await here.status(handoff_id)
    assert (row.status, row.owner, row.wants) == ("open", "human", offered)


async def test_a_call_that_a_colleague_has_spoken_of_is_not_owed_any_more(here: Desk) -> None:
    conversation_id, handoff_id = await here.waits()
    await here.after(31)
    await here.says(conversation_id, "Richiamatemi", option="callback:yes")
    await here.answers(handoff_id, "La chiamo tra un minuto.")
    await here.says(conversation_id, "E per sabato?")
    await here.after(61)
    assert (await here.status(handoff_id)).status == "returned"


async def test_a_sensitive_matter_that_is_left_is_told_to_the_team_each_time(here: Desk) -> None:
    _, handoff_id = await here.waits(label="legal")
    async with here.listening():
        for times in (1, 2, 3):
            for _ in range(2):
                told = await here.told(handoff_id)
                assert told.count("handoff_opened") == times
            async with here.services.crm.transaction(here.business_id) as tx:
                await desk.claim(tx, handoff_id, here.agent)
            await here.after(61)
            assert (await here.status(handoff_id)).status == "open"


@pytest.mark.parametrize(
    ("states", "waits"),
    [
        (["accepted"], False),
        ([], True),  # taken over before SARA said anything
        (["superseded"], True),
        (["queued"], True),  # and never sent
        (["held"], True),
        (["refused"], True),
        (["accepted", "superseded"], True),  # cut off in the middle
    ],
)
async def test_taking_over_begins_no_wait_where_sara_has_answered(
    here: Desk, states: list[str], waits: bool
) -> None:
    async with here.listening():
        conversation_id = await here.talked(*states)
        handoff_id = await here.takes(conversation_id)
        await here.after(31)
        assert len(await here.bot_said(conversation_id)) == len(states) + waits
        assert ("handoff_unanswered" in await here.told(handoff_id)) is waits
        await here.after(60)
    assert (await here.status(handoff_id)).status == ("returned" if waits else "claimed")


@pytest.mark.parametrize("parts", [1, 2])
async def test_an_answer_that_failed_on_its_way_is_none(here: Desk, parts: int) -> None:
    """WhatsApp took it and says later that it did not arrive, or not to the end."""
    conversation_id = await here.talked(*["accepted"] * parts)
    [*_, last] = await here.bot_said(conversation_id)
    await here.as_owner("UPDATE message SET status = 'failed' WHERE message_id = %s", last.message_id)
    await here.takes(conversation_id)
    await here.after(31)
    assert len(await here.bot_said(conversation_id)) == parts + 1


@pytest.mark.parametrize(("said", "waits"), [("Grazie!", False), ("E domani?", True)])
async def test_after_taking_over_the_customer_waits_from_what_they_write(
    here: Desk, said: str, waits: bool
) -> None:
    async with here.listening():
        conversation_id = await here.talked("accepted")
        handoff_id = await here.takes(conversation_id)
        await here.after(20)
        await here.says(conversation_id, said)
        await here.after(10)
        assert "handoff_unanswered" not in await here.told(handoff_id)
        await here.after(21)
        assert len(await here.bot_said(conversation_id)) == 1 + waits
        assert ("handoff_unanswered" in await here.told(handoff_id)) is waits


async def test_opening_again_what_a_colleague_has_settled_begins_no_wait(here: Desk) -> None:
    """By telephone: nobody wrote an answer to the last question."""
    conversation_id = await here.talked("accepted")
    first = await here.takes(conversation_id)
    await here.says(conversation_id, "Ci siete?")
    await here.happened_then(conversation_id)
    async with here.services.crm.transaction(here.business_id) as tx:
        await desk.resolve(tx, first, here.agent, note="chiamata")
    handoff_id = await here.takes(conversation_id)
    await here.after(31)
    await here.after(60)
    assert len(await here.bot_said(conversation_id)) == 1
    row = await here.status(handoff_id)
    assert (row.reason, row.status) == ("reopened", "claimed")
