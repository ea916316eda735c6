"""Campaigns: who gets them, once; what Meta's refusals, a pause and a customer's STOP do to them."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio

from channels.simulator.settings import Faults
from channels.whatsapp.errors import from_code
from crm import campaigns, consent, contacts, conversations, governor, outbox, queue, template_book
from crm.campaign_rows import Audience, CampaignInvalid, Manner, Variant
from crm.messages import NewMessage
from crm.quiet import quiet_until
from crm.template_book import KnownTemplate
from jobs import steering
from jobs.campaigns import step
from sara.commands import campaign as command
from tests.chaos.town import NUMBER
from tests.jobs.shop import Shop

# Countries all around the globe: somewhere it is always day, no Sunday is quiet and no holiday is kept.
_AROUND = ("9198765", "8190123", "6121234", "4477009", "1212555", "1808555", "5411412", "5255123", "160425")
_ids = itertools.count(10000)
TEMPLATE = KnownTemplate(
    "autumn", "it", "MARKETING", "APPROVED", None, None, "Ciao {{1}}, ti aspetta {{2}}!", 2, True, ["Prenota"]
)
VALUES = ["{name}", "{business}"]
NOW_THEN = Manner(first_wave=0)


def awake(count: int) -> list[str]:
    """Phone numbers of places where it is day."""
    for start in _AROUND:
        found = [f"{start}{next(_ids)}" for _ in range(count)]
        if quiet_until(found[0], datetime.now(UTC), home="Europe/Rome") is None:
            return found
    raise AssertionError("night everywhere")


@pytest_asyncio.fixture(loop_scope="session")
async def market(shop: Shop) -> AsyncIterator[Shop]:
    """The shop with an approved template, nobody counted, no campaign running."""
    await shop.rows("UPDATE campaign SET state = 'cancelled'")
    await shop.rows("DELETE FROM marketing_consent")
    await shop.rows("DELETE FROM portfolio_reach")
    await shop.rows("UPDATE sender_portfolio SET used = 0")
    async with shop.crm.transaction(shop.business_id) as tx:
        await template_book.put(tx, TEMPLATE)
        await template_book.put(tx, replace(TEMPLATE, name="winter"))
        await governor.set_limits(tx, NUMBER, tier=250)
        await governor.stop(tx, NUMBER, None)
    yield shop


async def customers(shop: Shop, count: int) -> dict[str, int]:
    """New contacts with proof of consent, by phone."""
    found = {}
    async with shop.crm.transaction(shop.business_id) as tx:
        for wa_id in awake(count):
            found[wa_id] = await contacts.entered(tx, wa_id=wa_id, name="Anna Rossi")
            await consent.changed(tx, found[wa_id], given=True, source="import", evidence="form")
    return found


async def started(shop: Shop, *variants: Variant, manner: Manner = NOW_THEN) -> int:
    async with shop.crm.transaction(shop.business_id) as tx:
        said = list(variants) or [Variant("a", "autumn", VALUES)]
        name = f"campaign {next(_ids)}"
        made = await campaigns.create(tx, name, NUMBER, said, Audience(), manner)
        await campaigns.start(tx, made)
    return made


async def run(shop: Shop, campaign_id: int, rounds: int = 12) -> None:
    """The campaign's job and the senders, until nothing more can go now."""
    for _ in range(rounds):
        wait = await step(shop.services, shop.business_id, campaign_id)
        await shop.work()
        if wait is None or wait > 1:
            return


async def comes_to(shop: Shop, campaign_id: int, state: str) -> None:
    """The same until the campaign is in this state; senders may still be at its messages after a round."""

    async def there() -> bool:
        await step(shop.services, shop.business_id, campaign_id)
        return (await state_of(shop, campaign_id))[0] == state

    await shop.work_until(there, 60)


async def standing(shop: Shop, campaign_id: int) -> dict[str, int]:
    found: dict[str, int] = {}
    async with shop.crm.transaction(shop.business_id) as tx:
        for count in await campaigns.counts(tx, campaign_id):
            found[count.state] = found.get(count.state, 0) + count.people
    return found


async def state_of(shop: Shop, campaign_id: int) -> tuple[str, str | None]:
    async with shop.crm.transaction(shop.business_id) as tx:
        row = await campaigns.get(tx, campaign_id)
    return row.state, row.note


def received(shop: Shop, wa_ids: Any) -> list[int]:
    return [len(shop.simulator.sent_to(wa_id, NUMBER)) for wa_id in wa_ids]


