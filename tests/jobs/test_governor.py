"""The governor: limits that hold to the message, whoever asks, and what Meta's refusals do to them."""

import asyncio
import itertools
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from crm import governor
from crm.governor import Verdict
from tests.jobs.shop import Shop

START = datetime(2031, 3, 1, 9, 0, tzinfo=UTC)
_numbers = itertools.count(770001)


@pytest.fixture
def number() -> str:
    """A number nobody has used."""
    return f"governed-{next(_numbers)}"


async def ask(
    shop: Shop,
    number: str,
    contact: int,
    seconds: float,
    *,
    campaign: bool = False,
    initiated: bool = False,
    patience_s: float = 0.0,
) -> Verdict:
    async with shop.crm.transaction(shop.business_id) as tx:
        moment = replace(tx, now=START + timedelta(seconds=seconds))
        return await governor.admit(
            moment, number, contact, campaign=campaign, initiated=initiated, patience_s=patience_s
        )


async def limits(shop: Shop, number: str, **given: int | str) -> None:
    async with shop.crm.transaction(shop.business_id) as tx:
        await governor.set_limits(tx, number, portfolio=f"of-{number}", **given)  # type: ignore[arg-type]


async def admitted(shop: Shop, number: str, moments: list[float], **kind: bool) -> list[float]:
    """The moments at which a message was let through, each to a customer of its own."""
    return [m for i, m in enumerate(moments) if (await ask(shop, number, i, m, **kind)).wait_s == 0]


def most_in(passed: list[float], span: float) -> int:
    return max(sum(start <= other < start + span for other in passed) for start in passed)


async def test_no_second_has_more_than_the_rate(shop: Shop, number: str) -> None:
    await limits(shop, number, per_second=20)
    passed = await admitted(shop, number, [i / 100 for i in range(500)])
    assert most_in(passed, 1.0) <= 20
    assert len(passed) >= 4 * 19


async def test_what_comes_in_counts_too(shop: Shop, number: str) -> None:
    await limits(shop, number, per_second=20)
    async with shop.crm.transaction(shop.business_id) as tx:
        for _ in range(19):
            await replace(tx, now=START).together([governor.heard(number)])
    assert len(await admitted(shop, number, [i / 100 for i in range(60)])) == 0


@pytest.mark.parametrize(
    ("came", "waits"),
    [
        ([0.1], 0.0),  # its turn is over when the answer is ready
        ([0.9], 0.0),
        ([0.95], 0.0026),
        ([1.0], 0.0526),
        ([9.0], 0.0526),  # by a clock that is ahead
        ([0.0, 0.1, 0.9], 0.0),
        ([0.9, 0.9], 0.0053),
        ([0.9, 0.95], 0.0053),
        ([0.8, 0.8, 0.8, 0.95], 0.0105),
    ],
)
async def test_what_came_in_takes_its_place_when_it_came(
    shop: Shop, number: str, came: list[float], waits: float
) -> None:
    await limits(shop, number, per_second=20)  # 19 evenly: 52.6 ms apart
    assert (await ask(shop, number, 1, -9)).wait_s == 0
    async with shop.crm.transaction(shop.business_id) as tx:
        for seconds in came:
            moment = START + timedelta(seconds=seconds)
            await replace(tx, now=moment).together([governor.heard(number)])
    assert (await ask(shop, number, 2, 1.0)).wait_s == pytest.approx(waits, abs=2e-4)


async def test_campaigns_leave_room_for_replies(shop: Shop, number: str) -> None:
    await limits(shop, number, per_second=40)
    campaigns = replies = 0
    for i in range(300):  # a campaign that asks without end, a reply every 250 ms
        campaigns += (await ask(shop, number, i, i / 100, campaign=True)).wait_s == 0
        if i % 25 == 0:
            verdict = await ask(shop, number, 10_000 + i, i / 100, patience_s=0.5)
            assert verdict.wait_s < 2 / 38  # behind what leaves at the moment, never behind the campaign
            replies += 1
    assert replies == 12
    assert 60 <= campaigns <= 3 * 32


async def test_a_pair_has_its_burst_and_then_six_seconds(shop: Shop, number: str) -> None:
    at_once = [(await ask(shop, number, 5, i / 10)).wait_s for i in range(44)]
    assert at_once == [0.0] * 44
    over = await ask(shop, number, 5, 4.4)
    assert over.reason == "pair"
    assert 0 < over.wait_s <= 6
    assert (await ask(shop, number, 6, 4.5)).wait_s == 0
    assert (await ask(shop, number, 5, 4.4 + over.wait_s + 0.01)).wait_s == 0
    assert (await ask(shop, number, 5, 4.5 + over.wait_s)).reason == "pair"


async def test_the_tier_is_never_exceeded_in_any_24_hours(shop: Shop, number: str) -> None:
    await limits(shop, number, tier=10)
    hours = [float(h) * 3600 for h in range(60)]
    passed = await admitted(shop, number, hours, campaign=True, initiated=True)
    assert most_in(passed, 86_400) == 10
    assert len(passed) == 10 + 10 + 10
    refused = await ask(shop, number, 999, hours[-1] + 1, initiated=True)
    assert refused.reason == "tier"
    assert refused.wait_s > 0
    # Whoever was written to today counts once, and replies do not count at all.
    last = hours.index(passed[-1])
    assert (await ask(shop, number, last, hours[-1] + 2, initiated=True)).wait_s == 0
    assert (await ask(shop, number, 999, hours[-1] + 3)).wait_s == 0


