"""`sara agent` and the readable dump of a hand-over's state."""

import asyncio
import json
import secrets
from typing import Any

import psycopg

from crm import businesses, desk
from sara.exchange import Customer, exchange
from sara.local import Local
from tests.sara.conftest import Cli


def email() -> str:
    return f"{secrets.token_hex(5)}@command.example"


def test_an_agent_is_entered_listed_disabled_and_let_in_again(sara: Cli) -> None:
    who = email()
    added = sara(
        "agent", "add", who.upper(), "--business", "aurora", "--name", "Nina", "--role", "supervisor"
    )
    assert added.code == 0
    assert "password: " in added.out
    again = sara("agent", "add", who, "--business", "conti", "--name", "Nina")
    assert "password" not in again.out  # the one there is stays
    rows = [json.loads(line) for line in sara("agent", "list", "--json").out.splitlines()]
    mine = {row["business"]: row for row in rows if row["email"] == who}
    assert {slug: row["role"] for slug, row in mine.items()} == {"aurora": "supervisor", "conti": "agent"}
    assert all(row["active"] and row["password"] for row in mine.values())
    assert sara("agent", "disable", who).out == f"{who}: disabled\n"
    assert "disabled" in next(line for line in sara("agent", "list").out.splitlines() if who in line)
    assert sara("agent", "password", who, "--password", "a long new password").code == 0
    assert "disabled" not in next(line for line in sara("agent", "list").out.splitlines() if who in line)


def test_a_lost_second_factor_is_taken_away(sara: Cli, commanded_dsn: str) -> None:
    who = email()
    sara("agent", "add", who, "--business", "aurora", "--name", "Nina")
    assert "has no second factor" in sara("agent", "reset-totp", who).one_line
    with psycopg.connect(commanded_dsn, autocommit=True) as owner:
        owner.execute(
            "INSERT INTO agent_factor (agent_id, sealed, made_at, confirmed_at)"
            " SELECT agent_id, 'sealed', now(), now() FROM agent WHERE email = %s",
            (who,),
        )
    listed = next(line for line in sara("agent", "list").out.splitlines() if who in line)
    assert listed.endswith("second factor")
    assert "the password alone" in sara("agent", "reset-totp", who.upper()).out
    assert "second factor" not in next(line for line in sara("agent", "list").out.splitlines() if who in line)
    assert "Nobody works here" in sara("agent", "reset-totp", email()).one_line


def test_what_cannot_be_done_is_said_in_one_line(sara: Cli) -> None:
    assert "Nobody works here" in sara("agent", "disable", email()).one_line
    assert "Nobody works here" in sara("agent", "password", email()).one_line
    who = email()
    short = sara("agent", "add", who, "--business", "aurora", "--name", "N", "--password", "short")
    assert "10 to 256 characters" in short.one_line
    assert who not in sara("agent", "list").out  # all or nothing
    for wrong in ("elena", "elena @example.com", "elena@example"):
        assert sara("agent", "add", wrong, "--business", "aurora", "--name", "E").code == 2
    nowhere = sara("agent", "add", who, "--business", "nowhere", "--name", "N")
    assert "no business is called" in nowhere.one_line
    assert sara("agent", "add", who, "--business", "aurora", "--name", "N", "--role", "king").code == 2


async def test_the_state_before_in_and_after_the_pause(whole: Local, sara: Cli) -> None:
    who = Customer("aurora", f"39346{secrets.randbelow(10**7):07d}", "Livia Conte")
    await exchange(whole, who, text="Vorrei prenotare un massaggio rilassante")
    came = await exchange(whole, who, text="Vorrei parlare con una persona")
    assert came.handoff is not None
    paused = await asyncio.to_thread(sara, "handoff", "show", came.handoff, "--state")
    assert "== before the pause" in paused.out
    assert "== in the pause" in paused.out
    assert "waits at await_human" in paused.out
    assert "== after" not in paused.out
    async with whole.crm.outside() as tx:
        aurora = await businesses.of_slug(tx, "aurora")
    async with whole.crm.transaction(aurora) as tx:
        await desk.hand_back(tx, came.handoff, None, note="Richiamata", facts={"cabina": "due"})
    await exchange(whole, who, text="In che cabina devo andare?")
    whole_story = (await asyncio.to_thread(sara, "handoff", "show", came.handoff, "--state")).out
    before, pause, after = whole_story.split("== ")[1:]
    assert "massaggio_rilassante" in before  # the slots are there …
    assert "slots: unchanged" in pause or "massaggio_rilassante" in pause  # … and stay
    assert "reason = customer_request" in pause
    assert "Richiamata" in after
    assert "Vorrei prenotare un massaggio rilassante" in after  # nothing of what was said is lost
    rows = await asyncio.to_thread(sara, "handoff", "show", came.handoff, "--state", "--json")
    moments = [json.loads(line) for line in rows.out.splitlines()]
    assert [moment["moment"] for moment in moments] == ["before", "during", "after"]
    assert moments[1]["waits_at"] == ["await_human"]
    assert moments[2]["state"]["handoff"]["returned"]["facts"] == {"cabina": "due"}


async def test_the_state_of_a_hand_over_is_that_of_its_own_pause(whole: Local, sara: Cli) -> None:
    who = Customer("aurora", f"39346{secrets.randbelow(10**7):07d}", "Livia Conte")
    asks, between = "Vorrei parlare con una persona", "Quanto costa un massaggio rilassante?"
    first = await exchange(whole, who, text=asks)
    assert first.handoff is not None
    async with whole.crm.outside() as tx:
        aurora = await businesses.of_slug(tx, "aurora")
    async with whole.crm.transaction(aurora) as tx:
        await desk.hand_back(tx, first.handoff, None, note="Richiamata")
    await exchange(whole, who, text=between)
    second = await exchange(whole, who, text=asks)
    assert second.handoff not in (None, first.handoff)

    async def shown(handoff: int | None) -> dict[str, dict[str, Any]]:
        rows = await asyncio.to_thread(sara, "handoff", "show", handoff, "--state", "--json")
        return {moment["moment"]: moment for moment in map(json.loads, rows.out.splitlines())}

    earlier, later = await shown(first.handoff), await shown(second.handoff)
    assert earlier["during"]["state"]["handoff"]["handoff_id"] == first.handoff
    assert not any(between in json.dumps(earlier[name]["state"]["window"]) for name in ("before", "during"))
    assert between in json.dumps(earlier["after"]["state"]["window"])
    assert list(later) == ["before", "during"]
    assert later["during"]["state"]["handoff"]["handoff_id"] == second.handoff
    assert between in json.dumps(later["before"]["state"]["window"])
