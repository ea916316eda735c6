"""Hand-overs over HTTP: who may ask, what is shown, what is done, what is refused."""

import itertools
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio

from crm import registry
from sara.demo import login
from sara.exchange import Customer, exchange
from sara.local import Local

WANTS = "Vorrei parlare con una persona"
HERE = "/api/businesses/aurora/handoffs"
_senders = itertools.count(secrets.randbelow(10**8) * 1000 + 393 * 10**11)


@dataclass(frozen=True)
class Waiting:
    """A customer who waits for a person."""

    customer: Customer
    handoff_id: int
    conversation_id: int

    @property
    def path(self) -> str:
        return f"{HERE}/{self.handoff_id}"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def desk(whole: Local) -> AsyncIterator[httpx.AsyncClient]:
    """An agent of Aurora."""
    _, token = await login(whole.crm, "aurora")
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=whole.url, headers=headers) as client:
        yield client


async def somebody_waits(whole: Local, name: str = "Livia Conte") -> Waiting:
    customer = Customer("aurora", str(next(_senders)), name)
    came = await exchange(whole, customer, text=WANTS)
    assert came.handoff is not None
    return Waiting(customer, came.handoff, came.conversation_id)


async def shown(desk: httpx.AsyncClient, waiting: Waiting) -> dict[str, Any]:
    answer = await desk.get(waiting.path)
    assert answer.status_code == 200
    packet: dict[str, Any] = answer.json()
    return packet


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer nobody", "Basic c2FyYTpzYXJh"])
async def test_without_a_valid_token_nothing_is_told(whole: Local, header: str | None) -> None:
    headers = {"Authorization": header} if header else {}
    async with httpx.AsyncClient(base_url=whole.url) as client:
        for path in (HERE, f"{HERE}/1", "/api/businesses/nowhere/handoffs"):
            answer = await client.get(path, headers=headers)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == "Bearer"
        assert (await client.post(f"{HERE}/1/resolve", json={}, headers=headers)).status_code == 401


@pytest.mark.parametrize("slug", ["nowhere", "%00", "aurora%00", "%FF%FE", "x" * 3000])
async def test_another_business_and_none_look_the_same(desk: httpx.AsyncClient, slug: str) -> None:
    other = await desk.get("/api/businesses/conti/handoffs")
    none = await desk.get(f"/api/businesses/{slug}/handoffs")
    assert (other.status_code, none.status_code) == (404, 404)
    assert other.json() == none.json()


async def test_a_hand_over_of_another_business_does_not_exist(desk: httpx.AsyncClient, whole: Local) -> None:
    waiting = await somebody_waits(whole)
    _, token = await login(whole.crm, "conti")
    headers = {"Authorization": f"Bearer {token}"}
    path = f"/api/businesses/conti/handoffs/{waiting.handoff_id}"
    assert (await desk.get(path, headers=headers)).status_code == 404
    assert (await desk.post(f"{path}/reply", json={"text": "Hi"}, headers=headers)).status_code == 404
    assert (await shown(desk, waiting))["status"] == "open"


