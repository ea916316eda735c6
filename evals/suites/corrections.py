"""How far are SARA's drafts, and her answers now, from what agents really said?

Rows: {question, draft, sent, language?, kind?}, as the console keeps them: `sara handoff corrections` writes
them to a file. A draft that was sent as it stood counts 1, one whose words were changed by how many of them
stayed, one that an agent wrote anew by what both happen to share. `now` is what SARA says to it today.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from evals.dataset import Dataset, read
from evals.measures import mean, share
from evals.result import Result, Table

FIELDS = {"question": str, "draft": str, "sent": str}
AS_IT_STOOD, REWRITTEN = 0.98, 0.5


@dataclass(frozen=True)
class Judged:
    """A row with what SARA says to the question now: '' for nothing, None where she was not asked."""

    row: Mapping[str, Any]
    now: str | None

    @property
    def kept(self) -> float:
        """How much of the draft the agent's words kept, 0..1."""
        return alike(str(self.row["draft"]), str(self.row["sent"]))


def load(path: Path) -> Dataset:
    """The rows. Raises DatasetMissing."""
    return read(path, FIELDS)


def alike(one: str, other: str) -> float:
    """The share of words, in their order, that two texts have in common, 0..1."""
    return SequenceMatcher(None, one.casefold().split(), other.casefold().split(), autojunk=False).ratio()


def judge(judged: Sequence[Judged]) -> Result:
    """Figures of the answers; notes and resolutions are counted."""
    answers = [one for one in judged if (one.row.get("kind") or "answer") == "answer"]
    drafted = [one for one in answers if one.row["draft"]]
    asked = [one for one in answers if one.now is not None]
    rest = len(judged) - len(answers)
    figures = {
        "rows": float(len(judged)),
        "drafted": share([bool(one.row["draft"]) for one in answers]),
        "sent_as_it_stood": share([one.kept >= AS_IT_STOOD for one in drafted]),
        "rewritten": share([one.kept < REWRITTEN for one in drafted]),
        "kept": mean([one.kept for one in drafted]),
        "answered_now": share([bool(one.now) for one in asked]),
        "like_agents_now": mean([alike(one.now or "", str(one.row["sent"])) for one in asked]),
    }
    table = Table(
        "corrections",
        ("figure", "value"),
        (*((name, value) for name, value in figures.items()), ("notes and resolutions", rest)),
    )
    failures = tuple(
        {
            "question": one.row["question"][:120],
            "said instead": one.row["sent"][:160],
            "now": (one.now or "—")[:160],
        }
        for one in asked
        if not one.now
    )
    return Result("corrections", figures, (table,), failures)