async def opted_out(shop: Shop, contact_id: int) -> bool:
    async with shop.crm.transaction(shop.business_id) as tx:
        return (await contacts.get(tx, contact_id)).opted_out_at is not None


async def test_everybody_with_consent_gets_it_once_and_nobody_else(market: Shop) -> None:
    people = await customers(market, 4)
    (without,) = awake(1)
    async with market.crm.transaction(market.business_id) as tx:
        await contacts.entered(tx, wa_id=without, name=None)
        await contacts.opt_out(tx, people[next(iter(people))])
    made = await started(market)
    await run(market, made)
    assert received(market, people) == [0, 1, 1, 1]
    assert received(market, [without]) == [0]
    assert await state_of(market, made) == ("finished", None)
    (sent,) = market.simulator.sent_to(list(people)[1], NUMBER)
    assert sent.type == "template"
    values = sent.raw["template"]["components"][0]["parameters"]
    assert values[0]["text"] == "Anna"
    async with market.crm.transaction(market.business_id) as tx:
        each = {person.wa_id: person for person in await campaigns.people(tx, made)}
    assert each[next(iter(people))].reason == "opted out"
    assert each[without].reason == "no proof of consent"
    # The frequency cap: the same people are left out of the next one.
    again = await started(market)
    await run(market, again)
    assert received(market, people) == [0, 1, 1, 1]
    assert (await standing(market, again)).get("skipped", 0) >= 4


async def test_two_workers_hand_over_each_recipient_once(market: Shop) -> None:
    people = await customers(market, 10)
    made = await started(market)
    await asyncio.gather(*(run(market, made) for _ in range(3)))
    assert received(market, people) == [1] * 10


async def test_the_tier_stops_it_and_more_of_it_lets_it_go_on(market: Shop) -> None:
    people = await customers(market, 6)
    async with market.crm.transaction(market.business_id) as tx:
        await governor.set_limits(tx, NUMBER, tier=4)
    made = await started(market)
    await run(market, made)
    assert sum(received(market, people)) == 4
    assert await state_of(market, made) == ("running", "the tier is used up")
    async with market.crm.transaction(market.business_id) as tx:
        await governor.set_limits(tx, NUMBER, tier=250)
    await run(market, made)
    assert received(market, people) == [1] * 6


async def test_a_pause_takes_back_what_nobody_began_to_send_and_resume_loses_nothing(market: Shop) -> None:
    people = await customers(market, 5)
    made = await started(market)
    await step(market.services, market.business_id, made)  # handed over, and no sender has run yet
    assert (await standing(market, made))["queued"] == 5
    async with market.crm.transaction(market.business_id) as tx:
        assert await campaigns.pause(tx, made) == 5
        assert (await governor.state(tx, NUMBER)).used == 0
    await run(market, made)
    assert received(market, people) == [0] * 5
    assert (await standing(market, made))["waiting"] == 5
    async with market.crm.transaction(market.business_id) as tx:
        await campaigns.resume(tx, made)
    await run(market, made)
    assert received(market, people) == [1] * 5


async def test_cancel_leaves_the_rest_out(market: Shop) -> None:
    people = await customers(market, 3)
    made = await started(market)
    await step(market.services, market.business_id, made)
    async with market.crm.transaction(market.business_id) as tx:
        await campaigns.cancel(tx, made)
        with pytest.raises(CampaignInvalid):
            await campaigns.resume(tx, made)
    await market.work()
    assert received(market, people) == [0] * 3
    assert set(await standing(market, made)) == {"skipped"}


async def test_a_stop_between_writing_and_sending_is_honoured(market: Shop) -> None:
    people = await customers(market, 2)
    made = await started(market)
    await step(market.services, market.business_id, made)
    async with market.crm.transaction(market.business_id) as tx:
        await contacts.opt_out(tx, next(iter(people.values())))
    await market.work()
    assert received(market, people) == [0, 1]


