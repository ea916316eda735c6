"""Sensitive matters go to a human at once, and not again for what a human has just handed back."""

from typing import Any

import pytest

from graph.state import State
from inference.sensitivity import Sensitivity, SensitivityScorer
from nodes.score_sensitivity import over_conversation
from tests.nodes.stage import Scripted, Stage, says


@pytest.mark.parametrize(
    ("slug", "text", "label"),
    [
        ("conti", "Il mio padrone di casa vuole sfrattarmi: posso fargli causa e vincerei?", "legal"),
        ("aurora", "Prendo il Coumadin da un mese, posso smettere prima del massaggio?", "medical"),
        ("aurora", "I have a strong pain in my chest and I can't breathe", "emergency"),
    ],
)
async def test_sensitive_messages_reach_a_human_before_any_model(
    stage: Stage, slug: str, text: str, label: str
) -> None:
    chat = Scripted(says("never asked"))
    thread = await stage.customer(slug, chat=chat)
    await thread.say(text)
    assert thread.state["sensitivity"]["label"] == label
    assert thread.state["sensitivity"]["escalate"] is True
    assert (await thread.conversation()).owner == "human"
    (handoff,) = await thread.handoffs()
    assert (handoff["reason"], handoff["label"]) == ("sensitive", label)
    assert chat.asked == []


async def test_an_ordinary_question_goes_on(stage: Stage) -> None:
    thread = await stage.customer()
    await thread.say("A che ora aprite sabato?")
    assert thread.state["sensitivity"]["label"] == "none"
    assert (await thread.conversation()).owner == "bot"


async def test_what_was_handed_back_is_not_handed_over_again_at_once(stage: Stage) -> None:
    thread = await stage.customer("conti", chat=Scripted(says("I don't know that.", abstained=True)))
    await thread.say("My landlord wants to evict me, can I sue him and would I win?")
    await thread.say("Would I win against my landlord if I sue him?")
    await thread.handed_back("Told her to come in on Monday.")
    assert (await thread.snapshot()).next == ()
    assert (await thread.conversation()).owner == "bot"
    assert len(await thread.handoffs()) == 1
    assert thread.state["outcome"]["kind"] != "handed_over"


async def test_an_emergency_among_what_waited_is_handed_over_even_then(stage: Stage) -> None:
    thread = await stage.customer()
    await thread.say("Vorrei parlare con una persona")
    await thread.say("Ho un dolore forte al petto e non respiro bene")
    await thread.handed_back("Risposto per telefono")
    assert [row["label"] for row in await thread.handoffs()] == ["emergency", "emergency"]
    assert "112" in thread.words


async def test_a_new_sensitive_message_after_a_hand_back_is_judged_anew(stage: Stage) -> None:
    thread = await stage.customer("conti")
    await thread.say("My landlord wants to evict me, can I sue him and would I win?")
    await thread.handed_back("Answered.")
    await thread.say("And can I sue my employer for firing me, would I win that too?")
    assert len(await thread.handoffs()) == 2
    assert thread.state["handoff"]["again"] is True


def hint(score: float) -> Sensitivity:
    """A message judged `score`, most likely medical, under the threshold of 0.5."""
    scores = {"none": 1 - score, "medical": score * 0.8, "legal": score * 0.2}
    return Sensitivity("none", score, False, (), scores)


def over(scorer: SensitivityScorer, *scores: float, kind: str = "customer_message") -> dict[str, Any]:
    """What a conversation of such messages comes to; the last event is of `kind`."""
    judged: dict[str, Any] = {}
    for number, score in enumerate(scores, 1):
        event = {"kind": kind if number == len(scores) else "customer_message"}
        state = State(event=event, language="it", sensitivity=judged)
        judged = over_conversation(state, hint(score), scorer, {"default": 0.5})
    return judged


async def test_hints_add_up_over_a_conversation(stage: Stage) -> None:
    scorer = (await stage.customer()).context.sensitivity
    assert over(scorer, 0.4)["label"] == "none"
    rising = over(scorer, 0.4, 0.4)
    assert (rising["label"], rising["escalate"]) == ("medical", True)
    assert rising["running"] > 0.5 > rising["score"]


async def test_a_harmless_message_never_escalates_and_hints_fade(stage: Stage) -> None:
    scorer = (await stage.customer()).context.sensitivity
    assert over(scorer, 0.45, 0.05)["escalate"] is False
    assert over(scorer, 0.4, 0.0, 0.0, 0.35)["escalate"] is False


async def test_what_a_human_handed_back_starts_from_nothing(stage: Stage) -> None:
    scorer = (await stage.customer()).context.sensitivity
    assert over(scorer, 0.4, 0.4, kind="hand_back")["escalate"] is False
