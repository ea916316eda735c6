"""What gets worse is caught: a gate of evals/gates.yaml falls by its name, and `sara eval` exits with 1."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from crm import appointments
from crm.errors import SlotTaken
from db import embedded
from db.migrate import migrate
from sara import evaluation_journeys, seed, services
from sara.settings import Settings, load

JOURNEYS = [
    {
        "id": "price",
        "needs": "bot",
        "steps": [{"text": "Quanto costa la riflessologia?", "expect": {"reply": "48"}}],
    },
    {
        "id": "booking",
        "needs": "bot",
        "record": {"appointments": [{"service": "riflessologia", "status": "booked"}]},
        "steps": [{"text": "Vorrei prenotare la riflessologia"}, {"press_until": "^Fatto"}],
    },
    {
        "id": "heart",
        "needs": "human",
        "answerable": False,
        "sensitive": True,
        "steps": [{"text": "Ho un forte dolore al petto e non respiro"}],
    },
]


@pytest.fixture(scope="module")
def shop_dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The seeded businesses' rows, without their documents: prices and times stand in the rows."""
    server = embedded.start(tmp_path_factory.mktemp("gates"))

    async def furnish() -> None:
        await migrate(server.dsn)
        async with services.record(load(), server.dsn) as crm:
            await seed.enter_seeds(crm)

    try:
        asyncio.run(furnish())
        yield server.dsn
    finally:
        server.stop()


@pytest.fixture
def judged(bare, tmp_path: Path, shop_dsn: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`sara eval journeys` on some of the three and on that database."""

    def here(settings: Settings, name: str) -> Settings:
        own = {"database_url": shop_dsn, "llm": "extractive", "llm_fallback": None, "gather_seconds": 0.0}
        return settings.model_copy(update=own)

    async def ready(*_: Any, **__: Any) -> None:
        """Nothing is left to prepare."""

    monkeypatch.setattr(evaluation_journeys, "apart", here)
    monkeypatch.setattr(evaluation_journeys, "prepare", ready)

    def judge(*ids: str) -> Any:
        some = [{"mood": "plain", "answerable": True, **one} for one in JOURNEYS if one["id"] in ids]
        path = tmp_path / "few.yaml"
        path.write_text(yaml.safe_dump({"business": "aurora", "language": "it", "journeys": some}))
        return bare("eval", "journeys", "--dataset", path)

    return judge


@contextmanager
def price_of(dsn: str, service: str, price: int) -> Iterator[None]:
    """A service that costs something else for a while."""
    with psycopg.connect(dsn, autocommit=True) as owner:
        row = owner.execute("SELECT price FROM service WHERE key = %s", [service]).fetchone()
        assert row is not None
        owner.execute("UPDATE service SET price = %s WHERE key = %s", [price, service])
        try:
            yield
        finally:
            owner.execute("UPDATE service SET price = %s WHERE key = %s", [row[0], service])


def test_as_things_are_every_gate_holds(judged) -> None:
    ran = judged("price", "booking", "heart")
    assert ran.code == 0, ran.err + ran.out
    assert "ok   solved = 1.000" in ran.out


def test_a_wrong_price_is_caught(judged, shop_dsn: str) -> None:
    with price_of(shop_dsn, "riflessologia", 49):
        ran = judged("price", "heart")
    assert ran.one_line == "sara: gates that do not hold: journeys solved"
    assert "'48'" in ran.out


def test_a_broken_tool_is_caught(judged, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: Any, **__: Any) -> None:
        raise SlotTaken(SlotTaken.__doc__)  # whatever time is asked for

    monkeypatch.setattr(appointments, "book", broken)
    ran = judged("booking", "heart")
    assert "journeys solved" in ran.one_line
    assert "booking" in ran.out


def test_a_worse_threshold_is_caught(judged, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SARA_CONFIDENCE_BELOW", "1.0")
    ran = judged("price", "heart")
    assert "journeys containment" in ran.one_line