async def test_a_place_kept_and_given_back_is_free_again(shop: Shop, number: str) -> None:
    await limits(shop, number, tier=1)
    async with shop.crm.transaction(shop.business_id) as tx:
        assert (await governor.reserve(tx, number, 1)).wait_s == 0
        assert (await governor.reserve(tx, number, 2)).reason == "tier"
        await governor.release(tx, number, 1)
        assert (await governor.reserve(tx, number, 2)).wait_s == 0
        assert (await governor.admit(tx, number, 2, campaign=True, initiated=True)).wait_s == 0
        await governor.release(tx, number, 2)  # it was sent: it counts
        assert (await governor.reserve(tx, number, 1)).reason == "tier"
        assert (await governor.state(tx, number)).free == 0


async def test_numbers_of_one_portfolio_share_its_tier(shop: Shop, number: str) -> None:
    async with shop.crm.transaction(shop.business_id) as tx:
        for one in (number, f"{number}-b"):
            await governor.set_limits(tx, one, portfolio=f"both-{number}", tier=1)
        assert (await governor.reserve(tx, number, 1)).wait_s == 0
        assert (await governor.reserve(tx, f"{number}-b", 2)).reason == "tier"


async def test_130429_slows_the_number_and_its_pace_comes_back(shop: Shop, number: str) -> None:
    await limits(shop, number, per_second=40)
    async with shop.crm.transaction(shop.business_id) as tx:
        for later in (0.0, 0.5, 1.0):  # three errors of one burst are one
            pace = await governor.slow(replace(tx, now=START + timedelta(seconds=later)), number)
        assert pace == pytest.approx(0.9, abs=0.01)
        pace = await governor.slow(replace(tx, now=START + timedelta(seconds=10)), number)
        assert pace == pytest.approx(0.46, abs=0.01)  # no chance hit: half
    assert most_in(await admitted(shop, number, [11 + i / 100 for i in range(200)]), 1.0) <= 19
    async with shop.crm.transaction(shop.business_id) as tx:
        assert (await governor.state(replace(tx, now=START + timedelta(minutes=6)), number)).pace == 1
    assert len(await admitted(shop, number, [360 + i / 400 for i in range(400)])) >= 36


async def test_131056_and_131049_keep_one_customer_waiting(shop: Shop, number: str) -> None:
    async with shop.crm.transaction(shop.business_id) as tx:
        now = replace(tx, now=START)
        await governor.hold_pair(now, number, 1, START + timedelta(seconds=16))
        await governor.cool(now, number, 2)
    assert (await ask(shop, number, 1, 15)).reason == "pair"
    assert (await ask(shop, number, 1, 16.1)).wait_s == 0
    assert (await ask(shop, number, 2, 60)).wait_s == 0  # a reply is no marketing
    for hours, reason in ((23.9, "cooldown"), (24.1, None)):
        assert (await ask(shop, number, 2, hours * 3600, campaign=True)).reason == reason


async def test_a_turn_within_patience_is_counted_now_and_comes_later(shop: Shop, number: str) -> None:
    """Sixteen senders that ask at once get sixteen turns, evenly spaced, instead of asking again together."""
    await limits(shop, number, per_second=40)
    turns = []
    for contact in range(16):
        async with shop.crm.transaction(shop.business_id) as tx:
            verdict = await governor.admit(
                replace(tx, now=START), number, contact, campaign=False, initiated=False, patience_s=0.5
            )
        turns.append(verdict.wait_s)
    assert turns[0] == 0.0
    gaps = [later - sooner for sooner, later in itertools.pairwise(turns)]
    assert gaps == pytest.approx([1 / 38] * 15, abs=0.001)
    # What is beyond the patience is not counted: asking again costs nobody a turn.
    for _ in range(3):
        assert (await ask(shop, number, 99, 0)).wait_s == pytest.approx(turns[-1] + 1 / 38, abs=0.001)


async def test_a_reply_does_not_wait_behind_the_turns_of_a_campaign(shop: Shop, number: str) -> None:
    await limits(shop, number, per_second=40)
    async with shop.crm.transaction(shop.business_id) as tx:
        booked = [
            await governor.admit(
                replace(tx, now=START), number, contact, campaign=True, initiated=False, patience_s=0.5
            )
            for contact in range(40)
        ]
    last = max(verdict.wait_s for verdict in booked if verdict.wait_s <= 0.5)
    assert (await ask(shop, number, 99, 0)).wait_s < last


_ASKING = """
import sys, psycopg
from datetime import datetime, timezone
dsn, number, business, first = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
sys.stdin.readline()
passed = []
with psycopg.connect(dsn, autocommit=True) as link:
    for i in range(150):
        with link.transaction():
            link.execute("SELECT set_config('role','sara_app',true), set_config('app.business_id',%s,true)",
                         (business,))
            now = datetime.now(timezone.utc)
            ask = "SELECT wait_s FROM governor_admit(%s, %s, true, true, %s, 0)"
            if link.execute(ask, (number, first + i, now)).fetchone()[0] == 0:
                passed.append(now.timestamp())
print(*passed)
"""


async def test_two_processes_share_one_governor(shop: Shop, number: str) -> None:
    await limits(shop, number, per_second=60, tier=25)
    processes = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _ASKING, shop.dsn, number, str(shop.business_id), str(first)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        for first in (0, 1000)
    ]
    answers = await asyncio.gather(*(process.communicate(b"go\n") for process in processes))
    passed = [[float(moment) for moment in out.split()] for out, _ in answers]
    assert sum(map(len, passed)) <= 25
    assert most_in([moment for own in passed for moment in own], 1.0) <= 60
    (used,) = await shop.rows(
        "SELECT used, (SELECT count(*) FROM portfolio_reach r WHERE r.portfolio = p.portfolio) AS kept"
        " FROM sender_portfolio p WHERE portfolio = %s",
        f"of-{number}",
    )
    assert used["used"] == used["kept"] == 25