async def test_what_an_outage_kept_until_it_is_night_waits_for_the_morning(market: Shop) -> None:
    """And nobody who writes meanwhile is kept waiting by it."""
    ((wa_id, contact_id),) = (await customers(market, 1)).items()
    made = await started(market)
    await step(market.services, market.business_id, made)
    night = next(
        number
        for number in (f"{start}{next(_ids)}" for start in _AROUND)
        if quiet_until(number, datetime.now(UTC), home="Europe/Rome") is not None
    )
    await market.rows("UPDATE contact SET wa_id = %s WHERE contact_id = %s", night, contact_id)
    conversation = await market.open_conversation(night)
    await market.bot_says(conversation, "Eccomi")
    await market.work()
    assert [sent.type for sent in market.simulator.sent_to(night, NUMBER)] == ["text"]
    assert (await standing(market, made))["queued"] == 1
    late = await market.rows(
        "SELECT outbox_id FROM outbox WHERE state = 'queued' AND next_attempt_at <= now()"
    )
    assert late == []  # what rests is not late
    await market.rows("UPDATE contact SET wa_id = %s WHERE contact_id = %s", wa_id, contact_id)
    await market.rows("UPDATE outbox SET next_attempt_at = now() WHERE state = 'queued'")
    async with market.crm.transaction(market.business_id) as tx:
        await queue.send(tx, conversation)
    await market.work()
    assert [sent.type for sent in market.simulator.sent_to(wa_id, NUMBER)] == ["template"]


async def test_the_word_stop_is_honoured_at_the_door_whoever_has_the_conversation(market: Shop) -> None:
    words = ("Stop", "BAJA", "sair", "Cancellami!", "Stop promotions", "Parar promoções")
    people = await customers(market, len(words))
    for (wa_id, contact_id), word in zip(people.items(), words, strict=True):
        async with market.crm.transaction(market.business_id) as tx:
            conversation = await conversations.open_for(tx, contact_id, NUMBER)
            await conversations.give_to_human(tx, conversation)
        message = {
            "from": wa_id,
            "id": f"wamid.stop.{wa_id}",
            "timestamp": str(int(datetime.now(UTC).timestamp())),
            "type": "text",
            "text": {"body": word},
        }
        await post(market, "messages", messages=[message])
        assert await opted_out(market, contact_id), word
        async with market.crm.transaction(market.business_id) as tx:
            (latest, *_) = await consent.history(tx, contact_id)
        assert (latest.given, latest.source, latest.evidence) == (False, "word", message["id"])


async def test_a_choice_in_whatsapp_s_menu_is_honoured_and_late_ones_change_nothing(market: Shop) -> None:
    ((wa_id, contact_id),) = (await customers(market, 1)).items()
    now = int(datetime.now(UTC).timestamp()) + 60
    for at, value, expected in ((now, "stop", True), (now - 30, "resume", True), (now + 30, "resume", False)):
        chosen = {"wa_id": wa_id, "category": "marketing_messages", "value": value, "timestamp": str(at)}
        await post(market, "user_preferences", user_preferences=[chosen])
        assert await opted_out(market, contact_id) is expected


async def test_an_answer_is_attributed_to_the_campaign(market: Shop) -> None:
    people = await customers(market, 2)
    made = await started(market)
    await run(market, made)
    wa_id = next(iter(people))
    (sent,) = market.simulator.sent_to(wa_id, NUMBER)
    item = {
        "from": wa_id,
        "id": f"wamid.reply.{wa_id}",
        "timestamp": str(int(datetime.now(UTC).timestamp())),
        "type": "button",
        "button": {"text": "Prenota", "payload": "campaign:1:0"},
        "context": {"id": sent.wamid},
    }
    await post(market, "messages", messages=[item])
    async with market.crm.transaction(market.business_id) as tx:
        counts = await campaigns.counts(tx, made)
    assert sum(count.replied for count in counts) == 1


async def test_who_leaves_or_only_reacts_has_not_answered(market: Shop) -> None:
    people = await customers(market, 5)
    made = await started(market)
    await run(market, made)
    stops, presses, reacts, answers, leaves_later = people

    async def says(wa_id: str, kind: str, content: dict[str, str], number: int = 1) -> None:
        at = str(int(datetime.now(UTC).timestamp()))
        item = {"from": wa_id, "id": f"wamid.after.{number}.{wa_id}", "timestamp": at, "type": kind}
        await post(market, "messages", messages=[{**item, kind: content}])

    (reached,) = market.simulator.sent_to(reacts, NUMBER)
    await says(stops, "text", {"body": "STOP"})
    await says(presses, "button", {"text": "Stop promotions", "payload": "Stop promotions"})
    await says(reacts, "reaction", {"message_id": reached.wamid, "emoji": "👍"})
    await says(answers, "text", {"body": "Sì, mi interessa!"})
    async with market.crm.transaction(market.business_id) as tx:
        counts = await campaigns.counts(tx, made)
    assert (sum(count.replied for count in counts), sum(count.left for count in counts)) == (1, 2)
    await says(reacts, "text", {"body": "Quanto costa?"}, number=2)  # words after the thumb are an answer
    # Who leaves after the next campaign has not left this one.
    query = "UPDATE campaign_recipient SET handed_at = handed_at - interval '2 days' WHERE campaign_id = %s"
    await market.rows(query, made)
    again = await started(market, manner=Manner(first_wave=0, cap_days=1))
    await run(market, again)
    assert received(market, [leaves_later]) == [2]
    await says(leaves_later, "text", {"body": "BAJA"})
    async with market.crm.transaction(market.business_id) as tx:
        before, after = await campaigns.counts(tx, made), await campaigns.counts(tx, again)
    assert sum(count.replied for count in before) == 2
    assert [sum(count.left for count in counted) for counted in (before, after)] == [2, 1]


