"""Tokens of language models: counted by day where the business is, and answered without a model over them."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import UTC, date, datetime

import pytest_asyncio

from crm import budgets
from crm.errors import RecordUnavailable
from crm.record import Crm, Tx
from db.pool import Pool
from inference.chat import Answered, ModelChain, Proposal, Request
from inference.errors import BadModelOutput
from sara.budgeted import BudgetedChat
from tests.crm.conftest import Book
from tests.inference.test_chat import request

LATE = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)  # the first of December in Rome


@pytest_asyncio.fixture(loop_scope="session")
async def broke(book: Book) -> AsyncIterator[Book]:
    """The business without budgets and without anything used."""
    yield book
    await book.rows("DELETE FROM model_use")
    await book.rows("UPDATE business SET tokens_per_day = NULL, tokens_per_month = NULL")


class Talker:
    """A model that takes so many tokens; `fails` is raised instead."""

    def __init__(self, name: str, tokens: tuple[int, int] = (0, 0)) -> None:
        self.name = name
        self.asked = 0
        self._tokens = tokens

    async def propose(self, asked: Request) -> Answered:
        self.asked += 1
        usage = (
            {"input_tokens": self._tokens[0], "output_tokens": self._tokens[1]} if any(self._tokens) else {}
        )
        return Answered(Proposal(reply="ok", intent="answer", confidence=1), self.name, 0.0, usage)


async def state(book: Book) -> budgets.BudgetRow:
    async with book.crm.transaction(book.business_id) as tx:
        return await budgets.state(tx)


async def spend(book: Book, tokens: int) -> None:
    async with book.crm.transaction(book.business_id) as tx:
        await budgets.spend(tx, tokens_in=tokens, tokens_out=0)


async def limit(book: Book, *, per_day: int | None = None, per_month: int | None = None) -> None:
    async with book.crm.transaction(book.business_id) as tx:
        await budgets.put(tx, per_day=per_day, per_month=per_month)


async def test_a_day_is_the_businesss_own_and_a_month_adds_its_days_up(broke: Book) -> None:
    await spend(broke, 100)
    broke.clock.now = LATE.replace(hour=22)
    await spend(broke, 30)
    before_midnight = await state(broke)
    assert (before_midnight.day, before_midnight.used_today) == (date(2026, 11, 30), 30)
    assert (before_midnight.used_this_month, before_midnight.answers_this_month) == (130, 2)
    broke.clock.now = LATE
    after = await state(broke)
    assert (after.day, after.used_today, after.used_this_month) == (date(2026, 12, 1), 0, 0)


async def test_which_budget_is_used_up_and_until_when(broke: Book) -> None:
    await limit(broke, per_day=50, per_month=200)
    assert (await state(broke)).over is None
    await spend(broke, 50)
    day = await state(broke)
    assert (day.over, day.until, day.key) == ("day", date(2026, 11, 19), "2026-11-18")
    await spend(broke, 150)
    month = await state(broke)
    assert (month.over, month.until, month.key) == ("month", date(2026, 12, 1), "2026-11")
    await limit(broke)
    assert (await state(broke)).over is None


async def test_no_business_sees_or_spends_what_is_anothers(broke: Book) -> None:
    await spend(broke, 70)
    [other] = await broke.rows("SELECT business_id FROM business WHERE slug = 'aurora'")
    async with broke.crm.transaction(other["business_id"]) as tx:
        assert (await budgets.state(tx)).used_this_month == 0
        await budgets.spend(tx, tokens_in=5, tokens_out=5)
    assert (await state(broke)).used_this_month == 70


async def test_over_the_budget_the_model_is_not_asked(broke: Book) -> None:
    model, without = Talker("openai:big", (700, 60)), Talker("extractive")
    chat = BudgetedChat(model, without, broke.crm, lambda: broke.business_id)
    await limit(broke, per_day=1500)
    answers = [(await chat.propose(request())).model for _ in range(4)]
    # 760 and 1520: the second goes a little over, the third is the first without the model.
    assert answers == ["openai:big", "openai:big", "extractive", "extractive"]
    assert (model.asked, (await state(broke)).used_today) == (2, 1520)
    broke.clock.now = LATE
    assert (await chat.propose(request())).model == "openai:big"


class Babbler:
    """A model that takes tokens and never answers with a proposal."""

    name = "openai:mad"
    asked = 0

    async def propose(self, asked: Request) -> Answered:
        self.asked += 1
        raise BadModelOutput("not a proposal", usage={"input_tokens": 700, "output_tokens": 60})


async def test_a_model_that_never_answers_in_the_schema_uses_its_budget_up(broke: Book) -> None:
    mad, without = Babbler(), Talker("extractive")
    chain = ModelChain([mad, without])
    chat = BudgetedChat(chain, without, broke.crm, lambda: broke.business_id)
    await limit(broke, per_day=1500)
    assert [(await chat.propose(request())).model for _ in range(3)] == ["extractive"] * 3
    assert (mad.asked, (await state(broke)).used_today) == (2, 1520)


async def test_a_budget_of_nothing_is_a_business_without_a_model(broke: Book) -> None:
    model = Talker("openai:big", (700, 60))
    chat = BudgetedChat(model, Talker("extractive"), broke.crm, lambda: broke.business_id)
    await limit(broke, per_month=0)
    assert (await chat.propose(request())).model == "extractive"
    assert model.asked == 0


async def test_work_of_no_business_is_not_counted(broke: Book) -> None:
    chat = BudgetedChat(Talker("openai:big", (700, 60)), Talker("extractive"), broke.crm, lambda: None)
    assert (await chat.propose(request())).model == "openai:big"
    assert await broke.rows("SELECT * FROM model_use") == []


async def test_an_answer_is_not_lost_because_it_could_not_be_counted(broke: Book, record_pool: Pool) -> None:
    class GoesAway(Crm):
        def transaction(self, business_id: int) -> AbstractAsyncContextManager[Tx]:
            if model.asked:
                raise RecordUnavailable("the database went away")
            return broke.crm.transaction(business_id)

    model = Talker("openai:big", (700, 60))
    chat = BudgetedChat(model, Talker("extractive"), GoesAway(record_pool), lambda: broke.business_id)
    assert (await chat.propose(request())).model == "openai:big"
    assert (await state(broke)).used_today == 0
