"""Does search find the document that answers, and does it know when none does?

Rows: {business, question, language, documents[], tier?, style?, split?, kind?}. `documents` are the names of
those that answer the question; none for a question nothing answers (`kind` near, far or chat). A question in
a language none of its documents is in is cross-lingual. Rows of tier `hard` (stories, slang, rare details,
gaps next to what is written) are told apart from what a shop's customers send every day.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import PurePath
from typing import Any

from evals.dataset import DATASETS, Dataset, read, sendable
from evals.measures import auc, interval, mean, reciprocal_rank, sampled, share, worst
from evals.result import Result, Table, played
from knowledge.search import KnowledgeSearch

DATASET = DATASETS / "retrieval.jsonl"
FIELDS = {"business": str, "question": str, "language": str, "documents": list}
# The day the rows were written for: promotions begin and end.
TODAY = date(2026, 11, 26)
_LANGUAGES = ("it", "en", "es", "pt")
_K = 3
HARD = "hard"

Languages = Mapping[tuple[str, str], str]  # of a document by (business, name)


@dataclass(frozen=True)
class Answered:
    """A row with the documents found for it, best first, and the score of the first."""

    row: Mapping[str, Any]
    found: tuple[str, ...]
    score: float

    @property
    def recalled(self) -> bool:
        """Whether one of the wanted documents is among the first three found."""
        return bool(set(self.found[:_K]) & set(self.row["documents"]))

    @property
    def first(self) -> bool:
        """Whether the first document found is a wanted one."""
        return bool(self.found) and self.found[0] in self.row["documents"]


def rows(dataset: Dataset, split: str | None = None) -> list[dict[str, Any]]:
    """The rows of a split; all for None."""
    return dataset.of_split(split)


def load(path: Any = DATASET, businesses: Collection[str] | None = None) -> Dataset:
    """The gold set, or one like it; a row on a business that is none of `businesses`, where they are given,
    is broken. Raises DatasetMissing."""

    def ready(row: dict[str, Any]) -> dict[str, Any]:
        if businesses is not None and row["business"] not in businesses:
            raise ValueError(f"no business {row['business']!r:.80}: there are {', '.join(businesses)}")
        if not all(isinstance(name, str) for name in row["documents"]):
            raise ValueError("documents must be a list of names")
        sendable(row)
        return row

    return read(path, FIELDS, ready)


async def ask(
    search: KnowledgeSearch, owners: Mapping[str, int], given: Sequence[Mapping[str, Any]]
) -> list[Answered]:
    """Every question asked of its business's documents, as a customer's turn would on `TODAY`."""
    answered = []
    for row in given:
        hits = await search.search(
            row["question"],
            None,
            business_id=owners[row["business"]],
            language=row["language"],
            k=_K,
            on=TODAY,
        )
        answered.append(Answered(row, tuple(h.source for h in hits), hits[0].score if hits else 0.0))
    return answered


def judge(answered: Sequence[Answered], languages: Languages) -> Result:
    """The figures. `languages` tells a document's language by (business, name)."""
    everyday = [one for one in answered if one.row.get("tier") != HARD]
    hard = [one for one in answered if one.row.get("tier") == HARD]
    figures = _figures(everyday, languages)
    if hard:
        figures |= {f"hard_{name}": value for name, value in _figures(hard, languages).items()}
    known = [one for one in answered if one.row["documents"]]
    return Result(
        suite="retrieval",
        figures=figures,
        tables=(*_tables("everyday", everyday, languages), *(_tables(HARD, hard, languages) if hard else ())),
        failures=tuple(_failure(one) for one in known if not one.recalled),
        about={"questions": len(known), "unanswerable": len(answered) - len(known), "hard": len(hard)},
        samples={
            "recall@3": sampled((_name(o), o.recalled) for o in everyday if o.row["documents"]),
            "recall@1": sampled((_name(o), o.first) for o in everyday if o.row["documents"]),
            "hard_recall@3": sampled((_name(o), o.recalled) for o in hard if o.row["documents"]),
        },
        played=played(
            ((_name(o), o.row, {"documents": o.found, "score": o.score}) for o in answered), ("documents",)
        ),
    )


