"""Who is calling: API tokens, and the businesses their holders work for."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.state import address_of, services_of
from crm import businesses
from crm.errors import UnknownBusiness
from crm.trail import Reader

_bearer = HTTPBearer(auto_error=False, description="An agent's API token")


@dataclass(frozen=True)
class Caller:
    """An agent's program, acting for one of that agent's businesses from a network `address`."""

    business_id: int
    agent_id: int
    role: str
    address: str

    @property
    def reader(self) -> Reader:
        """Who it is in the trail of looks and changes."""
        return Reader(self.agent_id, "api", self.address)

    @property
    def supervisor(self) -> bool:
        """Whether the caller may act where a colleague has the word."""
        return self.role in ("supervisor", "admin")


async def caller(
    request: Request,
    business: str,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Caller:
    """The caller of a route under /api/businesses/{business}. 401 without a valid token; 404 for a business
    the caller does not work for, the same answer as for one that does not exist."""
    if credentials is None:
        raise HTTPException(401, "an API token is needed", headers={"WWW-Authenticate": "Bearer"})
    services = services_of(request)
    async with services.crm.outside() as tx:
        memberships = await businesses.memberships_of_token(tx, credentials.credentials)
        if not memberships:
            raise HTTPException(401, "this API token is not valid", headers={"WWW-Authenticate": "Bearer"})
        try:
            # A NUL cannot even be asked for.
            business_id = await businesses.of_slug(tx, business.replace("\x00", "?"))
        except UnknownBusiness as error:
            raise HTTPException(404, "no such business") from error
    for membership in memberships:
        if membership.business_id == business_id:
            return Caller(business_id, membership.agent_id, membership.role, address_of(request))
    raise HTTPException(404, "no such business")


Authenticated = Annotated[Caller, Depends(caller)]
