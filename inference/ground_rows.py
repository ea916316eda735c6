"""Rows of `sara ground`: answers with their passages, judged as a turn judges them."""

from collections.abc import Mapping
from typing import Any

from inference.grounding import Source, check
from inference.grounding_reader import Reader


def ground_row(row: Mapping[str, Any], reader: Reader | None = None) -> dict[str, Any]:
    """One row of `sara ground`: {answer, passages[], language?, question?} → {supported, unsupported[]}.

    A passage is a string or an object with `text` and perhaps `id` and `trusted`: true for a live fact, which
    outranks documents. Raises ValueError naming what is missing.
    """
    answer, passages = row.get("answer"), row.get("passages")
    if not isinstance(answer, str) or not isinstance(passages, list):
        raise ValueError("a row needs `answer` (text) and `passages` (a list of texts)")
    sources = [_source(i, passage) for i, passage in enumerate(passages)]
    language, question = (
        value if isinstance(value, str) else None for value in (row.get("language"), row.get("question"))
    )
    report = check(answer, sources, language, reader, question or "")
    return {
        "supported": report.supported,
        "unsupported": [{"kind": c.kind, "text": c.text, "value": c.value} for c in report.unsupported],
    }


def _source(index: int, passage: object) -> Source:
    if isinstance(passage, str):
        return Source(str(index), passage)
    if isinstance(passage, Mapping) and isinstance(passage.get("text"), str):
        return Source(str(passage.get("id", index)), passage["text"], trusted=passage.get("trusted") is True)
    raise ValueError(f"passage {index} is neither text nor an object with `text`")