async def test_two_templates_share_the_audience(market: Shop) -> None:
    people = await customers(market, 24)
    made = await started(market, Variant("a", "autumn", VALUES), Variant("b", "winter", VALUES))
    await run(market, made, rounds=30)
    assert received(market, people) == [1] * 24
    names = [market.simulator.sent_to(wa_id, NUMBER)[0].raw["template"]["name"] for wa_id in people]
    assert min(names.count("autumn"), names.count("winter")) >= 3


async def test_the_first_wave_goes_out_alone_and_a_bad_one_stops_the_campaign(market: Shop) -> None:
    people = await customers(market, 30)
    made = await started(market, manner=Manner(first_wave=20, first_wave_seconds=3600))
    for wa_id in list(people)[:5]:
        market.simulator.faults.refuses(wa_id, 131026)
    await run(market, made, rounds=20)
    assert sum(received(market, people)) == 15
    state, note = await state_of(market, made)
    assert state == "paused"
    assert note is not None
    assert "fail" in note
    async with market.crm.transaction(market.business_id) as tx:
        assert [row.campaign_id for row in await campaigns.in_trouble(tx)].count(made) == 1


async def test_whoever_resumes_a_bad_one_has_seen_its_failures_and_they_count_against_no_other(
    market: Shop,
) -> None:
    people = await customers(market, 30)
    bad = list(people)[:5]
    made = await started(market, manner=Manner(first_wave=20, first_wave_seconds=3600))
    for wa_id in bad:
        market.simulator.faults.refuses(wa_id, 131026)
    await comes_to(market, made, "paused")
    # The hour is over. Without one, the worker's own look at campaigns sends the rest beside the wave.
    await market.rows("UPDATE campaign SET first_wave_seconds = 0 WHERE campaign_id = %s", made)
    async with market.crm.transaction(market.business_id) as tx:
        await campaigns.resume(tx, made)
    await comes_to(market, made, "finished")
    assert await state_of(market, made) == ("finished", None)
    assert sum(received(market, people)) == 25
    # The frequency cap counts what they got: those it never reached may have the next one.
    market.simulator.faults.now = Faults()
    again = await started(market)
    await comes_to(market, again, "finished")
    assert received(market, bad) == [1] * 5
    assert sum(received(market, people)) == 30


async def test_a_template_that_cannot_be_sent_now_leaves_nobody_out(market: Shop) -> None:
    people = await customers(market, 2)
    made = await started(market)
    async with market.crm.transaction(market.business_id) as tx:
        await template_book.told(tx, "autumn", "it", status="PENDING")
    await run(market, made)
    assert await state_of(market, made) == ("paused", "the template autumn cannot be sent")
    assert (await standing(market, made))["waiting"] == 2
    async with market.crm.transaction(market.business_id) as tx:
        await template_book.told(tx, "autumn", "it", status="APPROVED")
        await campaigns.resume(tx, made)
    await run(market, made)
    assert received(market, people) == [1, 1]


async def test_131049_waits_a_day_and_comes_once_more(market: Shop) -> None:
    people = await customers(market, 1)
    made = await started(market)
    market.simulator.faults.refuses(next(iter(people)), 131049)
    await run(market, made)
    assert received(market, people) == [0]
    async with market.crm.transaction(market.business_id) as tx:
        (person,) = [one for one in await campaigns.people(tx, made) if one.wa_id in people]
    assert person.state == "waiting"
    assert person.not_before is not None
    assert (person.not_before - datetime.now(UTC)).total_seconds() > 86_000


