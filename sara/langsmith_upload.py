"""What `sara eval --langsmith` sends: suites as experiments, corrections as feedback and dataset rows.

All of it masked, and everything under an id or a name made of what it is: sent again it changes nothing.
"""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, cast
from uuid import NAMESPACE_URL, UUID, uuid5

from langsmith import Client
from langsmith.utils import LangSmithConflictError, LangSmithNotFoundError

from crm.corrections import TracedRow
from evals.result import Gate, Result
from evals.suites.corrections import alike
from graph.langsmith import run_id_of, thread_of
from inference.masking import Masker, masker_for
from inference.masking_plain import Plain, plain

_DIGITS = 12
_FEEDBACK = {"answer": "agent_answer", "note": "agent_note", "resolved": "agent_resolution"}


@dataclass(frozen=True)
class Sent:
    """An experiment: its dataset's name and its own, and whether it was there before."""

    dataset: str
    experiment: str
    rows: int
    known: bool


def experiment(
    client: Client, result: Result, gates: Sequence[Gate], began: datetime, ended: datetime
) -> Sent:
    """A suite's run. One dataset for every state of its rows, so that only runs over the same are compared.

    https://docs.langchain.com/langsmith/upload-existing-experiments. Raises LangSmithError and OSError.
    """
    rows = plain([{"row": name, **asdict(row)} for name, row in result.played.items()])
    masked = cast(list[dict[str, Any]], masker_for(rows).plain(rows))
    asked = [[row["row"], row["given"], row["wanted"]] for row in masked]
    dataset = f"sara {result.suite} {_hash(asked)}"
    about = {str(key): str(value) for key, value in result.about.items()}
    name = (
        f"{result.suite} {about.get('model', '-')} prompt {about.get('prompt', '-')} "
        f"weights {about.get('weights sha256', '-')} {_hash([masked, dict(result.samples)])}"
    )
    sent = Sent(dataset, name, len(masked), client.has_project(name))
    if sent.known or not masked:
        return sent
    dataset_id = uuid5(NAMESPACE_URL, dataset)
    body = {
        "experiment_name": name,
        "experiment_start_time": began.isoformat(),
        "experiment_end_time": ended.isoformat(),
        "experiment_metadata": about,
        "dataset_id": str(dataset_id),
        "dataset_name": dataset,
        "summary_experiment_scores": _summary(result, gates),
        "results": [
            {
                "row_id": str(uuid5(dataset_id, str(number))),
                "inputs": {"row": row["row"], **row["given"]},
                "expected_outputs": row["wanted"],
                "actual_outputs": row["found"],
                "evaluation_scores": [
                    {"key": figure, "score": values[name_here]}
                    for figure, values in result.samples.items()
                    if name_here in values
                ],
                "start_time": began.isoformat(),
                "end_time": ended.isoformat(),
                "run_name": result.suite,
            }
            for number, (name_here, row) in enumerate(zip(result.played, masked, strict=True))
        ],
    }
    _post(client, "/datasets/upload-experiment", body)
    return sent


def _summary(result: Result, gates: Sequence[Gate]) -> list[dict[str, Any]]:
    figures = [{"key": key, "score": value} for key, value in result.figures.items() if math.isfinite(value)]
    return [*figures, *({"key": f"gate {gate.figure}", "score": int(gate.holds)} for gate in gates)]


def corrections(client: Client, project: str, business_id: int, rows: Sequence[TracedRow]) -> dict[str, int]:
    """A business's corrections: each a row of the project's dataset, and feedback on the turn's trace.

    A turn that was not traced gets no feedback. Returns how many rows and feedbacks were new, and how many
    turns LangSmith does not know. Raises LangSmithError and OSError.
    """
    counted = {"rows": 0, "feedback": 0, "untraced": 0, "known": 0}
    dataset_id = _dataset(client, dataset_of(project))
    there = {example.id for example in client.list_examples(dataset_id=dataset_id, select="id")}
    maskers = _maskers(rows)
    masked = [(row, _masked(row, maskers[row.thread_id])) for row in rows]
    new = [(row, shown) for row, shown in masked if _id_of(project, row) not in there]
    if new:
        made = [_example(project, row, shown) for row, shown in new]
        _post(client, "/examples/bulk", [{**one, "dataset_id": str(dataset_id)} for one in made])
    counted["rows"] = len(new)
    session = _session(client, project)
    for row, shown in masked:
        counted[_feedback(client, project, session, business_id, row, shown)] += 1
    del counted["known"]
    return counted


def dataset_of(project: str) -> str:
    """The name of the dataset that corrections become rows of."""
    return f"{project} corrections"


def _maskers(rows: Sequence[TracedRow]) -> dict[str, Masker]:
    """For every thread one that knows its people: those of the record, and who introduced themselves."""
    known: dict[str, list[Plain]] = {}
    for row in rows:
        known.setdefault(row.thread_id, []).extend(
            [
                {"contact_name": row.contact_name, "wa_id": row.wa_id, "email": row.email},
                {"contact": {"name": row.agent_name}},
                [row.question, row.draft, row.sent],
            ]
        )
    return {thread: masker_for(people) for thread, people in known.items()}


def _masked(row: TracedRow, masker: Masker) -> dict[str, str]:
    return {key: masker.text(getattr(row, key)) for key in ("question", "draft", "sent")}


def _example(project: str, row: TracedRow, shown: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": str(_id_of(project, row)),
        "inputs": {"question": shown["question"], "language": row.language},
        "outputs": {"answer": shown["sent"]},
        "metadata": {
            "kind": row.kind,
            "reason": row.reason,
            "draft": shown["draft"],
            "at": row.at.isoformat(),
            "thread_id": thread_of(project, row.thread_id),
        },
    }


def _feedback(
    client: Client,
    project: str,
    session: UUID | None,
    business_id: int,
    row: TracedRow,
    shown: dict[str, Any],
) -> str:
    """What became of one feedback: feedback, known, untraced."""
    if session is None:
        return "untraced"
    compared = row.kind == "answer" and row.draft
    body = {
        "id": str(uuid5(_id_of(project, row), "feedback")),
        "run_id": str(run_id_of(project, business_id, row.turn_id)),
        "session_id": str(session),
        "key": _FEEDBACK[row.kind],
        "score": round(alike(row.draft, row.sent), 4) if compared else None,
        "comment": shown["sent"],
        "correction": {"reply": shown["sent"]} if row.kind == "answer" else None,
        "feedback_source": {"type": "api", "metadata": {"thread_id": thread_of(project, row.thread_id)}},
    }
    try:
        _post(client, "/feedback", body)
    except LangSmithConflictError:
        return "known"
    except LangSmithNotFoundError:
        return "untraced"
    return "feedback"


def _id_of(project: str, row: TracedRow) -> UUID:
    return uuid5(NAMESPACE_URL, f"sara:{project}:correction:{row.correction_id}")


def _dataset(client: Client, name: str) -> UUID:
    try:
        found: UUID = client.read_dataset(dataset_name=name).id
        return found
    except LangSmithNotFoundError:
        made = _post(client, "/datasets", {"name": name, "data_type": "kv"})
        return UUID(made["id"])


def _session(client: Client, project: str) -> UUID | None:
    try:
        found: UUID = client.read_project(project_name=project).id
        return found
    except LangSmithNotFoundError:
        return None


def _post(client: Client, path: str, body: Any) -> Any:
    answer = client.request_with_retries("POST", path, request_kwargs={"json": body}, stop_after_attempt=2)
    return answer.json() if answer.content else {}


def _hash(value: Any) -> str:
    told = json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(told.encode()).hexdigest()[:_DIGITS]
