"""What a soak judges by: each planted fault is found, and a run without one passes."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crm.soak import ClaimRow, HandedRow, HeardRow, SaidRow
from sara.soak import gauges, required
from sara.soak.checks import judged
from sara.soak.evidence import Evidence, Got
from sara.soak.gauges import Sample, lives, theil_sen
from sara.soak.people import Written
from sara.soak.plan import SEQUENCE, Plan
from sara.soak.report import Report, markdown, minutes, terminal

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
SHORT = Plan(minutes=0.5, rate=1.0)
LONG = Plan(minutes=30.0, rate=1.0)
CUSTOMERS, TURNS = 4, 5


def done(plan: Plan) -> dict[str, int]:
    counts = dict.fromkeys(required.ALL, 3)
    counts |= {required.MESSAGES: int(plan.seconds), required.REPLIES: int(plan.seconds)}
    for due in plan.breakages():
        counts[due.what] = counts.get(due.what, 0) + 1
    return counts


def samples(process: str, *, seconds: float, mb_per_min: float, incarnation: int = 1) -> list[Sample]:
    """A warm-up, then a straight line with the noise of memory that comes and goes."""
    at = [n * 10.0 for n in range(int(seconds / 10))]
    return [
        Sample(second, process, incarnation, min(second, 60) + 400 + mb_per_min * second / 60 + n % 3)
        for n, second in enumerate(at)
    ]


def healthy(plan: Plan) -> Evidence:
    """Customers who write in turns, each answered once; the last one has been with a person since."""
    written, heard, said, claims, got = [], [], [], [], []
    for turn in range(TURNS):
        for n in range(CUSTOMERS):
            event, customer = turn * CUSTOMERS + n + 1, f"39351{n}"
            wamid, at = f"wamid.{event}", NOW + timedelta(seconds=20 * turn + n)
            with_a_person = n == CUSTOMERS - 1 and turn > 0
            written.append(Written(wamid, "1001", customer))
            heard.append(HeardRow(wamid, customer, n, event, at, at + timedelta(seconds=2)))
            if with_a_person:
                continue
            turn_id = f"{n}:{event}"
            said.append(
                SaidRow(event, n, turn_id, 0, "service", "accepted", wamid, 0, None, "bot", customer, "1001")
            )
            claims.append(ClaimRow(event, turn_id, "service", "bot", 0, 0, "bot", False))
            got.append(Got(event, "1001", customer, at + timedelta(seconds=2), (wamid,)))
    person = HandedRow(CUSTOMERS - 1, "3:4", "customer_request", "claimed", NOW + timedelta(seconds=4), None)
    return Evidence(
        written=written,
        heard=heard,
        said=said,
        claims=claims,
        got=got,
        handed=[person],
        sent_at={row.wamid: row.created_at for row in heard if row.created_at},
        done=done(plan),
        lives=lives(
            samples("serve", seconds=1200, mb_per_min=0.05)
            + samples("worker 1", seconds=1200, mb_per_min=0.1)
        ),
    )


def broken(evidence: Evidence, plan: Plan = SHORT) -> set[str]:
    return {finding.name for finding in judged(evidence, plan) if finding.broken}


def only(rows: Any, change: Callable[[Any], Any], at: int = 5) -> list[Any]:
    """The rows with one of them changed."""
    return [change(row) if n == at else row for n, row in enumerate(rows)]


@pytest.mark.parametrize("plan", [SHORT, LONG])
def test_a_run_without_a_fault_passes(plan: Plan) -> None:
    assert broken(healthy(plan), plan) == set()


def lost_on_the_way_in(e: Evidence) -> Evidence:
    return replace(e, heard=[*e.heard[:5], *e.heard[6:]])


def stored_twice(e: Evidence) -> Evidence:
    return replace(e, heard=[*e.heard, replace(e.heard[5], event_id=99)])


def never_taken_up(e: Evidence) -> Evidence:
    return replace(e, heard=only(e.heard, lambda row: replace(row, done_at=None)))


def never_answered(e: Evidence) -> Evidence:
    row = e.said[5]
    return replace(
        e,
        said=[one for one in e.said if one != row],
        got=[one for one in e.got if one.outbox_id != row.outbox_id],
    )


def withheld_and_forgotten(e: Evidence) -> Evidence:
    """A person took the conversation, said nothing and gave it back."""
    row = e.said[5]
    came = e.heard[0].done_at + timedelta(hours=1) if e.heard[0].done_at else NOW
    silent = HandedRow(
        row.conversation_id,
        "agent_takeover:1:0",
        "agent_takeover",
        "returned",
        came,
        came + timedelta(seconds=5),
    )
    got = [one for one in e.got if one.outbox_id != row.outbox_id]
    said = only(e.said, lambda one: replace(one, state="superseded"))
    return replace(e, said=said, got=got, handed=[*e.handed, silent])


def never_on_the_phone(e: Evidence) -> Evidence:
    return replace(e, got=[*e.got[:5], *e.got[6:]])


def stuck(e: Evidence) -> Evidence:
    row = e.said[5]
    got = [one for one in e.got if one.outbox_id != row.outbox_id]
    return replace(e, got=got, said=only(e.said, lambda one: replace(one, state="unknown")))


def answered_by_two_turns(e: Evidence) -> Evidence:
    again = replace(e.said[5], outbox_id=99, turn_id=f"{e.said[5].conversation_id}:99")
    return replace(e, said=[*e.said, again], got=[*e.got, replace(e.got[5], outbox_id=99)])


def sent_twice(e: Evidence) -> Evidence:
    return replace(e, got=[*e.got, e.got[-1]])


def taken_in_out_of_order(e: Evidence) -> Evidence:
    first, later = e.heard[1], e.heard[1 + CUSTOMERS]
    swapped = {first.wamid: later, later.wamid: first}
    return replace(e, heard=[swapped.get(row.wamid, row) for row in e.heard])


def sent_out_of_order(e: Evidence) -> Evidence:
    mine = [one for one in e.got if one.customer == e.got[0].customer]
    swapped = {mine[0].outbox_id: mine[1], mine[1].outbox_id: mine[0]}
    return replace(e, got=[swapped.get(one.outbox_id, one) for one in e.got])


def to_somebody_else(e: Evidence) -> Evidence:
    return replace(e, got=only(e.got, lambda one: replace(one, customer="393599")))


def written_down_nowhere(e: Evidence) -> Evidence:
    return replace(e, got=[*e.got, replace(e.got[0], outbox_id=None)])


def over_a_human(e: Evidence) -> Evidence:
    return replace(e, claims=only(e.claims, lambda row: replace(row, owner="human")))


def of_an_older_epoch(e: Evidence) -> Evidence:
    return replace(e, claims=only(e.claims, lambda row: replace(row, epoch_now=2)))


def a_turn_given_up(e: Evidence) -> Evidence:
    return replace(e, handed=[replace(e.handed[0], reason="turn_failed")])


def a_recipient_left_out(e: Evidence) -> Evidence:
    reached = Got(77, "1001", "9198", NOW, template=True)
    row = replace(
        e.said[0], outbox_id=77, lane="campaign", wa_id="9198", answers=None, turn_id="campaign:1:1:0"
    )
    return replace(e, recipients=["9198", "9199"], got=[*e.got, reached], said=[*e.said, row])


def a_job_left(e: Evidence) -> Evidence:
    return replace(e, jobs={"sara:drain doing": 1})


def a_lock_left(e: Evidence) -> Evidence:
    return replace(e, locks={"advisory lock": 1})


def refused(e: Evidence) -> Evidence:
    return replace(e, refused={131047: 1})


def given_up(e: Evidence) -> Evidence:
    return replace(e, given_up=1)


def died(e: Evidence) -> Evidence:
    return replace(e, failures=["worker 2 (start 1) ended by itself with 1"])


def failing(e: Evidence) -> Evidence:
    return replace(e, answers={200: 50, 503: 2, 0: 3, 500: 1})


def growing(e: Evidence) -> Evidence:
    return replace(e, lives=lives(samples("worker 2", seconds=900, mb_per_min=1.5)))


FAULTS = {
    lost_on_the_way_in: "0 lost: every message is in the record once",
    stored_twice: "0 lost: every message is in the record once",
    never_taken_up: "0 lost: every message became part of a turn",
    never_answered: "0 lost: every message has an answer or is with a person",
    withheld_and_forgotten: "0 lost: every message has an answer or is with a person",
    never_on_the_phone: "0 lost: every reply reached its phone",
    stuck: "0 lost: every reply reached its phone",
    answered_by_two_turns: "0 double: no message was answered twice",
    sent_twice: "0 double: no reply reached a phone twice",
    a_recipient_left_out: "0 double: every recipient of the campaign got it once",
    taken_in_out_of_order: "0 wrong order: messages were taken in as they were written",
    sent_out_of_order: "0 wrong order: phones got replies as they were written",
    to_somebody_else: "nobody got what was for somebody else",
    written_down_nowhere: "nobody got what was for somebody else",
    over_a_human: "the bot was silent while a person had the conversation",
    of_an_older_epoch: "the bot was silent while a person had the conversation",
    a_turn_given_up: "no turn failed every time",
    a_job_left: "nothing is left in the queue, no lock is held",
    a_lock_left: "nothing is left in the queue, no lock is held",
    refused: "Meta refused nothing, no webhook was given up",
    given_up: "Meta refused nothing, no webhook was given up",
    died: "processes ended only when they were ended",
    failing: "API and console had no errors of their own",
    growing: "memory is flat",
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_planted_fault_is_found(fault: Callable[[Evidence], Evidence]) -> None:
    evidence = fault(healthy(SHORT))
    assert FAULTS[fault] in broken(evidence)
    found = next(finding for finding in judged(evidence, SHORT) if finding.name == FAULTS[fault])
    assert found.examples


def test_every_invariant_has_a_planted_fault() -> None:
    assert {finding.name for finding in judged(healthy(SHORT), SHORT)} == {
        *FAULTS.values(),
        "something was done",
    }


def test_what_a_person_may_say_is_no_fault() -> None:
    """That a person takes over, an agent's words, advertising, an apology: all while a human owns."""
    evidence = healthy(SHORT)
    own = ClaimRow(500, "3:4", "service", "bot", 2, 2, "human", True)
    allowed = [
        own,
        replace(own, author="agent", of_handoff=False),
        replace(own, lane="campaign", of_handoff=False),
        replace(own, turn_id="apology:1", of_handoff=False),
    ]
    assert broken(replace(evidence, claims=[*evidence.claims, *allowed])) == set()


