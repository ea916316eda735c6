"""A quote or an invoice draft on paper: who, to whom, what, how much, in the customer's language."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from crm.fiscal import BuyerRow, SellerRow
from crm.vat import Taxed
from knowledge.phrases import Say


class Item(Taxed, Protocol):
    """A line that says what it is for."""

    @property
    def description(self) -> str: ...


@dataclass(frozen=True)
class Paper:
    """What stands on it; `about` are the lines under the title, `written_at` goes into the file's data."""

    title: str
    about: Sequence[str]
    seller: SellerRow
    buyer: BuyerRow
    lines: Sequence[Item]
    currency: str
    language: str
    written_at: datetime
    note: str


def pdf(paper: Paper, say: Say) -> bytes:
    """The paper as a PDF; the same paper gives the same bytes. Any text can be printed: see `latin`."""
    from jobs.sheet import Sheet  # 17 MB, for what many businesses never print

    sheet = Sheet(paper, say)
    sheet.add_page()
    sheet.parties()
    sheet.heading()
    sheet.items()
    sheet.sums()
    sheet.closing()
    return bytes(sheet.output())
