"""Another embedding model for what is there already, while the model of before goes on answering."""

from collections.abc import Callable, Sequence

from db.tenancy import tenant
from knowledge.errors import KnowledgeUnavailable
from knowledge.store import UNREACHABLE, KnowledgeStore
from knowledge.vectors import coverage, fill

Progress = Callable[[int, int], None]


async def reindex(
    store: KnowledgeStore, business_ids: Sequence[int], *, progress: Progress | None = None
) -> int:
    """Embeds every passage that has no vector of the store's model yet; returns how many it embedded.

    Passages are taken from the base itself, no file is read. What other processes ingest meanwhile with
    another model is embedded too, as long as it comes before its business has been gone through; a second
    run takes the rest. `progress` hears (passages embedded, passages in all).

    Raises KnowledgeUnavailable and what the embedder raises; what was finished before stays.
    """
    try:
        return await _reindex(store, business_ids, progress)
    except UNREACHABLE as error:
        raise KnowledgeUnavailable(KnowledgeUnavailable.__doc__) from error


async def _reindex(store: KnowledgeStore, business_ids: Sequence[int], progress: Progress | None) -> int:
    total, there = 0, 0
    for business_id in business_ids:
        with tenant(business_id):
            passages, embedded = await coverage(store, business_id)
        total, there = total + passages, there + embedded
    made = 0
    for business_id in business_ids:
        with tenant(business_id):
            while done := await fill(store, business_id):
                made += done
                if progress:
                    progress(there + made, total)
    return made
