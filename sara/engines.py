"""The engines of the model chain, each behind a gate, and the chain within each business's budget."""

from crm.record import Crm
from db.tenancy import NoTenant, current_tenant
from inference.chat import ChatModel
from inference.extractive import ExtractiveResponder
from inference.gate import Gate
from inference.limited import LimitedChat
from jobs.watching import Watching
from sara.budgeted import BudgetedChat
from sara.settings import Settings


def business_at_work() -> int | None:
    """The business that the running code acts for; None where it acts for none."""
    try:
        return current_tenant()
    except NoTenant:
        return None


class Gates:
    """One gate for each engine: models of the same engine share its places."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._gates: dict[str, Gate] = {}

    def limit(self, model: ChatModel) -> ChatModel:
        """The model, asked no more often at once than SARA_LLM_AT_ONCE allows."""
        engine = model.name.partition(":")[0]
        if engine not in self._gates:
            most, patience = self._settings.llm_at_once, self._settings.llm_wait_s
            self._gates[engine] = Gate(engine, most=most, patience_s=patience)
        return LimitedChat(model, self._gates[engine], business_at_work)


def within_budget(
    chain: ChatModel, crm: Crm, settings: Settings, watching: Watching | None = None
) -> ChatModel:
    """The chain with every business's tokens counted; as it is where no engine is asked."""
    if settings.llm == "extractive" and settings.llm_fallback in (None, "extractive"):
        return chain
    return BudgetedChat(chain, ExtractiveResponder(), crm, business_at_work, watching)
