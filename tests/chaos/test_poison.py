"""Messages that make their turn fail each time, or kill whoever runs it: a person gets them, nobody waits."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from crm import desk, handoffs, quarantine
from crm.record import Crm
from sara import services
from sara.cli import app
from sara.commands.doctor_faults import of_suspects
from sara.commands.findings import WARN
from sara.settings import load
from tests.chaos.mortal_worker import DEADLY, PATIENCE, SLOW, WRONG
from tests.chaos.town import NUMBER, Process, Town, until

pytestmark = pytest.mark.chaos

ROOT = Path(__file__).parents[2]
KILLER, WRONGED, NEIGHBOURS = "393650000001", "393650000002", [f"3936600000{n:02d}" for n in range(3)]
COLLEAGUE = "Ti passo a una persona"


@asynccontextmanager
async def mortal(town: Town, folder: Path) -> AsyncIterator[Process]:
    """A worker that dies of certain messages, and the process that starts it again."""
    environment = {
        **town.environment,
        "PYTHONPATH": str(ROOT),
        "SARA_DATA_DIR": str(folder),
        "SARA_WORKER_CONCURRENCY": "4",
    }
    program = (sys.executable, "-m", "tests.chaos.mortal_worker")
    process = Process((), environment, folder / "mortal.log", program=program)
    process.start()
    try:
        yield process
    finally:
        process.kill()


@asynccontextmanager
async def record(town: Town) -> AsyncIterator[Crm]:
    async with services.record(load(llm="extractive", database_url=town.dsn), town.dsn) as crm:
        yield crm


async def handoff_of(town: Town, wa_id: str) -> int | None:
    rows = await town.rows(
        "SELECT h.handoff_id FROM handoff h JOIN conversation USING (conversation_id)"
        " JOIN contact USING (contact_id) WHERE wa_id = %s AND h.reason = 'turn_failed'",
        wa_id,
    )
    return int(rows[0]["handoff_id"]) if rows else None


async def command(town: Town, *arguments: str) -> str:
    answer = await asyncio.to_thread(CliRunner().invoke, app, arguments, env=dict(town.environment))
    assert answer.exit_code == 0, answer.output
    return answer.output


def heard(town: Town, wa_id: str) -> list[str]:
    return [message.text for message in town.simulator.sent_to(wa_id, NUMBER)]


async def test_poison_goes_to_a_person_and_holds_nobody_up(town: Town, tmp_path: Path) -> None:
    business = await town.value("SELECT business_id FROM business WHERE slug = 'aurora'")
    await town.rows(
        "INSERT INTO alert_target (business_id, name, service, sealed) VALUES (%s, 'poison', 'Slack', '')"
        " ON CONFLICT DO NOTHING",
        business,
    )
    town.nobody_works()
    for wa_id in NEIGHBOURS:
        await town.simulator.customer_sends(NUMBER, wa_id, text=f"Prima, {SLOW}")
    await town.simulator.customer_sends(NUMBER, KILLER, text=f"Ciao, {DEADLY}")
    await town.simulator.customer_sends(NUMBER, WRONGED, text=f"Ciao, {WRONG}")
    async with mortal(town, tmp_path), record(town) as crm:

        async def suspected() -> bool:
            return [finding.state for finding in await of_suspects(crm)] == [WARN]

        await until(suspected, 60, "no turn was suspected, or the doctor says nothing of it")

        async def with_people() -> bool:
            return None not in (await handoff_of(town, KILLER), await handoff_of(town, WRONGED))

        await until(with_people, 90, "the poison was not given up")
        await town.all_done(60)

        async with crm.transaction(business) as tx:
            given_up = {row.handoff_id: row for row in await quarantine.listed(tx)}
        killer = given_up[await handoff_of(town, KILLER) or 0]
        wronged = given_up[await handoff_of(town, WRONGED) or 0]
        assert (killer.tries, killer.deaths, killer.cause) == (0, PATIENCE.most_turn_deaths, "")
        assert (wronged.tries, wronged.cause.partition(":")[0]) == (
            PATIENCE.most_turn_attempts,
            "ValueError at tests/chaos/mortal_worker.py",
        )
        assert len(given_up) == 2, "whose turns only ran beside it are not suspected for ever"
        for wa_id in NEIGHBOURS:
            assert heard(town, wa_id) == [f"Letto: Prima, {SLOW}"]
        for wa_id in (KILLER, WRONGED):
            (told,) = heard(town, wa_id)
            assert told.startswith(COLLEAGUE), told
        alerted = await town.rows("SELECT key FROM alert WHERE kind = 'handoff_opened'")
        assert {row["key"] for row in alerted} >= {f"handoff_opened:{number}" for number in given_up}
        assert await suspected() is False
        await town.rows("DELETE FROM alert_target WHERE name = 'poison'")

        # What they write next waits for the person, and for nobody else.
        await town.simulator.customer_sends(NUMBER, KILLER, text="C'è qualcuno?")
        await town.simulator.customer_sends(NUMBER, NEIGHBOURS[0], text="Dopo")
        await town.simulator.wait_for_reply(NEIGHBOURS[0], after=1, timeout=30)
        await town.all_done(30)
        assert len(heard(town, KILLER)) == 1

        async with crm.transaction(business) as tx:
            await desk.answer(tx, wronged.handoff_id, None, ["Sono una persona"])
        await town.all_done(30)
        assert heard(town, WRONGED)[1:] == ["Sono una persona"]

        # The cause is mended: SARA answers what nobody has answered, and nothing that somebody has.
        (tmp_path / "mended").touch()
        listed = await command(town, "quarantine", "list", "--business", "aurora")
        assert f"ended {PATIENCE.most_turn_deaths} workers" in listed
        assert "ValueError at tests/chaos/mortal_worker.py" in listed
        assert "not to be told" not in listed
        numbers = (str(killer.quarantine_id), str(wronged.quarantine_id))
        await command(town, "quarantine", "release", "--business", "aurora", *numbers)
        await town.simulator.wait_for_reply(KILLER, after=1, timeout=30)
        await town.all_done(30)
        assert heard(town, KILLER)[1:] == [f"Letto: Ciao, {DEADLY}\nC'è qualcuno?"]
        assert heard(town, WRONGED)[2:] == []
        assert await command(town, "quarantine", "list") == "nothing waits\n"
        async with crm.transaction(business) as tx:
            assert (await handoffs.get(tx, killer.handoff_id)).status == "returned"
