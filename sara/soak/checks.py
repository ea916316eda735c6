"""The invariants of a soak, judged by its evidence. Each names what breaks it, with examples."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from crm.soak import HandedRow, HeardRow, SaidRow
from graph.state import REFERENCE_CHARACTERS
from sara.soak.evidence import Evidence
from sara.soak.gauges import MOST_GROWTH_MB_PER_MIN
from sara.soak.plan import Plan
from sara.soak.required import missing

_EXAMPLES = 5
_CLOCK = timedelta(seconds=1)  # two processes of one machine write these times down
_UNSETTLED = ("queued", "sending", "unknown")
_APOLOGY = "apology:"  # its turns are jobs/attend's, meant for a customer who waits for a person


@dataclass(frozen=True)
class Finding:
    """An invariant: how often it was broken, and by what."""

    name: str
    broken: int
    examples: tuple[str, ...] = ()


def judged(evidence: Evidence, plan: Plan) -> list[Finding]:
    """Every invariant, in the order of the report."""
    return [
        *(_finding(name, check(evidence)) for name, check in _CHECKS),
        _finding("something was done", missing(evidence.done, plan)),
        *([_finding("memory was judged", _unjudged(evidence))] if plan.lasting else []),
    ]


def _finding(name: str, broken: Iterable[str]) -> Finding:
    found = list(broken)
    return Finding(name, len(found), tuple(found[:_EXAMPLES]))


def _stored_once(evidence: Evidence) -> Iterator[str]:
    stored = Counter(row.wamid for row in evidence.heard)
    for one in evidence.written:
        if stored[one.wamid] != 1:
            yield f"{one.wamid} of {one.customer} is in the record {stored[one.wamid]} times"


def _taken_in(evidence: Evidence) -> Iterator[str]:
    for row in evidence.heard:
        if row.event_id is None or row.done_at is None:
            yield f"{row.wamid} of {row.wa_id} never became part of a turn"


def _in_order_in(evidence: Evidence) -> Iterator[str]:
    """Each customer's messages, by number: their events follow the order of writing."""
    place = {one.wamid: n for n, one in enumerate(evidence.written)}
    number = {one.wamid: one.number for one in evidence.written}
    latest: dict[tuple[str, str | None], int] = {}
    for row in evidence.heard:
        if row.wamid not in place:
            continue
        key = (number[row.wamid], row.wa_id)
        if place[row.wamid] < latest.get(key, -1):
            yield f"{row.wamid} of {row.wa_id} was taken in after a later one"
        latest[key] = max(latest.get(key, -1), place[row.wamid])


def _answered(evidence: Evidence) -> Iterator[str]:
    """A reply names the message; or a person had the conversation while it waited for its turn; or its reply
    was withheld because a person came in, who then wrote, settled the matter or still has it."""
    answered: set[str] = set()
    cut_off: dict[int, list[int]] = defaultdict(list)
    for row in _spoken(evidence.said):
        answered |= set(_wamids(row))
        if len(row.answers or "") > REFERENCE_CHARACTERS - 100:  # a long burst: only its latest fit
            cut_off[row.conversation_id].append(int(row.turn_id.split(":")[1]))
    people: dict[int, list[HandedRow]] = defaultdict(list)
    for handed in evidence.handed:
        people[handed.conversation_id].append(handed)
    written = {row.conversation_id: row.outbox_id for row in evidence.said if row.author == "agent"}
    for row in evidence.said:
        if row.author == "bot" and row.state == "superseded":
            ended = any(one.status != "returned" for one in people[row.conversation_id])
            if ended or written.get(row.conversation_id, 0) > row.outbox_id:
                answered |= set(_wamids(row))
    for heard in evidence.heard:
        if (
            heard.wamid not in answered
            and not any(with_a_person(heard, handed) for handed in people[heard.conversation_id])
            and not any((heard.event_id or 0) <= last for last in cut_off[heard.conversation_id])
        ):
            yield f"{heard.wamid} of {heard.wa_id} has no answer and is with nobody"


def with_a_person(heard: HeardRow, handed: HandedRow) -> bool:
    """Whether a person had the conversation at any moment while the message waited for its turn."""
    if heard.created_at is None or heard.done_at is None:
        return False
    began = handed.opened_at <= heard.done_at + _CLOCK
    return began and (handed.closed_at is None or handed.closed_at >= heard.created_at - _CLOCK)


def _answered_once(evidence: Evidence) -> Iterator[str]:
    turns: dict[str, set[str]] = defaultdict(set)
    for row in _spoken(evidence.said):
        for wamid in _wamids(row):
            turns[wamid].add(row.turn_id)
    for wamid, by in turns.items():
        if len(by) > 1:
            yield f"{wamid} was answered by {len(by)} turns: {', '.join(sorted(by))}"


def _spoken(said: Sequence[SaidRow]) -> Iterator[SaidRow]:
    return (row for row in said if row.author == "bot" and row.state == "accepted" and row.answers)


def _wamids(row: SaidRow) -> list[str]:
    return [one for one in (row.answers or "").split(",") if one]


def _not_twice(evidence: Evidence) -> Iterator[str]:
    for own, times in Counter(one.outbox_id for one in evidence.got).items():
        if own is not None and times > 1:
            yield f"message {own} reached its customer {times} times"


