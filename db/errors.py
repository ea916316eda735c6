"""What can go wrong on the floor."""


class DatabaseError(Exception):
    """The database cannot be used. `retryable` says whether the same call may succeed later."""

    retryable = False


class DatabaseUnavailable(DatabaseError):
    """PostgreSQL does not answer: check SARA_DATABASE_URL and that the server runs."""

    retryable = True


class MigrationFailed(DatabaseError):
    """The schema could not be brought up to date."""


class SchemaOutdated(DatabaseError):
    """The database's schema is older than this program: run `sara migrate`."""


class ThreadTakenOver(DatabaseError):
    """Another worker went on with this thread meanwhile: what this one knows of it is out of date."""

    retryable = True
