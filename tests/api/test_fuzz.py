"""Payloads nobody would write by hand: never a server error, never a lost message beside a broken one.

SARA_FUZZ_CASES sets how many are tried (60 when it is not set).
"""

import copy
import json
import os
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.test_intake import KINDS, message
from tests.chaos.town import NUMBER
from tests.jobs.shop import Shop, opened

CASES = int(os.environ.get("SARA_FUZZ_CASES", "60"))
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
    max_examples=CASES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(broken(), st.sampled_from(["messages", "statuses", "message_echoes", "user_preferences", "errors"]))
async def test_a_broken_item_costs_nobody_anything(shop: Shop, item: Json, kind: str) -> None:
    good = message(f"3939{time.monotonic_ns() % 10**9:09d}", "text", {"body": "valido"})
    value: Json = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": NUMBER}}
    value["messages"] = [item, good] if kind == "messages" else [good]
    if kind != "messages":
        value[kind] = [item]
    payload = {"object": "x", "entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}]}
    answer = await shop.post(json.dumps(payload).encode())
    assert answer.status_code == 200
    kept = await shop.rows("SELECT body FROM message WHERE wamid = %s", good["id"])
    assert [row["body"] for row in kept] == ["valido"]
    assert sum(answer.json().values()) >= 1
