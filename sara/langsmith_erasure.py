"""What LangSmith knows of a customer, deleted when the customer is erased."""

from collections.abc import Sequence
from typing import Any

from langsmith import Client
from langsmith.utils import LangSmithError, LangSmithNotFoundError

from graph.langsmith import thread_of
from sara.langsmith import opened
from sara.langsmith_upload import dataset_of
from sara.settings import LangSmith


def forget(options: LangSmith, threads: Sequence[str]) -> dict[str, Any]:
    """Asks LangSmith to delete these threads' traces, and the dataset rows made of agents' words in them.

    Says what came of it; never raises, for the record is erased by then. `status` is `not_used` without a
    key, `asked`, or `failed`: then `post` and `body` are the request that is still to be made. Traces go at a
    time of LangSmith's own choosing: https://docs.langchain.com/langsmith/data-purging-compliance.
    """
    named = [thread_of(options.project, thread) for thread in threads]
    body = {"metadata": {"thread_id": named}}
    post = f"{options.endpoint.rstrip('/').removesuffix('/api/v1').removesuffix('/api')}/api/v1/runs/delete"
    told: dict[str, Any] = {"post": post, "body": body, "status": "not_used", "dataset_rows": 0}
    if options.api_key is None or not threads:
        return told
    client = opened(options)
    try:
        client.request_with_retries("POST", post, request_kwargs={"json": body}, stop_after_attempt=2)
        rows = _rows_of(client, options.project, named)
        if rows:
            client.delete_examples(rows, hard_delete=True)
    except (LangSmithError, OSError) as error:
        return {**told, "status": "failed", "problem": f"{type(error).__name__}: {error}"[:500]}
    return {**told, "status": "asked", "dataset_rows": len(rows)}


def _rows_of(client: Client, project: str, threads: Sequence[str]) -> list[str]:
    try:
        dataset_id = client.read_dataset(dataset_name=dataset_of(project)).id
    except LangSmithNotFoundError:
        return []
    return [
        str(example.id)
        for thread in threads
        for example in client.list_examples(
            dataset_id=dataset_id, metadata={"thread_id": thread}, select="id"
        )
    ]
