"""What can go wrong with a calendar outside, told apart by what to do about it."""


class CalendarError(Exception):
    """A calendar could not be reached or used. `retryable` says whether trying again later may help."""

    retryable = True


class CalendarUnreachable(CalendarError):
    """The calendar's server does not answer, or answers with a failure of its own: it is tried again."""


class CalendarRefused(CalendarError):
    """The calendar's server refuses us: check address, user and password, or give access anew."""

    retryable = False


class CalendarUnreadable(CalendarError):
    """The calendar's server answered with something that is no calendar: check the address."""

    retryable = False
