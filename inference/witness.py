"""A second witness for what a model says the customer wants.

Small models start a cancellation when somebody asks for a price. The classifier and the plain words of the
message cost nothing and are never talked into anything, so that a model's word for an action counts only
where they do not speak against it. A person is called on the model's word alone: that is the safe side.
"""

import re
from collections.abc import Mapping

from inference.advice import advice
from inference.chat import Intent, Proposal
from inference.extractive import TOOL_INTENTS, respond, said_outright, says_act
from inference.material import Material, Piece

# What the classifier calls the matter of an intent; a class of its own where it has one.
_MATTER: Mapping[str, tuple[str, ...]] = {
    "reschedule_appointment": ("reschedule_cancel", "book_appointment"),
    "cancel_appointment": ("reschedule_cancel",),
    "list_my_appointments": ("reschedule_cancel", "book_appointment"),
    "accept_quote": ("request_quote",),
    "quote_status": ("request_quote",),
    "ticket_status": ("open_ticket",),
    "update_contact": ("other", "reschedule_cancel"),
}
_TALK: tuple[Intent, ...] = ("answer", "greeting", "other")
# Out of fold on the classifier's training rows: under 0.05, and without a word that names the act, it speaks
# against 1.5 % of right intents and 86 % of wrong ones; at 0.9 it is right in 95 of 100.
_AGAINST = 0.05
_SURE, _LIKELY = 0.9, 0.5
_FIGURES = re.compile(r"\d")


def witnessed(proposal: Proposal, material: Material, *, pending: str | None = None) -> Proposal:
    """The proposal, or what is proposed without a model where the model's intent is denied.

    `pending` is the intent whose questions are being answered: short answers to them look like anything, so
    that nothing else is started there on the classifier's word. What leads to a person by itself stays as it
    is. Without the classifier's scores the model is believed.
    """
    if not material.scores or _alarming(proposal):
        return proposal
    own = respond(material)
    wanted = own.intent not in _TALK and pending is None and _outright(own, material)
    if proposal.intent in _TALK and own.intent in _TALK:
        denied = own.intent == "answer" and _beside_the_point(proposal, own, material)
    elif proposal.intent in _TALK:
        denied = wanted
    elif proposal.intent in (own.intent, pending):
        denied = False
    else:
        narrower = own.intent in _MATTER.get(proposal.intent, ()) and said_outright(material.text) is None
        denied = not narrower and (wanted or _denied(proposal.intent, own, material))
    return own if denied else proposal


def _alarming(proposal: Proposal) -> bool:
    """Whether a proposal leads to a person by itself: what it says instead must not hide that."""
    if proposal.sensitive or proposal.intent == "escalate_to_human":
        return True
    return proposal.intent in _TALK and advice(proposal.reply) is not None


def _outright(own: Proposal, material: Material) -> bool:
    """Whether plain words ask for the action, or the classifier is sure of it."""
    return said_outright(material.text) == own.intent or material.confidence >= _SURE


def _beside_the_point(proposal: Proposal, own: Proposal, material: Material) -> bool:
    """Whether a live fact with figures was asked for and the reply has none: prices and hours are told from
    the record, never around it. Wrong figures are the grounding check's to find."""
    told = any(_FIGURES.search(fact.text) for fact in _facts_of(own, material))
    return told and not _FIGURES.search(proposal.reply)


def _facts_of(own: Proposal, material: Material) -> list[Piece]:
    """The live facts that were asked for and that the answer tells."""
    cited = (piece for piece in material.pieces if piece.id in own.citations)
    return [piece for piece in cited if piece.kind == "fact" and piece.asked]


def _denied(intent: str, own: Proposal, material: Material) -> bool:
    if intent in _MATTER and own.intent == "answer" and not own.abstained:
        # The classifier knows only its neighbours: a question whose answer is at hand is answered.
        asks = material.intent == "answer" and material.confidence >= _LIKELY
        if asks or ("?" in material.text and _facts_of(own, material)):
            return True
    matter = _MATTER.get(intent, (intent,))
    likely = sum(material.scores.get(name, 0.0) for name in matter)
    return likely < _AGAINST and not any(
        says_act(material.text, name) for name in matter if name in TOOL_INTENTS
    )
