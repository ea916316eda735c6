"""Past turns under other settings: what would have been said, and to whom the customer would have gone."""

import heapq
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

from crm import businesses, conversations, rehearsal
from crm.errors import RecordUnavailable, UnknownConversation
from crm.record import Crm
from crm.rehearsal import Rehearsal
from db.checkpoints import TenantSaver
from db.pool import open_pool
from db.tenancy import tenant
from graph.build import Machine, build
from graph.context import Context
from graph.replay import CheckpointGone, PastTurn, Told, again, past_turns, stubbed
from inference.chat import ChatModel
from inference.errors import InferenceError
from sara import services
from sara.settings import Settings

# What has a say in a turn and can be put in place of what is there without anything being read again.
SETTABLE = (
    *("llm", "llm_fallback", "llm_base_url", "llm_timeout_s", "ollama_base_url"),
    *("abstain_below", "confidence_below"),
)
_PAGE = 50


@dataclass(frozen=True)
class Replayed:
    """A turn run again. `before` is what it is compared with: what was said then or, where a setting was
    changed, what today's settings say to it. `moved_on` names what those say otherwise than then, because
    the record, the knowledge or the program is another."""

    turn: PastTurn
    before: Told
    after: Told | None
    moved_on: tuple[str, ...] = ()
    problem: str | None = None

    @property
    def changed(self) -> tuple[str, ...]:
        """What would be different: handoff, label, intent, outcome, reply."""
        return self.before.differs(self.after) if self.after is not None else ()

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "thread": self.turn.thread_id,
            "turn": self.turn.turn_id,
            "checkpoint": self.turn.checkpoint_id,
            "at": self.turn.at.isoformat(),
            "text": self.turn.text,
            "then": asdict(self.turn.told),
            "before": asdict(self.before),
            "after": asdict(self.after) if self.after else None,
            "changed": list(self.changed),
            "moved_on": list(self.moved_on),
            "problem": self.problem,
        }


@dataclass(frozen=True)
class Stage:
    """What past turns are run again on."""

    crm: Crm
    machine: Machine
    context: Context


@asynccontextmanager
async def stage(settings: Settings) -> AsyncIterator[Stage]:
    """The record, the checkpoints and the models of this installation; nothing of them is changed."""
    async with AsyncExitStack() as stack:
        dsn = await stack.enter_async_context(services.database(settings))
        crm = await stack.enter_async_context(services.record(settings, dsn))
        client = await stack.enter_async_context(services.whatsapp(settings))
        context = await stack.enter_async_context(services.thinking(settings, dsn, crm, client))
        checkpoints = await open_pool(dsn, max_size=2, name="replay", pooled=settings.pooled)
        stack.push_async_callback(checkpoints.close)
        context = replace(context, chat=chat_of(settings))
        yield Stage(crm, build(TenantSaver(checkpoints, services.state_cipher(settings))), context)


def chat_of(settings: Settings) -> ChatModel:
    """The model of SARA_LLM, `smollm2` among them. Raises ModelMissing."""
    if settings.llm == "smollm2":
        from sara.smollm2 import SmolLM2  # an optional package, and 100 MB of weights

        return SmolLM2.load()
    return services.chat_model(settings)


def under(context: Context, settings: Settings) -> Context:
    """The context with model and thresholds of other settings. Raises ModelMissing."""
    return replace(context, chat=chat_of(settings), tuning=services.tuning(settings))


async def of_thread(here: Stage, thread_id: str, *, at: str | None = None) -> list[PastTurn]:
    """The turns of a thread, or the one that checkpoint `at` belongs to.

    Raises UnknownConversation for no thread of ours, CheckpointGone.
    """
    business, _, conversation = thread_id.partition(":")
    if not (business.isdigit() and conversation.isdigit()):
        raise UnknownConversation(f"{thread_id!r} is no thread: write business:conversation, as in 1:23")
    async with here.crm.transaction(int(business)) as tx:
        await conversations.get(tx, int(conversation))
    with tenant(int(business)):
        turns = await past_turns(here.machine, thread_id)
    if at is None:
        return turns
    found = [turn for turn in turns if at in turn.checkpoints]
    if not found:
        raise CheckpointGone(CheckpointGone.__doc__)
    return found


