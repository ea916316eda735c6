"""A model reads a hand-over for whoever takes it: a summary, and a draft of the answer.

The hand-over has both from the start, put together without a model; what a model writes takes their place
only where it is supported: the summary by the conversation itself, the draft by facts and passages, checked
as SARA's own answers are.
"""

from pathlib import Path
from string import Template

import structlog
from babel import Locale
from procrastinate import Blueprint, JobContext

from crm import businesses, contacts, handoffs, queue
from crm.businesses import Profile
from crm.handoffs import HandoffRow
from db.tenancy import tenant
from graph.context import Context
from graph.run import remembered
from graph.state import Event, Line, State
from inference.chat import Request
from inference.errors import InferenceError
from inference.grounding import Source, check
from inference.material import Material
from jobs.services import Services, services_of
from jobs.trial import trial
from nodes.check_grounding import ANSWERING
from nodes.generate import loops

log = structlog.get_logger(__name__)

PROMPT = Path(__file__).with_suffix(".md")
TURN = "---turn---\n"
_MOST_CHARACTERS = 700


def blueprint() -> Blueprint:
    """The task of this file, for one app: adding a blueprint to an app renames its tasks."""
    made = Blueprint()
    made.task(name="brief", queue=queue.TURNS, pass_context=True)(brief)
    return made


async def brief(job: JobContext, *, business_id: int, handoff_id: int) -> None:
    """Writes summary and draft of one hand-over; without a model that answers it stays as it is."""
    with tenant(business_id), structlog.contextvars.bound_contextvars(handoff_id=handoff_id):
        await brief_once(services_of(job), business_id, handoff_id)


async def brief_once(services: Services, business_id: int, handoff_id: int) -> None:
    """The same, where the tenant is known."""
    context = services.context
    async with context.crm.transaction(business_id) as tx:
        handoff = await handoffs.get(tx, handoff_id)
        profile = await businesses.profile(tx)
        contact = await contacts.get(tx, handoff.contact_id)
    if handoff.status not in handoffs.OPEN:
        return
    state = await remembered(services.machine, handoff.thread_id)
    window = state.get("window", [])
    language = contact.language or profile.language
    summary, model = await _summary(context, profile, handoff, window)
    draft, writer = (handoff.draft, None)
    if not handoff.draft and handoff.label is None:
        draft, writer = await _draft(context, state, language)
    written_by = model or writer
    if written_by is None:
        return
    async with context.crm.transaction(business_id) as tx:
        await handoffs.write(
            tx, handoff_id, summary=summary or handoff.summary, draft=draft, written_by=written_by
        )


async def _summary(
    context: Context, profile: Profile, handoff: HandoffRow, window: list[Line]
) -> tuple[str | None, str | None]:
    """A model's summary and its name; nothing where it failed, or said what the conversation does not."""
    said = "\n".join(f"{line['author']}: {line['text']}" for line in window if line.get("text"))
    system, turn = PROMPT.read_text(encoding="utf-8").split(TURN)
    language = Locale.parse(profile.language).english_name or profile.language
    request = Request(
        system=Template(system).substitute(business=profile.business.name, language=language),
        turn=Template(turn).substitute(reason=handoff.reason, conversation=_fenced(said)),
        material=_nothing(context, profile),
    )
    try:
        answered = await context.chat.propose(request)
    except InferenceError as error:
        log.info("no_summary", error=str(error))
        return None, None
    words = answered.proposal.reply.strip()
    if answered.model == context.last_resort.name or not words or loops(words):
        return None, None
    known = " ".join(filter(None, [said, handoff.contact_name, profile.business.name, handoff.reason]))
    report = check(words, [Source("conversation", known, trusted=True)], profile.language)
    if not report.supported or len(words) > _MOST_CHARACTERS:
        log.info("summary_not_supported", claims=len(report.unsupported))
        return None, None
    return words, answered.model


def _fenced(said: str) -> str:
    return said.replace("<<<", "‹‹‹").replace(">>>", "›››")


def _nothing(context: Context, profile: Profile) -> Material:
    """For a responder that reads no prompt there is nothing to summarise."""
    return Material(
        text="",
        language=profile.language,
        language_name=lambda code: code,
        intent="other",
        confidence=0.0,
        pieces=(),
        business=profile.business.name,
        contact=None,
        first_turn=False,
        abstain_below=context.tuning.abstain_below,
        say=context.phrases.speaker(profile.language),
    )


async def _draft(context: Context, state: State, language: str) -> tuple[str, str | None]:
    """An answer to what the customer wrote last, through the same steps as SARA's own, and who wrote it."""
    event = state.get("event")
    if not event or not any(said.get("text") for said in event.get("messages", [])):
        return "", None
    # A copy, so that nothing of the thread is touched; a hand-back so that nobody is handed over again.
    asked = Event(**{**event, "kind": "hand_back"})
    try:
        trying = await trial(context, {**state, "event": asked, "language": language})
    except InferenceError as error:
        log.info("no_draft", error=str(error))
        return "", None
    if trying is None:
        return "", None
    proposal, supported = trying.get("proposal", {}), trying.get("grounding", {}).get("supported", False)
    if not supported or proposal.get("abstained") or proposal.get("intent") not in ANSWERING:
        return "", None
    return str(proposal["reply"]), str(proposal.get("model"))