async def test_131050_is_an_opt_out(market: Shop) -> None:
    people = await customers(market, 1)
    market.simulator.faults.refuses(next(iter(people)), 131050)
    await run(market, await started(market))
    assert await opted_out(market, next(iter(people.values())))


@pytest.mark.parametrize("code", [131048, 132015])
async def test_a_restriction_or_a_paused_template_pauses_the_campaign(market: Shop, code: int) -> None:
    people = await customers(market, 3)
    made = await started(market)
    await step(market.services, market.business_id, made)
    market.simulator.faults.refuses(next(iter(people)), code)
    await market.work()
    assert (await state_of(market, made))[0] == "paused"
    assert sum(received(market, people)) <= 2
    async with market.crm.transaction(market.business_id) as tx:
        stopped = (await governor.state(tx, NUMBER)).stopped
        template = await template_book.one(tx, "autumn", "it")
    assert template is not None
    assert (stopped is not None, template.status) == (
        code == 131048,
        "PAUSED" if code == 132015 else "APPROVED",
    )


async def test_130429_in_a_late_status_slows_the_number(market: Shop) -> None:
    conversation = await market.open_conversation("393800007701")
    await market.bot_says(conversation, "uno")
    await market.work()
    (row,) = await market.outbox_of(conversation)
    await steering.refused(market.crm, market.business_id, row["message_id"], from_code(130429))
    async with market.crm.transaction(market.business_id) as tx:
        assert (await governor.state(tx, NUMBER)).pace < 0.95
    await market.rows("UPDATE sender_number SET slowed_at = NULL, pace = 1")


async def test_webhooks_of_templates_and_quality_steer(market: Shop) -> None:
    made = await started(market)
    await market.rows("UPDATE business_number SET waba_id = '2001' WHERE phone_number_id = %s", NUMBER)
    told = {"message_template_name": "winter", "message_template_language": "it", "event": "PAUSED"}
    await post(market, "message_template_status_update", **told, reason="low quality")
    async with market.crm.transaction(market.business_id) as tx:
        winter = await template_book.one(tx, "winter", "it")
    assert winter is not None
    assert (winter.status, winter.usable) == ("PAUSED", False)
    # What became of a template, Meta says in events that are no statuses all of them.
    for event, status in (
        ("LOCKED", "PAUSED"), ("REINSTATED", "APPROVED"), ("LIMIT_EXCEEDED", "APPROVED"),
        ("UNLOCKED", "APPROVED"), ("DELETED", "DELETED"),
    ):  # fmt: skip
        await post(market, "message_template_status_update", **{**told, "event": event})
        async with market.crm.transaction(market.business_id) as tx:
            winter = await template_book.one(tx, "winter", "it")
        assert winter is not None
        assert winter.status == status, event
    (number,) = await market.rows(
        "SELECT display_phone FROM business_number WHERE phone_number_id = %s", NUMBER
    )
    flagged = {"display_phone_number": number["display_phone"], "current_limit": "TIER_2K"}
    await post(market, "phone_number_quality_update", event="FLAGGED", **flagged)
    async with market.crm.transaction(market.business_id) as tx:
        state = await governor.state(tx, NUMBER)
    assert (state.tier, state.stopped is not None) == (2000, True)
    assert (await state_of(market, made))[0] in ("paused", "finished")
    await post(market, "phone_number_quality_update", event="UNFLAGGED", **flagged)
    async with market.crm.transaction(market.business_id) as tx:
        assert (await governor.state(tx, NUMBER)).stopped is None


async def test_who_is_no_longer_meant_is_left_out_at_their_turn(market: Shop) -> None:
    """A campaign for whom nobody has heard of for long, and who came back before it was their turn."""
    people = await customers(market, 3)
    ids = list(people.values())
    await market.rows(
        "UPDATE contact SET lifecycle = 'client', last_seen_at = now() - interval '100 days'"
        " WHERE contact_id = ANY (%s)",
        ids,
    )
    audience = Audience(lifecycles=["client"], unseen_for_days=60)
    async with market.crm.transaction(market.business_id) as tx:
        said = [Variant("a", "autumn", VALUES)]
        made = await campaigns.create(tx, f"campaign {next(_ids)}", NUMBER, said, audience, NOW_THEN)
        await campaigns.start(tx, made)
    await market.rows("UPDATE contact SET last_seen_at = now() WHERE contact_id = %s", ids[0])
    await market.rows("UPDATE contact SET lifecycle = 'dormant' WHERE contact_id = %s", ids[1])
    await run(market, made)
    assert received(market, people) == [0, 0, 1]
    async with market.crm.transaction(market.business_id) as tx:
        each = {person.contact_id: person for person in await campaigns.people(tx, made)}
    assert [(each[one].state, each[one].reason) for one in ids[:2]] == [
        ("skipped", "no longer in the audience")
    ] * 2


