"""The corrections suite: rows the console kept in this installation's record, or those of a file."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import asdict, replace
from pathlib import Path

from api.library import Library
from crm import businesses
from crm import corrections as kept
from crm.record import Crm
from evals.result import Result
from evals.suites import corrections as suite
from evals.suites.corrections import Judged
from sara import services
from sara.settings import Settings


async def corrections(settings: Settings, dataset: Path | None, split: str | None) -> Result:
    """Of the record: every business's rows, each question asked again. Of a file: the drafts alone."""
    if dataset is not None:
        gold = await asyncio.to_thread(suite.load, dataset)
        result = suite.judge([Judged(row, None) for row in gold.rows])
        return replace(result, about={"rows": gold.path.name}, broken=gold.broken)
    async with AsyncExitStack() as stack:
        dsn = await stack.enter_async_context(services.database(settings))
        crm = await stack.enter_async_context(services.record(settings, dsn))
        client = await stack.enter_async_context(services.whatsapp(settings))
        library = Library(crm, lambda: services.reading(settings, dsn, crm, client))
        stack.push_async_callback(library.close)
        judged = await _of_record(crm, library)
    return replace(suite.judge(judged), about={"rows": "the record"})


async def _of_record(crm: Crm, library: Library) -> list[Judged]:
    async with crm.outside() as tx:
        everyone = await businesses.directory(tx)
    judged = []
    for entry in everyone:
        async with crm.transaction(entry.business_id) as tx:
            found = await kept.rows(tx)
            language = (await businesses.row(tx)).languages[0]
        for row in found:
            now = None
            if row.kind == "answer" and row.question:
                tried = await library.ask(entry.business_id, row.question, row.language or language)
                now = tried.reply
            judged.append(Judged(asdict(row), now))
    return judged
