"""The interface's own sentences in the languages of its people: a catalogue apart, English being the key."""

from pathlib import Path

from fastapi import Request

from crm.configure import NobodyAble, TermsRefused, UnknownSetting
from crm.errors import (
    BotSpeaks,
    ContactBusy,
    FactorHeld,
    FactorUnreadable,
    FileRefused,
    HandoffClosed,
    HeldByColleague,
    NewerConversation,
    OwnFactorFirst,
    RecordError,
    RecordUnavailable,
    SomethingOpen,
    TooManyLogins,
    UnknownAgent,
    UnknownContact,
    WindowOver,
    WrongCode,
)
from crm.library import EndsBeforeItBegins, UnknownDocument
from crm.merging import SameContact
from crm.proposals import NoQuestion, ProposalClosed, ProposalConflict, StaleProposal, UnknownProposal
from knowledge.phrases import Phrases, Say

LOCALES = Path(__file__).with_name("locales")
LANGUAGES = {"en": "English", "it": "Italiano", "es": "Español", "pt": "Português"}
LANGUAGE_COOKIE = "sara_language"


def load() -> Phrases:
    """The interface's catalogues."""
    return Phrases.load(LOCALES)


def language_of(request: Request) -> str:
    """What somebody chose here, else the first language of their browser that there is."""
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    if chosen in LANGUAGES:
        return chosen
    for part in request.headers.get("accept-language", "").split(","):
        code = part.split(";")[0].strip()[:2].lower()
        if code in LANGUAGES:
            return code
    return "en"


def reason(say: Say, key: str | None) -> str:
    """Why a human is needed, in words."""
    known = {
        "sensitive": say("Sensitive"),
        "customer_request": say("Asked for a person"),
        "voice_unclear": say("Voice note not understood"),
        "attachment": say("Sent a file"),
        "low_score": say("Not satisfied"),
        "flooding": say("Too many messages"),
        "low_confidence": say("SARA is not sure"),
        "ungrounded": say("No supported answer"),
        "model_exhausted": say("No model answered"),
        "tool_failed": say("An action failed"),
        "turn_failed": say("SARA failed"),
        "agent_takeover": say("Taken over"),
        "owner_on_phone": say("Answered on the phone"),
        "reopened": say("Reopened"),
        "human_owns": say("Taken over"),
    }
    return known.get(key or "", (key or "").replace("_", " ").capitalize())


def label(say: Say, key: str | None) -> str:
    """What a sensitive matter is about."""
    known = {
        "legal": say("Legal"),
        "medical": say("Medical"),
        "financial": say("Financial"),
        "emergency": say("Emergency"),
    }
    return known.get(key or "", key or "")


def step(say: Say, kind: str) -> str:
    """What was done to a hand-over."""
    known = {
        "claimed": say("took the conversation"),
        "taken_over": say("took over from SARA"),
        "transferred": say("passed it on"),
        "released": say("Nobody answered: back to the queue"),
        "returned": say("handed back to SARA"),
        "resolved": say("resolved it"),
        "reopened": say("reopened it"),
        "apologised": say("The customer was told that it takes longer"),
        "acted": say("did this"),
    }
    return known.get(kind, kind)


def happening(say: Say, kind: str, what: str) -> str:
    """What an entry of a customer's timeline says: the state of a thing, or the kind of an event."""
    states = {
        "booked": say("booked"),
        "held": say("held"),
        "completed": say("came"),
        "no_show": say("did not come"),
        "cancelled": say("cancelled"),
        "requested": say("requested"),
        "issued": say("issued"),
        "accepted": say("accepted"),
        "declined": say("declined"),
        "expired": say("expired"),
        "pending": say("to come"),
        "ready": say("ready"),
        "void": say("nothing to pay"),
        "open": say("open"),
        "in_progress": say("being looked at"),
        "closed": say("closed"),
    }
    events = {
        "appointment_booked": say("Appointment booked"),
        "appointment_moved": say("Appointment moved"),
        "appointment_cancelled": say("Appointment cancelled"),
        "appointment_completed": say("Came"),
        "appointment_missed": say("Did not come"),
        "quote_requested": say("Quote asked for"),
        "quote_issued": say("Quote sent"),
        "quote_accepted": say("Quote accepted"),
        "quote_declined": say("Quote declined"),
        "ticket_opened": say("Ticket opened"),
        "handed_over": say("Handed over to the team"),
        "hand_back": say("handed back to SARA"),
        "resolve": say("resolved it"),
        "contact_edited": say("Entry changed"),
        "contact_merged": say("Entries merged"),
        "nps_answered": say("Answered how likely they are to recommend us"),
    }
    known = events if kind == "event" else states
    return known.get(what, what.replace("_", " "))


def problem(say: Say, error: Exception) -> str:
    """What went wrong, for the person in front of it."""
    if isinstance(error, HeldByColleague):
        who = error.colleague or say("A colleague")
        return say("{name} has this conversation. Your text is still here.", name=who)
    if isinstance(error, NobodyAble):
        at = error.place
        return say("Nobody at {place} can do this yet: first have somebody entered who can.", place=at)
    known: dict[type[RecordError], str] = {
        HandoffClosed: say("This was already handed back or resolved."),
        BotSpeaks: say("SARA has this conversation: take it over first."),
        WindowOver: say("The 24 hours are over: only a template may be sent."),
        NewerConversation: say("The customer has a newer open conversation: go on there."),
        FileRefused: say("This file cannot be sent: picture, PDF, office file, text, sound or video, 16 MB."),
        UnknownAgent: say("No such colleague."),
        UnknownSetting: say("There is nothing of that name to be changed."),
        TermsRefused: say("This cannot be taken as it is: look at the fields marked."),
        UnknownDocument: say("No such document: it may have been deleted meanwhile."),
        EndsBeforeItBegins: say("A document cannot stop being valid before it begins to be."),
        UnknownProposal: say("No such proposal: it may have been decided meanwhile."),
        ProposalClosed: say("This was already decided."),
        ProposalConflict: say("The lists contradict each other on this: reject what is wrong first."),
        NoQuestion: say("This does not ask whether two services are the same: accept or reject it."),
        StaleProposal: say("The record has changed since this was proposed: upload the list again."),
        SameContact: say("That is the same customer: name another entry."),
        UnknownContact: say("No such customer: give the whole phone number, or # and the entry's number."),
        ContactBusy: say("SARA is answering this customer at this moment: try again in a few seconds."),
        SomethingOpen: say("Both have an open conversation with a person: hand back or resolve one first."),
        RecordUnavailable: say("The database does not answer. Try again in a moment."),
        WrongCode: say("This code is not right, or was used before: take the next one in your app."),
        TooManyLogins: say("Too many wrong codes. Wait, or ask your admin to reset it."),
        FactorUnreadable: say(
            "Codes of the app cannot be checked now: use a recovery code or ask your admin."
        ),
        FactorHeld: say("This second factor cannot be changed here: ask whoever runs SARA."),
        OwnFactorFirst: say("Set up your own second factor first, then ask it of others."),
    }
    return next((text for kind, text in known.items() if isinstance(error, kind)), str(error))