def _name(one: Answered) -> str:
    return f"{one.row['business']}: {one.row['question']}"


def _figures(answered: Sequence[Answered], languages: Languages) -> dict[str, float]:
    known = [one for one in answered if one.row["documents"]]
    unknown = [one for one in answered if not one.row["documents"]]
    by_language = {
        f"recall@3_{language}": share([one.recalled for one in known if one.row["language"] == language])
        for language in _LANGUAGES
    }
    return {
        "recall@3": share([one.recalled for one in known]),
        "recall@1": share([one.first for one in known]),
        "mrr": mean([reciprocal_rank(one.found, one.row["documents"]) for one in known]),
        "recall@3_cross_lingual": share([one.recalled for one in known if _crosses(one, languages)]),
        "abstention_auc": auc([one.score for one in known], [one.score for one in unknown]),
        **by_language,
        "recall@3_worst_language": worst(by_language.values()),
    }


def _crosses(one: Answered, languages: Languages) -> bool:
    spoken = {languages.get((one.row["business"], name)) for name in one.row["documents"]}
    return one.row["language"] not in spoken


def _tables(tier: str, answered: Sequence[Answered], languages: Languages) -> tuple[Table, ...]:
    known = [one for one in answered if one.row["documents"]]
    crossing = [one for one in known if _crosses(one, languages)]
    groups: dict[str, dict[str, list[Answered]]] = {
        "language of the question": {
            **_grouped(known, lambda one: str(one.row["language"])),
            "cross-lingual": crossing,
            "all": known,
        },
        "format": _grouped(known, _format),
        "style": _grouped(known, lambda one: str(one.row.get("style") or "plain")),
        "business": _grouped(known, lambda one: str(one.row["business"])),
    }
    columns = ("", "n", "recall@3", "95 % from", "to", "recall@1", "mrr")
    return (
        *(
            Table(f"{tier}, by {name}", columns, tuple(_line(key, some) for key, some in group.items()))
            for name, group in groups.items()
        ),
        Table(
            f"{tier}, abstention: score of the first hit, answerable against not",
            ("", "answerable", "not", "auc"),
            tuple(_abstention(name, some) for name, some in _abstention_groups(answered)),
        ),
    )


def _grouped(some: Sequence[Answered], key: Callable[[Answered], str]) -> dict[str, list[Answered]]:
    return {name: [one for one in some if key(one) == name] for name in sorted({key(one) for one in some})}


def _line(name: str, some: Sequence[Answered]) -> tuple[str | float | int, ...]:
    recalled = [one.recalled for one in some]
    low, high = interval(recalled)
    ranks = [reciprocal_rank(one.found, one.row["documents"]) for one in some]
    return name, len(some), share(recalled), low, high, share([one.first for one in some]), mean(ranks)


def _abstention_groups(answered: Sequence[Answered]) -> Iterator[tuple[str, list[Answered]]]:
    """Languages take their own answerable rows, kinds of unanswerable rows all of them."""
    for language in _LANGUAGES:
        yield language, [one for one in answered if one.row["language"] == language]
    for kind in sorted({str(one.row["kind"]) for one in answered if one.row.get("kind")}):
        yield kind, [one for one in answered if one.row["documents"] or one.row.get("kind") == kind]
    yield "all", list(answered)


def _abstention(name: str, some: Sequence[Answered]) -> tuple[str | float | int, ...]:
    high = [one.score for one in some if one.row["documents"]]
    low = [one.score for one in some if not one.row["documents"]]
    return name, len(high), len(low), auc(high, low)


def _format(one: Answered) -> str:
    return PurePath(one.row["documents"][0]).suffix.lstrip(".")


def _failure(one: Answered) -> dict[str, Any]:
    return {
        "business": one.row["business"],
        "language": one.row["language"],
        "question": one.row["question"],
        "wanted": ", ".join(one.row["documents"]),
        "found": ", ".join(one.found),
        "score": round(one.score, 3),
    }
