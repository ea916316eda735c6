"""Which business the running code acts for, told to PostgreSQL at the start of every transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

# Both settings are local to the transaction, so that connections can be shared through any pooler.
# Parameter: the business id as text, or '' for none (then the policies show no row at all).
ENTER_TENANT = "SELECT set_config('role', 'sara_app', true), set_config('app.business_id', %s, true)"

# The same for a transaction that has just begun. `now` is the database's time, in seconds since 1970.
ENTER_TENANT_NOW = f"{ENTER_TENANT}, extract(epoch FROM clock_timestamp())::float8 AS now"

_business: ContextVar[int | None] = ContextVar("business", default=None)


class NoTenant(RuntimeError):
    """Tenant data was touched outside `tenant(business_id)`: enter it where the event is taken up."""


@contextmanager
def tenant(business_id: int) -> Iterator[None]:
    """Acts for `business_id` inside the block; for libraries that open their own connections."""
    token = _business.set(business_id)
    try:
        yield
    finally:
        _business.reset(token)


def current_tenant() -> int:
    """The business of the enclosing `tenant` block. Raises NoTenant outside one."""
    business_id = _business.get()
    if business_id is None:
        raise NoTenant(NoTenant.__doc__)
    return business_id