def test_a_reply_that_a_person_gave_instead_is_no_fault() -> None:
    evidence = withheld_and_forgotten(healthy(SHORT))
    row = evidence.said[5]
    own = replace(row, outbox_id=600, author="agent", turn_id="agent:600", state="accepted", answers=None)
    heard = Got(600, row.phone_number_id, str(row.wa_id), NOW)
    assert broken(replace(evidence, said=[*evidence.said, own], got=[*evidence.got, heard])) == set()
    settled = [replace(one, status="resolved") for one in evidence.handed]
    assert broken(replace(evidence, handed=settled)) == set()


def test_advertising_is_withheld_where_a_person_has_the_conversation() -> None:
    evidence = healthy(SHORT)
    row = replace(
        evidence.said[0], outbox_id=700, lane="campaign", wa_id="9198", state="superseded", answers=None
    )
    assert broken(replace(evidence, said=[*evidence.said, row], recipients=["9198"])) == set()


def test_a_run_that_did_nothing_does_not_pass() -> None:
    """Nothing was lost because nothing was sent."""
    assert broken(Evidence()) == {"something was done"}
    assert broken(Evidence(), LONG) == {"something was done", "memory was judged"}


@pytest.mark.parametrize("what", [required.MESSAGES, required.REPLIES, *required.ALL, *SEQUENCE])
def test_whatever_a_long_run_did_not_do_is_named(what: str) -> None:
    evidence = healthy(LONG)
    evidence = replace(evidence, done={name: n for name, n in evidence.done.items() if name != what})
    (finding,) = [finding for finding in judged(evidence, LONG) if finding.broken]
    assert finding.name == "something was done"
    assert finding.examples[0].startswith(f"{what}: ")


