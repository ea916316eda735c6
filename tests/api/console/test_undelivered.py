"""Messages that did not arrive: shown with their cause, sent again with one click, never twice unasked."""

import asyncio
import re

from crm.letters import LetterRow
from sara.local import Local
from tests.api.console.people import Agent, Waiting, somebody_waits
from tests.api.console.test_desk import business_id

UNDELIVERABLE = 131026  # https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes


async def refused_row(whole: Local, elena: Agent, waiting: Waiting, text: str) -> int:
    """Elena's answer, refused by WhatsApp; its number in the outbox."""
    await elena.did(waiting.conversation_id, "claim")
    whole.simulator.faults.refuses(waiting.customer.wa_id, UNDELIVERABLE)
    await elena.did(waiting.conversation_id, "send", text=text)
    return (await _row(whole, waiting, text, "refused")).outbox_id


async def _row(whole: Local, waiting: Waiting, text: str, state: str) -> LetterRow:
    for _ in range(200):
        async with whole.crm.transaction(await business_id(whole, waiting.customer.business)) as tx:
            found = await tx.all(LetterRow, "outbox_letters", dead=True, most=100)
        for row in found:
            if row.conversation_id == waiting.conversation_id and row.body == text and row.state == state:
                return row
        await asyncio.sleep(0.05)
    raise AssertionError(f"never {state}: {text}")


def said_to(whole: Local, waiting: Waiting) -> list[str | None]:
    return [message.text for message in whole.simulator.sent_to(waiting.customer.wa_id)]


async def again(
    agent: Agent, outbox_id: int, *, sure: bool = False, csrf: str | None = None
) -> tuple[int, str]:
    answer = await agent.web.post(
        f"{agent.base}/undelivered/{outbox_id}/retry",
        params={"even_if_twice": "true"} if sure else {},
        data={"csrf": agent.csrf if csrf is None else csrf},
        follow_redirects=True,
    )
    return answer.status_code, answer.text


async def test_a_refused_answer_is_shown_with_its_cause_and_sent_again(
    whole: Local, elena: Agent, stranger: Agent
) -> None:
    waiting, text = await somebody_waits(whole), "Le confermo <b>giovedì</b> alle dieci"
    number = await refused_row(whole, elena, waiting, text)
    assert text not in said_to(whole, waiting)
    page = await elena.page("/undelivered")
    row = re.search(rf'<tr id="o{number}">.*?</tr>', page, re.DOTALL)
    assert row is not None
    assert "Le confermo &lt;b&gt;giovedì" in row[0]
    assert str(UNDELIVERABLE) in row[0]
    assert f"/c/{waiting.conversation_id}" in row[0]
    assert str(UNDELIVERABLE) in await elena.page(f"/undelivered/{number}")
    assert "/undelivered" in await elena.page(f"/c/{waiting.conversation_id}")

    assert f'id="o{number}"' not in await stranger.page("/undelivered")
    assert (await stranger.web.get(f"{stranger.base}/undelivered/{number}")).status_code == 404
    assert (await again(stranger, number))[0] == 404
    assert (await again(elena, number, csrf="x"))[0] == 403
    assert text not in said_to(whole, waiting)

    status, page = await again(elena, number)
    assert status == 200
    assert "It is on its way again." in page
    assert f'id="o{number}"' not in page
    for _ in range(200):
        if text in said_to(whole, waiting):
            break
        await asyncio.sleep(0.05)
    assert said_to(whole, waiting).count(text) == 1
    assert "not given up" in (await again(elena, number))[1]
    assert said_to(whole, waiting).count(text) == 1


async def test_what_may_have_arrived_is_sent_again_only_on_purpose(whole: Local, elena: Agent) -> None:
    waiting, text = await somebody_waits(whole), "Ho chiesto al medico"
    number = await refused_row(whole, elena, waiting, text)
    async with whole.crm.as_owner() as tx:  # as after a crash at the moment of sending, and a day of silence
        await tx.connection.execute(
            "UPDATE outbox SET state = 'held', error = 'nobody can say', error_code = NULL"
            " WHERE outbox_id = %s",
            (number,),
        )
    assert "Send all the same" in await elena.page("/undelivered")
    status, page = await again(elena, number)
    assert status == 200
    assert "may have arrived" in page
    assert text not in said_to(whole, waiting)
    assert "on its way" in (await again(elena, number, sure=True))[1]
    for _ in range(200):
        if text in said_to(whole, waiting):
            break
        await asyncio.sleep(0.05)
    assert said_to(whole, waiting).count(text) == 1