async def test_a_new_token_ends_the_old_one(whole: Local) -> None:
    email, old = await login(whole.crm, "costa-azul")
    async with whole.crm.as_owner() as tx:
        new = await registry.new_token(tx, email)
    async with httpx.AsyncClient(base_url=whole.url) as client:
        path = "/api/businesses/costa-azul/handoffs"
        for token, status in ((old, 401), (new, 200)):
            answer = await client.get(path, headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == status


async def test_the_queue_shows_who_waits_the_longest_first(desk: httpx.AsyncClient, whole: Local) -> None:
    first, second = await somebody_waits(whole), await somebody_waits(whole, "Bruno Neri")
    answer = await desk.get(HERE)
    assert answer.status_code == 200
    ids = [row["handoff_id"] for row in answer.json()]
    assert ids.index(first.handoff_id) < ids.index(second.handoff_id)
    row = answer.json()[ids.index(second.handoff_id)]
    assert (row["customer"], row["wa_id"]) == ("Bruno Neri", second.customer.wa_id)
    assert (row["reason"], row["status"], row["wants"]) == ("customer_request", "open", WANTS)


async def test_the_packet_holds_the_conversation(desk: httpx.AsyncClient, whole: Local) -> None:
    waiting = await somebody_waits(whole)
    await exchange(whole, waiting.customer, text="Ci siete?")
    packet = await shown(desk, waiting)
    assert packet["messages"][0]["text"] == WANTS
    assert [said["author"] for said in packet["messages"]] == ["customer", "bot", "customer"]
    assert packet["owner"] == "human"
    assert packet["window_closes_at"] > packet["opened_at"]
    assert packet["thread_id"].endswith(f":{waiting.conversation_id}")


async def test_claim_answer_and_hand_back(desk: httpx.AsyncClient, whole: Local) -> None:
    waiting = await somebody_waits(whole)
    assert (await desk.post(f"{waiting.path}/claim")).status_code == 204
    packet = await shown(desk, waiting)
    assert packet["status"] == "claimed"
    assert packet["agent_id"] is not None
    before = len(whole.simulator.sent_to(waiting.customer.wa_id))
    answer = await desk.post(f"{waiting.path}/reply", json={"text": "  Sono Elena, eccomi.  "})
    assert answer.status_code == 202
    assert len(answer.json()["message_ids"]) == 1
    sent = await whole.simulator.wait_for_reply(waiting.customer.wa_id, after=before)
    assert sent.text == "Sono Elena, eccomi."
    given = {"note": "Parlato", "facts": {"parcheggio": "posto 7"}, "promises": ["Richiamare"]}
    assert (await desk.post(f"{waiting.path}/back", json=given)).status_code == 204
    came = await exchange(whole, waiting.customer, text="Quanto costa un massaggio rilassante?")
    assert came.owner == "bot"
    assert "65,00" in came.reply
    assert (await shown(desk, waiting))["note"] == "Parlato"


async def test_a_long_answer_goes_out_in_parts(desk: httpx.AsyncClient, whole: Local) -> None:
    waiting = await somebody_waits(whole)
    words = " ".join(f"parola{number}" for number in range(700))
    answer = await desk.post(f"{waiting.path}/reply", json={"text": words})
    assert len(answer.json()["message_ids"]) == 2
    said = [m["text"] for m in (await shown(desk, waiting))["messages"] if m["author"] == "agent"]
    assert " ".join(said) == words


@pytest.mark.parametrize("end", ["back", "resolve"])
async def test_what_is_over_is_over(desk: httpx.AsyncClient, whole: Local, end: str) -> None:
    waiting = await somebody_waits(whole)
    assert (await desk.post(f"{waiting.path}/{end}", json={"note": "fatto"})).status_code == 204
    acts: dict[str, Any] = {"claim": None, "reply": {"text": "Ciao"}, "back": {}, "resolve": {}}
    for act, body in acts.items():
        answer = await desk.post(f"{waiting.path}/{act}", json=body)
        assert answer.status_code == 409, act
        assert answer.json()["error"] == "HandoffClosed"
        assert "returned or resolved" in answer.json()["detail"]
    assert waiting.handoff_id not in [row["handoff_id"] for row in (await desk.get(HERE)).json()]
    assert (await shown(desk, waiting))["status"] in ("returned", "resolved")


async def test_after_a_resolution_the_customer_starts_anew(desk: httpx.AsyncClient, whole: Local) -> None:
    waiting = await somebody_waits(whole)
    assert (await desk.post(f"{waiting.path}/resolve", json={"note": "fatto"})).status_code == 204
    came = await exchange(whole, waiting.customer, text="Quanto costa un massaggio rilassante?")
    assert came.conversation_id != waiting.conversation_id
    assert came.owner == "bot"


@pytest.mark.parametrize("handoff_id", ["0", "-1", str(2**62), str(2**63), str(10**30)])
async def test_ids_of_nothing(desk: httpx.AsyncClient, handoff_id: str) -> None:
    assert (await desk.get(f"{HERE}/{handoff_id}")).status_code == 404
    assert (await desk.post(f"{HERE}/{handoff_id}/claim")).status_code == 404


@pytest.mark.parametrize("handoff_id", ["abc", "1.5", "1;drop", "%00", "９x"])
async def test_ids_that_are_none(desk: httpx.AsyncClient, handoff_id: str) -> None:
    assert (await desk.get(f"{HERE}/{handoff_id}")).status_code == 422


@pytest.mark.parametrize(
    ("act", "body"),
    [
        ("reply", {}),
        ("reply", {"text": ""}),
        ("reply", {"text": " \n\t "}),
        ("reply", {"text": "x" * 20_001}),
        ("reply", {"text": None}),
        ("back", {"facts": {"x" * 81: "long"}}),
        ("back", {"facts": {str(n): "many" for n in range(31)}}),
        ("back", {"promises": ["x" * 501]}),
        ("back", {"note": "x" * 5_001}),
        ("back", []),
        ("resolve", {"note": 7}),
    ],
)
async def test_bodies_that_make_no_sense_change_nothing(
    desk: httpx.AsyncClient, waits: Waiting, act: str, body: Any
) -> None:
    assert (await desk.post(f"{waits.path}/{act}", json=body)).status_code == 422
    assert (await shown(desk, waits))["status"] == "open"


@pytest.mark.parametrize(
    ("act", "body"),
    [
        ("reply", r'{"text": "a\u0000b"}'),
        ("reply", r'{"text": "\ud83d"}'),
        ("back", r'{"note": "\u0000"}'),
        ("back", r'{"facts": {"a\u0000": "b"}}'),
        ("back", r'{"facts": {"a": "\u0000"}}'),
        ("back", r'{"promises": ["\udc00"]}'),
        ("resolve", r'{"note": "\ud83d\u0000"}'),
        ("reply", '{"text": '),
    ],
)
async def test_characters_the_record_cannot_hold_are_refused(
    desk: httpx.AsyncClient, waits: Waiting, act: str, body: str
) -> None:
    json = {"content-type": "application/json"}
    answer = await desk.post(f"{waits.path}/{act}", content=body, headers=json)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["msg"]
    assert "input" not in answer.json()["detail"][0]
    assert (await shown(desk, waits))["status"] == "open"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def waits(whole: Local) -> Waiting:
    """One who waits while bad requests come in."""
    return await somebody_waits(whole)