def test_a_long_run_breaks_everything_and_a_short_one_something() -> None:
    assert {due.what for due in Plan(minutes=30).breakages()} == set(SEQUENCE)
    assert {due.what for due in Plan(minutes=20).breakages()} == set(SEQUENCE)
    assert [due.what for due in Plan(minutes=0.3).breakages()] == ["worker killed"]
    at = [due.at_s for due in Plan(minutes=30).breakages()]
    assert at == sorted(at)
    assert at[-1] < 1800


def test_memory_is_judged_after_the_warm_up_and_only_in_long_lives() -> None:
    steep_at_first = samples("serve", seconds=1200, mb_per_min=0.0)
    (life,) = lives(steep_at_first)
    assert life.slope == pytest.approx(0, abs=0.05)
    assert not life.grows
    when = gauges.JUDGED["worker"]
    (short,) = lives(samples("worker 1", seconds=when.warm_up_s + when.least_s - 20, mb_per_min=50))
    assert short.slope is None
    assert not short.grows
    first, second = lives(
        samples("worker 1", seconds=900, mb_per_min=0)
        + samples("worker 1", seconds=900, mb_per_min=3, incarnation=2)
    )
    assert (first.grows, second.grows) == (False, True)
    assert second.slope == pytest.approx(3, abs=0.1)
    assert len(second.by_minute) in (15, 16)
    assert second.by_minute[-1] - second.by_minute[-11] == pytest.approx(30, abs=1)