def _in_order_out(evidence: Evidence) -> Iterator[str]:
    """Replies of a number to a customer, in the order they were written down; advertising has no place."""
    campaign = {row.outbox_id for row in evidence.said if row.lane == "campaign"}
    latest: dict[tuple[str, str], int] = {}
    for one in evidence.got:
        if one.outbox_id is None or one.outbox_id in campaign:
            continue
        key = (one.number, one.customer)
        if one.outbox_id < latest.get(key, 0):
            yield f"{one.customer} got message {one.outbox_id} after {latest[key]}"
        latest[key] = max(latest.get(key, 0), one.outbox_id)


def _own_words(evidence: Evidence) -> Iterator[str]:
    """What a phone got is what the outbox says was sent to that customer from that number."""
    rows = {row.outbox_id: row for row in evidence.said}
    for one in evidence.got:
        row = rows.get(one.outbox_id or 0)
        if row is None:
            yield f"{one.customer} got a message that nobody wrote down ({one.outbox_id})"
        elif (row.wa_id, row.phone_number_id) != (one.customer, one.number):
            yield f"message {row.outbox_id} was for {row.wa_id} and went to {one.customer}"


def _delivered(evidence: Evidence) -> Iterator[str]:
    reached = {one.outbox_id for one in evidence.got}
    for row in evidence.said:
        if row.state in _UNSETTLED:
            yield f"message {row.outbox_id} to {row.wa_id} is stuck: {row.state}, {row.error}"
        elif row.state in ("refused", "held"):
            yield f"message {row.outbox_id} to {row.wa_id} was {row.state}: {row.error}"
        elif (row.state == "accepted") != (row.outbox_id in reached):
            yield f"message {row.outbox_id} to {row.wa_id} is {row.state}, its phone says otherwise"


def _one_voice(evidence: Evidence) -> Iterator[str]:
    """Judged when a message was claimed: SARA's own only while SARA owns, but for what announces a person."""
    for row in evidence.claims:
        if row.author != "bot" or row.lane == "campaign" or row.turn_id.startswith(_APOLOGY):
            continue
        if row.epoch < row.epoch_now or (row.owner == "human" and not row.of_handoff):
            yield f"message {row.outbox_id} of {row.turn_id} was sent while a person had the conversation"


def _turns_worked(evidence: Evidence) -> Iterator[str]:
    for row in evidence.handed:
        if row.reason == "turn_failed":
            yield f"conversation {row.conversation_id} went to a person because its turn failed every time"


def _campaign(evidence: Evidence) -> Iterator[str]:
    """Once, or not at all where a person took the conversation first."""
    reached = Counter(one.customer for one in evidence.got if one.template)
    withheld = {row.wa_id for row in evidence.said if row.lane == "campaign" and row.state == "superseded"}
    for wa_id in evidence.recipients:
        if reached[wa_id] != (wa_id not in withheld):
            yield f"{wa_id} got the campaign {reached[wa_id]} times"


def _at_rest(evidence: Evidence) -> Iterator[str]:
    for name, number in {**evidence.jobs, **evidence.locks}.items():
        yield f"{name}: {number} left"


def _taken_by_meta(evidence: Evidence) -> Iterator[str]:
    for code, number in evidence.refused.items():
        yield f"Meta refused {number} messages with {code}"
    if evidence.given_up:
        yield f"{evidence.given_up} parts of webhooks were never answered"


def _api_works(evidence: Evidence) -> Iterator[str]:
    """503 says that the database is away, and is told as such; anything else above it is a defect."""
    for status, number in evidence.answers.items():
        if status >= 500 and status != 503:
            yield f"agents were answered {status} {number} times"


def _flat(evidence: Evidence) -> Iterator[str]:
    for life in evidence.lives:
        if life.grows:
            yield (
                f"{life.process} (start {life.incarnation}) grew by {life.slope} MB a minute, from"
                f" {life.first_mb:.0f} to {life.last_mb:.0f} MB; flat is at most {MOST_GROWTH_MB_PER_MIN:g}"
            )


def _unjudged(evidence: Evidence) -> Iterator[str]:
    judged_kinds = {life.process.split()[0] for life in evidence.lives if life.slope is not None}
    for kind in ("serve", "worker"):
        if kind not in judged_kinds:
            yield f"no {kind} lived long enough"


_CHECKS: Sequence[tuple[str, Callable[[Evidence], Iterator[str]]]] = (
    ("0 lost: every message is in the record once", _stored_once),
    ("0 lost: every message became part of a turn", _taken_in),
    ("0 lost: every message has an answer or is with a person", _answered),
    ("0 lost: every reply reached its phone", _delivered),
    ("0 double: no message was answered twice", _answered_once),
    ("0 double: no reply reached a phone twice", _not_twice),
    ("0 double: every recipient of the campaign got it once", _campaign),
    ("0 wrong order: messages were taken in as they were written", _in_order_in),
    ("0 wrong order: phones got replies as they were written", _in_order_out),
    ("nobody got what was for somebody else", _own_words),
    ("the bot was silent while a person had the conversation", _one_voice),
    ("no turn failed every time", _turns_worked),
    ("nothing is left in the queue, no lock is held", _at_rest),
    ("Meta refused nothing, no webhook was given up", _taken_by_meta),
    ("processes ended only when they were ended", lambda evidence: iter(evidence.failures)),
    ("API and console had no errors of their own", _api_works),
    ("memory is flat", _flat),
)
