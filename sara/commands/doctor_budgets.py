"""The doctor's look at what language models may cost."""

from db.errors import DatabaseError
from sara.commands import budget
from sara.commands.findings import OK, WARN, Finding
from sara.settings import Settings


async def of_budgets(settings: Settings) -> list[Finding]:
    """Which businesses have used up their tokens; nothing where none has a budget, or no model is asked."""
    if settings.llm == "extractive" and settings.llm_fallback in (None, "extractive"):
        return []
    try:
        rows = await budget.read()
    except DatabaseError:
        return []  # already among the findings
    limited = [(slug, row) for slug, row in rows if row.tokens_per_day or row.tokens_per_month or row.over]
    over = [f"{slug} for the {row.over}" for slug, row in limited if row.over]
    if not limited:
        return []
    if over:
        mend = (
            "answers there are quoted, not worded; `sara budget list` shows it, `sara budget set` raises it"
        )
        return [Finding("tokens", WARN, f"used up: {', '.join(over)}", mend)]
    return [Finding("tokens", OK, f"{len(limited)} businesses have a budget, none has used it up")]