def test_a_few_outliers_do_not_move_the_slope() -> None:
    points = [(float(n), 100 + 0.5 * n) for n in range(20)]
    assert theil_sen(points) == pytest.approx(0.5)
    spoilt = [(x, 900.0) if n in (3, 11, 19) else (x, y) for n, (x, y) in enumerate(points)]
    assert theil_sen(spoilt) == pytest.approx(0.5)
    assert theil_sen(points[:1]) == 0


def test_reply_times_are_those_of_the_bot() -> None:
    found = minutes(healthy(SHORT), NOW)
    assert [(one.minute, one.written, one.median_s) for one in found] == [(0, 12, 2.0), (1, 8, 2.0)]
    with_a_person = [one for one in found if one.answered < one.written]
    assert with_a_person == found


def test_the_report_says_it_in_three_ways() -> None:
    evidence = sent_twice(healthy(LONG))
    report = Report(
        plan=LONG,
        began=NOW,
        took_s=1800,
        drained_s=None,
        findings=judged(evidence, LONG),
        done=evidence.done,
        minutes=minutes(evidence, NOW),
        lives=evidence.lives,
        connections=(40, 12),
        database_mb=(90, 140),
        broken=[(100.0, "serve killed")],
        troubles={"worker-1: warning: not_sent": 4},
    )
    assert not report.passed
    for text in (terminal(report), markdown(report)):
        for said in (
            "NOT everything held",
            "did not come to rest",
            "reached its customer 2 times",
            "not_sent",
        ):
            assert said in text
    assert "|" not in terminal(report).replace("|---", "")
    told = json.loads(json.dumps(report.as_json()))
    assert told["passed"] is False
    assert told["done"]["agents: answered"] == 3
    assert [one["name"] for one in told["findings"] if one["broken"]] == [
        "0 double: no reply reached a phone twice"
    ]
