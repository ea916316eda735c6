"""Who sells and who pays, as the tax office wants them named."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from crm.record import Tx


@dataclass(frozen=True)
class SellerRow:
    """The business; `quote_limit` is the largest quote issued without a person, None for no limit."""

    legal_name: str
    vat_number: str
    tax_code: str | None
    regime: str
    street: str
    postal_code: str
    city: str
    province: str | None
    country: str
    vat_rate: Decimal
    vat_nature: str | None
    quote_valid_days: int
    quote_limit: Decimal | None
    time_zone: str
    email: str | None
    phone: str | None

    @property
    def is_italian(self) -> bool:
        """Whether its invoices are electronic ones in the FatturaPA format."""
        return self.country == "IT"


@dataclass(frozen=True)
class BuyerRow:
    """Who pays. Everything but name and country may be missing until the customer tells it."""

    name: str
    vat_number: str | None
    tax_code: str | None
    street: str | None
    postal_code: str | None
    city: str | None
    province: str | None
    country: str
    sdi_code: str | None = None
    pec: str | None = None

    @property
    def missing(self) -> tuple[str, ...]:
        """What an electronic invoice still needs: "tax_id", "address"."""
        identified = self.vat_number or self.tax_code
        located = self.street and self.city and (self.postal_code or self.country != "IT")
        return (*(() if identified else ("tax_id",)), *(() if located else ("address",)))


async def seller(tx: Tx) -> SellerRow | None:
    """The business of the transaction; None when it has not entered its tax data."""
    return await tx.first(SellerRow, "fiscal")


async def buyer(tx: Tx, contact_id: int) -> BuyerRow | None:
    """Who pays for a customer; None when nothing was told."""
    return await tx.first(BuyerRow, "contact_fiscal", contact_id=contact_id)


async def tell(tx: Tx, contact_id: int, row: BuyerRow) -> None:
    """Remembers who pays; fields that are None keep what was told before."""
    fields = {name: getattr(row, name) for name in row.__dataclass_fields__}
    await tx.run("contact_fiscal_put", contact_id=contact_id, **fields)


async def next_number(tx: Tx, kind: str, today: date) -> str:
    """The next number of a yearly series, "2026/7". It is given back when the transaction fails: no gaps."""
    last = int(await tx.value("document_number", kind=kind, year=today.year))
    return f"{today.year}/{last}"


def today_at(tx: Tx, time_zone: str) -> date:
    """The day it is now where the business is."""
    return tx.now.astimezone(ZoneInfo(time_zone)).date()
