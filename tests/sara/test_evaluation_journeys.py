"""Journeys on the whole road: the record decides, not the words."""

from pathlib import Path

from evals.dataset import Dataset
from evals.suites import journeys as suite
from sara.evaluation_journeys import readied, walk_on
from sara.local import Local

PRICE = "Quanto costa la riflessologia?"
JOURNEYS = [
    {"id": "price", "needs": "bot", "steps": [{"text": PRICE, "expect": {"reply": "48"}}]},
    {"id": "wrong price", "needs": "bot", "steps": [{"text": PRICE, "expect": {"reply": "49"}}]},
    {
        "id": "booked",
        "needs": "bot",
        "record": {"appointments": [{"service": "riflessologia", "status": "booked"}]},
        "steps": [{"text": "Vorrei prenotare la riflessologia"}, {"press_until": "^Fatto"}],
    },
    {
        "id": "booked without being asked to",
        "needs": "bot",
        "steps": [{"text": "Vorrei prenotare la riflessologia"}, {"press_until": "^Fatto"}],
    },
    {"id": "left", "needs": "bot", "steps": [{"text": "STOP"}]},
    {
        "id": "left on purpose",
        "needs": "bot",
        "record": {"contact": [{"opted_out": "True"}]},
        "steps": [{"text": "STOP"}],
    },
    {
        "id": "in need",
        "needs": "human",
        "sensitive": True,
        "steps": [{"text": "Ho un forte dolore al petto e non respiro"}],
    },
]


def gold(journeys: list[dict]) -> Dataset:
    common = {"mood": "plain", "answerable": False, "sensitive": False, "record": {}}
    head = {"business": "aurora", "language": "it"}
    return Dataset(Path("j.yaml"), tuple({**head, **common, **one} for one in journeys), ())


async def test_effects_nobody_asked_for_are_wrong_actions(whole: Local) -> None:
    scripts, _ = readied(gold(JOURNEYS))
    # One after another: two customers who want the same time at once would not both get it.
    came = {one.row["id"]: one for one in await walk_on(whole, scripts, at_once=1)}
    assert {name for name, one in came.items() if one.solved} == {
        *("price", "booked", "left on purpose", "in need")
    }
    assert came["booked without being asked to"].wrong_actions == ("appointments: 1 rows, expected 0",)
    assert came["left"].wrong_actions == ("opted out",)
    assert came["wrong price"].wrong_actions == ()
    assert "'49'" in came["wrong price"].problems[0]
    assert came["in need"].handed_over
    assert came["price"].turns == 1
    assert suite.judge(list(came.values())).figures["wrong_actions"] == 2


def test_journeys_that_cannot_be_played_are_broken() -> None:
    scripts, read = readied(
        gold(
            [
                {"id": "fine", "needs": "bot", "steps": [{"text": "ciao"}]},
                {"id": "nothing", "needs": "bot", "steps": []},
                {"id": "dances", "needs": "bot", "steps": [{"dance": "tango"}]},
                {"id": "unknown part", "needs": "bot", "record": {"dreams": []}, "steps": [{"text": "ciao"}]},
            ]
        )
    )
    assert [row["id"] for row, _ in scripts] == ["fine"]
    assert [line.split(":")[0] for line in read.broken] == ["nothing", "dances", "unknown part"]
