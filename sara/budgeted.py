"""Language models within each business's budget of tokens. What lies over it is answered without a model."""

import structlog

from crm import budgets
from crm.errors import RecordUnavailable
from crm.record import Crm
from inference.chat import Answered, ChatModel, Request
from inference.gate import Whose
from jobs.watching import Watching

log = structlog.get_logger(__name__)


class BudgetedChat:
    """A chain whose answers are counted for the business they are given for.

    `without` answers once the tokens are used up, and needs none. Work of no business is not counted.
    """

    def __init__(
        self, chain: ChatModel, without: ChatModel, crm: Crm, whose: Whose, watching: Watching | None = None
    ) -> None:
        self._chain = chain
        self._without = without
        self._crm = crm
        self._whose = whose
        self._watching = watching

    @property
    def name(self) -> str:
        """The chain's."""
        return self._chain.name

    async def propose(self, request: Request) -> Answered:
        """As the chain's own. Raises what the chain raises, and RecordUnavailable."""
        business_id = self._whose()
        if business_id is None:
            return await self._chain.propose(request)
        over = (await budgets.look(self._crm, business_id)).over
        if over is not None:
            log.info("tokens_used_up", business_id=business_id, of=over)
            if self._watching is not None:
                self._watching.metrics.model(self.name, "over_budget", 0.0, {})
            return await self._without.propose(request)
        answered = await self._chain.propose(request)
        await self._count(business_id, answered)
        return answered

    async def _count(self, business_id: int, answered: Answered) -> None:
        read, written = answered.usage.get("input_tokens", 0), answered.usage.get("output_tokens", 0)
        if not read and not written:
            return
        try:
            async with self._crm.transaction(business_id) as tx:
                await budgets.spend(tx, tokens_in=read, tokens_out=written)
        except RecordUnavailable as error:  # the answer is there: it must not be asked for again
            log.warning(
                "tokens_not_counted", business_id=business_id, tokens=read + written, error=str(error)
            )
