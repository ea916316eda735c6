"""The team hears of what needs it: at once, once, and however often its servers are down."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
import pytest_asyncio
import structlog

from crm import alerts, budgets, businesses, contacts, desk, events, handoffs, hours, takeover
from crm.businesses import profile as profile_of
from crm.errors import RecordUnavailable
from crm.record import Tx
from jobs import watch
from jobs.alerts import LEASE, MOST_ATTEMPTS, tell_target
from jobs.hooks import hooks_once
from jobs.services import Services
from jobs.telling import Bell
from jobs.watch import queue_due, watch_once
from sara.commands.loop import configure_logging
from tests.jobs.shop import Shop
from tests.jobs.told import Told, telling
from tests.outside import PASSWORD, free_port, mail_server, receiver


@pytest_asyncio.fixture(loop_scope="session")
async def told(shop: Shop) -> AsyncIterator[Told]:
    async with telling(shop) as opened:
        # What earlier tests left waiting is none of ours.
        await shop.rows("UPDATE handoff SET status = 'resolved'")
        await shop.rows("UPDATE outbox SET alerted_at = now()")
        yield opened
        await shop.rows("DELETE FROM ticket WHERE idempotency_key ~ '^risk:'")


async def handoff_of(told: Told, wa_id: str, *, label: str | None = None, age: str = "0 s") -> int:
    """A hand-over that nobody reported."""
    conversation = await told.shop.open_conversation(wa_id)
    async with told.services.crm.transaction(told.business_id) as tx:
        handoff_id = await handoffs.open_one(
            tx,
            conversation,
            turn_id=f"{conversation}:{age}",
            reason="sensitive" if label else "customer_request",
            label=label,
            score=None,
            summary="",
            wants="Vorrei una persona",
            draft="",
        )
    await told.shop.rows(
        "UPDATE handoff SET opened_at = now() - %s::interval WHERE handoff_id = %s", age, handoff_id
    )
    return handoff_id


async def test_who_asks_for_a_person_reaches_mail_and_slack(told: Told) -> None:
    async with receiver() as slack:
        with mail_server() as box:
            await told.place("mail", box.address())
            await told.place("slack", f"mmost://127.0.0.1:{slack.port}/TIiajkdnlazkcOXrIdevi7FQ")
            conversation = await told.shop.open_conversation("393910000001")
            await told.shop.customer_writes(conversation, "Vorrei parlare con una persona, per favore")
            await told.shop.work()
            [row] = await told.shop.rows("SELECT * FROM handoff WHERE conversation_id = %s", conversation)
            await told.work()
            await Bell(told.services.crm, told.services.context.phrases, None)(
                told.business_id, row["handoff_id"]
            )
            await watch_once(told.services)
            await told.work()
    [mail], [request] = box.mails, slack.taken
    assert "Un cliente ha bisogno di una persona" in str(mail["subject"])
    for words in (box.texts()[0], request.body):
        assert "il cliente ha chiesto di una persona" in words
        assert "+393910000001" in words
        assert "Vorrei parlare con una persona" in words
        assert f"sara handoff show {row['handoff_id']}" in words
    assert [alert["state"] for alert in await told.alerts()] == ["sent", "sent"]


async def test_an_alert_has_a_link_where_there_is_a_console(told: Told) -> None:
    await told.place("nowhere", "json://127.0.0.1:9/")
    handoff_id = await handoff_of(told, "393910000002")
    await watch_once(told.services)
    [alert] = await told.alerts()
    [row] = await told.shop.rows("SELECT conversation_id FROM handoff WHERE handoff_id = %s", handoff_id)
    assert f"https://sara.example/console/aurora/c/{row['conversation_id']}" in alert["body"].splitlines()


async def test_only_who_wants_to_hear_of_it_does(told: Told) -> None:
    async with told.services.crm.transaction(told.business_id) as tx:
        queue = (await profile_of(tx)).pack.queue
    assert queue
    await told.place("all", "json://127.0.0.1:9/")
    await told.place("ours", "json://127.0.0.1:9/", queue=queue)
    await told.place("others", "json://127.0.0.1:9/", queue="elsewhere")
    await told.place("tickets", "json://127.0.0.1:9/", kinds=["ticket_opened", "ticket_due"])
    await handoff_of(told, "393910000003")
    await watch_once(told.services)
    query = "SELECT name FROM alert JOIN alert_target USING (alert_target_id) ORDER BY name"
    assert [row["name"] for row in await told.shop.rows(query)] == ["all", "ours"]


async def test_what_a_server_does_not_take_is_tried_until_it_does(told: Told) -> None:
    port = free_port()
    address = (
        f"mailto://sara:{PASSWORD}@127.0.0.1:{port}/?to=team@example.com&from=s@example.com&mode=insecure"
    )
    place = await told.place("mail", address)
    await handoff_of(told, "393910000004")
    await handoff_of(told, "393910000005")
    await watch_once(told.services)
    configure_logging("debug")
    try:
        with structlog.testing.capture_logs() as logged:
            assert await tell_target(told.services, told.business_id, place) == 0
    finally:
        configure_logging("critical")
    first, second = await told.alerts()
    assert (first["state"], first["attempts"], second["attempts"]) == ("queued", 1, 0)
    assert first["error"].startswith("E-Mail: ")
    assert first["next_attempt_at"] > first["created_at"]
    [line] = [entry for entry in logged if entry["event"] == "alert_not_sent"]
    for words in (first["error"], str(line)):
        assert PASSWORD not in words
    # One that is down is left alone for a while, though another alert is due.
    leave = "UPDATE alert_target SET paused_until = paused_until + interval '1 h' RETURNING paused_until"
    assert [row["paused_until"] is not None for row in await told.shop.rows(leave)] == [True]
    await queue_due(told.services)
    assert await told.shop.rows("SELECT 1 FROM procrastinate_jobs WHERE lock = %s", f"alerts:{place}") == []
    await told.now_is_later()
    with mail_server(port) as box:
        await told.work()
    assert len(box.mails) == 2
    assert [alert["state"] for alert in await told.alerts()] == ["sent", "sent"]
    [target] = await told.shop.rows("SELECT failures, paused_until FROM alert_target")
    assert target == {"failures": 0, "paused_until": None}


async def test_a_dead_alert_is_seen_and_can_be_queued_again(told: Told) -> None:
    place = await told.place("mail", f"json://127.0.0.1:{free_port()}/")
    await handoff_of(told, "393910000006")
    await watch_once(told.services)
    await told.shop.rows("UPDATE alert SET attempts = %s", MOST_ATTEMPTS - 1)
    await tell_target(told.services, told.business_id, place)
    async with told.services.crm.transaction(told.business_id) as tx:
        [row] = await alerts.dead(tx)
        assert (row.target, row.kind, row.attempts) == ("mail", "handoff_opened", MOST_ATTEMPTS)
        assert [(t.dead, t.queued) for t in await alerts.targets(tx)] == [(1, 0)]
        assert await alerts.revive(tx) == 1
        assert [(t.dead, t.queued, t.paused_until) for t in await alerts.targets(tx)] == [(0, 1, None)]


async def test_an_alert_under_way_is_nobody_elses(told: Told) -> None:
    place = await told.place("mail", "json://127.0.0.1:9/")
    await handoff_of(told, "393910000007")
    await watch_once(told.services)
    async with told.services.crm.transaction(told.business_id) as tx:
        assert await alerts.claim(tx, place, LEASE) is not None
    async with told.services.crm.transaction(told.business_id) as tx:
        assert await alerts.claim(tx, place, LEASE) is None
    await told.now_is_later()  # the one who had it died
    async with told.services.crm.transaction(told.business_id) as tx:
        assert await alerts.claim(tx, place, LEASE) is not None


async def test_addresses_are_no_plain_text_in_the_database(told: Told) -> None:
    await told.place("mail", f"mailto://sara:{PASSWORD}@mail.example/?to=team@example.com")
    [row] = await told.shop.rows("SELECT alert_target::text AS everything, sealed FROM alert_target")
    assert PASSWORD not in row["everything"]
    assert PASSWORD.encode() not in row["sealed"]
    assert PASSWORD.encode() in told.seal.open(row["sealed"])


async def test_an_unanswered_customer_is_told_again_once(told: Told) -> None:
    await told.place("mail", "json://127.0.0.1:9/")
    waiting = await handoff_of(told, "393910000010", age="5 days")
    answered = await handoff_of(told, "393910000011", age="5 days")
    emergency = await handoff_of(told, "393910000012", label="emergency", age="16 minutes")
    await handoff_of(told, "393910000013", label="emergency", age="14 minutes")
    await told.shop.rows(
        "INSERT INTO message (business_id, conversation_id, contact_id, author, kind, body, sent_at)"
        " SELECT h.business_id, conversation_id, contact_id, 'agent', 'text', 'Eccomi', now()"
        " FROM handoff h JOIN conversation USING (conversation_id) WHERE handoff_id = %s",
        answered,
    )
    for _ in range(2):
        await watch_once(told.services)
    keys = [alert["key"] for alert in await told.alerts("handoff_unanswered")]
    assert keys == [f"handoff_unanswered:{waiting}", f"handoff_unanswered:{emergency}"]
    assert all(alert["urgent"] for alert in await told.alerts("handoff_unanswered"))


async def test_a_queue_hears_of_what_is_passed_on_to_it(told: Told) -> None:
    billing = await told.place("billing", "json://127.0.0.1:9/", queue="billing")
    handoff_id = await handoff_of(told, "393910000015")
    for times in range(3):
        for _ in range(2):
            await watch_once(told.services)
        keys = [
            one["key"] for one in await told.alerts("handoff_opened") if one["alert_target_id"] == billing
        ]
        assert len(keys) == times
        assert all(key.startswith(f"handoff_opened:{handoff_id}:released:") for key in keys)
        async with told.services.crm.transaction(told.business_id) as tx:
            agent_id = (await businesses.agents(tx))[0].agent_id
            await desk.claim(tx, handoff_id, agent_id)
            await takeover.transfer(tx, handoff_id, agent_id, to_queue="billing")


async def test_the_minutes_count_while_the_business_is_open(told: Told) -> None:
    await told.place("mail", "json://127.0.0.1:9/")
    async with told.services.crm.transaction(told.business_id) as tx:
        await alerts.set_patience(tx, unanswered=7 * 24 * 60)
        assert hours.after_open_minutes(await profile_of(tx), tx.now, 7 * 24 * 60) > tx.now + timedelta(
            days=8
        )
    await handoff_of(told, "393910000014", age="6 days")
    await watch_once(told.services)
    assert await told.alerts("handoff_unanswered") == []
    async with told.services.crm.transaction(told.business_id) as tx:
        await alerts.set_patience(tx, unanswered=15)
    await watch_once(told.services)
    assert len(await told.alerts("handoff_unanswered")) == 1


async def test_tickets_at_risk(told: Told) -> None:
    await told.place("mail", "json://127.0.0.1:9/")
    conversation = await told.shop.open_conversation("393910000020")
    rows = await told.shop.rows(
        "INSERT INTO ticket (business_id, contact_id, description, idempotency_key, priority, created_at,"
        "   answer_due, solve_due, answered_at)"
        " SELECT business_id, contact_id, 'Phon guasto ' || kind, 'risk:' || kind || conversation_id, 'high',"
        "   now() - made, now() + answer, now() + solve, CASE WHEN kind = 'answered' THEN now() END"
        " FROM conversation, (VALUES ('far', '1 h'::interval, '3 h'::interval, '9 h'::interval),"
        "   ('soon', '4 h', '50 min', '9 h'), ('short', '5 min', '20 min', '9 h'),"
        "   ('late', '9 h', '-5 min', '9 h'),"
        "   ('answered', '9 h', '10 min', '30 min')) AS t (kind, made, answer, solve)"
        " WHERE conversation_id = %s RETURNING ticket_id, description",
        conversation,
    )
    ids = {row["description"].split()[-1]: row["ticket_id"] for row in rows}
    for _ in range(2):
        await watch_once(told.services)
    told_of = {alert["key"]: alert["title"] for alert in await told.alerts("ticket_due")}
    late, soon, answered = (
        f"Aurora Centro Benessere: Ticket {ids[kind]}" for kind in ("late", "soon", "answered")
    )
    assert told_of == {
        f"ticket_due:answer:{ids['late']}": f"{late}: la risposta è in ritardo",
        f"ticket_due:answer:{ids['soon']}": f"{soon}: la risposta scade a breve",
        f"ticket_due:solve:{ids['answered']}": f"{answered}: la soluzione scade a breve",
    }


async def test_used_up_tokens_are_told_once_a_day_and_once_a_month(told: Told) -> None:
    await told.place("mail", "json://127.0.0.1:9/")
    try:
        async with told.services.crm.transaction(told.business_id) as tx:
            await budgets.put(tx, per_day=100, per_month=None)
            await budgets.spend(tx, tokens_in=90, tokens_out=9)
        await watch_once(told.services)
        assert await told.alerts("model_budget") == []
        async with told.services.crm.transaction(told.business_id) as tx:
            await budgets.spend(tx, tokens_in=1, tokens_out=0)
            today = (await budgets.state(tx)).day
        for _ in range(2):
            await watch_once(told.services)
        [alert] = await told.alerts("model_budget")
        assert alert["key"] == f"model_budget:{today}"
        assert "Oggi: 100 token su 100" in alert["body"]
        assert "I token del modello linguistico sono esauriti fino a" in alert["title"]
        async with told.services.crm.transaction(told.business_id) as tx:
            await budgets.put(tx, per_day=None, per_month=100)
        await watch_once(told.services)
        [_, month] = await told.alerts("model_budget")
        assert month["key"] == f"model_budget:{today:%Y-%m}"
        assert "Questo mese: 100 token su 100" in month["body"]
    finally:
        await told.shop.rows("UPDATE business SET tokens_per_day = NULL, tokens_per_month = NULL")
        await told.shop.rows("DELETE FROM model_use")


async def test_messages_that_did_not_arrive_are_told_together(told: Told) -> None:
    await told.place("mail", "json://127.0.0.1:9/")
    conversation = await told.shop.open_conversation("393910000030")

    async def undelivered(state: str) -> None:
        await told.shop.bot_says(conversation, "Eccoci")
        await told.shop.rows(
            "UPDATE outbox SET state = %s, settled_at = now(), error = 'the number is not on WhatsApp'"
            " WHERE conversation_id = %s AND state = 'queued'",
            state,
            conversation,
        )

    await undelivered("refused")
    await undelivered("held")
    await undelivered("superseded")
    await watch_once(told.services)
    [first] = await told.alerts("delivery_failed")
    assert "Messaggi non arrivati ai clienti: 2" in first["body"]
    assert "the number is not on WhatsApp" in first["body"]
    await undelivered("accepted")
    await told.shop.rows(
        "INSERT INTO message_status (business_id, message_id, status, at, error_title)"
        " SELECT business_id, message_id, 'failed', now(), 'Undeliverable' FROM outbox"
        " WHERE conversation_id = %s AND state = 'accepted'",
        conversation,
    )
    await watch_once(told.services)
    assert len(await told.alerts("delivery_failed")) == 1  # ten minutes are not over
    await told.shop.rows("UPDATE alert SET created_at = now() - interval '11 min'")
    for _ in range(2):
        await watch_once(told.services)
    [_, second] = await told.alerts("delivery_failed")
    assert "Messaggi non arrivati ai clienti: 1" in second["body"]
    assert "Undeliverable" in second["body"]


async def test_an_event_of_the_record_is_told(told: Told) -> None:
    await told.place("mail", "json://127.0.0.1:9/")
    conversation = await told.shop.open_conversation("393910000040")
    async with told.services.crm.transaction(told.business_id) as tx:
        contact = await contacts.seen(tx, wa_id="393910000040", bsuid=None, name="Anna Rossi")
        [row] = await told.shop.rows(
            "INSERT INTO ticket (business_id, contact_id, description, idempotency_key, priority)"
            " SELECT business_id, contact_id, 'Phon guasto', 'event:' || conversation_id, 'high'"
            " FROM conversation WHERE conversation_id = %s RETURNING ticket_id",
            conversation,
        )
        for _ in range(2):
            await events.happened(
                tx, "ticket_opened", contact, key=f"e:{conversation}", subject_id=row["ticket_id"]
            )
    await hooks_once(told.services, told.business_id)
    [alert] = await told.alerts("ticket_opened")
    assert alert["title"] == "Aurora Centro Benessere: Nuovo ticket"
    assert "Anna Rossi +393910000040" in alert["body"]
    assert f"#{row['ticket_id']} Phon guasto" in alert["body"]
    assert alert["contact_id"] == contact  # erased with its customer
    [hook] = await told.shop.rows(
        "SELECT state FROM event_hook JOIN crm_event USING (crm_event_id) WHERE subject_id = %s"
        " AND kind = 'ticket_opened'",
        row["ticket_id"],
    )
    assert hook == {"state": "done"}


async def test_without_the_key_alerts_wait_and_say_why(told: Told) -> None:
    place = await told.place("mail", "json://127.0.0.1:9/")
    await handoff_of(told, "393910000050")
    await watch_once(told.services)
    keyless = replace(told.services, outward=replace(told.services.outward, seal=None))
    assert await tell_target(keyless, told.business_id, place) == 0
    [alert] = await told.alerts()
    assert alert["state"] == "queued"
    assert "SARA_SECRET_KEY" in alert["error"]


async def test_a_business_that_fails_for_good_holds_up_nobody_else(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    await told.place("ours", "json://127.0.0.1:9/")
    async with told.services.crm.outside() as tx:
        other = await businesses.of_slug(tx, "conti")
    async with told.services.crm.transaction(other) as tx:
        sealed = told.seal.close(b"json://127.0.0.1:9/")
        await alerts.add_target(tx, "theirs", queue=None, kinds=[], service="Test", sealed=sealed)
    seen = []

    async def look(_: Services, tx: Tx) -> None:
        seen.append(tx.business_id)
        if tx.business_id == told.business_id:
            raise KeyError("something of this business")

    monkeypatch.setattr(watch, "_look", look)
    await watch_once(told.services)
    assert sorted(seen) == sorted([told.business_id, other])


async def test_without_a_database_the_look_ends(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not tried business by business."""
    await told.place("ours", "json://127.0.0.1:9/")

    async def away(_: Services, tx: Tx) -> None:
        raise RecordUnavailable

    monkeypatch.setattr(watch, "_look", away)
    with pytest.raises(RecordUnavailable):
        await watch_once(told.services)


async def test_what_was_told_long_ago_is_forgotten(told: Told) -> None:
    await told.place("mail", "json://127.0.0.1:9/")
    await handoff_of(told, "393910000060")
    await handoff_of(told, "393910000061")
    await watch_once(told.services)
    [old, young] = await told.alerts()
    settle = "UPDATE alert SET state = 'sent', settled_at = now() - %s::interval WHERE alert_id = %s"
    await told.shop.rows(settle, "31 days", old["alert_id"])
    await told.shop.rows(settle, "29 days", young["alert_id"])
    await told.shop.app.tasks["sara:retention"].defer_async(timestamp=0)
    await told.shop.work()
    left = {alert["alert_id"] for alert in await told.alerts()}
    assert young["alert_id"] in left
    assert old["alert_id"] not in left


async def test_the_watch_is_kept_by_every_worker(told: Told) -> None:
    periodic = told.shop.app.periodic_registry.periodic_tasks
    assert ("sara:watch", "watch") in periodic
