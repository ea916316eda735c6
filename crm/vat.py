"""VAT worked out of prices that hold it: what is said to a customer is the total, to the cent."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Protocol

CENT = Decimal("0.01")


class Taxed(Protocol):
    """A line with a price per unit, VAT included, and its rate in percent."""

    @property
    def quantity(self) -> Decimal: ...
    @property
    def unit_price(self) -> Decimal: ...
    @property
    def vat_rate(self) -> Decimal: ...
    @property
    def vat_nature(self) -> str | None: ...


@dataclass(frozen=True)
class RateTotal:
    """What a document comes to at one rate; `nature` says why there is no VAT where the rate is 0."""

    rate: Decimal
    nature: str | None
    net: Decimal
    vat: Decimal

    @property
    def gross(self) -> Decimal:
        """Net and VAT together."""
        return self.net + self.vat


@dataclass(frozen=True)
class Totals:
    """What a document comes to, per rate and as a whole."""

    rates: tuple[RateTotal, ...]

    @property
    def net(self) -> Decimal:
        """Without VAT."""
        return sum((rate.net for rate in self.rates), Decimal("0.00"))

    @property
    def vat(self) -> Decimal:
        """The VAT alone."""
        return sum((rate.vat for rate in self.rates), Decimal("0.00"))

    @property
    def taxed(self) -> bool:
        """Whether any of it has a rate: an exempt treatment, or a seller who charges no VAT, has none."""
        return any(rate.rate for rate in self.rates)

    @property
    def gross(self) -> Decimal:
        """What the customer pays."""
        return self.net + self.vat


def gross_of(line: Taxed) -> Decimal:
    """What a line costs, rounded to the cent."""
    return cents(line.quantity * line.unit_price)


def totals(lines: Iterable[Taxed]) -> Totals:
    """The totals of a document, the highest rate first.

    VAT is taken out of the sum at each rate, not line by line: net plus VAT is then exactly what the prices
    add up to, and the VAT is never further than half a cent from the rate's share of the net.
    """
    sums: dict[tuple[Decimal, str | None], Decimal] = {}
    for line in lines:
        key = (line.vat_rate, line.vat_nature)
        sums[key] = sums.get(key, Decimal(0)) + gross_of(line)
    rates = []
    for (rate, nature), gross in sorted(sums.items(), key=lambda item: (-item[0][0], item[0][1] or "")):
        net = cents(net_of(gross, rate))
        rates.append(RateTotal(rate, nature, net, gross - net))
    return Totals(tuple(rates))


def net_of(gross: Decimal, rate: Decimal) -> Decimal:
    """An amount without the VAT it holds, not rounded."""
    return gross / (1 + rate / 100)


def cents(amount: Decimal) -> Decimal:
    """An amount rounded to the cent, halves up, as invoices are."""
    return amount.quantize(CENT, ROUND_HALF_UP)
