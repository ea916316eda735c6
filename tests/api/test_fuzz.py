"""Payloads nobody would write by hand: never a server error, never a lost message beside a broken one.

SARA_FUZZ_CASES sets how many are tried (150 when it is not set); the whole measure takes an hour:

    SARA_FUZZ_CASES=100000 pytest tests/api/test_fuzz.py
"""

import copy
import json
import os
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.whatsapp.parse import parse
from crm import messages
from tests.api.test_intake import KINDS, message
from tests.chaos.town import NUMBER
from tests.jobs.shop import Shop, opened

CASES = int(os.environ.get("SARA_FUZZ_CASES", "150"))
AT_ONCE = 5
pytestmark = pytest.mark.timeout(300 + CASES)
Json = dict[str, Any]

LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(["", "\x00", "\ud800", "text", "-1", "9" * 30, "user_changed_number"]),
)
ODD = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
SAMPLES: list[Json] = [
    *(message("393990000001", kind, content) for kind, (content, _) in KINDS.items()),
    message("393990000001", "text", {"body": "Ciao"}, context={"id": "w"}, referral={"headline": "x"}),
    message("393990000001", "image", {"id": "1", "caption": "c", "filename": "f"}),
    message("393990000001", "location", {"latitude": 1.0, "longitude": 2.0, "name": "n"}),
    message("393990000001", "system", {"wa_id": "393990000002", "type": "user_changed_number"}),
    message(
        "393990000001",
        "edit",
        {"original_message_id": "w", "message": {"type": "text", "text": {"body": "b"}}},
    ),
    message("393990000001", "revoke", {"original_message_id": "w"}),
]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop(tmp_path_factory: Any) -> AsyncIterator[Shop]:
    """An API on a database of its own."""
    async with opened(tmp_path_factory.mktemp("fuzz")) as shop:
        yield shop


def paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a payload."""
    found = [at] if at else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [*found, *(path for key, inner in items for path in paths(inner, (*at, key)))]


@st.composite
def broken(draw: st.DrawFn) -> Json:
    """A message as Meta writes it, with some of its places replaced or left out."""
    item = copy.deepcopy(draw(st.sampled_from(SAMPLES)))
    for _ in range(draw(st.integers(1, 4))):
        *parents, last = draw(st.sampled_from(paths(item)))
        where: Any = item
        try:
            for key in parents:
                where = where[key]
            if draw(st.booleans()):
                where[last] = draw(ODD)
            else:
                del where[last]
        except (KeyError, IndexError, TypeError):
            continue
        if not item:
            break
    return item


@settings(
    max_examples=max(1, CASES // AT_ONCE),
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.large_base_example,
    ],
)
@given(
    st.lists(broken(), min_size=AT_ONCE, max_size=AT_ONCE),
    st.sampled_from(["messages", "messages", "statuses", "message_echoes", "user_preferences", "errors"]),
)
async def test_broken_items_cost_nobody_anything(shop: Shop, items: list[Json], kind: str) -> None:
    """What is broken stands before, between and behind what is whole."""
    good = [message(f"3939{time.monotonic_ns() % 10**9:09d}", "text", {"body": "valido"}) for _ in range(2)]
    value: Json = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": NUMBER}}
    if kind == "messages":
        value["messages"] = [items[0], good[0], *items[1:-1], good[1], items[-1]]
    else:
        value |= {"messages": good, kind: items}
    payload = {"object": "x", "entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}]}
    answer = await shop.post(json.dumps(payload).encode())
    assert answer.status_code == 200
    async with shop.crm.transaction(shop.business_id) as tx:
        assert [await messages.known(tx, one["id"]) for one in good] == [True, True]
    assert sum(answer.json().values()) >= len(good)


@settings(
    max_examples=CASES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(broken(), ODD, st.sampled_from(["entry", "changes", "value", "metadata", "messages", "whole"]))
def test_whatever_a_payload_is_it_is_read_or_kept(item: Json, odd: Any, where: str) -> None:
    """No shape of a payload breaks the parser, and a good message comes through whatever stands beside it."""
    good = message("393990000009", "text", {"body": "valido"})
    value: Json = {"metadata": {"phone_number_id": NUMBER}, "messages": [item, good]}
    change: Json = {"field": "messages", "value": value}
    entry: Json = {"id": "1", "changes": [change]}
    payload: Any = {"object": "x", "entry": [entry]}
    match where:
        case "entry":
            payload["entry"] = [odd, entry]
        case "changes":
            entry["changes"] = [odd, change, {"field": odd, "value": odd}]
        case "value":
            entry["changes"] = [{"field": "messages", "value": odd}, change]
        case "metadata":
            value["contacts"] = odd
        case "messages":
            value["messages"] = [odd, good, odd]
        case _:
            assert parse(odd) is not None
            return
    found = parse(payload)
    assert good["id"] in [one.wamid for one in found.messages]
