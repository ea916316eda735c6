"""A campaign over real processes: two workers, one of them killed, a pause, customers who chat meanwhile."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from channels.simulator.world import SimMessage
from crm.quiet import quiet_until
from sara.cli import app
from tests.chaos.crowd import RECIPIENTS
from tests.chaos.town import NUMBER, Process, Town, until

TIER_SHARE = 0.4
CHATTING = 8
_TEXT = "Ciao {{1}}, da {{2}} trovi le novità dell'autunno: ti aspettiamo!"
# Somewhere it is day, and no Sunday is quiet there.
_AROUND = ("9198", "8190", "6121", "4477", "1212", "1808")
_DONE = "SELECT state FROM campaign"


def awake(count: int) -> list[str]:
    for start in _AROUND:
        found = [f"{start}{number:07d}" for number in range(5_500_000, 5_500_000 + count)]
        if quiet_until(found[0], datetime.now(UTC), home="Europe/Rome") is None:
            return found
    raise AssertionError("night everywhere")


async def sara(town: Town, *arguments: str) -> str:
    """One `sara` command, in a thread of this process: a process of its own takes seconds to start."""
    environment = dict(town.environment)
    answer = await asyncio.to_thread(CliRunner().invoke, app, arguments, env=environment)
    assert answer.exit_code == 0, answer.output
    return answer.output


def campaign_messages(town: Town, wa_ids: Sequence[str]) -> list[SimMessage]:
    return [m for wa_id in wa_ids for m in town.simulator.sent_to(wa_id, NUMBER) if m.type == "template"]


@pytest.fixture
def recipients(request: pytest.FixtureRequest) -> int:
    """How many customers the campaign has; SARA_CHAOS_CAMPAIGN=5000 for the whole measure."""
    return int(request.config.getoption("--campaign", default=RECIPIENTS))


async def test_a_campaign_among_chats_a_pause_and_a_kill(town: Town, tmp_path: Path, recipients: int) -> None:
    tier, people = int(recipients * TIER_SHARE), awake(recipients)
    patience = max(240.0, recipients * 0.5)
    simulator = town.simulator
    simulator.faults.now = simulator.faults.now.model_copy(update={"latency_s": 0.0})
    simulator.quotas.tier, simulator.quotas.throughput_per_s = tier, 80
    waba = simulator.world.numbers[NUMBER].waba_id
    simulator.account.submit(
        waba,
        "autumn",
        "it",
        category="MARKETING",
        components=({"type": "BODY", "text": _TEXT},),
        status="APPROVED",
    )
    file = tmp_path / "consents.csv"
    lines = [f"+{wa_id},2026-01-01T10:00+00:00,form {n}" for n, wa_id in enumerate(people)]
    file.write_text("\n".join(["phone,given_at,evidence", *lines]))
    of = ("--business", "aurora")
    await sara(town, "template", "sync", *of, "--waba", waba)
    await sara(town, "campaign", "consent", *of, str(file))
    await sara(town, "limits", "set", *of, NUMBER, "--tier", str(tier))
    values = ("--value", "{name}", "--value", "{business}")
    await sara(
        town, "campaign", "create", *of, "autumn", "--template", "autumn", *values, "--first-wave", "0"
    )
    told = await sara(town, "campaign", "dry-run", *of, "autumn")
    assert f"{recipients} of" in told

    other = Process(("worker",), town.environment, tmp_path / "second.log")
    await town.worker_up()
    other.start()
    try:
        assert f"started: {recipients}" in await sara(town, "campaign", "start", *of, "autumn")

        async def sent(count: int) -> None:
            async def enough() -> bool:
                return len(campaign_messages(town, people)) >= count

            await until(enough, patience, f"{count} were not sent")

        await sent(tier // 4)
        chats = [f"39377{number:07d}" for number in range(CHATTING)]
        for wa_id in chats:
            await simulator.customer_sends(NUMBER, wa_id, text="Quanto costa un taglio?")
        answers = [await simulator.wait_for_reply(wa_id, timeout=60) for wa_id in chats]
        assert len(campaign_messages(town, people)) < tier  # they overtook it

        assert "paused" in await sara(town, "campaign", "pause", *of, "autumn")
        town.worker.kill()
        await asyncio.sleep(1.0)
        paused_at = len(campaign_messages(town, people))
        await asyncio.sleep(2.0)
        assert len(campaign_messages(town, people)) == paused_at
        await town.worker_up()
        await sara(town, "campaign", "resume", *of, "autumn")
        await sent(tier)
        other.kill()  # while it hands over the last ones of the tier, or waits for more
        await asyncio.sleep(3.0)
        assert len({m.customer for m in campaign_messages(town, people)}) == tier

        async def waits() -> bool:
            return "tier is used up" in await sara(town, "campaign", "status", *of, "autumn")

        await until(waits, 30, "nobody is told what the campaign waits for")

        # Meta raises the limit and says so; nobody has to do anything.
        simulator.quotas.tier = None
        number = await town.value(
            "SELECT display_phone FROM business_number WHERE phone_number_id = %s", NUMBER
        )
        record = simulator.world.numbers[NUMBER]
        simulator.world.numbers[NUMBER] = record.model_copy(update={"display_phone": number})
        simulator.account.promote(NUMBER, "TIER_10K")

        async def finished() -> bool:
            return bool(await town.value(_DONE) == "finished")

        await until(finished, patience, "the campaign did not end")
        per_customer = Counter(m.customer for m in campaign_messages(town, people))
        assert per_customer == Counter(people)
        delays = await town.rows(
            "SELECT extract(epoch FROM o.attempted_at - o.created_at) AS s FROM outbox o JOIN message m"
            " USING (message_id) WHERE m.wamid = ANY (%s)",
            [answer.wamid for answer in answers],
        )
        assert len(delays) == CHATTING
        print("queue delay of replies, s:", sorted(round(float(row["s"]), 2) for row in delays))
        refused = await town.rows("SELECT error_code FROM outbox WHERE error_code IN (131048, 131056)")
        assert refused == []
    finally:
        other.kill()
        town.worker.kill()
        simulator.quotas.tier = simulator.quotas.throughput_per_s = None
        simulator.account.strict = False
