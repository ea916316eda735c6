"""What an admin settles about second factors: whether everybody needs one, and a colleague's lost phone."""

from api.console.access import Seat
from api.console.desk import valid_id
from api.state import ApiServices
from crm import factors
from crm.errors import FactorUnreadable
from crm.record import Tx

Values = dict[str, str]


async def requiring(services: ApiServices, tx: Tx, seat: Seat, values: Values) -> None:
    """Asks one of everybody, or no longer. Raises OwnFactorFirst, FactorUnreadable where none can be kept."""
    wanted = values.get("required") == "true"
    if wanted and services.secrets is None:
        raise FactorUnreadable(FactorUnreadable.__doc__)
    await factors.require(tx, seat.person.session, wanted)


async def resetting(tx: Tx, seat: Seat, values: Values) -> None:
    """Takes a colleague's away, who lost their phone. Raises FactorHeld."""
    number = values.get("person", "")
    person = int(number) if number.isascii() and number.isdigit() and len(number) < 19 else 0
    await factors.reset(tx, valid_id(person), seat.agent_id)