async def test_a_reply_is_not_kept_by_a_waiting_campaign_message(market: Shop) -> None:
    ((wa_id, contact_id),) = (await customers(market, 1)).items()
    made = await started(market)
    await step(market.services, market.business_id, made)
    async with market.crm.transaction(market.business_id) as tx:
        await governor.cool(tx, NUMBER, contact_id)
    await market.work()  # the campaign's row now waits for a day
    conversation = await market.open_conversation(wa_id)
    await market.bot_says(conversation, "Eccomi")
    await market.work()
    assert [m.text for m in market.simulator.sent_to(wa_id, NUMBER)] == ["Eccomi"]


async def test_outside_the_window_the_purpose_s_template_says_it_or_the_row_is_held(market: Shop) -> None:
    conversation = await market.open_conversation("393800007702")
    await market.rows(
        "UPDATE conversation SET last_customer_at = now() - interval '25 h' WHERE conversation_id = %s",
        conversation,
    )
    for known, expected in ((False, "held"), (True, "accepted")):
        async with market.crm.transaction(market.business_id) as tx:
            if known:
                await template_book.use(tx, "follow_up", "it", "autumn", "it")
            row = await conversations.lock(tx, conversation)
            said = NewMessage(
                conversation_id=conversation,
                contact_id=row.contact_id,
                author="bot",
                kind="text",
                body="Com'è andata?",
                template_values=["Anna", "Aurora"],
                sent_at=tx.now,
            )
            turn = f"follow-up:{conversation}:{known}"
            await outbox.add(tx, [said], turn_id=turn, epoch=row.epoch, answers=None, purpose="follow_up")
            await queue.send(tx, conversation)
        await market.work()
        assert (await market.states_of(conversation))[-1] == expected
    held, _ = await market.outbox_of(conversation)
    assert "sara template use" in held["error"]
    paused = replace(TEMPLATE, status="PAUSED", reason="low quality")
    async with market.crm.transaction(market.business_id) as tx:
        await template_book.put(tx, paused)
        assert await template_book.for_purpose(tx, "follow_up", "it") is None


async def test_the_24_hours_are_the_contact_s_not_the_conversation_s(market: Shop) -> None:
    first = await market.open_conversation("393800007703")
    async with market.crm.transaction(market.business_id) as tx:
        await conversations.close(tx, first)
        contact_id = (await conversations.get(tx, first)).contact_id
        second = await conversations.open_for(tx, contact_id, NUMBER)
        assert (await conversations.lock(tx, second)).last_customer_at is not None
    await market.bot_says(second, "ancora qui")
    await market.work()
    assert await market.states_of(second) == ["accepted"]


async def test_a_dry_run_says_who_and_how_long_and_changes_nothing(market: Shop) -> None:
    people = await customers(market, 5)
    async with market.crm.transaction(market.business_id) as tx:
        await governor.set_limits(tx, NUMBER, tier=2)
        await contacts.opt_out(tx, next(iter(people.values())))
        said = [Variant("a", "autumn", VALUES)]
        made = await campaigns.create(tx, f"dry {next(_ids)}", NUMBER, said, Audience(), NOW_THEN)
        forecast = await command.forecast_of(tx, await campaigns.get(tx, made))
        assert (forecast.gets_it, forecast.tier_free, forecast.days) == (4, 2, 1)
        assert forecast.seconds >= 86_400
        assert forecast.left_out["opted out"] >= 1
        assert await campaigns.counts(tx, made) == []
        with pytest.raises(CampaignInvalid, match="takes 2 values"):
            await command.check(tx, [Variant("a", "autumn", ["one"])])
    assert await state_of(market, made) == ("draft", None)


async def post(shop: Shop, field: str, **value: Any) -> None:
    """A signed webhook of one change."""
    whole = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": NUMBER}, **value}
    entry = {"id": "2001", "changes": [{"field": field, "value": whole}]}
    answer = await shop.post(json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode())
    assert answer.status_code == 200
    assert answer.json()["unparsed"] == 0, answer.json()
