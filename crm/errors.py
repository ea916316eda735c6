"""What can go wrong in the record, told apart by what the caller does about it."""


class RecordError(Exception):
    """The record could not do it. `retryable` says whether the same call may succeed later."""

    retryable = False


class RecordUnavailable(RecordError):
    """The database does not answer at the moment: try the whole step again."""

    retryable = True


class UnknownBusiness(RecordError):
    """No such business: `sara business list` shows those there are."""


class UnknownConversation(RecordError):
    """No such conversation in this business."""


class UnknownHandoff(RecordError):
    """No such hand-over in this business."""


class HandoffClosed(RecordError):
    """This hand-over was already returned or resolved: the conversation is no longer with a human."""


class SlotTaken(RecordError):
    """Somebody else has that time: offer other free times."""


class NotBookable(RecordError):
    """The service cannot be booked as asked: outside opening hours, in the past or unknown."""
