"""What can go wrong at a company's own login, told apart by what the person in front of it does."""


class SignOnError(Exception):
    """The company's login did not let you in."""


class ProviderUnreachable(SignOnError):
    """The company's login does not answer: try again in a moment, or log in with your password."""


class ProviderRefused(SignOnError):
    """The company's login did not let you in, or you stopped it: begin again."""


class IdentityRefused(SignOnError):
    """What the company's login answered does not hold: begin again; the log has the cause."""


class EmailUnverified(SignOnError):
    """The company's login does not vouch for your e-mail address: ask whoever looks after it."""
