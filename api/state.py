"""What the HTTP layer works with, kept on the application."""

import hmac
import time
from dataclasses import dataclass, field

from fastapi import Request

from api.metrics import Metrics
from crm import businesses
from crm.record import Crm

_NUMBER_TTL_S = 60.0


@dataclass(frozen=True)
class ApiServices:
    """Built once per process by sara.services."""

    crm: Crm
    app_secret: str
    verify_token: str
    gather_seconds: float
    metrics: Metrics
    _numbers: dict[str, tuple[float, int]] = field(default_factory=dict)

    def verifies(self, token: str) -> bool:
        """Whether a verify token is ours; compared in constant time."""
        return bool(self.verify_token) and hmac.compare_digest(token.encode(), self.verify_token.encode())

    async def business_of(self, phone_number_id: str) -> int | None:
        """Which business a number belongs to; known numbers are remembered for a minute."""
        kept = self._numbers.get(phone_number_id)
        if kept and time.monotonic() - kept[0] < _NUMBER_TTL_S:
            return kept[1]
        async with self.crm.outside() as tx:
            business_id = await businesses.of_number(tx, phone_number_id)
        if business_id is not None:
            self._numbers[phone_number_id] = (time.monotonic(), business_id)
        return business_id


def services_of(request: Request) -> ApiServices:
    """The services of the application that answers this request."""
    services = request.app.state.services
    if not isinstance(services, ApiServices):
        raise TypeError("the application was started without its services")
    return services
