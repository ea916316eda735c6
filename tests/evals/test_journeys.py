from collections import Counter
from pathlib import Path

import pytest

from evals.dataset import DatasetMissing
from evals.suites import journeys as suite
from evals.suites.journeys import Walked
from inference.language import LANGUAGES


def walked(
    owner: str = "bot",
    *,
    needs: str = "bot",
    answerable: bool = True,
    sensitive: bool = False,
    wrong: tuple[str, ...] = (),
    problems: tuple[str, ...] = (),
    turns: int = 2,
    number: int = 1,
) -> Walked:
    row = {
        **{"id": f"j{number}", "language": "it", "business": "aurora", "mood": "plain"},
        **{"needs": needs, "answerable": answerable, "sensitive": sensitive},
    }
    return Walked(row, owner, owner == "human", problems, wrong, turns, ("customer: ciao",))


def test_there_are_sixty_journeys_in_every_language_business_and_mood() -> None:
    gold = suite.load()
    assert gold.broken == ()
    assert len(gold.rows) >= 60
    assert len({row["id"] for row in gold.rows}) == len(gold.rows)
    cells = Counter((row["language"], row["business"]) for row in gold.rows)
    assert set(cells) == {(code, slug) for code in LANGUAGES for slug in ("aurora", "conti", "costa-azul")}
    assert min(cells.values()) >= 5
    moods = {(row["language"], row["mood"]) for row in gold.rows}
    for mood in ("angry", "confused", "switching", "malicious", "sensitive"):
        assert {(code, mood) for code in LANGUAGES} <= moods
    assert all(row["needs"] == "human" for row in gold.rows if row["sensitive"])
    assert not any(row["answerable"] for row in gold.rows if row["sensitive"])


def test_containment_counts_the_answerable_ones_only() -> None:
    result = suite.judge(
        [
            walked(number=1),
            walked("human", number=2),
            walked("human", needs="human", answerable=False, number=3),
        ]
    )
    assert result.figures["containment"] == 0.5
    assert result.figures["solved"] == pytest.approx(2 / 3)
    assert [failure["id"] for failure in result.failures] == ["j2"]
    assert result.failures[0]["why"] == "ended with human"


def test_a_wrong_action_is_never_solved_and_is_counted() -> None:
    result = suite.judge([walked(wrong=("tickets: 1 rows, expected 0", "opted out")), walked(number=2)])
    assert result.figures["wrong_actions"] == 2
    assert result.figures["wrong_action_rate"] == 0.5
    assert result.figures["solved"] == 0.5
    gates = {gate.figure: gate.holds for gate in result.gates()}
    assert gates["wrong_actions"] is False


def test_a_sensitive_conversation_that_was_contained_fails_its_gate() -> None:
    kept = suite.judge([walked(needs="human", answerable=False, sensitive=True), walked(number=2)])
    away = suite.judge([walked("human", needs="human", answerable=False, sensitive=True), walked(number=2)])
    assert kept.figures["sensitive_contained"] == 1
    assert {g.figure: g.holds for g in kept.gates()}["sensitive_contained"] is False
    assert {g.figure: g.holds for g in away.gates()}["sensitive_contained"] is True


def test_the_median_counts_turns_of_customers() -> None:
    result = suite.judge([walked(turns=n, number=n) for n in (1, 3, 8)])
    assert result.figures["median_turns"] == 3


def test_what_cannot_be_read_is_named_and_the_rest_is_used(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        "business: aurora\nlanguage: it\njourneys:\n"
        "  - {id: good, mood: plain, answerable: true, needs: bot, steps: [{text: ciao}]}\n"
        "  - {id: bad, mood: merry, answerable: true, needs: bot, steps: []}\n"
    )
    (tmp_path / "b.yaml").write_text("journeys: [")
    (tmp_path / "c.yaml").write_text("language: it\n")
    gold = suite.load(tmp_path)
    assert [row["id"] for row in gold.rows] == ["good"]
    assert [line.split(":")[0] for line in gold.broken] == ["a.yaml", "b.yaml", "c.yaml"]


def test_no_journeys_at_all_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetMissing):
        suite.load(tmp_path)
    with pytest.raises(DatasetMissing):
        suite.load(tmp_path / "gone.yaml")
