"""What can go wrong in the record, told apart by what the caller does about it."""


class RecordError(Exception):
    """The record could not do it. `retryable` says whether the same call may succeed later."""

    retryable = False


class RecordUnavailable(RecordError):
    """The database does not answer at the moment: try the whole step again."""

    retryable = True


class RecordContended(RecordUnavailable):
    """Somebody else changed the same rows at this moment: the next try of the whole step finds it."""


class UnknownBusiness(RecordError):
    """No such business: `sara business list` shows those there are."""


class UnknownConversation(RecordError):
    """No such conversation in this business."""


class UnknownHandoff(RecordError):
    """No such hand-over in this business."""


class UnknownRecording(RecordError):
    """No sound is kept of this message: its time is over, or none was kept."""


class HandoffClosed(RecordError):
    """This hand-over was already returned or resolved: the conversation is no longer with a human."""


class SlotTaken(RecordError):
    """Somebody else has that time: offer other free times."""


class NotBookable(RecordError):
    """The service cannot be booked as asked: outside opening hours, in the past or unknown."""


class UnknownQuote(RecordError):
    """No such quote of this customer in this business, or no such line that may still be priced."""


class QuoteNotPriced(RecordError):
    """A line of this quote has no price, or the business has not entered its tax data: enter them first."""


class QuoteDecided(RecordError):
    """This quote cannot be accepted or changed any more: it was decided before, or never issued."""


class UnknownQuarantine(RecordError):
    """Nothing of that number was given up in this business: `sara quarantine list` shows what was."""


class UnknownTicket(RecordError):
    """No such open ticket in this business."""


class UnknownFollowUp(RecordError):
    """No such open follow-up in this business."""


class UnknownAppointment(RecordError):
    """No such appointment in this business that is still to be closed."""


class UnknownAgent(RecordError):
    """Nobody works here under that e-mail address."""


class WrongPassword(RecordError):
    """E-mail address and password do not belong together, or that person may not log in."""


class TooManyLogins(RecordError):
    """Too many failed logins: wait a quarter of an hour, or have the password set anew."""


class WrongCode(RecordError):
    """This code is not the one, or was used before: wait for the next one in your app."""


class FactorUnreadable(RecordError):
    """The second factor cannot be checked here: SARA_SECRET_KEY is missing or names other keys."""


class FactorHeld(RecordError):
    """This second factor cannot be changed here: there is none, or that person works elsewhere too."""


class OwnFactorFirst(RecordError):
    """Whoever asks a second factor of others needs one first."""


class HeldByColleague(RecordError):
    """A colleague has this conversation: only one person answers at a time."""

    def __init__(self, colleague: str | None = None) -> None:
        self.colleague = colleague
        super().__init__(
            f"{colleague or 'a colleague'} has this conversation: only one person answers at a time"
        )


class BotSpeaks(RecordError):
    """SARA has this conversation: take it over first."""


class WindowOver(RecordError):
    """More than 24 hours since the customer's last message: only a template may be sent."""


class NewerConversation(RecordError):
    """The customer has a newer open conversation: go on there."""


class UnknownMessage(RecordError):
    """No such message, or no such file of it, in this business."""


class FileRefused(RecordError):
    """This file cannot be sent: take a picture, PDF, office file, text, sound or video of at most 16 MB."""


class UnknownResource(RecordError):
    """No such person or room in this business: the keys are those of its file."""


class UnknownCalendar(RecordError):
    """No calendar is found there: its address was made anew, or was never one of ours."""


class UnknownContact(RecordError):
    """No such customer in this business: give a phone number with its country's digits, or the number SARA
    gives a customer as #12."""


class ContactBusy(RecordError):
    """SARA is answering this customer at this moment: try again in a few seconds."""

    retryable = True


class SomethingOpen(RecordError):
    """Something is open with this customer: end it first."""
