"""What the trail says that somebody did, in words."""

from api.console import words
from knowledge.phrases import Say


def deed(say: Say, kind: str, what: str) -> str:
    """One line's deed: a look, a change or an entry."""
    known = {"look": _looks, "change": _changes, "entry": _entries}[kind](say)
    if what in known:
        return known[what]
    step = words.step(say, what)
    return step if step != what else words.happening(say, "event", what)


def via(say: Say, how: str) -> str:
    """By which door."""
    return {"console": say("console"), "api": "API", "terminal": say("terminal")}.get(how, how)


def _looks(say: Say) -> dict[str, str]:
    return {
        "conversation": say("opened the conversation"),
        "contact": say("opened the customer's card"),
        "appointment": say("opened the appointment"),
        "sources": say("looked up what an answer rests on"),
        "recording": say("listened to a voice note"),
        "file": say("opened a file"),
        "export": say("exported everything about the customer"),
        "search": say("searched"),
        "queue": say("looked at the queue"),
        "contacts": say("looked at the list of customers"),
        "calendar": say("looked at the calendar"),
        "undelivered": say("looked at what was not delivered"),
        "figures": say("looked at the figures"),
        "trail": say("looked at this page"),
    }


def _changes(say: Say) -> dict[str, str]:
    return {
        "message": say("wrote to the customer"),
        "sent_again": say("sent a message again"),
        "canned_reply": say("kept a ready answer"),
        "document_added": say("added a document"),
        "document_dated": say("changed when a document holds"),
        "document_deleted": say("deleted a document"),
        "setting": say("changed a setting"),
        "note": say("wrote a note"),
        "fact_accepted": say("accepted a fact"),
        "fact_rejected": say("rejected a fact"),
        "erased": say("The customer was erased"),
    }


def _entries(say: Say) -> dict[str, str]:
    return {
        "login": say("logged in"),
        "login_provider": say("logged in through the company's login"),
        "login_failed": say("failed to log in"),
        "logout": say("logged out"),
        "password": say("was given a new password"),
        "token": say("was given a new API token"),
        "disabled": say("may no longer log in"),
        "membership": say("works here as"),
    }