async def latest(
    here: Stage, most: int, *, business: str | None = None, handed_over: bool = False
) -> list[PastTurn]:
    """The last `most` turns, of one business or of all, oldest first; on request those handed over."""
    async with here.crm.outside() as tx:
        owners = (
            [await businesses.of_slug(tx, business)]
            if business
            else [entry.business_id for entry in await businesses.directory(tx)]
        )
    found = [
        turn for owner in owners for turn in await _latest_of(here, owner, most, handed_over=handed_over)
    ]
    return sorted(heapq.nlargest(most, found, key=_when), key=_when)


def _when(turn: PastTurn) -> tuple[Any, ...]:
    return turn.at, turn.thread_id, turn.turn_id


async def _latest_of(here: Stage, business_id: int, most: int, *, handed_over: bool) -> list[PastTurn]:
    """Conversation by conversation, until none that is left can hold a turn later than those found."""
    found: list[PastTurn] = []
    skip = 0
    while True:
        async with here.crm.transaction(business_id) as tx:
            page = await rehearsal.of_late(tx, handed_over=handed_over, most=_PAGE, skip=skip)
        for row in page:
            if len(found) >= most and min(turn.at for turn in found) > row.last_activity_at:
                return found
            with tenant(business_id):
                turns = await past_turns(here.machine, row.thread_id)
            found += [turn for turn in turns if turn.told.handoff or not handed_over]
            found = heapq.nlargest(most, found, key=_when)
        if len(page) < _PAGE:
            return found
        skip += _PAGE


async def replay(
    here: Stage, turns: Sequence[PastTurn], changed: Context | None, *, at: str | None = None
) -> list[Replayed]:
    """Runs turns again, one after another, with all effects stubbed.

    With a `changed` context a turn is run twice, as things are and as they would be, so that what differs
    is the change's doing and not the calendar's or a price's. One that cannot be run says why.
    """
    return [await _replayed(here, turn, changed, at) for turn in turns]


async def _replayed(here: Stage, turn: PastTurn, changed: Context | None, at: str | None) -> Replayed:
    try:
        today = await _once(here, here.context, turn, at)
        if changed is None:
            return Replayed(turn, turn.told, today)
        return Replayed(turn, today, await _once(here, changed, turn, at), turn.told.differs(today))
    except (CheckpointGone, RecordUnavailable, InferenceError) as error:
        return Replayed(turn, turn.told, None, problem=str(error) or type(error).__name__)


async def _once(here: Stage, context: Context, turn: PastTurn, at: str | None) -> Told:
    def clock() -> Any:
        return turn.at

    async with here.crm.transaction(turn.business_id) as tx:
        epoch = (await conversations.get(tx, turn.conversation_id)).epoch
    with tenant(turn.business_id):
        async with Rehearsal.of(here.crm, clock) as record:
            return await again(here.machine, stubbed(context, clock, crm=record), turn, epoch=epoch, at=at)


def overrides(given: Sequence[str], model: str | None) -> Mapping[str, str]:
    """Settings by field from `SARA_X=value` pairs and --model. Raises ValueError saying what is wrong."""
    found: dict[str, str] = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        key = name.removeprefix("SARA_").lower()
        if not equals or not name.startswith("SARA_"):
            raise ValueError(f"{pair!r}: write SARA_ABSTAIN_BELOW=0.5")
        if key not in SETTABLE:
            known = ", ".join(f"SARA_{one.upper()}" for one in SETTABLE)
            raise ValueError(f"{name} cannot be tried here: {known} can")
        found[key] = value
    if model is not None:
        found["llm"] = model
    return found
