"""`sara eval --langsmith`: what was measured, to LangSmith."""

from dataclasses import dataclass
from datetime import UTC, datetime

from langsmith import Client
from langsmith.utils import LangSmithError

from crm import businesses
from crm import corrections as kept
from crm.corrections import TracedRow
from evals.report import Reported
from sara import langsmith_upload, services
from sara.commands.failures import CommandFailed
from sara.commands.loop import run
from sara.langsmith import opened
from sara.settings import LangSmith, Settings, langsmith


@dataclass(frozen=True)
class Uploads:
    """Where to, and under what name."""

    client: Client
    options: LangSmith

    @classmethod
    def opened(cls) -> "Uploads":
        """Raises CommandFailed without a key."""
        options = langsmith()
        if options.api_key is None:
            raise CommandFailed("--langsmith needs LANGSMITH_API_KEY, a key of LangSmith's")
        return cls(opened(options), options)

    def send(self, settings: Settings, suite: Reported, began: datetime, *, of_record: bool) -> str:
        """Sends a suite's run, or this installation's corrections; says what was sent.

        Raises CommandFailed when LangSmith does not take it.
        """
        try:
            return self._corrections(settings) if of_record else self._experiment(suite, began)
        except (LangSmithError, OSError) as error:
            raise CommandFailed(
                f"LangSmith did not take {suite.result.suite}: {type(error).__name__}: {error}"[:400]
            ) from error

    def _experiment(self, suite: Reported, began: datetime) -> str:
        sent = langsmith_upload.experiment(self.client, suite.result, suite.gates, began, datetime.now(UTC))
        if not sent.rows:
            return f"LangSmith: {suite.result.suite} has no rows to send\n"
        what = "has it already" if sent.known else f"took {sent.rows} rows"
        return f"LangSmith {what}: {sent.experiment}, on {sent.dataset}\n"

    def _corrections(self, settings: Settings) -> str:
        said = []
        for business, (business_id, rows) in run(_traced(settings), log_level="error").items():
            new = langsmith_upload.corrections(self.client, self.options.project, business_id, rows)
            told = ", ".join(f"{number} {what}" for what, number in new.items())
            said.append(f"LangSmith, corrections of {business}: {told}\n")
        return "".join(said) or "LangSmith: there are no corrections\n"


async def _traced(settings: Settings) -> dict[str, tuple[int, list[TracedRow]]]:
    """Every business's corrections, by its slug."""
    found = {}
    async with services.database(settings) as dsn, services.record(settings, dsn) as crm:
        async with crm.outside() as tx:
            everyone = await businesses.directory(tx)
        for entry in everyone:
            async with crm.transaction(entry.business_id) as tx:
                rows = await kept.traced(tx)
            if rows:
                found[entry.slug] = (entry.business_id, rows)
    return found
